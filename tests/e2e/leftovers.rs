//! Clients that do not clean up behind themselves: they never make the verdict worse, and nothing stays.

use std::fs;

use crate::lab::Lab;

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
    // A Connect Tunnel that was started by hand: one instance a host, so it counts as a leftover.
    let startct = lab.dir().join("bin/startct");
    let mut by_hand = lab.stranger(&["script", "-qc", &format!("{} -s 10.78.0.1", startct.display()), "/dev/null"]);
    lab.process("AvConnect");
    let paris = lab.site("paris", "client: lab-startct");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert!(ran.json()["stages"].to_string().contains("removed leftovers: sent TERM to"), "{}", ran.stdout);
    by_hand.ends();
}
