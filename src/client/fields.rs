//! Values for the fields in braces of a profile: `{username}`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::config::{Secret, Template};

/// Gives a one-time code at the moment at which it is typed.
pub trait CodeSource: Send + Sync {
    /// The code of now; `Err`: why there is none, in words.
    fn code(&self) -> Result<Secret, String>;
}

/// The values of one site.
#[derive(Clone, Default)]
pub struct Fields {
    plain: BTreeMap<String, String>,
    secret: BTreeMap<String, Secret>,
    codes: BTreeMap<String, Arc<dyn CodeSource>>,
}

/// Why a template can't be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The site has no value for this field.
    #[error("the site has no value for the field `{{{0}}}`")]
    Missing(String),
    /// It has none at this moment.
    #[error("{0}")]
    NotNow(String),
}

/// A template with its fields filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text to type, secrets included.
    pub text: Secret,
    /// The text to show: each secret replaced by its field's name (`<password>`).
    pub shown: String,
    /// Codes that were made for it, by the name of their field: to be blanked from now on.
    pub codes: Vec<(String, Secret)>,
}

impl Fields {
    /// Adds a value that may be seen.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.plain.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a value that may not.
    #[must_use]
    pub fn with_secret(mut self, name: &str, value: Secret) -> Self {
        self.secret.insert(name.to_owned(), value);
        self
    }

    /// Adds a value that may not be seen and is made when it is typed.
    #[must_use]
    pub fn with_code(mut self, name: &str, source: Arc<dyn CodeSource>) -> Self {
        self.codes.insert(name.to_owned(), source);
        self
    }

    /// Every secret with its field's name.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.secret.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Fills in fields that may be seen; a secret is missing here, so that none can reach argv or the environment.
    pub fn expand_plain(&self, template: &Template) -> Result<String, FieldError> {
        template.fill(|name| self.plain.get(name)).map_err(missing)
    }

    /// Fills in every field, for a line to be typed. Makes each code once.
    pub fn expand(&self, template: &Template) -> Result<Expanded, FieldError> {
        let mut made = BTreeMap::new();
        for name in template.fields() {
            if let Some(source) = self.codes.get(name).filter(|_| !made.contains_key(name)) {
                let code = source.code().map_err(FieldError::NotNow)?;
                made.insert(name.to_owned(), code);
            }
        }
        let secret = |name: &str| made.get(name).or_else(|| self.secret.get(name));
        let plain = |name: &str| self.plain.get(name).cloned();
        let text = template.fill(|name| secret(name).map(|s| s.reveal().to_owned()).or_else(|| plain(name)));
        let shown = template.fill(|name| secret(name).map(|_| format!("<{name}>")).or_else(|| plain(name)));
        let (text, shown) = (Secret::new(text.map_err(missing)?), shown.map_err(missing)?);
        Ok(Expanded { text, shown, codes: made.into_iter().collect() })
    }
}

/// Shows no value: some are secrets.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.plain.keys().chain(self.secret.keys()).chain(self.codes.keys()).collect();
        f.debug_struct("Fields").field("names", &names).finish()
    }
}

fn missing(field: &str) -> FieldError {
    FieldError::Missing(field.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TemplatePart;

    fn template(parts: &[TemplatePart]) -> Template {
        Template { parts: parts.to_vec() }
    }

    #[test]
    fn a_secret_is_typed_but_shown_by_its_name_only() {
        let fields = Fields::default().with("username", "probe").with_secret("password", Secret::new("hunter2"));
        let line = template(&[
            TemplatePart::Field("username".into()),
            TemplatePart::Text(":".into()),
            TemplatePart::Field("password".into()),
        ]);
        let expanded = fields.expand(&line).unwrap();
        assert_eq!(expanded.text.reveal(), "probe:hunter2");
        assert_eq!(expanded.shown, "probe:<password>");
    }

    #[test]
    fn a_secret_can_not_reach_an_argument() {
        let fields = Fields::default().with_secret("password", Secret::new("hunter2"));
        let argument = template(&[TemplatePart::Field("password".into())]);
        assert_eq!(fields.expand_plain(&argument), Err(FieldError::Missing("password".into())));
    }

    #[test]
    fn a_code_is_made_once_for_each_line_and_never_shown() {
        struct Counting(std::sync::atomic::AtomicU32);
        impl CodeSource for Counting {
            fn code(&self) -> Result<Secret, String> {
                let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number < 2 { Ok(Secret::new(format!("12345{number}"))) } else { Err("not now".into()) }
            }
        }
        let fields = Fields::default().with_code("otp", Arc::new(Counting(0.into())));
        let twice = template(&[TemplatePart::Field("otp".into()), TemplatePart::Field("otp".into())]);
        let expanded = fields.expand(&twice).unwrap();
        assert_eq!((expanded.text.reveal(), expanded.shown.as_str()), ("123450123450", "<otp><otp>"));
        assert_eq!(expanded.codes, [("otp".to_owned(), Secret::new("123450"))]);
        assert_eq!(fields.expand(&twice).unwrap().text.reveal(), "123451123451");
        assert_eq!(fields.expand(&twice).err(), Some(FieldError::NotNow("not now".into())));
        assert!(fields.expand_plain(&twice).is_err());
    }
}
