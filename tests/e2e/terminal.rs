//! `vpnprobe test` on a terminal, as a person sees it.

use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

use crate::lab::{Lab, PATIENCE, Sampler, Setup};

/// The prober on a terminal.
fn on_a_terminal(site: &Setup<'_>, environment: &[(&str, &str)]) -> OsSession {
    let mut command = site.command(&["test", "--record"]);
    command.env_remove("NO_COLOR").envs(environment.iter().copied());
    let mut session = Session::spawn(command).unwrap();
    session.set_expect_timeout(Some(PATIENCE));
    session
}

/// All that it shows, and its exit status.
fn to_its_end(mut session: OsSession) -> (String, i32) {
    let shown = session.expect(Eof).unwrap();
    let shown = String::from_utf8_lossy(shown.as_bytes()).into_owned();
    match session.get_process_mut().wait().unwrap() {
        WaitStatus::Exited(_, code) => (shown, code),
        other => panic!("{other:?} after {shown}"),
    }
}

#[test]
fn stages_are_shown_as_they_happen_and_in_colour() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    let sampler = Sampler::start(&lab);
    let (shown, code) = to_its_end(on_a_terminal(&paris, &[]));
    sampler.saw_none();
    assert_eq!(code, 0, "{shown}");
    for stage in ["prepare", "external", "gateway", "login", "internal", "teardown", "cleanup"] {
        let (progress, line) = (format!("  {stage:<9} …"), format!("\r\x1b[K  {stage:<9} \x1b[32mpassed\x1b[0m"));
        let begins = shown.find(&progress).unwrap_or_else(|| panic!("no progress of {stage}: {shown}"));
        assert!(shown[begins..].starts_with(&format!("{progress}{line}")), "{shown}");
    }
    assert!(shown.contains("= \x1b[32mup\x1b[0m"), "{shown}");
    paris.row().is_up();
}

#[test]
fn no_color_means_no_colours() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect");
    let (shown, code) = to_its_end(on_a_terminal(&paris, &[("NO_COLOR", "1")]));
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("= up") && !shown.contains("\x1b[3") && !shown.contains("\x1b[0m"), "{shown}");
    paris.row().is_up();
}

#[test]
fn without_a_terminal_there_are_neither_colours_nor_progress() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect");
    let ran = paris.run(&["test"]);
    ran.exits(0).said("= up");
    assert!(!ran.stdout.contains('\x1b') && !ran.stdout.contains('…') && !ran.stderr.contains('\x1b'), "{ran:?}");
}

#[test]
fn ctrl_c_in_the_middle_of_a_login_leaves_all_clean() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("hangs-behind-its-tunnel");
    let sampler = Sampler::start(&lab);
    let mut session = on_a_terminal(&paris, &[]);
    session.set_expect_timeout(Some(Duration::from_secs(30)));
    session.expect("login     …").unwrap();
    lab.tunnel_stands();
    session.send(ControlCode::EndOfText).unwrap();
    let (shown, code) = to_its_end(session);
    sampler.saw_none();
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("unknown") && shown.contains("cancelled"), "{shown}");
    lab.is_as_before();
    let stages =
        "prepare=passed external=passed gateway=passed login=cancelled internal=skipped teardown=passed cleanup=passed";
    paris.row().is("unknown", "login", "cancelled", "own").expect("stages", stages);
}

#[test]
fn a_minimal_profile_is_tried_live_and_a_question_that_no_rule_knows_is_answered_by_hand() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect").client(
        "minimal",
        "command: openconnect, args: [\"--user={username}\", \"{vpn_gw}\"], leave: { signal: INT }, interface: \"tun*\"",
    );
    let sampler = Sampler::start(&lab);
    let mut session = Session::spawn(paris.command(&["client", "try", "minimal", "--site", "paris"])).unwrap();
    session.set_expect_timeout(Some(PATIENCE));
    for answer in ["yes", "lab-secret-1"] {
        session.expect("? no rule answers this").unwrap();
        session.expect("your answer (Enter alone: none): ").unwrap();
        session.send_line(answer).unwrap();
    }
    session.expect("Configured as").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    let (shown, code) = to_its_end(session);
    sampler.saw_none();
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("cancelled") && !shown.contains("lab-secret-1"), "{shown}");
    assert!(paris.rows().is_empty(), "a try writes no row");
    assert_eq!(lab.passwords_at_gateway(), 1);
    lab.is_as_before();
}

#[test]
fn a_try_shows_rules_certificates_and_what_was_typed_and_honours_the_rest_of_an_account() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    let ran = paris.run(&["client", "try", "openconnect", "--site", "paris"]);
    ran.exits(0).said("= rule (?m)^Password:").said("> <password>").said("to accept it: fingerprint: [\"pin-sha256:");
    ran.said("cleanup   passed").said("= up");
    assert!(paris.rows().is_empty(), "a try writes no row");

    let wrong = lab.dir().join("secrets/wrong.pw").display().to_string();
    let pin = std::fs::read_to_string(lab.dir().join("fingerprints/gw.pin-sha256")).unwrap();
    let wrong =
        ["--gateway", "10.78.0.1", "--username", "second", "--password-file", &wrong, "--fingerprint", pin.trim()];
    let arguments = [&["client", "try", "openconnect"][..], &wrong].concat();
    paris.run(&arguments).exits(1).said("auth-rejected");
    paris.run(&arguments).exits(3).said("account-paused");
    assert_eq!(lab.passwords_at_gateway(), 2);
    paris.run(&[&arguments[..], &["--force"]].concat()).exits(1).said("auth-rejected");
    assert_eq!(lab.passwords_at_gateway(), 3);
}
