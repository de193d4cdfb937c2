//! What a workflow of Microsoft Teams is told: an Adaptive Card in the envelope that its webhook trigger takes. Pure.

use serde_json::{Value, json};

use crate::alert::Outgoing;
use crate::alert::text::shortened;

/// Longest text: a message may have 28 KB, in which a character takes two to four bytes, whichever way they are counted.
const LONGEST: usize = 4000;
/// Longest value of a fact, and longest headline: there are ten of them.
const LONGEST_FACT: usize = 150;

/// The card. Its words are runs of text, in which no Markdown counts.
pub(super) fn body(outgoing: &Outgoing) -> Vec<u8> {
    let colour = if outgoing.status() == "firing" { "attention" } else { "good" };
    let facts = ["site", "status", "severity", "stage", "reason", "fault_domain", "start", "end", "prober"];
    let facts: Vec<Value> = facts
        .into_iter()
        .filter_map(|name| Some((name, outgoing.field(name).filter(|value| !value.is_empty())?)))
        .map(|(name, value)| json!({ "title": name.replace('_', " "), "value": shortened(&value, LONGEST_FACT) }))
        .collect();
    let (headline, text) = (shortened(&outgoing.subject, LONGEST_FACT), shortened(outgoing.body.trim_end(), LONGEST));
    let run = |run: Value| json!({ "type": "RichTextBlock", "inlines": [run] });
    let message = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": [
                    run(json!({ "type": "TextRun", "text": headline, "weight": "bolder", "size": "medium", "color": colour })),
                    { "type": "FactSet", "facts": facts },
                    run(json!({ "type": "TextRun", "text": text, "fontType": "monospace", "size": "small" })),
                ],
            },
        }],
    });
    message.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::document::tests::{down, up};

    #[test]
    fn a_card_says_what_happened_in_words_and_facts() {
        let message: Value = serde_json::from_slice(&body(&down())).unwrap();
        let card = &message["attachments"][0]["content"];
        let headline = &card["body"][0]["inlines"][0];
        assert_eq!(headline["text"], "[vpnprobe] paris DOWN: login login-timeout (gateway)");
        assert_eq!((&headline["color"], &card["type"]), (&json!("attention"), &json!("AdaptiveCard")));
        assert_eq!(card["body"][1]["facts"][0], json!({ "title": "site", "value": "paris" }));
        let over: Value = serde_json::from_slice(&body(&up())).unwrap();
        assert_eq!(over.pointer("/attachments/0/content/body/0/inlines/0/color"), Some(&json!("good")));
    }

    #[test]
    fn a_card_stays_below_what_teams_takes() {
        let long = Outgoing { body: "é".repeat(100_000), ..down() };
        assert!(body(&long).len() < 28_000);
    }
}
