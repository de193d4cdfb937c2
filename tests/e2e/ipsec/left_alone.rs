//! When a fallen tunnel is left alone: while the prober's own way out is down, and in maintenance.

use super::{Pair, Side, Tunnel};
use crate::lab::{Lab, Setup, until};

const A: Tunnel = Tunnel::A;

fn site(lab: &Lab) -> Setup<'_> {
    let socket = lab.dir().join("pair/prober/charon.vici");
    lab.site("a", "kind: ipsec, child_sa: net-a, internal_ip: 10.75.0.1, restart: { grace: 0 }")
        .without("external_ip")
        .top(&format!("ipsec: {{ socket: {} }}", socket.display()))
}

#[test]
fn a_fallen_tunnel_is_not_restarted_while_no_target_of_the_uplink_answers() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.delete_child(Side::Prober, A);
    let unheard = site(&lab).top("uplink: { targets: 10.76.0.99 }");
    unheard.run(&["test", "--record"]).exits(3);
    unheard.row().is("unknown", "restart", "own-uplink-down", "own");
    assert_eq!(pair.sas(Side::Prober).child("net-a"), [""; 0]);

    let heard = site(&lab).top("uplink: { targets: [10.76.0.99, 10.76.0.1] }");
    heard.run(&["test", "--record"]).exits(0);
    heard.row().is("up", "sa", "sa-not-installed", "tunnel").expect("restarts", "1");
    pair.carries(A);
}

#[test]
fn a_silent_tunnel_is_not_touched_while_its_cable_is_pulled() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let before = pair.sas(Side::Prober);
    let site = site(&lab);
    pair.pull();
    site.run(&["test", "--record"]).exits(3).said("no carrier on ");
    site.row().is("unknown", "restart", "own-uplink-down", "own");
    pair.plug();
    assert_eq!(pair.sas(Side::Prober).ids("net-a"), before.ids("net-a"));
    pair.carries(A);
}

#[test]
fn a_tunnel_that_is_only_watched_is_not_down_while_its_cable_is_pulled() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let socket = lab.dir().join("pair/prober/charon.vici");
    let keys = "kind: ipsec, child_sa: net-a, internal_ip: 10.75.0.1, restart: { enabled: false }";
    let watched = lab.site("a", keys).without("external_ip").top(&format!("ipsec: {{ socket: {} }}", socket.display()));
    pair.pull();
    watched.run(&["test", "--record"]).exits(3);
    watched.row().is("unknown", "internal", "own-uplink-down", "own");
    pair.plug();
    pair.carries(A);
}

#[test]
fn a_fallen_tunnel_is_not_restarted_in_maintenance_unless_the_window_says_so() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.delete_child(Side::Prober, A);
    let window = |more: &str| format!("maintenance: {{ sites: a, weekly: Mon 00:00, duration: 7d{more} }}");
    let paused = site(&lab).top(&window(""));
    paused.run(&["test", "--record"]).exits(1).said("maintenance");
    paused.row().is("down", "sa", "sa-not-installed", "tunnel").expect("restarts", "0").expect("maintenance", "yes");
    assert_eq!(pair.sas(Side::Prober).child("net-a"), [""; 0]);

    let restarting = site(&lab).top(&window(", pause_restarts: false"));
    restarting.run(&["test", "--record"]).exits(0);
    restarting.row().is("up", "sa", "sa-not-installed", "tunnel").expect("restarts", "1").expect("maintenance", "yes");
    pair.carries(A);
}

#[test]
fn a_window_that_is_added_while_the_prober_runs_stops_a_restart_until_it_is_ended() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let site = site(&lab).top("frequency: 1");
    let prober = site.start(&["run"]);
    prober.rows(1)[0].is("up", "", "", "").expect("maintenance", "");
    site.run(&["maintenance", "add", "a", "--for", "1h", "--name", "switch"]).exits(0);
    // A cycle that began before may still end.
    let so_far = site.rows().len();
    prober.rows(so_far + 1);
    pair.delete_child(Side::Prober, A);
    let fallen = site.rows().len() + 1;
    let rows = prober.rows(fallen + 2);
    for row in &rows[fallen..] {
        row.is("down", "sa", "sa-not-installed", "tunnel").expect("restarts", "0").expect("maintenance", "switch");
    }
    assert_eq!(pair.sas(Side::Prober).child("net-a"), [""; 0]);

    site.run(&["maintenance", "end", "switch"]).exits(0);
    let restored = until("it is restarted", || site.rows().into_iter().find(|row| row.cell("restarts") == "1"));
    restored.is("up", "sa", "sa-not-installed", "tunnel").expect("maintenance", "");
    prober.stop().exits(0);
    pair.carries(A);
}
