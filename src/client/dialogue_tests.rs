use regex::Regex;

use super::*;
use crate::config::{Secret, Template, TemplatePart};

fn field(name: &str) -> Template {
    Template { parts: vec![TemplatePart::Field(name.into())] }
}

fn literal(text: &str) -> Template {
    Template { parts: vec![TemplatePart::Text(text.into())] }
}

fn rule(expect: &str, reaction: Reaction) -> DialogueRule {
    DialogueRule { expect: Regex::new(expect).unwrap(), reaction }
}

fn send(line: Template) -> Reaction {
    Reaction::Send { line, max: None }
}

const PIN: &str = "SHA1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

fn rules() -> Vec<DialogueRule> {
    let once = Some((1, FailureKind::AuthRejected.into()));
    vec![
        rule(r"(?s)Fingerprint: (?<fingerprint>SHA1\[[0-9A-F:]+\]).*?accept this certificate", send(literal("YES"))),
        rule("Username:", send(field("username"))),
        rule("Password:", Reaction::Send { line: field("password"), max: once }),
        rule(r"choice \[1\]:", send(literal("1"))),
        rule("are not present", Reaction::Failed(FailureKind::PostureRejected.into())),
        rule("Authentication failure", Reaction::Failed(FailureKind::AuthRejected.into())),
        rule(r"(?m)^Disconnected", Reaction::Failed(FailureKind::Disconnected.into())),
        rule(r"(?m)^Connected\b", Reaction::Connected),
    ]
}

fn dialogue() -> Dialogue {
    let fields = Fields::default().with("username", "probe").with_secret("password", Secret::new("hunter2"));
    Dialogue::new(rules(), fields, vec![Fingerprint::parse(PIN).unwrap()]).unwrap()
}

/// The steps for these pieces of text, as words.
fn steps(dialogue: &mut Dialogue, pieces: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for piece in pieces {
        dialogue.push(piece);
        while let Some(step) = dialogue.next_step() {
            out.push(match step {
                Step::Send(line) => format!("send {}", line.shown),
                Step::Failed { reason, .. } => format!("failed {reason}"),
                Step::Connected => "connected".into(),
                Step::Lost { .. } => "lost".into(),
            });
        }
    }
    out
}

#[test]
fn a_whole_login_in_one_piece_is_answered_in_its_order() {
    let text = "Fingerprint: SHA1[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]\n\
                Do you want to accept this certificate\nUsername:\nPassword:\nEnter your choice [1]:\nConnected\nCONNECT";
    let expected = ["send YES", "send probe", "send <password>", "send 1", "connected"];
    assert_eq!(steps(&mut dialogue(), &[text]), expected);
}

#[test]
fn text_that_comes_letter_by_letter_gives_the_same_steps() {
    let text = "Username:Password:Enter your choice [1]:\nConnected\n";
    let letters: Vec<String> = text.chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    assert_eq!(steps(&mut dialogue(), &letters), ["send probe", "send <password>", "send 1", "connected"]);
}

#[test]
fn prompts_are_answered_in_whatever_order_they_come() {
    assert_eq!(steps(&mut dialogue(), &["Password:", "Username:"]), ["send <password>", "send probe"]);
}

#[test]
fn disconnected_and_connecting_are_not_connected() {
    assert_eq!(steps(&mut dialogue(), &["Connecting…\n", "NotConnected\n"]), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue(), &["Connecting…\nDisconnected\n"]), ["failed disconnected"]);
}

#[test]
fn a_line_start_is_a_line_start_also_where_a_read_ended() {
    // Our own Enter ends a line, also where the terminal does not echo it.
    assert_eq!(steps(&mut dialogue(), &["Username:", "Connected\n"]), ["send probe", "connected"]);
    assert_eq!(steps(&mut dialogue(), &["Not", "Connected\n"]), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue(), &["\n", "Connected\n"]), ["connected"]);
}

#[test]
fn the_password_is_typed_once_and_asked_again_means_rejected() {
    assert_eq!(steps(&mut dialogue(), &["Password:", "Password:"]), ["send <password>", "failed auth-rejected"]);
}

#[test]
fn nothing_is_typed_after_a_rejection() {
    let said = ["Password:", "Authentication failure\nUsername:\nPassword:"];
    assert_eq!(steps(&mut dialogue(), &said), ["send <password>", "failed auth-rejected"]);
}

#[test]
fn a_certificate_that_is_not_pinned_is_refused() {
    let other =
        "Fingerprint: SHA1[FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]\naccept this certificate";
    assert_eq!(steps(&mut dialogue(), &[other]), ["failed certificate-untrusted"]);
}

#[test]
fn a_question_without_end_is_not_answered_for_ever() {
    let mut dialogue = dialogue();
    let asked = ["choice [1]:"; 13];
    let got = steps(&mut dialogue, &asked);
    assert_eq!(got.len(), 13);
    assert_eq!(got.last().unwrap(), "failed unexpected-prompt");
}

#[test]
fn a_field_that_the_site_lacks_is_an_unexpected_prompt() {
    let rules = vec![rule("Code:", send(field("code")))];
    let mut dialogue = Dialogue::new(rules, Fields::default(), Vec::new()).unwrap();
    assert_eq!(steps(&mut dialogue, &["Code:"]), ["failed unexpected-prompt"]);
}

#[test]
fn after_connected_only_the_loss_of_the_tunnel_counts() {
    let mut dialogue = dialogue();
    let said = ["Connected\n", "Password:", "Authentication failure\n", "Disconnected\n"];
    assert_eq!(steps(&mut dialogue, &said), ["connected", "lost"]);
}

#[test]
fn a_flood_is_forgotten_and_the_prompt_after_it_found() {
    let mut dialogue = dialogue();
    for _ in 0..1000 {
        assert!(steps(&mut dialogue, &["ü noise without any end of line "; 10]).is_empty());
    }
    assert!(dialogue.text.len() < 3 * KEPT_TEXT, "{}", dialogue.text.len());
    assert_eq!(steps(&mut dialogue, &["\nUsername:"]), ["send probe"]);
}

#[test]
fn an_unknown_question_at_the_end_is_seen() {
    let mut dialogue = dialogue();
    steps(&mut dialogue, &["Welcome\nDo you accept the terms? "]);
    assert_eq!(dialogue.open_question(), Some("Do you accept the terms?"));
    assert!(!dialogue.has_heard());
    steps(&mut dialogue, &["\nConnecting (this may take a while)"]);
    assert_eq!(dialogue.open_question(), None);
    steps(&mut dialogue, &["\nTry to run anyway? (y/n) "]);
    assert_eq!(dialogue.open_question(), Some("Try to run anyway? (y/n)"));
}

#[test]
fn fingerprints_are_read_in_every_common_spelling() {
    let pin = Fingerprint::parse(PIN).unwrap();
    assert!(pin.matches("SHA1[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]"));
    assert!(pin.matches("sha1:00112233445566778899aabbccddeeff00112233"));
    assert!(!pin.matches("SHA1[00:11]"));
    assert!(!pin.matches(""));
    let key = Fingerprint::parse("pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").unwrap();
    assert_eq!((key.hash[0], key.hash[31]), (0xe3, 0x55));
    for bad in ["SHA1:zz", "MD5:00", "pin-sha256:!!", "SHA1:0", "00:11"] {
        assert_eq!(Fingerprint::parse(bad), None, "{bad}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_or_run_for_ever(pieces in proptest::collection::vec(".{0,40}", 0..20)) {
        let mut dialogue = dialogue();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let _ = steps(&mut dialogue, &pieces);
    }
}

#[test]
fn a_pattern_that_matches_nothing_at_the_end_of_the_text_is_no_endless_loop() {
    let rules = || {
        let lost = Reaction::Failed(FailureKind::AuthRejected.into());
        vec![rule(r"(?m)^Connected\b", Reaction::Connected), rule(r"\b", lost)]
    };
    let mut connected = Dialogue::new(rules(), Fields::default(), Vec::new()).unwrap();
    assert_eq!(steps(&mut connected, &["Connected", " and more", "\n"]), ["connected"]);
    let mut only = Dialogue::new(rules().split_off(1), Fields::default(), Vec::new()).unwrap();
    assert_eq!(steps(&mut only, &["x"]), ["failed auth-rejected"]);
}

#[test]
fn what_comes_after_the_end_is_not_kept() {
    let mut dialogue = dialogue();
    assert_eq!(steps(&mut dialogue, &["Authentication failure\n"]), ["failed auth-rejected"]);
    let before = format!("{dialogue:?}").len();
    assert!(steps(&mut dialogue, &["x".repeat(1_000_000).as_str(); 3]).is_empty());
    assert_eq!(format!("{dialogue:?}").len(), before);
}
