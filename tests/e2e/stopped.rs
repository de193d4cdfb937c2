//! The prober is asked to stop in the middle of a cycle.

use rustix::process::Signal;
use tokio::time::Instant;

use crate::lab::{Lab, Setup};

/// Pings for so long that the signal comes in the middle.
const LONG: &str = "{ count: 500, interval: 50ms, timeout: 1s }";

fn is_cancelled(site: &Setup<'_>, stage: &str, stages: &str) {
    site.row().is("unknown", stage, "cancelled", "own").expect("stages", stages);
    assert!(!site.journal().exists(), "nothing is owed any more");
    site.lab().is_as_before();
}

#[test]
fn asked_to_stop_in_the_middle_of_a_login_it_leaves_all_clean() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("hangs-behind-its-tunnel");
    let prober = paris.start(&["run"]);
    lab.tunnel_stands();
    prober.stop().exits(0);
    let stages =
        "prepare=passed external=passed gateway=passed login=cancelled internal=skipped teardown=passed cleanup=passed";
    is_cancelled(&paris, "login", stages);
}

fn in_the_middle_of_the_internal_ping(client: &str, signal: Signal) {
    let lab = Lab::locked();
    let paris = lab.site("paris", &format!("client: {client}")).without("external_ip").default("ping", LONG);
    let prober = paris.start(&["run"]);
    prober.pings_inside();
    prober.signal(signal);
    prober.end().exits(0);
    let stages = "prepare=passed gateway=passed login=passed internal=cancelled teardown=passed cleanup=passed";
    is_cancelled(&paris, "internal", stages);
    paris.row().measured(&["login_ms"]);
}

#[test]
fn asked_to_stop_while_the_tunnel_is_in_use_it_leaves_all_clean() {
    in_the_middle_of_the_internal_ping("lab-startct", Signal::TERM);
}

#[test]
fn an_interrupt_is_the_same_and_so_is_another_client() {
    in_the_middle_of_the_internal_ping("openconnect", Signal::INT);
}

#[test]
fn asked_to_stop_between_two_cycles_it_ends_at_once() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect");
    let prober = paris.start(&["run"]);
    prober.rows(1);
    prober.stop().exits(0);
    paris.row().is_up();
}

#[test]
fn asked_to_stop_while_the_client_leaves_the_cycle_ends_as_it_is() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").without("external_ip").playing("quits-slowly");
    let mut prober = paris.start(&["run", "-v"]);
    prober.says("stage internal: passed");
    assert!(prober.sees_tunnel(), "control: the client is still there");
    prober.stop().exits(0);
    let stages = "prepare=passed gateway=passed login=passed internal=passed teardown=passed cleanup=passed";
    paris.row().is("up", "", "", "").expect("stages", stages);
}

#[test]
fn a_second_signal_hurries_a_client_that_never_quits() {
    let lab = Lab::locked();
    // Connect Tunnel has 30 s to quit.
    let paris = lab.site("paris", "client: lab-startct").without("external_ip").default("ping", LONG);
    let paris = paris.playing("never-quits-whatever-comes");
    let mut prober = paris.start(&["run"]);
    prober.pings_inside();
    prober.signal(Signal::TERM);
    prober.says("asked to stop");
    let asked_again = Instant::now();
    prober.stop().exits(0);
    let took = asked_again.elapsed();
    assert!(took.as_secs() < 10, "hurried, it took {took:?}");
    let stages = "prepare=passed gateway=passed login=passed internal=cancelled teardown=passed cleanup=passed";
    is_cancelled(&paris, "internal", stages);
}
