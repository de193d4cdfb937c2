//! Whatever a gateway says and however a site is called: no message is longer than its receiver takes, since one that is too
//! long would be refused for ever.

use proptest::prelude::*;
use serde_json::Value;

use super::{slack, teams};
use crate::alert::document::tests::{down, up};
use crate::alert::{AlertEvent, AlertFacts, AlertKind, Outgoing};
use crate::record::DialogueEvent;
use crate::zone::Zone;

/// Long, and of what is long in one way or another of counting: marks, quotes, characters beyond the first plane.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("🦀".to_owned()),
        Just("&".to_owned()),
        Just("\"\\".to_owned()),
        Just("`".to_owned()),
        Just("<!channel>".to_owned()),
        Just("é".to_owned()),
        "[a-z ]{1,9}",
        any::<char>().prop_map(String::from),
    ];
    (prop::collection::vec(piece, 1..9), 1_usize..3000).prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

fn messages() -> impl Strategy<Value = Outgoing> {
    let words = prop::collection::vec(hostile(), 7);
    (words, prop::collection::vec(hostile(), 0..15), any::<bool>()).prop_map(|(words, lines, is_over)| {
        let of = if is_over { up() } else { down() };
        let dialogue = lines.into_iter().map(|text| DialogueEvent { at_ms: u64::MAX, sent: false, text }).collect();
        let facts = AlertFacts {
            prober: words[0].clone(),
            group: Some(words[1].clone()),
            detail: Some(words[2].clone()),
            stages: words[3].clone(),
            checks: words[4].clone(),
            gateway: Some(words[5].clone()),
            dialogue,
            ..of.event.facts
        };
        let kind = match of.event.kind {
            AlertKind::Resolved { start, end, restored, .. } => {
                AlertKind::Resolved { start, end, restored, failed: Box::new(facts.clone()) }
            }
            kind => kind,
        };
        let event = AlertEvent { subject: words[6].clone(), facts, kind, ..of.event };
        Outgoing::of(event, of.first, &Zone::utc(), of.created_at)
    })
}

/// The largest number that anybody may count.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn is_escaped(text: &str) -> bool {
    let ends = ["amp;", "lt;", "gt;"];
    !text.contains(['<', '>']) && text.split('&').skip(1).all(|rest| ends.iter().any(|end| rest.starts_with(end)))
}

proptest! {
    /// https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, a header of 150 characters, a section of 3000; a text of
    /// 40,000 is cut.
    #[test]
    fn slack_takes_every_message(outgoing in messages()) {
        let message: Value = serde_json::from_slice(&slack::body(&outgoing)).unwrap();
        let blocks = message["blocks"].as_array().unwrap();
        prop_assert!(blocks.len() <= 50);
        let header = blocks[0]["text"]["text"].as_str().unwrap();
        prop_assert!((1..=150).contains(&units(header)), "{} {header}", units(header));
        let section = blocks[1]["text"]["text"].as_str().unwrap();
        prop_assert!(units(section) <= 3000, "{}", units(section));
        let text = section.strip_prefix("```\n").and_then(|rest| rest.strip_suffix("\n```")).unwrap();
        prop_assert!(!text.contains("```") && is_escaped(text), "{text}");
        let headline = message["text"].as_str().unwrap();
        prop_assert!(units(headline) <= 40_000 && is_escaped(headline));
    }

    /// A message may have 28 KB, and some of Teams' doors count two bytes a character.
    #[test]
    fn teams_takes_every_message(outgoing in messages()) {
        let message = String::from_utf8(teams::body(&outgoing)).unwrap();
        prop_assert!(message.len() <= 28_000, "{} bytes", message.len());
        prop_assert!(2 * units(&message) <= 28_000, "{} bytes in UTF-16", 2 * units(&message));
    }
}
