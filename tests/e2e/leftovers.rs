//! Clients that do not clean up behind themselves: they never make the verdict worse, and nothing stays.

use std::fs;

use expectrl::session::OsSession;
use expectrl::{Expect, Session};

use crate::lab::{Lab, PATIENCE};

fn a_client_that_does_not_leave(scenario: &str, words: &str) {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: hasty-startct").playing(scenario);
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    let stages = ran.json()["stages"].to_string();
    assert!(stages.contains(words), "{stages}");
}

#[test]
fn a_client_that_never_quits_is_told_to_end() {
    a_client_that_does_not_leave("never-quits", "did not leave within 1.0 s: sent TERM to");
}

#[test]
fn a_client_that_ignores_whatever_comes_is_killed() {
    a_client_that_does_not_leave("never-quits-whatever-comes", "KILL to");
}

#[test]
fn a_client_that_leaves_slowly_has_its_time() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("quits-slowly");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert!(ran.json()["stages"].to_string().contains("left by itself in 3."), "{}", ran.stdout);
}

#[test]
fn a_rewritten_resolv_conf_is_repaired_by_the_command() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("leaves-resolv-conf-rewritten");
    let (original, used) = (lab.dir().join("resolv.conf.original"), paris.dir().join("used"));
    let script = format!("cat {} > /etc/resolv.conf && echo once >> {}", original.display(), used.display());
    let paris = paris.top(&format!("resolv_conf: {{ restore_command: [sh, -c, \"{script}\"] }}"));
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert_eq!(fs::read_to_string(used).unwrap(), "once\n");
    assert!(ran.json()["stages"].to_string().contains("restored /etc/resolv.conf by"), "{}", ran.stdout);
}

#[test]
fn a_rewritten_resolv_conf_is_repaired_from_the_copy_where_there_is_no_command() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("leaves-resolv-conf-rewritten");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    let stages = ran.json()["stages"].to_string();
    assert!(stages.contains("wrote the former content of /etc/resolv.conf back\""), "{stages}");
}

#[test]
fn a_command_that_does_not_help_is_said_and_the_copy_helps() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("leaves-resolv-conf-rewritten");
    let paris = paris.top("resolv_conf: { restore_command: [\"false\"] }");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    let stages = ran.json()["stages"].to_string();
    assert!(stages.contains("wrote the former content of /etc/resolv.conf back"), "{stages}");
    assert!(stages.contains("`false` failed: exit status: 1"), "{stages}");
}

#[test]
fn a_client_that_leaves_resolv_conf_alone_needs_no_repair() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("leaves-resolv-conf-alone");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert!(!ran.json()["stages"].to_string().contains("resolv.conf"), "{}", ran.stdout);
}

#[test]
fn leftovers_that_nobody_remembers_are_removed_before_the_login() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    // The first login: what resolv.conf should be is known from here on.
    paris.run(&["test"]).exits(0);
    // One instance a host: one that was started by hand counts as a leftover, and so does what it did to resolv.conf.
    let _by_hand = started_by_hand(&lab);
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    let stages = ran.json()["stages"].to_string();
    assert!(stages.contains("removed leftovers: ") && stages.contains("sent TERM to"), "{stages}");
    lab.is_as_before();
}

/// Connect Tunnel as a person uses it, connected.
fn started_by_hand(lab: &Lab) -> OsSession {
    let startct = lab.dir().join("bin/startct").display().to_string();
    let password = fs::read_to_string(lab.dir().join("secrets/probe.pw")).unwrap();
    let mut session = Session::spawn(lab.script(&["run", &startct, "-s", "10.78.0.1"])).unwrap();
    session.set_expect_timeout(Some(PATIENCE));
    let dialogue = [
        ("Do you want to accept this certificate", "YES"),
        ("Enter your choice", "1"),
        ("Username:", "probe"),
        ("Password:", password.trim()),
        ("Enter your choice", "1"),
    ];
    for (question, answer) in dialogue {
        session.expect(question).unwrap();
        session.send_line(answer).unwrap();
    }
    lab.tunnel_stands();
    session
}
