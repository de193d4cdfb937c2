//! Tunnels that can be brought back, are: in the same cycle, within two seconds of the decision, without touching
//! another, and the row says so.

use super::figures::rounds;
use super::{Pair, Side, Tunnel};
use crate::lab::Lab;

const A: Tunnel = Tunnel::A;
/// Another tunnel of the same peer, of which the prober knows nothing.
const OTHER: Tunnel = Tunnel::B1;

/// The tunnel, up beside another, befallen by something.
#[track_caller]
fn restored_after(fault: impl Fn(&Pair<'_>), stage: &str, reason: &str, domain: &str) {
    let lab = Lab::locked();
    rounds(|| {
        let pair = Pair::with(&lab, &[A, OTHER]);
        let other = pair.sas(Side::Prober).ids(OTHER.child);
        fault(&pair);
        pair.carries_nothing(A);
        let other_is_there = !pair.sas(Side::Prober).child(OTHER.child).is_empty();
        let setup = pair.site(A, "");
        let ran = setup.run(&["test", "--record"]);
        ran.exits(0);
        let row = setup.row();
        row.is("up", stage, reason, domain).expect("restarts", "1").measured(&["restore_ms", "internal_rtt_ms"]);
        pair.carries(A);
        let sas = pair.sas(Side::Prober);
        assert_eq!(sas.child(A.child), ["INSTALLED"], "{sas:?}");
        if other_is_there {
            assert_eq!(sas.ids(OTHER.child), other, "the other tunnel was touched: {sas:?}");
        }
        // Found well, it is left alone.
        setup.run(&["test", "--record"]).exits(0);
        setup.rows()[1].is("up", "", "", "").expect("restarts", "0").expect("restore_ms", "");
        assert_eq!(pair.sas(Side::Prober).ids(A.child), sas.ids(A.child));
        ran
    });
}

#[test]
fn a_child_that_was_deleted_here() {
    restored_after(|pair| pair.delete_child(Side::Prober, A), "sa", "sa-not-installed", "tunnel");
}

#[test]
fn a_child_that_the_peer_deleted() {
    restored_after(|pair| pair.delete_child(Side::Peer, A), "sa", "sa-not-installed", "tunnel");
}

#[test]
fn an_ike_sa_that_was_deleted_here() {
    restored_after(|pair| pair.delete_ike(Side::Prober, A), "sa", "sa-missing", "tunnel");
}

#[test]
fn an_ike_sa_that_the_peer_deleted() {
    restored_after(|pair| pair.delete_ike(Side::Peer, A), "sa", "sa-missing", "tunnel");
}

#[test]
fn a_tunnel_of_which_the_peer_knows_nothing_any_more() {
    #[expect(clippy::redundant_closure_for_method_calls, reason = "a path would fix the lifetime")]
    restored_after(|pair| pair.peer_forgets(), "internal", "internal-unreachable", "inside");
}

#[test]
fn a_half_tunnel_that_strongswan_itself_would_give_up_after_minutes() {
    let lab = Lab::locked();
    rounds(|| {
        let pair = Pair::with_usual_limits(&lab, &[A, OTHER]);
        let other = pair.sas(Side::Prober).ids(OTHER.child);
        pair.peer_forgets();
        let setup = pair.site(A, "");
        let ran = setup.run(&["test", "--record"]);
        ran.exits(0);
        setup.row().is("up", "internal", "internal-unreachable", "inside").expect("restarts", "1");
        pair.carries(A);
        let sas = pair.sas(Side::Prober);
        assert_eq!((sas.ike(A.ike), sas.ids(OTHER.child)), (vec!["ESTABLISHED"], other));
        ran
    });
}

#[test]
fn a_tunnel_that_strongswan_gave_up_to_bring_back_by_itself() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::RECOVERS]);
    pair.kill(Side::Peer);
    pair.until("its tries with a dead peer", |sas| sas.ike("recovers") == ["CONNECTING"]);
    // Running, and without its configuration, the peer refuses: strongSwan tries no more.
    pair.start_empty(Side::Peer);
    pair.until("the end of its tries", super::Sas::is_empty);
    pair.load(Side::Peer);
    let setup = pair.site(Tunnel::RECOVERS, "");
    setup.run(&["test", "--record"]).exits(0);
    setup.row().is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
    pair.carries(Tunnel::RECOVERS);
}

#[test]
fn a_tunnel_of_a_daemon_that_was_restarted() {
    restored_after(|pair| pair.restart(Side::Prober), "sa", "sa-missing", "tunnel");
}

#[test]
fn a_tunnel_of_a_daemon_that_was_killed() {
    let fault = |pair: &Pair<'_>| {
        pair.kill(Side::Prober);
        pair.back(Side::Prober);
    };
    restored_after(fault, "sa", "sa-missing", "tunnel");
}

#[test]
fn one_of_two_tunnels_of_an_ike_sa() {
    let lab = Lab::locked();
    rounds(|| {
        let pair = Pair::with(&lab, &[Tunnel::B1, Tunnel::B2]);
        let before = pair.sas(Side::Prober);
        pair.delete_child(Side::Peer, Tunnel::B2);
        let setup = pair.site(Tunnel::B2, "").site("net-b1", &Tunnel::B1.keys(""));
        let ran = setup.run(&["test", "--record"]);
        ran.exits(0);
        let rows = setup.rows();
        let row = |site: &str| rows.iter().find(|row| row.cell("site") == site).unwrap();
        row("net-b2").is("up", "sa", "sa-not-installed", "tunnel").expect("restarts", "1");
        row("net-b1").is("up", "", "", "").expect("restarts", "0");
        let after = pair.sas(Side::Prober);
        assert_eq!(after.ids("net-b1"), before.ids("net-b1"), "it was touched");
        assert_eq!(after.ids("net-b2").0, before.ids("net-b2").0, "on the same IKE_SA");
        pair.carries(Tunnel::B2);
        ran
    });
}

#[test]
fn two_tunnels_of_a_dead_ike_sa_once_each_was_found_silent() {
    let lab = Lab::locked();
    let pair = Pair::with_usual_limits(&lab, &[Tunnel::B1, Tunnel::B2]);
    let dead = pair.sas(Side::Prober).ike_id("shared");
    pair.peer_forgets();
    let setup = pair.site(Tunnel::B1, "").site("net-b2", &Tunnel::B2.keys(""));
    setup.run(&["test", "--record", "net-b1"]).exits(1).said("net-b2 may live on it");
    // Of the other one nothing is known yet: what it stands on is not touched.
    assert_eq!(pair.sas(Side::Prober).ike_id("shared"), dead);
    assert_eq!(pair.sas(Side::Prober).child("net-b2"), ["INSTALLED"]);
    setup.run(&["test", "--record", "net-b2"]).exits(0);
    let rows = setup.rows();
    rows[0].is("down", "internal", "internal-unreachable", "inside").expect("restarts", "1");
    rows[1].is("up", "internal", "internal-unreachable", "inside").expect("restarts", "1").measured(&["restore_ms"]);
    for tunnel in [Tunnel::B1, Tunnel::B2] {
        assert_eq!(pair.sas(Side::Prober).child(tunnel.child), ["INSTALLED"]);
        pair.carries(tunnel);
    }
}

#[test]
fn the_one_of_two_children_of_one_name_that_was_meant() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::TWIN_1, Tunnel::TWIN_2]);
    pair.delete_ike(Side::Peer, Tunnel::TWIN_2);
    let other = pair.sas(Side::Prober).ids("net-twin");
    pair.site(Tunnel::TWIN_2, "").run(&["test", "--record"]).exits(1).said("name one as `ike_sa`");
    let setup = pair.site(Tunnel::TWIN_2, "ike_sa: twin-2");
    setup.run(&["test", "--record"]).exits(0);
    setup.row().is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
    assert_eq!(pair.sas(Side::Prober).ike("twin-1").len(), 1);
    pair.carries(Tunnel::TWIN_1);
    pair.delete_ike(Side::Prober, Tunnel::TWIN_2);
    assert_eq!(pair.sas(Side::Prober).ids("net-twin"), other, "it was touched");
}

#[test]
fn a_tunnel_configured_by_ipsec_conf() {
    let lab = Lab::locked();
    // There, the first connection that is alike lends its name.
    let here = Tunnel { ike: "net-b1", ..Tunnel::B2 };
    rounds(|| {
        let pair = Pair::start_with_ipsec_conf(&lab);
        pair.initiate(here);
        pair.delete_child(Side::Peer, Tunnel::B2);
        let setup = pair.site(here, "");
        setup.run(&["test", "--record"]).exits(0);
        setup.row().is("up", "sa", "sa-not-installed", "tunnel").expect("restarts", "1");
        pair.delete_ike(Side::Prober, here);
        let ran = setup.run(&["test", "--record"]);
        ran.exits(0);
        setup.rows()[1].is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1");
        pair.carries(here);
        ran
    });
}

#[test]
fn a_tunnel_whose_peer_was_away_for_a_while() {
    let lab = Lab::locked();
    rounds(|| {
        let pair = Pair::with(&lab, &[A]);
        pair.kill(Side::Peer);
        let setup = pair.site(A, "restart: { max_retries: 1 }");
        setup.run(&["test", "--record"]).exits(1);
        let row = setup.row();
        row.is("down", "internal", "internal-unreachable", "inside").expect("restarts", "1").expect("restore_ms", "");
        pair.back(Side::Peer);
        let ran = setup.run(&["test", "--record"]);
        ran.exits(0);
        setup.rows()[1].is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1").measured(&["restore_ms"]);
        pair.carries(A);
        ran
    });
}

#[test]
fn a_daemon_that_is_restarted_in_the_middle_of_a_restart() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.kill(Side::Peer);
    pair.delete_ike(Side::Prober, A);
    let setup = pair.site(A, "restart: { retry_delay: 200ms }");
    let mut prober = setup.start(&["test", "--record", "-v"]);
    // strongSwan waits for a peer that does not answer.
    prober.says("initiating CHILD_SA net-a");
    pair.kill(Side::Prober);
    pair.back(Side::Peer);
    pair.back(Side::Prober);
    prober.end().exits(0);
    setup.row().is("up", "sa", "sa-missing", "tunnel").expect("restarts", "1").measured(&["restore_ms"]);
    assert_eq!(pair.sas(Side::Prober).child(A.child), ["INSTALLED"]);
    pair.carries(A);
}

#[test]
fn strongswans_own_recovery_is_left_alone_until_it_has_succeeded() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::RECOVERS]);
    pair.kill(Side::Peer);
    pair.until("its tries with a dead peer", |sas| sas.ike("recovers") == ["CONNECTING"]);
    let setup = pair.site(Tunnel::RECOVERS, "restart: { grace: 40s }");
    let mut prober = setup.start(&["test", "--record", "-v"]);
    prober.says("left to strongSwan for now");
    pair.back(Side::Peer);
    prober.end().exits(0);
    setup.row().is("up", "sa", "sa-missing", "tunnel").expect("restarts", "0").measured(&["restore_ms"]);
    assert_eq!(pair.sas(Side::Prober).child("net-o"), ["INSTALLED"], "no duplicates");
    assert_eq!(pair.sas(Side::Prober).ike("recovers"), ["ESTABLISHED"], "no duplicates");
}

#[test]
fn three_of_two_hundred_tunnels_and_no_other() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    let before = pair.tunnels_up(200);
    let names: Vec<_> = (0..200).map(|number| format!("many-{number:03}")).collect();
    let setup = names.iter().fold(pair.site_without_inside(Tunnel::A), |setup, name| {
        setup.site(name, &format!("kind: ipsec, child_sa: {name}"))
    });
    let all: Vec<_> = ["test", "--record"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let fallen = [7, 8, 150].map(Tunnel::many);
    for tunnel in &fallen {
        pair.delete_child(Side::Peer, *tunnel);
    }
    setup.run(&all).exits(0);
    let rows = setup.rows();
    let restarted: Vec<_> = rows.iter().filter(|row| row.cell("restarts") == "1").map(|row| row.cell("site")).collect();
    assert_eq!(restarted, ["many-007", "many-008", "many-150"]);
    assert!(rows.iter().all(|row| row.cell("verdict") == "up"), "{rows:?}");
    let after = pair.sas(Side::Prober);
    for name in &names {
        let was_restarted = restarted.contains(&name.as_str());
        assert_eq!(after.ids(name) != before.ids(name), was_restarted, "{name}");
    }
    for tunnel in fallen {
        pair.carries(tunnel);
    }
}

#[test]
fn a_tunnel_beside_logins_of_an_ssl_vpn_client_in_one_configuration() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.delete_child(Side::Peer, A);
    let setup = pair.site(A, "").site("paris", "client: openconnect");
    setup.run(&["test", "--record"]).exits(0);
    let rows = setup.rows();
    let row = |site: &str| rows.iter().find(|row| row.cell("site") == site).unwrap();
    row("paris").is_up().measured(&["login_ms"]);
    row("net-a").is("up", "sa", "sa-not-installed", "tunnel").expect("restarts", "1");
    pair.carries(A);
}
