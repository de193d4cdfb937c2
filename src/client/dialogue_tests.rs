use super::*;
use crate::config::{Pattern, Secret, Template, TemplatePart};

fn field(name: &str) -> Template {
    Template { parts: vec![TemplatePart::Field(name.into())] }
}

fn literal(text: &str) -> Template {
    Template { parts: vec![TemplatePart::Text(text.into())] }
}

fn rule(expect: &str, reaction: Reaction) -> DialogueRule {
    DialogueRule { expect: Pattern::new(expect).unwrap(), reaction }
}

fn send(line: Template) -> Reaction {
    Reaction::Send { line, max: None, hidden: false, may_hide: false, again: false }
}

/// Typed once, with the echo off.
fn hidden(field_name: &str, reason: FailureKind) -> Reaction {
    Reaction::Send {
        line: field(field_name),
        max: Some((1, reason.into())),
        hidden: true,
        may_hide: false,
        again: false,
    }
}

const PIN: &str = "SHA1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

fn rules() -> Vec<DialogueRule> {
    let once = Some((1, FailureKind::AuthRejected.into()));
    vec![
        rule(r"(?s)Fingerprint: (?<fingerprint>SHA1\[[0-9A-F:]+\]).*?accept this certificate", send(literal("YES"))),
        rule("Username:", send(field("username"))),
        rule(
            "Password:",
            Reaction::Send { line: field("password"), max: once, hidden: false, may_hide: false, again: false },
        ),
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
        dialogue.push(piece.as_bytes(), piece);
        out.extend(next_steps(dialogue));
    }
    out
}

/// The steps that the client's change of its terminal's echo leads to.
fn echo_off(dialogue: &mut Dialogue, off: bool) -> Vec<String> {
    dialogue.echo_off(off);
    next_steps(dialogue)
}

fn next_steps(dialogue: &mut Dialogue) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(step) = dialogue.next_step() {
        out.push(match step {
            Step::Send(line) => format!("send {}", line.shown),
            Step::Failed { reason, .. } => format!("failed {reason}"),
            Step::Connected { credible: true } => "connected".into(),
            Step::Connected { credible: false } => "connected?".into(),
            Step::Withdrawn => "withdrawn".into(),
            Step::AskedAgain => "asked again".into(),
            Step::Lost { .. } => "lost".into(),
        });
    }
    out
}

#[test]
fn a_whole_login_is_answered_in_its_order() {
    let said = [
        "Fingerprint: SHA1[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]\n\
         Do you want to accept this certificate [YES/NO]? ",
        "Username:",
        "Password:",
        "\n  1. OK\nEnter your choice [1]:",
        "Connecting…\nConnected\nCONNECT",
    ];
    let expected = ["send YES", "send probe", "send <password>", "send 1", "connected"];
    assert_eq!(steps(&mut dialogue(), &said), expected);
}

#[test]
fn a_prompt_after_which_the_client_says_more_is_not_answered() {
    // A banner with the words of prompts, and then the real ones.
    let mut dialogue = dialogue();
    assert_eq!(
        steps(&mut dialogue, &["Username:\nPassword:\nEnter your choice [1]:\nWelcome\n"]),
        Vec::<String>::new()
    );
    assert_eq!(steps(&mut dialogue, &["Password:\nPlease type your PIN now: "]), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue, &["\nPassword: ", "\nUsername: "]), ["send <password>", "send probe"]);
}

#[test]
fn a_secret_goes_to_the_very_end_of_the_terminal_only() {
    let mut dialogue = dialogue();
    assert_eq!(steps(&mut dialogue, &["Password: ends soon, PIN"]), Vec::<String>::new());
    let question = dialogue.open_question().unwrap();
    assert!(question.contains("the rule does not match the end of the prompt"), "{question}");
    assert!(dialogue.waits_in_vain());
    // What is no secret may be asked for in the middle of the last line.
    assert_eq!(steps(&mut dialogue, &["\nUsername: [default: root] "]), ["send probe"]);
    assert!(!dialogue.waits_in_vain());
}

/// Always the same code.
struct Fixed;

impl crate::client::CodeSource for Fixed {
    fn code(&self) -> Result<Secret, String> {
        Ok(Secret::new("246810"))
    }
}

fn hidden_dialogue() -> Dialogue {
    let rules = vec![
        rule("(?m)^Password:", hidden("password", FailureKind::AuthRejected)),
        rule("(?m)^Code:", hidden("otp", FailureKind::OtpRejected)),
        rule("Login failed", Reaction::Failed(FailureKind::AuthRejected.into())),
        rule("(?m)^Connected", Reaction::Connected),
    ];
    let fields =
        Fields::default().with_secret("password", Secret::new("hunter2")).with_code("otp", std::sync::Arc::new(Fixed));
    Dialogue::new(rules, fields, Vec::new()).unwrap()
}

/// A dialogue whose only question is answered hidden or not, as the client likes.
fn dialogue_that_may_hide() -> Dialogue {
    let max = Some((1, FailureKind::OtpRejected.into()));
    let code = Reaction::Send { line: field("otp"), max, hidden: false, may_hide: true, again: false };
    Dialogue::new(
        vec![rule("(?m)^CHALLENGE: [^\n]*", code)],
        Fields::default().with_secret("otp", Secret::new("123456")),
        Vec::new(),
    )
    .unwrap()
}

#[test]
fn a_line_that_may_be_hidden_waits_a_moment_for_the_echo_to_go_off() {
    for hides in [true, false] {
        let mut dialogue = dialogue_that_may_hide();
        dialogue.push(b"", "CHALLENGE: Enter the code");
        assert_eq!(dialogue.next_step(), None);
        assert!(dialogue.waits_a_moment() && dialogue.open_question().unwrap().contains("may switch the echo off"));
        if hides {
            dialogue.echo_off(true);
        } else {
            dialogue.moment_over();
        }
        assert!(matches!(dialogue.next_step(), Some(Step::Send(line)) if line.shown == "<otp>"), "{hides}");
        assert!(!dialogue.waits_a_moment());
        // The next question has a moment of its own.
        dialogue.echo_off(false);
        dialogue.push(b"", "\nCHALLENGE: Another");
        assert!(dialogue.next_step().is_none() && dialogue.waits_a_moment());
    }
}

#[test]
fn a_moment_that_is_over_answers_nothing_but_its_question() {
    let mut dialogue = dialogue_that_may_hide();
    dialogue.push(b"", "CHALLENGE: Enter the code");
    assert_eq!(dialogue.next_step(), None);
    // It goes on to print: that was no question.
    dialogue.push(b"", " of today is wrong\nmore\n");
    dialogue.moment_over();
    assert_eq!(dialogue.next_step(), None);
    assert!(!dialogue.waits_a_moment());
}

#[test]
fn a_hidden_secret_waits_until_the_client_has_switched_the_echo_off() {
    let mut dialogue = hidden_dialogue();
    // OpenConnect asks first and switches then; Java switches first.
    assert_eq!(steps(&mut dialogue, &["Password:"]), Vec::<String>::new());
    assert!(dialogue.open_question().unwrap().contains("has not switched the echo off"));
    assert_eq!(echo_off(&mut dialogue, true), ["send <password>"]);
    assert_eq!(echo_off(&mut dialogue, false), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue, &["\nCode: "]), Vec::<String>::new());
    assert_eq!(echo_off(&mut dialogue, true), ["send <otp>"]);
}

#[test]
fn a_banner_with_a_prompt_gets_nothing_before_nor_after_the_real_one() {
    let mut dialogue = hidden_dialogue();
    assert_eq!(steps(&mut dialogue, &["Password:\n", "Password:"]), Vec::<String>::new());
    assert_eq!(echo_off(&mut dialogue, true), ["send <password>"]);
    echo_off(&mut dialogue, false);
    assert_eq!(steps(&mut dialogue, &["\nPassword:"]), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue, &["\nConnected\n"]), ["connected"]);
}

#[test]
fn a_refused_code_is_not_taken_for_a_refused_password() {
    for refusal in ["Login failed", "Code:"] {
        let mut dialogue = hidden_dialogue();
        dialogue.echo_off(true);
        assert_eq!(steps(&mut dialogue, &["Password:", "Code:"]), ["send <password>", "send <otp>"]);
        assert_eq!(steps(&mut dialogue, &[refusal]), ["failed otp-rejected"], "{refusal}");
    }
}

#[test]
fn a_code_that_the_site_has_no_secret_for_is_otp_required() {
    let rules = vec![rule("Code:", hidden("otp", FailureKind::OtpRejected))];
    let mut dialogue = Dialogue::new(rules, Fields::default(), Vec::new()).unwrap();
    dialogue.echo_off(true);
    assert_eq!(steps(&mut dialogue, &["Code:"]), ["failed otp-required"]);
}

fn asks_again() -> Dialogue {
    let once = Some((1, FailureKind::AuthRejected.into()));
    let password = Reaction::Send { line: field("password"), max: once, hidden: false, may_hide: false, again: true };
    let rules = vec![
        rule("Password:", password),
        rule("Authentication failure", Reaction::Failed(FailureKind::AuthRejected.into())),
    ];
    let fields = Fields::default().with_secret("password", Secret::new("hunter2"));
    Dialogue::new(rules, fields, Vec::new()).unwrap()
}

#[test]
fn a_password_asked_for_again_without_a_refusal_is_typed_once_more_if_that_is_allowed() {
    let mut dialogue = asks_again();
    assert_eq!(steps(&mut dialogue, &["Password:", "\nPassword:"]), ["send <password>", "asked again"]);
    assert_eq!(next_steps(&mut dialogue), Vec::<String>::new());
    dialogue.permit(true);
    assert_eq!(next_steps(&mut dialogue), ["send <password>"]);
    assert_eq!(steps(&mut dialogue, &["\nPassword:"]), ["failed auth-rejected"]);

    let mut dialogue = asks_again();
    steps(&mut dialogue, &["Password:", "\nPassword:"]);
    dialogue.permit(false);
    assert_eq!(next_steps(&mut dialogue), ["failed auth-rejected"]);
}

#[test]
fn a_password_is_not_typed_again_after_a_refusal_in_whatever_words() {
    for refusal in ["\nAuthentication failure\nPassword:", "\nSorry, that was wrong.\nPassword:"] {
        let got = steps(&mut asks_again(), &["Password:", refusal]);
        assert_eq!(got, ["send <password>", "failed auth-rejected"], "{refusal}");
    }
    // It comes while the second sending is being decided.
    let mut dialogue = asks_again();
    assert_eq!(steps(&mut dialogue, &["Password:", "\nPassword:"]), ["send <password>", "asked again"]);
    assert_eq!(steps(&mut dialogue, &["\nAuthentication failure\nPassword:"]), Vec::<String>::new());
    dialogue.permit(true);
    assert_eq!(next_steps(&mut dialogue), ["failed auth-rejected"]);
}

#[test]
fn a_claim_is_withdrawn_by_a_question_for_credentials_and_ended_by_a_refusal() {
    let mut dialogue = dialogue();
    assert_eq!(steps(&mut dialogue, &["Connected\n"]), ["connected?"]);
    let asked = ["Enter your choice [1]:", "Username:", "Password:", "\nConnected\n"];
    assert_eq!(
        steps(&mut dialogue, &asked),
        ["send 1", "withdrawn", "send probe", "send <password>", "connected"],
        "a menu does not touch the claim"
    );
    assert_eq!(steps(&mut dialogue, &["Authentication failure\n"]), ["failed auth-rejected"]);
}

#[test]
fn a_certificate_that_claims_the_pinned_fingerprint_for_itself_is_refused() {
    let pinned = "Fingerprint: SHA1[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]";
    let other = "Fingerprint: SHA1[FF:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]";
    let question = "Do you want to accept this certificate [YES/NO]? ";
    for block in [
        format!("Subject: CN=gw {pinned}\n{other}\n{question}"),
        format!("{other}\nIssuer: CN=x {pinned}\n{question}"),
        format!("Subject: CN={pinned}\n{question}\n{other}\n{question}"),
    ] {
        assert_eq!(steps(&mut dialogue(), &[&block]), ["failed certificate-untrusted"], "{block}");
    }
    // A whole question in the subject, read before the rest is there: the password is not typed.
    let mut dialogue = dialogue();
    let said = [format!("Subject: CN={pinned}\n{question}"), format!("\n{other}\n\nUsername:"), "Password:".into()];
    let got = steps(&mut dialogue, &said.each_ref().map(String::as_str));
    assert_eq!(got, ["send YES", "send probe", "failed certificate-untrusted"]);
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
    assert_eq!(steps(&mut dialogue(), &["Username:", "Connected\n"]), ["send probe", "connected?"]);
    assert_eq!(steps(&mut dialogue(), &["Not", "Connected\n"]), Vec::<String>::new());
    assert_eq!(steps(&mut dialogue(), &["\n", "Connected\n"]), ["connected?"]);
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
fn once_the_tunnel_was_seen_nothing_is_typed_and_only_its_loss_counts() {
    let mut dialogue = dialogue();
    assert_eq!(steps(&mut dialogue, &["Password:", "Connected\n"]), ["send <password>", "connected"]);
    dialogue.settle();
    assert_eq!(steps(&mut dialogue, &["Authentication failure\n", "Password:"]), Vec::<String>::new());
    assert!(dialogue.waits_in_vain(), "`quit` would be taken for the password");
    assert_eq!(steps(&mut dialogue, &["\nDisconnected\n"]), ["lost"]);
    assert!(!dialogue.waits_in_vain());
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
    assert_eq!(dialogue.open_question().as_deref(), Some("Do you accept the terms?"));
    assert!(!dialogue.has_heard());
    steps(&mut dialogue, &["\nConnecting (this may take a while)"]);
    assert_eq!(dialogue.open_question(), None);
    steps(&mut dialogue, &["\nTry to run anyway? (y/n) "]);
    assert_eq!(dialogue.open_question().as_deref(), Some("Try to run anyway? (y/n)"));
}

#[test]
fn fingerprints_are_read_in_every_common_spelling() {
    let pin = Fingerprint::parse(PIN).unwrap();
    for shown in [
        "SHA1[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33]",
        "sha1:00112233445566778899aabbccddeeff00112233",
    ] {
        assert_eq!(Fingerprint::parse(shown).as_ref(), Some(&pin), "{shown}");
    }
    assert_eq!(Fingerprint::parse("SHA1[00:11]"), None);
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
    assert_eq!(steps(&mut connected, &["Connected", " and more", "\n"]), ["connected", "failed auth-rejected"]);
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
