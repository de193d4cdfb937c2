//! What Slack's incoming webhooks are told. Pure.

use serde_json::json;

use crate::alert::Outgoing;

/// Longest text of a section (Slack: 3000 characters), with room for its marks.
const LONGEST: usize = 2900;

/// The headline, which notifications show, and blocks.
pub(super) fn body(outgoing: &Outgoing) -> Vec<u8> {
    let headline = escaped(&outgoing.subject);
    let text = cut(&escaped(outgoing.body.trim_end()));
    let message = json!({
        "text": headline,
        "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": outgoing.subject, "emoji": false } },
            { "type": "section", "text": { "type": "mrkdwn", "text": format!("```{text}```"), "verbatim": true } },
        ],
    });
    message.to_string().into_bytes()
}

/// Slack's own escapes; three backticks would end the block of the text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("```", "'''")
}

/// Never in the middle of an escape.
fn cut(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(LONGEST) else { return text.to_owned() };
    let kept = &text[..end];
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
        assert_eq!(message["blocks"][1]["text"]["text"], "```&lt;!channel&gt; &amp; ''' *x*```");
    }

    #[test]
    fn a_long_text_is_cut_and_no_escape_with_it() {
        for text in ["&".repeat(4000), "x&".repeat(4000)] {
            let cut = cut(&escaped(&text));
            assert!(cut.chars().count() <= LONGEST + 1, "{}", cut.len());
            assert!(cut.ends_with(";…") || cut.ends_with("x…"), "{}", &cut[cut.len() - 10..]);
        }
    }
}
