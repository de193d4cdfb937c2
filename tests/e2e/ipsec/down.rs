//! Tunnels that cannot be brought back, or must not be, and those that need nothing.

use super::{Pair, Side, Tunnel};
use crate::lab::Lab;

const A: Tunnel = Tunnel::A;

#[test]
fn a_tunnel_that_is_up_is_left_alone() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let before = pair.sas(Side::Prober);
    let setup = pair.site(A, "checks: [ { tcp: \"10.75.0.1:9802\" } ]");
    for _ in 0..5 {
        setup.run(&["test", "--record"]).exits(0);
    }
    for row in setup.rows() {
        let stages = "external=passed sa=passed internal=passed restart=skipped keepalive=passed";
        row.is("up", "", "", "").expect("stages", stages).expect("restarts", "0").expect("kind", "ipsec");
        row.measured(&["external_rtt_ms", "internal_rtt_ms"]).expect("login_ms", "").expect("restore_ms", "");
        assert!(row.cell("checks").starts_with("tcp:10.75.0.1:9802="), "{row:?}");
    }
    assert_eq!(pair.sas(Side::Prober), before);
}

#[test]
fn a_tunnel_that_rekeys_all_the_time_is_up_all_the_time_and_never_touched() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::REKEYS]);
    let setup = pair.site(Tunnel::REKEYS, "");
    let ike = pair.sas(Side::Prober).ike_id("rekey");
    pair.until("the fourth successor, and ten cycles", |sas| {
        setup.run(&["test", "--record"]).exits(0);
        let replaced = sas.child_with_memory("net-r").iter().filter(|state| **state == "DELETED").count();
        replaced >= 4 && setup.rows().len() >= 10
    });
    for row in setup.rows() {
        row.is("up", "", "", "").expect("restarts", "0").expect("restore_ms", "");
    }
    assert_eq!(pair.sas(Side::Prober).ike_id("rekey"), ike);
}

#[test]
fn a_wrong_key_is_a_restart_that_failed() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.psk_is_wrong();
    let setup = pair.site(Tunnel::PSK, "restart: { max_retries: 2, retry_delay: 100ms }");
    setup.run(&["test", "--record"]).exits(1).said("restart-failed");
    let row = setup.row();
    row.is("down", "sa", "sa-missing", "tunnel").expect("restarts", "1").expect("restore_ms", "");
    assert!(row.cell("stages").contains("restart=restart-failed"), "{row:?}");
    pair.carries(A);
    pair.psk_is_right();
    setup.run(&["test", "--record"]).exits(0);
    setup.rows()[1].is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
}

#[test]
fn a_tunnel_that_stays_silent_is_restarted_once_and_then_left_until_the_hour_is_over() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A, Tunnel::B1]);
    let other = pair.sas(Side::Prober).ids("net-b1");
    let setup = pair.site(A, "restart: { max_per_hour: 1 }");
    {
        let _fault = pair.esp_vanishes();
        setup.run(&["test", "--record"]).exits(1);
        let ids = pair.sas(Side::Prober).ids("net-a");
        setup.run(&["test", "--record"]).exits(1);
        assert_eq!(pair.sas(Side::Prober).ids("net-a"), ids, "touched beyond the limit");
    }
    let rows = setup.rows();
    for (row, restarts, end) in [(&rows[0], "1", "restart=restart-failed"), (&rows[1], "0", "restart=restart-limit")] {
        row.is("down", "internal", "internal-unreachable", "inside").expect("restarts", restarts);
        assert!(row.cell("stages").contains(end), "{row:?}");
    }
    assert_eq!(pair.sas(Side::Prober).ids("net-b1"), other);
    setup.run(&["test", "--record"]).exits(0);
    setup.rows()[2].is("up", "", "", "").expect("restarts", "0");
}

#[test]
fn one_of_two_children_whose_inside_is_silent_goes_without_its_neighbour() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::B1, Tunnel::B2]);
    let before = pair.sas(Side::Prober);
    let setup = pair.site(Tunnel::B2, "");
    {
        let _fault = pair.inside_is_silent(Tunnel::B2);
        setup.run(&["test", "--record"]).exits(1);
    }
    setup.row().is("down", "internal", "internal-unreachable", "inside").expect("restarts", "1");
    let after = pair.sas(Side::Prober);
    assert_eq!(after.ids("net-b1"), before.ids("net-b1"), "it was touched");
    assert_ne!(after.ids("net-b2").1, before.ids("net-b2").1, "made anew");
    pair.carries(Tunnel::B1);
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.delete_child(Side::Peer, A);
    let before = pair.sas(Side::Prober);
    let setup = pair.site(A, "");
    setup.run(&["test", "--dry-run"]).exits(1).said("would do: initiate CHILD_SA net-a");
    assert_eq!(pair.sas(Side::Prober), before);
}

#[test]
fn a_tunnel_that_is_only_watched_stays_down() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.delete_child(Side::Peer, A);
    let setup = pair.site(A, "restart: { enabled: false }");
    setup.run(&["test", "--record"]).exits(1);
    setup.row().is("down", "sa", "sa-not-installed", "tunnel").expect("restarts", "0");
    assert!(pair.sas(Side::Prober).child("net-a").is_empty());
}

#[test]
fn a_peer_that_nobody_reaches_is_the_carriers_and_the_tunnel_goes_with_it() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let setup = pair.site(A, "restart: { max_retries: 1 }");
    {
        let _fault = pair.way_is_silent();
        setup.run(&["test", "--record"]).exits(1);
    }
    setup.row().is("down", "external", "no-reply", "carrier").expect("restarts", "1").expect("restore_ms", "");
    setup.run(&["test", "--record"]).exits(0);
    setup.rows()[1].is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
    pair.carries(A);
}

#[test]
fn a_recovery_that_takes_longer_than_its_grace_is_replaced() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::RECOVERS]);
    pair.kill(Side::Peer);
    let own = pair.until("its tries with a dead peer", |sas| sas.ike("recovers") == ["CONNECTING"]).ike_id("recovers");
    let setup = pair.site(Tunnel::RECOVERS, "restart: { grace: 1s, max_retries: 1 }");
    setup.run(&["test", "--record", "-v"]).exits(1).said(&format!("terminating IKE_SA recovers[{own}]"));
    setup.row().is("down", "sa", "sa-missing", "tunnel").expect("restarts", "1");
    pair.back(Side::Peer);
    setup.run(&["test", "--record"]).exits(0);
    assert_eq!(pair.sas(Side::Prober).child("net-o"), ["INSTALLED"]);
    pair.carries(Tunnel::RECOVERS);
}

#[test]
fn a_way_to_the_peer_that_is_gone_is_the_probers_own_trouble() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let before = pair.sas(Side::Prober).ids("net-a");
    let setup = pair.site(A, "");
    {
        let _fault = pair.interface_is_down();
        setup.run(&["test", "--record"]);
    }
    let row = setup.row();
    row.is("unknown", "external", "own-uplink-down", "own").expect("restarts", "0");
    assert!(row.cell("stages").contains("restart=skipped"), "{row:?}");
    assert_eq!(pair.sas(Side::Prober).ids("net-a"), before, "touched");
}

#[test]
fn a_daemon_without_the_configuration_or_none_at_all_says_nothing_of_a_tunnel() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.kill(Side::Prober);
    let setup = pair.site_without_inside(A);
    setup.run(&["test", "--record"]).exits(3);
    setup.row().is("unknown", "sa", "vici-unreachable", "own").expect("restarts", "0");
    pair.start_empty(Side::Prober);
    setup.run(&["test", "--record"]).exits(3);
    setup.rows()[1].is("unknown", "sa", "tunnel-not-configured", "own").expect("restarts", "0");
    // Where something inside is asked, its silence is no doubt.
    let asked = pair.site(A, "");
    asked.run(&["test", "--record"]).exits(1);
    asked.row().is("down", "internal", "internal-unreachable", "inside");
    pair.load(Side::Prober);
    setup.run(&["test", "--record"]).exits(0);
    setup.rows()[2].is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
}
