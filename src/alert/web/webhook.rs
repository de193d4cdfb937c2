//! What a webhook is sent. Pure.

use super::alertmanager;
use crate::alert::Outgoing;
use crate::config::WebhookFormat;

/// The body for the channel of this name.
pub(super) fn body(format: &WebhookFormat, channel: &str, outgoing: &Outgoing) -> Vec<u8> {
    match format {
        WebhookFormat::Json => outgoing.document().to_string().into_bytes(),
        WebhookFormat::Alertmanager => alertmanager::webhook(channel, outgoing).to_string().into_bytes(),
        WebhookFormat::Template { text, json } => {
            let value = |name: &str| {
                let value = outgoing.field(name)?;
                Some(if *json { inside_json(&value) } else { value })
            };
            // A field that there is not was refused with the configuration.
            text.fill(value).unwrap_or_default().into_bytes()
        }
    }
}

/// As it may stand between the quotes of a JSON text.
fn inside_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::document::tests::down;
    use crate::config::{Template, TemplatePart};

    fn filled(json: bool) -> String {
        let text = Template {
            parts: vec![
                TemplatePart::Text("{\"detail\": \"".into()),
                TemplatePart::Field("detail".into()),
                TemplatePart::Text("\"}".into()),
            ],
        };
        String::from_utf8(body(&WebhookFormat::Template { text, json }, "hook", &down())).unwrap()
    }

    #[test]
    fn what_is_put_into_a_template_is_escaped_where_it_is_json() {
        let document: serde_json::Value = serde_json::from_str(&filled(true)).unwrap();
        assert_eq!(document["detail"], "\"waited\" <long> & in vain");
        assert_eq!(filled(false), "{\"detail\": \"\"waited\" <long> & in vain\"}");
    }
}
