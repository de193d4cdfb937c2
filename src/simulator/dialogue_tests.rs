//! Conversations over in-memory pipes: everything that the user types is there from the start.

use std::io::{Cursor, PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::{Arc, Mutex};

use super::*;
use crate::simulator::{Certificate, SecondFactor};

/// A gateway that knows one user and one password.
#[derive(Debug, Default)]
struct OneUser {
    away: bool,
    drops: bool,
    up: bool,
    attempts: Vec<String>,
}

impl Carrier for OneUser {
    fn contact(&mut self) -> Result<(), String> {
        if self.away { Err(words::unreachable("gw.lab")) } else { Ok(()) }
    }

    fn certificate(&mut self, of: CertificateOf) -> Certificate {
        let subject = format!("CN={of:?}");
        Certificate { subject, sha1: "AA:BB".into() }
    }

    fn takes_code(&mut self, factor: &SecondFactor, code: &str) -> bool {
        factor.takes(code, 0)
    }

    fn connect(&mut self, user: &str, password: &str) -> Attempt {
        self.attempts.push(format!("{user}/{password}"));
        self.up = (user, password) == ("probe", "good");
        if self.up { Attempt::Connected } else { Attempt::Rejected(words::WRONG_CREDENTIALS.into()) }
    }

    fn disconnect(&mut self) {
        self.up = false;
    }

    fn alive(&mut self) -> bool {
        self.up && !self.drops
    }
}

struct Heard {
    text: String,
    ending: Ending,
    gateway: OneUser,
}

/// Plays a scenario to a user who types these lines and then closes the terminal.
fn play(scenario: &str, typed: &[&str], gateway: OneUser) -> Heard {
    play_with(scenario, typed, gateway, &Invocation { server: "gw.lab".into(), ..Invocation::default() })
}

fn play_with(scenario: &str, typed: &[&str], mut gateway: OneUser, invocation: &Invocation) -> Heard {
    let scenario = Scenario::from_yaml(scenario).unwrap();
    let input = Cursor::new(typed.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect::<Vec<_>>());
    let mut text = Vec::new();
    let ending = converse(Console::new(input, &mut text), &scenario, invocation, &mut gateway);
    Heard { text: String::from_utf8(text).unwrap(), ending, gateway }
}

const GOOD: &[&str] = &["YES", "1", "probe", "good", "1", "quit"];

#[test]
fn a_good_session_goes_through_every_dialog_to_quit() {
    let heard = play("{}", GOOD, OneUser::default());
    assert_eq!(heard.ending, Ending::Left);
    assert!(!heard.gateway.up);
    assert_eq!(
        heard.text,
        "The certificate of the VPN server could not be verified.\n  Subject: CN=Leaf\n  Fingerprint: SHA1[AA:BB]\n\
         Do you want to accept this certificate [YES/NO]?   1. OK\n  2. Cancel\nEnter your choice [1]:\
         Username:Password:\n  1. OK\n  2. Cancel\nEnter your choice [1]:Connecting…\nConnected\nCONNECT\n  \
         redirected domain: inside.lab\nDisconnected\n"
    );
}

#[test]
fn the_credentials_are_asked_for_again_after_a_rejection() {
    let heard = play("certificates: []", &["probe", "bad", "1", "probe", "good", "1", "quit"], OneUser::default());
    assert_eq!(heard.gateway.attempts, ["probe/bad", "probe/good"]);
    assert!(heard.text.contains("Authentication failed due to wrong credentials.\nUsername:"), "{}", heard.text);
    assert_eq!(heard.ending, Ending::Left);
}

#[test]
fn good_credentials_may_be_asked_for_twice_without_a_word() {
    let typed = ["probe", "good", "1", "probe", "good", "1", "quit"];
    let heard = play("{ certificates: [], asks_again: 1 }", &typed, OneUser::default());
    assert_eq!(heard.gateway.attempts, ["probe/good"]);
    assert!(!heard.text.contains("Authentication"), "{}", heard.text);
}

#[test]
fn the_command_line_answers_what_it_can() {
    let server = String::from("gw.lab");
    let user = Invocation { server: server.clone(), username: Some("probe".into()), ..Invocation::default() };
    let both = Invocation { password: Some("good".into()), ..user.clone() };
    for (invocation, typed, asked) in
        [(user, vec!["good", "1", "quit"], "Password:\n"), (both, vec!["quit"], "Connecting…")]
    {
        let heard = play_with("certificates: []", &typed, OneUser::default(), &invocation);
        assert!(heard.text.starts_with(asked), "{}", heard.text);
        assert_eq!(heard.ending, Ending::Left);
    }
}

#[test]
fn root_and_leaf_are_asked_about_in_turn() {
    let typed = ["YES", "1", "yes", "1"];
    let heard = play("certificates: [root, leaf]", &typed, OneUser::default());
    let (root, leaf) = (heard.text.find("CN=Root").unwrap(), heard.text.find("CN=Leaf").unwrap());
    assert!(root < leaf && heard.text.ends_with("Username:"), "{}", heard.text);
}

#[test]
fn whoever_does_not_accept_the_certificate_or_cancels_is_not_logged_in() {
    for typed in [vec!["NO"], vec![""], vec!["YES", "2"], vec!["YES", "1", "probe", "good", "2"]] {
        let heard = play("{}", &typed, OneUser::default());
        assert_eq!(heard.ending, Ending::GaveUp, "{typed:?}");
        assert!(heard.text.ends_with("Disconnected\n"), "{}", heard.text);
        assert!(heard.gateway.attempts.is_empty());
    }
}

#[test]
fn a_gateway_that_is_away_is_named_before_anything_is_asked() {
    let heard = play("{}", GOOD, OneUser { away: true, ..OneUser::default() });
    let said = "'gw.lab' is either currently unreachable or is not a valid SonicWall appliance.\nDisconnected\n";
    assert_eq!((heard.text.as_str(), heard.ending), (said, Ending::GaveUp));
}

#[test]
fn a_second_factor_is_asked_for_until_it_is_right() {
    let scenario = "{ certificates: [], second_factor: { code: '0815' } }";
    let typed = ["probe", "good", "1", "4711", "1", "probe", "good", "1", "0815", "1", "quit"];
    let heard = play(scenario, &typed, OneUser::default());
    assert_eq!(heard.text.matches("One Time Password:").count(), 2);
    assert!(heard.text.contains("Authentication failure\nUsername:"), "{}", heard.text);
    assert_eq!(heard.ending, Ending::Left);
}

#[test]
fn a_false_fingerprint_is_shown_for_the_leaf_alone() {
    let heard = play("{ certificates: [root, leaf], false_fingerprint: 'FF:FF' }", &["YES", "1"], OneUser::default());
    assert!(heard.text.contains("CN=Root\n  Fingerprint: SHA1[AA:BB]"), "{}", heard.text);
    assert!(heard.text.contains("CN=Leaf\n  Fingerprint: SHA1[FF:FF]"), "{}", heard.text);
}

#[test]
fn a_client_that_hangs_takes_the_answer_and_says_nothing_more() {
    let heard =
        play("{ certificates: [], faults: [ { at: menu, do: hang } ] }", &["probe", "good", "1"], OneUser::default());
    assert_eq!((heard.text.as_str(), heard.ending), ("Username:Password:\n", Ending::Closed));
}

#[test]
fn a_client_dies_with_a_word_or_without() {
    for (action, text, status) in [
        ("{ die: { say: Segmentation fault, status: 139 } }", "Username:Password:\nSegmentation fault\n", 139),
        ("{ die: {} }", "Username:Password:\n", 1),
    ] {
        let scenario = format!("{{ certificates: [], faults: [ {{ at: menu, do: {action} }} ] }}");
        let heard = play(&scenario, &["probe", "good", "1"], OneUser::default());
        assert_eq!((heard.text.as_str(), heard.ending.status()), (text, status));
    }
}

#[test]
fn a_client_that_never_quits_keeps_its_tunnel() {
    let heard = play("{ faults: [ { at: leaving, do: hang } ] }", GOOD, OneUser::default());
    assert_eq!(heard.ending, Ending::Closed);
    assert!(heard.gateway.up && !heard.text.contains("Disconnected"));
}

#[test]
fn a_closed_terminal_leaves_the_tunnel_as_it_is() {
    let heard = play("{}", &GOOD[..5], OneUser::default());
    assert_eq!(heard.ending, Ending::Closed);
    assert!(heard.gateway.up);
}

#[test]
fn status_and_unknown_commands_are_answered() {
    let typed = ["YES", "1", "probe", "good", "1", "status", "stop", "quit"];
    let heard = play("redirected_domains: []", &typed, OneUser::default());
    let end = "Connected\nCONNECT\nConnected: gw.lab\nCONNECT\nCommands: status, quit\nCONNECT\nDisconnected\n";
    assert!(heard.text.ends_with(end), "{}", heard.text);
}

#[test]
fn a_lost_tunnel_is_said_unasked() {
    let (input, mut keyboard): (PipeReader, PipeWriter) = pipe().unwrap();
    keyboard.write_all(b"YES\n1\nprobe\ngood\n1\n").unwrap();
    let (mut screen, output) = pipe().unwrap();
    let mut gateway = OneUser { drops: true, ..OneUser::default() };
    let invocation = Invocation { server: "gw.lab".into(), ..Invocation::default() };
    let ending = converse(Console::new(input, output), &Scenario::default(), &invocation, &mut gateway);
    assert_eq!(ending, Ending::Lost);
    let mut text = String::new();
    screen.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("inside.lab\nDisconnected\n"), "{text}");
}

#[test]
fn echo_is_off_from_before_the_password_prompt_to_the_answer() {
    let diary = Arc::new(Mutex::new(Vec::new()));
    let (switched, written) = (Arc::clone(&diary), Diary(Arc::clone(&diary)));
    let input = Cursor::new(b"YES\n1\nprobe\ngood\n1\nquit\n".to_vec());
    let console = Console::new(input, written).with_echo_switch(move |on| {
        switched.lock().unwrap().push(format!("echo {on}"));
        Ok(())
    });
    let invocation = Invocation { server: "gw.lab".into(), ..Invocation::default() };
    converse(console, &Scenario::default(), &invocation, &mut OneUser::default());
    let diary = diary.lock().unwrap().join("|");
    assert!(diary.contains("Username:|echo false|Password:|echo true"), "{diary}");
}

/// Writes down what is shown, beside what is switched.
struct Diary(Arc<Mutex<Vec<String>>>);

impl Write for Diary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_password_never_shows_in_debug_output() {
    let invocation = Invocation { password: Some("hunter2".into()), ..Invocation::default() };
    assert!(!format!("{invocation:?}").contains("hunter2"));
}

#[test]
fn faults_that_do_not_end_the_client_are_followed_by_the_step() {
    let faults = "[ { at: username, do: { say: Welcome } }, { at: username, do: { ask: 'Agreed? ' } }, \
                  { at: username, do: { flood: { lines: false } } } ]";
    let heard =
        play(&format!("{{ certificates: [], faults: {faults} }}"), &["yes", "probe", "good"], OneUser::default());
    assert!(heard.text.starts_with("Welcome\nAgreed? 2026"), "{:.200}", heard.text);
    let (noise, rest) = heard.text.rsplit_once("Username:").unwrap();
    assert!(rest.starts_with("Password:\n"), "{rest}");
    assert!(noise.len() > 1_000_000 && noise.len() < 1_000_100, "{}", noise.len());
}

#[test]
fn a_manner_is_of_one_step_or_of_all() {
    let one = "{ certificates: [], faults: [ { at: username, do: { speak: unfinished } } ] }";
    assert_eq!(play(one, &["probe"], OneUser::default()).text, "UserPassword:\n");
    let all = "{ certificates: [], manners: [crlf, in-pieces] }";
    let heard = play(all, &["probe", "good", "1"], OneUser::default());
    assert!(heard.text.starts_with("Username:Password:\r\n  1. OK\r\n"), "{}", heard.text);
}

#[test]
fn prompts_may_come_in_another_order() {
    let heard = play("{ order: password-first }", &["YES", "1", "good", "probe", "1", "quit"], OneUser::default());
    assert_eq!((heard.ending, heard.gateway.attempts.len()), (Ending::Left, 1));
    let heard = play("{ order: certificate-last }", &["probe", "good", "1", "YES", "1", "quit"], OneUser::default());
    assert!(heard.text.starts_with("Username:Password:"), "{}", heard.text);
    assert_eq!(heard.ending, Ending::Left);
}

#[test]
fn a_client_that_begins_anew_asks_for_everything_again() {
    let scenario = "{ certificates: [], faults: [ { at: menu, do: restart } ] }";
    let heard = play(scenario, &["probe", "good", "probe", "good", "1", "quit"], OneUser::default());
    assert_eq!(heard.text.matches("Username:").count(), 2);
    assert_eq!(heard.ending, Ending::Left);
}
