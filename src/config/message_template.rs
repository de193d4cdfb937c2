//! A webhook's own text. Pure. Its braces are those of JSON, so only `{name}` with the name of a field is one; every
//! other brace stands for itself.

use super::suggest::did_you_mean;
use super::{Template, TemplatePart};

/// The fields of a message.
pub(crate) const MESSAGE_FIELDS: [&str; 21] = [
    "id",
    "thread",
    "kind",
    "status",
    "severity",
    "site",
    "site_kind",
    "group",
    "prober",
    "at",
    "start",
    "end",
    "verdict",
    "stage",
    "reason",
    "fault_domain",
    "detail",
    "subject",
    "text",
    "seconds",
    "sites",
];

/// A word in braces that is no field, and what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownField {
    pub(super) name: String,
    pub(super) hint: Option<String>,
}

/// Reads the text.
pub(super) fn parse_message_template(text: &str) -> Result<Template, UnknownField> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(brace) = rest.find('{') {
        let (before, from_brace) = rest.split_at(brace);
        literal.push_str(before);
        let inner = &from_brace[1..];
        let word = &inner[..inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len())];
        let is_closed = inner[word.len()..].starts_with('}');
        if word.is_empty() || !is_closed {
            literal.push('{');
            rest = inner;
            continue;
        }
        if !MESSAGE_FIELDS.contains(&word) {
            return Err(UnknownField { name: word.to_owned(), hint: did_you_mean(word, MESSAGE_FIELDS) });
        }
        if !literal.is_empty() {
            parts.push(TemplatePart::Text(std::mem::take(&mut literal)));
        }
        parts.push(TemplatePart::Field(word.to_owned()));
        rest = &inner[word.len() + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(TemplatePart::Text(literal));
    }
    Ok(Template { parts })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_needs_no_doubled_braces() {
        let template = parse_message_template(r#"{"a":{"text":"{subject}, {site}"},"b":{}}"#).unwrap();
        let filled = template.fill(|name| Some(format!("<{name}>"))).unwrap();
        assert_eq!(filled, r#"{"a":{"text":"<subject>, <site>"},"b":{}}"#);
    }

    #[test]
    fn a_misspelt_field_is_told_and_what_was_meant() {
        let unknown = parse_message_template("{sevrity}").unwrap_err();
        assert_eq!((unknown.name.as_str(), unknown.hint.as_deref()), ("sevrity", Some("did you mean `severity`?")));
    }

    proptest! {
        #[test]
        fn a_text_without_fields_comes_out_as_it_went_in(text in "[{}\" :é]*") {
            let template = parse_message_template(&text).unwrap();
            prop_assert_eq!(template.fill(|_| None::<&str>).unwrap(), text);
        }
    }
}
