//! `vpnprobe ipsec` on real tunnels: MIPsec's words, MIPsec's exit statuses, and what it does not touch.

use std::fs;

use rustix::process::Signal;

use super::{Pair, Side, Tunnel};
use crate::lab::{Lab, Prober, Ran, Setup};

const A: Tunnel = Tunnel::A;

/// MIPsec's list, and the command on it.
struct Command<'a>(Setup<'a>);

impl<'a> Command<'a> {
    fn new(pair: &Pair<'a>, list: &[&str]) -> Self {
        let setup = pair.site_without_inside(A);
        let state = setup.dir().join("state").display().to_string();
        let lines: String = list.iter().flat_map(|name| ["- ", name, "\n"]).collect();
        fs::write(setup.dir().join("list.yaml"), lines).unwrap();
        Self(setup.environment("STATE_DIRECTORY", &state))
    }

    fn start(&self, arguments: &[&str]) -> Prober<'_> {
        let socket = self.0.lab().dir().join("pair/prober/charon.vici").display().to_string();
        self.0.start(&[&["ipsec", "--config", "list.yaml", "--socket", socket.as_str()], arguments].concat())
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).end()
    }
}

#[test]
fn tunnels_that_are_up_are_left_alone_and_a_name_given_twice_counts_once() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A, Tunnel::B1]);
    let before = pair.sas(Side::Prober);
    let ran = Command::new(&pair, &["net-a", "net-a"]).run(&["net-b1", "net-a", "net-b1"]);
    ran.exits(0).said("Tunnel net-a is UP\n").said("Tunnel net-b1 is UP\n").said("2 tunnels: 2 UP");
    assert_eq!(pair.sas(Side::Prober), before);
}

#[test]
fn what_is_down_is_reset_and_the_status_says_that_it_was() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::B1, Tunnel::B2]);
    let command = Command::new(&pair, &["net-a", "net-b1", "net-b2"]);
    pair.delete_child(Side::Peer, Tunnel::B2);
    let before = pair.sas(Side::Prober);
    // Nothing at all is there of `net-a`.
    let ran = command.run(&[]);
    ran.exits(1).said("3 tunnels: 1 UP, 2 restored").said("Tunnel net-a is DOWN: no SA of its connection is there");
    ran.said("Tunnel net-b2 is DOWN: its IKE_SA is up and has no such CHILD_SA").said("resetting tunnel net-b2");
    for tunnel in [A, Tunnel::B1, Tunnel::B2] {
        pair.carries(tunnel);
    }
    let after = pair.sas(Side::Prober);
    assert_eq!(after.ids("net-b1"), before.ids("net-b1"), "its neighbour was touched");
    assert_eq!(after.ids("net-b2").0, before.ids("net-b1").0, "on the same IKE_SA");
    let quiet = command.run(&["--quiet"]);
    assert_eq!((quiet.exits(0).stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_tunnel_that_strongswan_does_not_know_is_told_with_the_one_that_was_meant() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let ran = Command::new(&pair, &["net-a", "net-aa"]).run(&[]);
    ran.exits(1).said("Tunnel net-aa is not configured in strongSwan (did you mean `net-a`?)");
    ran.said("2 tunnels: 1 UP, 1 DOWN (net-aa)");
}

#[test]
fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::B1]);
    let before = pair.sas(Side::Prober);
    let ran = Command::new(&pair, &["net-a", "net-b1"]).run(&["--dry-run"]);
    assert_eq!(ran.exits(1).stdout, "Tunnel net-a would be reset: initiate CHILD_SA net-a\n");
    assert_eq!(pair.sas(Side::Prober), before);
}

#[test]
fn of_two_children_of_one_name_one_is_enough() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    let command = Command::new(&pair, &["net-twin"]);
    command.run(&[]).exits(1).said("1 tunnel: 1 restored");
    let first = pair.sas(Side::Prober);
    assert_eq!(first.child("net-twin"), ["INSTALLED"]);
    command.run(&[]).exits(0);
    assert_eq!(pair.sas(Side::Prober), first);
}

#[test]
fn resets_are_counted_from_one_run_to_the_next() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let command = Command::new(&pair, &["net-a"]);
    for _ in 0..2 {
        pair.delete_child(Side::Peer, A);
        command.run(&["--limit-per-hour", "2"]).exits(1).said("1 tunnel: 1 restored");
    }
    pair.delete_child(Side::Peer, A);
    let refused = command.run(&["--limit-per-hour", "2"]);
    refused.exits(1).said("Tunnel net-a is not reset: restarted 2 times within the last hour");
    pair.carries_nothing(A);
    command.run(&["--limit-per-hour", "3"]).exits(1).said("1 tunnel: 1 restored");
}

#[test]
fn a_peer_that_is_away_costs_one_try_for_all_its_tunnels_and_counts_for_none() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    pair.kill(Side::Peer);
    let command = Command::new(&pair, &["net-b1", "net-b2"]);
    // Were it counted, the limit would keep them down afterwards.
    let limits = ["--limit-per-hour", "1", "--grace", "0", "--max-retries", "1"];
    for _ in 0..2 {
        let ran = command.run(&limits);
        ran.exits(1).said("Tunnel net-b1 could not be restored");
        ran.said("Tunnel net-b2 is not reset: net-b1, of the same connection, could just not be restored");
    }
    pair.back(Side::Peer);
    command.run(&limits).exits(1).said("2 tunnels: 2 restored");
    pair.carries(Tunnel::B2);
}

#[test]
fn what_strongswan_is_at_work_on_is_left_to_it() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::RECOVERS]);
    pair.kill(Side::Peer);
    pair.until("its tries with a dead peer", |sas| sas.ike("recovers") == ["CONNECTING"]);
    let command = Command::new(&pair, &["net-o"]);
    let mut prober = command.start(&[]);
    prober.says("Tunnel net-o is left to strongSwan for now");
    pair.back(Side::Peer);
    let ran = prober.end();
    ran.exits(1).said("Tunnel net-o is UP: it came back by itself");
    assert!(!ran.stderr.contains("resetting"), "{}", ran.stderr);
}

#[test]
fn nothing_is_reset_without_a_way_to_the_peer() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    let command = Command::new(&pair, &["net-a"]);
    pair.pull();
    command.run(&[]).exits(1).said("Tunnel net-a is not reset: the own uplink is down");
    pair.plug();
    command.run(&[]).exits(1).said("1 tunnel: 1 restored");
}

#[test]
fn a_second_instance_keeps_away_while_the_first_is_at_work() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    pair.kill(Side::Peer);
    let command = Command::new(&pair, &["net-a"]);
    let mut first = command.start(&["--max-retries", "2"]);
    first.says("initiating CHILD_SA net-a");
    let second = command.run(&["--grace", "0"]);
    second.exits(1).said(&format!("another instance (process {}) is restarting", first.pid()));
    first.end().exits(1);
}

#[test]
fn the_daemon_brings_back_what_falls_and_outlives_strongswan() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let command = Command::new(&pair, &["net-a"]);
    let mut daemon = command.start(&["--daemon", "--interval", "1"]);
    daemon.says("1 tunnel: 1 UP");
    pair.delete_ike(Side::Peer, A);
    daemon.says("1 tunnel: 1 restored");
    pair.carries(A);
    pair.kill(Side::Prober);
    daemon.says("no strongSwan answers at");
    pair.back(Side::Prober);
    daemon.says("strongSwan answers again");
    pair.until("the tunnel after strongSwan's end", |sas| sas.child("net-a") == ["INSTALLED"]);
    pair.carries(A);
    daemon.stop().exits(0);

    let mut daemon = command.start(&["--daemon"]);
    daemon.says("1 tunnel: 1 UP");
    daemon.signal(Signal::INT);
    daemon.end().exits(0);
}

#[test]
fn two_hundred_tunnels_are_brought_up_and_found_up() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    pair.tunnels(200);
    let names: Vec<_> = (0..200).map(|number| format!("many-{number:03}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    // In parts: so many that are brought up one after the other take their time.
    for part in names.chunks(50) {
        Command::new(&pair, part).run(&[]).exits(1).said("50 tunnels: 50 restored");
    }
    assert_eq!(pair.sas(Side::Prober).installed(), 200);
    let command = Command::new(&pair, &names);
    command.run(&[]).exits(0).said("200 tunnels: 200 UP");
}

#[test]
fn a_tunnel_that_rekeys_without_an_end_is_never_touched() {
    /// With `e2e-long`, the figure that is promised.
    const PASSES: u32 = if cfg!(feature = "e2e-long") { 1000 } else { 50 };
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::REKEYS]);
    let command = Command::new(&pair, &["net-r"]);
    for pass in 0..PASSES {
        let ran = command.run(&[]);
        assert!(!ran.stderr.contains("resetting"), "pass {pass}: {}", ran.stderr);
        ran.exits(0);
    }
}

#[test]
fn tunnels_of_an_ipsec_conf_are_brought_back_as_well() {
    let lab = Lab::locked();
    let pair = Pair::start_with_ipsec_conf(&lab);
    let ran = Command::new(&pair, &["net-a", "net-b2"]).run(&[]);
    ran.exits(1).said("2 tunnels: 2 restored");
    let sas = pair.sas(Side::Prober);
    assert_eq!((sas.child("net-a"), sas.child("net-b2")), (vec!["INSTALLED"], vec!["INSTALLED"]));
}
