//! The dialogue: whatever a client prints in whatever pieces, a secret is typed no more often than the profile allows
//! and only where its prompt is the last thing on the terminal, nothing follows the end, nothing that is shown holds a secret, and little is kept. The first 32 bytes make the
//! profile and the pieces.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use vpnprobe::client::{Dialogue, Fields, Step, TerminalText, Transcript};
use vpnprobe::config::{
    Config, DialogueRule, Environment, Fingerprint, Pattern, Reaction, Secret, Template, TemplatePart, load_str,
};
use vpnprobe::record::{FailureKind, MalfunctionKind};
use vpnprobe_fuzz::{CANARY, pieces, split};

const PIN: &str = "SHA1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";
/// A rule without `max` is answered so often at most (`MOST_ANSWERS` of the dialogue).
const MOST_ANSWERS: u32 = 12;

static BUILT_IN: LazyLock<Config> = LazyLock::new(|| {
    load_str("prober: fuzz", ".".as_ref(), "c.yml", &Environment::default()).expect("it has no fault").config
});

const PATTERNS: [&str; 14] = [
    "Username:",
    "(?m)^[ \t]*Password:",
    "Password:",
    "(?i)code: ?$",
    r"(?s)Fingerprint: (?<fingerprint>SHA1\[[0-9A-Fa-f:]+\]).*?accept",
    r"(?<fingerprint>\S+)",
    "(?m)^Connected$",
    "Connected",
    r"(?s)a.*?b",
    r"[^\n]+",
    r"\b",
    "(?m)$",
    "Disconnected",
    "é|ü|\u{fffd}",
];

fuzz_target!(|data: &[u8]| {
    let (decisions, bytes) = split(data, 32);
    let mut u = Unstructured::new(decisions);
    let Ok(rules) = rules(&mut u) else { return };
    let asks: Vec<Pattern> = rules.iter().filter(|rule| types_secret(rule)).map(|rule| rule.expect.clone()).collect();
    let most: u32 = rules.iter().filter_map(most_sends).sum();
    let most_secrets: u32 = rules.iter().filter(|rule| types_secret(rule)).filter_map(most_sends).sum();
    let secrets = vec![("password".to_owned(), Secret::new(CANARY))];
    let fields = Fields::default().with("username", "probe").with_secret("password", Secret::new(CANARY));
    let pinned = Fingerprint::parse(PIN).into_iter().collect();
    let Ok(mut dialogue) = Dialogue::new(rules, fields, pinned) else { return };
    let empty = format!("{dialogue:?}").len();
    let (mut terminal, mut transcript) = (TerminalText::default(), Transcript::default());
    let (mut all, mut heard, mut sent, mut sent_secrets, mut over) = (String::new(), String::new(), 0, 0, false);
    for piece in pieces(&mut u, bytes) {
        let text = terminal.push(piece);
        all.push_str(&text);
        heard.push_str(&text);
        transcript.received(Duration::ZERO, &text);
        dialogue.push(piece, &text);
        dialogue.echo_off(u.ratio(1, 4).unwrap_or(true));
        let mut patience = 2;
        while let Some(step) = next_step(&mut dialogue, &mut patience) {
            assert!(!over, "a step after the end");
            match step {
                Step::Send(line) => {
                    sent += 1;
                    if line.text.reveal().contains(CANARY) {
                        sent_secrets += 1;
                        assert!(asks.iter().any(|prompt| ends_with(prompt, &heard)), "asked for by {heard:?}");
                    }
                    // Our Enter ends the line.
                    heard.clear();
                    assert!(!line.shown.contains(CANARY));
                    transcript.sent(Duration::ZERO, &line.shown);
                }
                Step::Connected { .. } | Step::Withdrawn => {}
                Step::AskedAgain => dialogue.permit(u.arbitrary().unwrap_or_default()),
                Step::Failed { text, .. } | Step::Lost { text, .. } => {
                    // What the client echoes is blanked by whoever shows it.
                    assert!(all.contains(CANARY) || !text.contains(CANARY), "{text}");
                    over = true;
                }
            }
        }
        let _ = (dialogue.has_heard(), dialogue.open_question());
    }
    assert!(sent <= most && sent_secrets <= most_secrets, "{sent} lines, {sent_secrets} secrets");
    // Debug escapes a character in at most ten.
    assert!(format!("{dialogue:?}").len() < empty + 10 * (3 * 8 * 1024 + bytes.len().min(64)) + 1024);
    for event in transcript.events(&secrets) {
        assert!(!event.text.contains(CANARY) && event.text.chars().count() <= 501, "{event:?}");
    }
});

/// The next step; where a line waits for the echo to go off, also the one when it has not.
fn next_step(dialogue: &mut Dialogue, patience: &mut u32) -> Option<Step> {
    let step = dialogue.next_step();
    if step.is_some() || *patience == 0 || !dialogue.waits_a_moment() {
        return step;
    }
    *patience -= 1;
    dialogue.moment_over();
    dialogue.next_step()
}

fn types_secret(rule: &DialogueRule) -> bool {
    matches!(&rule.reaction, Reaction::Send { line, .. } if line.fields().any(|field| field == "password"))
}

fn most_sends(rule: &DialogueRule) -> Option<u32> {
    match &rule.reaction {
        Reaction::Send { max, again, .. } => Some(max.map_or(MOST_ANSWERS, |(max, _)| max) + u32::from(*again)),
        Reaction::Failed(_) | Reaction::Connected => None,
    }
}

/// Whether nothing that says something follows a match of the prompt: blanks and the marks that end a prompt.
fn ends_with(prompt: &Pattern, heard: &str) -> bool {
    let starts = heard.char_indices().map(|(at, _)| at).chain([heard.len()]);
    let mut matches = starts.filter_map(|at| prompt.find_at(heard, at));
    matches.any(|found| !heard[found.end()..].contains(char::is_alphanumeric))
}

fn rules(u: &mut Unstructured<'_>) -> Result<Vec<DialogueRule>> {
    match u.int_in_range(0..=15)? {
        0 => return Ok(BUILT_IN.clients["startct"].dialogue.clone()),
        1 => return Ok(BUILT_IN.clients["openconnect"].dialogue.clone()),
        _ => {}
    }
    let count = u.int_in_range(1..=5)?;
    (0..count).map(|_| rule(u)).collect()
}

fn rule(u: &mut Unstructured<'_>) -> Result<DialogueRule> {
    static COMPILED: LazyLock<Vec<Pattern>> =
        LazyLock::new(|| PATTERNS.iter().map(|p| Pattern::new(p).expect("a pattern of ours")).collect());
    let expect = u.choose(&COMPILED)?.clone();
    let field = |name: &str| Template { parts: vec![TemplatePart::Field(name.into())] };
    let (hides, again) = (u.int_in_range(0..=7)?, u.ratio(1, 4)?);
    let (hidden, may_hide) = (hides < 2, hides == 2);
    let send = |line, max| Reaction::Send { line, max, hidden, may_hide, again };
    let reaction = match u.int_in_range(0..=7)? {
        0 => send(field("username"), None),
        1 | 2 => send(field("password"), Some((1, FailureKind::AuthRejected.into()))),
        3 => send(field("password"), Some((u.int_in_range(1..=3)?, FailureKind::AuthRejected.into()))),
        4 => send(field("not-there"), None),
        5 => Reaction::Connected,
        6 => Reaction::Failed(FailureKind::Disconnected.into()),
        _ => Reaction::Failed(MalfunctionKind::UnexpectedPrompt.into()),
    };
    Ok(DialogueRule { expect, reaction })
}
