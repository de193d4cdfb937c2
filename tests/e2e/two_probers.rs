//! Two probers on one host.

use crate::lab::Lab;

const LONG: &str = "{ count: 40, interval: 50ms, timeout: 1s }";

#[test]
fn a_test_waits_for_the_cycle_of_a_run() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect").without("external_ip").default("ping", LONG);
    let oslo = lab.site("oslo", "client: openconnect");
    let run = paris.start(&["run"]);
    run.pings_inside();
    let mut test = oslo.start(&["test", "--record"]);
    test.says("waiting for it");
    test.end().exits(0);
    run.stop().exits(0);
    paris.row().is("up", "", "", "");
    oslo.row().is_up();
    let (first, second) = (paris.row(), oslo.row());
    assert!(second.time() > first.time());
}

#[test]
fn a_second_run_on_the_same_state_is_refused_and_the_first_goes_on() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect").top("frequency: 2");
    let first = paris.start(&["run"]);
    first.rows(1);
    let second = paris.run(&["run"]);
    second.exits(1).said("another `vpnprobe run` owns the state directory").said("hint:");
    let rows = first.rows(3);
    first.stop().exits(0);
    for row in &rows {
        row.is_up();
    }
}

#[test]
fn a_recorded_test_hands_its_record_to_the_run() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect");
    let mut run = paris.start(&["run"]);
    run.rows(1);
    paris.run(&["test", "--record"]).exits(0);
    run.says("cycle site=paris");
    run.rows(2);
    let ran = run.stop();
    ran.exits(0);
    assert_eq!(ran.stderr.matches("cycle site=paris").count(), 2, "{}", ran.stderr);
    let rows = paris.rows();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        row.is_up();
    }
}

#[test]
fn cleanup_waits_for_a_cycle_and_does_not_touch_its_client() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").without("external_ip").default("ping", LONG);
    let run = paris.start(&["run"]);
    run.pings_inside();
    let mut cleanup = paris.start(&["cleanup"]);
    cleanup.says("waiting for it");
    cleanup.end().exits(0);
    run.rows(1);
    run.stop().exits(0);
    paris.row().is("up", "", "", "");
}
