//! What Telegram's bots are told (Bot API, `sendMessage`). Pure.

use serde_json::json;

use crate::alert::html::escaped;
use crate::alert::{Outgoing, SendError};
use crate::config::{Severity, WebUrl};

/// The longest text that a message may have, in UTF-16 units. Counted with its markup, which the Bot API does not: on the
/// safe side.
const LONGEST: usize = 4096;
const OPEN: &str = "\n<pre>";
const CLOSE: &str = "</pre>";

/// Where a bot with this token sends messages.
pub(super) fn url(api: &WebUrl, token: &str) -> Result<WebUrl, SendError> {
    if !token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-')) {
        return Err(SendError::permanent("the token holds characters that no token of Telegram has"));
    }
    Ok(api.below(&format!("/bot{token}/sendMessage")))
}

/// The message: the headline, and the text as it is in a mail.
pub(super) fn body(chat_id: &str, outgoing: &Outgoing) -> Vec<u8> {
    let mut text = format!("<b>{}</b>{OPEN}", escaped(&outgoing.subject));
    append(&mut text, outgoing.body.trim_end(), LONGEST - length(CLOSE));
    text.push_str(CLOSE);
    let message = json!({
        "chat_id": chat_id,
        "text": text,
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
        "disable_notification": outgoing.event.kind.severity() == Severity::Info,
    });
    message.to_string().into_bytes()
}

/// Adds as much of it as there is room for; what is cut off is marked.
fn append(text: &mut String, more: &str, longest: usize) {
    let mut used = length(text);
    for c in more.chars() {
        let safe = escaped(c.encode_utf8(&mut [0; 4]));
        if used + length(&safe) + 1 > longest {
            text.push('…');
            return;
        }
        used += length(&safe);
        text.push_str(&safe);
    }
}

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::alert::document::tests::down;

    fn message(outgoing: &Outgoing) -> Value {
        serde_json::from_slice(&body("-100123", outgoing)).unwrap()
    }

    #[test]
    fn a_message_is_html_in_which_nothing_of_the_gateway_is_markup() {
        let message = message(&down());
        let text = message["text"].as_str().unwrap();
        assert!(text.starts_with("<b>[vpnprobe] paris DOWN: login login-timeout (gateway)</b>\n<pre>paris is DOWN"));
        assert!(text.contains("&lt;long&gt; &amp; in vain") && text.ends_with("</pre>"), "{text}");
        assert_eq!((&message["chat_id"], &message["parse_mode"]), (&"-100123".into(), &"HTML".into()));
        assert_eq!(message["disable_notification"], false);
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        for piece in ["&", "🦀", "x"] {
            let long = Outgoing { body: piece.repeat(5000), ..down() };
            let message = message(&long);
            let text = message["text"].as_str().unwrap();
            assert!(length(text) <= LONGEST && length(text) > LONGEST - 10, "{}", length(text));
            assert!(text.ends_with("…</pre>") && !text.contains("&…") && !text.contains("&am…"), "{piece}");
        }
    }

    #[test]
    fn a_token_is_a_part_of_the_path_and_nothing_else() {
        let api = WebUrl::parse("https://api.telegram.org").unwrap();
        assert_eq!(url(&api, "12:aB_-9").unwrap().path, "/bot12:aB_-9/sendMessage");
        for wrong in ["12:a/../b", "12:a b", "12:a?x"] {
            let error = url(&api, wrong).unwrap_err();
            assert!(error.permanent && !error.text.contains(wrong), "{error}");
        }
    }
}
