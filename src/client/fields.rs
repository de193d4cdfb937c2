//! Values for the fields in braces of a profile: `{username}`.

use std::collections::BTreeMap;

use crate::config::{Secret, Template};

/// The values of one site.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    plain: BTreeMap<String, String>,
    secret: BTreeMap<String, Secret>,
}

/// The site has no value for this field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the site has no value for the field `{{{0}}}`")]
pub struct FieldMissing(pub String);

/// A template with its fields filled in.
#[derive(Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text to type, secrets included.
    pub text: Secret,
    /// The text to show: each secret replaced by its field's name (`<password>`).
    pub shown: String,
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

    /// Every secret with its field's name.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.secret.iter().map(|(name, secret)| (name.as_str(), secret))
    }

    /// Fills in fields that may be seen; a secret is missing here, so that none can reach argv or the environment.
    pub fn expand_plain(&self, template: &Template) -> Result<String, FieldMissing> {
        template.fill(|name| self.plain.get(name)).map_err(missing)
    }

    /// Fills in every field, for a line to be typed.
    pub fn expand(&self, template: &Template) -> Result<Expanded, FieldMissing> {
        let plain = |name: &str| self.plain.get(name).cloned();
        let text = template.fill(|name| self.secret.get(name).map(|s| s.reveal().to_owned()).or_else(|| plain(name)));
        let shown = template.fill(|name| self.secret.get(name).map(|_| format!("<{name}>")).or_else(|| plain(name)));
        Ok(Expanded { text: Secret::new(text.map_err(missing)?), shown: shown.map_err(missing)? })
    }
}

fn missing(field: &str) -> FieldMissing {
    FieldMissing(field.to_owned())
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
        assert_eq!(fields.expand_plain(&argument), Err(FieldMissing("password".into())));
    }
}
