//! The lines of a profile's dialogue.

use super::fields::Fields;
use super::keys::RULE;
use super::suggest::did_you_mean;
use super::template::{SECRET_FIELDS, SITE_FIELDS};
use super::value::Value;
use super::{DialogueRule, Pattern, Reaction, Template};
use crate::record::{FailureKind, MalfunctionKind, Reason};

/// How often a line may be typed at most.
const MAX_SENDS: u32 = 100;

/// Reads the rules; wrong ones are noted as faults and left out.
pub(super) fn read_rules(dialogue: &Value<'_>) -> Vec<DialogueRule> {
    dialogue.items().iter().filter_map(read_rule).collect()
}

fn read_rule(value: &Value<'_>) -> Option<DialogueRule> {
    let fields = Fields::of(value, &RULE)?;
    let expect = fields.get("expect");
    if expect.is_none() {
        fields.fault(Some("expect"), "is missing", Some("a regular expression on the client's output".to_owned()));
    }
    let expect = expect.and_then(|expect| read_pattern(&expect));
    let reaction = read_reaction(&fields);
    Some(DialogueRule { expect: expect?, reaction: reaction? })
}

fn read_pattern(value: &Value<'_>) -> Option<Pattern> {
    let text = value.raw()?;
    if value.sink.is_built_in() {
        return Some(Pattern::unchecked(text));
    }
    match Pattern::checked(text) {
        Ok((_, true)) => {
            value.not(text, "matches the empty text, so it would match at once and always", None);
            None
        }
        Ok((pattern, false)) => Some(pattern),
        Err(regex::Error::CompiledTooBig(_)) => {
            value.not(text, "is too large a regular expression", None);
            None
        }
        Err(error) => {
            // The crate's text shows the pattern over several lines; its last one says what is wrong.
            let whole = error.to_string();
            let reason = whole.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
            value.not(text, &format!("is not a regular expression: {reason}"), None);
            None
        }
    }
}

fn read_reaction(fields: &Fields<'_>) -> Option<Reaction> {
    let given: Vec<_> = ["send", "failed", "connected"].into_iter().filter(|key| fields.get(key).is_some()).collect();
    if given.as_slice() != ["send"] {
        for value in ["max", "then", "hidden", "may_hide", "again"].iter().filter_map(|key| fields.get(key)) {
            value.fault("belongs to `send`");
        }
    }
    match given.as_slice() {
        ["send"] => read_send(fields),
        ["failed"] => read_reason(&fields.get("failed")?).map(Reaction::Failed),
        ["connected"] => {
            let value = fields.get("connected")?;
            if value.flag()? {
                return Some(Reaction::Connected);
            }
            value.fault("can only be `true`");
            None
        }
        [] => {
            fields.fault(None, "has no reaction", Some("add one of `send`, `failed`, `connected: true`".to_owned()));
            None
        }
        several => {
            let several: Vec<_> = several.iter().map(|key| format!("`{key}`")).collect();
            fields.fault(None, format!("has {} reactions: {}", several.len(), several.join(", ")), None);
            None
        }
    }
}

fn read_send(fields: &Fields<'_>) -> Option<Reaction> {
    let value = fields.get("send")?;
    let line = read_template(&value, value.line()?, Place::Send);
    let max = fields.get("max").map(|max| max.integer(&(1..=MAX_SENDS)));
    let then = fields.get("then").map(|then| read_reason(&then));
    let max = match (max, then) {
        (None, None) => None,
        (Some(max), Some(then)) => Some((max?, then?)),
        (Some(_), None) => {
            fields.fault(Some("then"), "is missing: `max` needs the reason that counts when asked once more", None);
            return None;
        }
        (None, Some(_)) => {
            fields.fault(Some("max"), "is missing: `then` needs how often the line may be typed before", None);
            return None;
        }
    };
    let flag = |key: &str| fields.get(key).and_then(|value| value.flag()).unwrap_or(false);
    let (hidden, may_hide, again) = (flag("hidden"), flag("may_hide"), flag("again"));
    let line = line?;
    if let Some(value) = fields.get("again").filter(|_| again && !line.has_field("password")) {
        value.fault("is for lines with `{password}` alone");
    }
    // A secret typed again and again locks the account: without a word of the user's, once is enough.
    let max = max.or_else(|| {
        let secret = line.fields().find(|name| SECRET_FIELDS.contains(name))?;
        let reason = match secret {
            "otp" => FailureKind::OtpRejected.into(),
            // Its key did not open: nobody but this host has heard of it.
            "key_passphrase" => MalfunctionKind::ClientExited.into(),
            _ => FailureKind::AuthRejected.into(),
        };
        Some((1, reason))
    });
    Some(Reaction::Send { line, max, hidden, may_hide, again })
}

fn read_reason(value: &Value<'_>) -> Option<Reason> {
    let text = value.text()?;
    let reason = Reason::from_name(text);
    if reason.is_none() {
        let failures = FailureKind::ALL.iter().map(|kind| kind.as_str());
        let names = failures.chain(MalfunctionKind::ALL.iter().map(|kind| kind.as_str()));
        value.not(text, "is not a reason", did_you_mean(text, names));
    }
    reason
}

/// Where a template stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Typed on the terminal: secrets are allowed.
    Send,
    /// On the command line or in the environment, where every process of the host could read it.
    Visible,
}

/// Reads text with fields in braces.
pub(super) fn read_template(value: &Value<'_>, text: &str, place: Place) -> Option<Template> {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(fault) => {
            let hint = "write `{{` and `}}` for the braces themselves".to_owned();
            value.not(text, fault.message(), hint);
            return None;
        }
    };
    let secret = template.fields().find(|name| SECRET_FIELDS.contains(name));
    if let (Place::Visible, Some(secret)) = (place, secret) {
        value.fault(format!("`{{{secret}}}` is allowed in `send` alone: others could read it here"));
        return None;
    }
    Some(template)
}

/// The site's fields, for hints about an unknown one.
pub(super) fn similar_field(name: &str) -> Option<String> {
    did_you_mean(name, SITE_FIELDS)
}
