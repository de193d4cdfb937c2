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
