//! Text with fields in braces. Pure.

use super::{Template, TemplatePart};

/// The fields that a site itself has; any other comes from its `params`.
pub(super) const SITE_FIELDS: [&str; 9] =
    ["vpn_gw", "vpn_gw_host", "vpn_gw_port", "username", "realm", "password", "key_passphrase", "otp", "site"];

/// The fields that are allowed in `send` alone.
pub(super) const SECRET_FIELDS: [&str; 3] = ["password", "key_passphrase", "otp"];

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateFault {
    /// `{` without `}`.
    Unclosed,
    /// `}` without `{`.
    Unopened,
    /// `{}` or `{a b}`.
    BadName,
}

impl TemplateFault {
    pub(super) const fn message(&self) -> &'static str {
        match self {
            Self::Unclosed => "has a `{` without its `}`",
            Self::Unopened => "has a `}` without its `{`",
            Self::BadName => "has braces without the name of a field in them",
        }
    }
}

impl Template {
    /// Reads `text {field} {{ }}`.
    pub(super) fn parse(mut text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(brace) = text.find(['{', '}']) {
            let (before, rest) = text.split_at(brace);
            literal.push_str(before);
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                text = after;
            } else if let Some(after) = rest.strip_prefix("}}") {
                literal.push('}');
                text = after;
            } else {
                let inner = rest.strip_prefix('{').ok_or(TemplateFault::Unopened)?;
                let (name, after) = inner.split_once('}').ok_or(TemplateFault::Unclosed)?;
                if !is_field_name(name) {
                    return Err(TemplateFault::BadName);
                }
                if !literal.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
                }
                parts.push(TemplatePart::Field(name.to_owned()));
                text = after;
            }
        }
        literal.push_str(text);
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(literal));
        }
        Ok(Self { parts })
    }

    /// The names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Field(name) => Some(name.as_str()),
            TemplatePart::Text(_) => None,
        })
    }

    /// Whether it has this field.
    pub fn has_field(&self, name: &str) -> bool {
        self.fields().any(|field| field == name)
    }

    /// Whether it has a field that holds a secret.
    pub fn has_secret(&self) -> bool {
        self.fields().any(|field| SECRET_FIELDS.contains(&field))
    }

    /// Whether it is a part of the login's credentials: a secret, or the user's name.
    pub fn has_credential(&self) -> bool {
        self.has_secret() || self.has_field("username")
    }

    /// The text with every field replaced by what `value_of` says; the name of the first field without a value, else.
    pub fn fill<V: AsRef<str>>(&self, value_of: impl Fn(&str) -> Option<V>) -> Result<String, &str> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                TemplatePart::Text(literal) => text.push_str(literal),
                TemplatePart::Field(name) => text.push_str(value_of(name).ok_or(name.as_str())?.as_ref()),
            }
        }
        Ok(text)
    }
}

/// Whether a field may have this name.
pub(super) fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Result<String, String> {
        let template = Template::parse(text).map_err(|fault| fault.message().to_owned())?;
        template.fill(|name| (name == "user").then_some("probe")).map_err(str::to_owned)
    }

    #[test]
    fn fields_are_filled_and_doubled_braces_stand_for_themselves() {
        assert_eq!(filled("-u{user}!"), Ok("-uprobe!".to_owned()));
        assert_eq!(filled("{{user}} {user}{user} }}{{"), Ok("{user} probeprobe }{".to_owned()));
        assert_eq!(filled(""), Ok(String::new()));
        assert_eq!(filled("{realm}"), Err("realm".to_owned()));
    }

    #[test]
    fn broken_braces_are_told() {
        for (text, fault) in [
            ("a{user", TemplateFault::Unclosed),
            ("a}", TemplateFault::Unopened),
            ("{}", TemplateFault::BadName),
            ("{a b}", TemplateFault::BadName),
            ("{user{{", TemplateFault::Unclosed),
        ] {
            assert_eq!(Template::parse(text), Err(fault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a{} é]*") {
            let _ = Template::parse(&text);
        }
    }
}
