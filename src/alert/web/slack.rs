//! What Slack's incoming webhooks are told. Pure.

use serde_json::json;

use crate::alert::Outgoing;
use crate::alert::text::shortened;

/// Longest text of a section (Slack: 3000 characters), with room for its marks.
const LONGEST: usize = 2900;
/// Longest text of a header (Slack: 150 characters).
const LONGEST_HEADER: usize = 150;

/// The headline, which notifications show, and blocks.
pub(super) fn body(outgoing: &Outgoing) -> Vec<u8> {
    let headline = escaped(&outgoing.subject);
    let (header, text) = (shortened(&outgoing.subject, LONGEST_HEADER), cut(&escaped(outgoing.body.trim_end())));
    let message = json!({
        "text": headline,
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": header, "emoji": false } },
            { "type": "section", "text": { "type": "mrkdwn", "text": format!("```\n{text}\n```"), "verbatim": true } },
        ],
    });
    message.to_string().into_bytes()
}

/// Slack's own escapes; three backticks would end the block of the text, and so would fewer beside its end.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("```", "'''")
}

/// Never in the middle of an escape.
fn cut(text: &str) -> String {
    let cut = shortened(text, LONGEST);
    let Some(kept) = cut.strip_suffix('…').filter(|_| cut != text) else { return cut };
    let whole = match kept.rfind('&') {
        Some(start) if !kept[start..].contains(';') => &kept[..start],
        _ => kept,
    };
    format!("{whole}…")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::alert::document::tests::down;

    #[test]
    fn nothing_of_the_gateway_is_markup() {
        let body = body(&Outgoing { body: "<!channel> & ``` *x*".into(), ..down() });
        let message: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(message["text"], "[vpnprobe] paris DOWN: login login-timeout (gateway)");
        assert_eq!(message["blocks"][1]["text"]["text"], "```\n&lt;!channel&gt; &amp; ''' *x*\n```");
    }

    #[test]
    fn a_long_text_is_cut_and_no_escape_with_it() {
        for text in ["&".repeat(4000), "x&".repeat(4000)] {
            let cut = cut(&escaped(&text));
            assert!(cut.chars().count() <= LONGEST, "{}", cut.len());
            assert!(cut.ends_with(";…") || cut.ends_with("x…"), "{}", &cut[cut.len() - 10..]);
        }
    }
}
