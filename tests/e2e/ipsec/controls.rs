//! Each fault is what it is called, on both sides.

use super::{Pair, Side, Tunnel};
use crate::lab::Lab;

const A: Tunnel = Tunnel::A;

#[test]
fn without_a_tunnel_nothing_answers_from_inside() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    assert_eq!(pair.configured(Side::Prober), 8);
    assert!(pair.sas(Side::Prober).is_empty() && pair.sas(Side::Peer).is_empty());
    pair.carries_nothing(A);
    assert!(!lab.connects("10.75.0.1:9802"));
}

#[test]
fn a_tunnel_that_is_up_is_known_to_both_sides() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    for side in [Side::Prober, Side::Peer] {
        let sas = pair.sas(side);
        assert_eq!((sas.ike("site-a"), sas.child("net-a")), (vec!["ESTABLISHED"], vec!["INSTALLED"]));
    }
}

#[test]
fn a_deleted_child_leaves_its_ike_sa_on_both_sides() {
    let lab = Lab::locked();
    for side in [Side::Prober, Side::Peer] {
        let pair = Pair::with(&lab, &[A]);
        pair.delete_child(side, A);
        for side in [Side::Prober, Side::Peer] {
            let sas = pair.sas(side);
            assert_eq!((sas.ike("site-a"), sas.child("net-a")), (vec!["ESTABLISHED"], vec![]));
        }
        pair.carries_nothing(A);
        pair.initiate(A);
    }
}

#[test]
fn a_deleted_ike_sa_leaves_nothing_on_either_side() {
    let lab = Lab::locked();
    for side in [Side::Prober, Side::Peer] {
        let pair = Pair::with(&lab, &[A]);
        pair.delete_ike(side, A);
        assert!(pair.sas(Side::Prober).is_empty() && pair.sas(Side::Peer).is_empty());
        pair.carries_nothing(A);
    }
}

#[test]
fn a_killed_peer_leaves_a_tunnel_that_looks_well_and_cannot_be_made_anew() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.kill(Side::Peer);
    assert_eq!(pair.sas(Side::Prober).child("net-a"), ["INSTALLED"]);
    pair.carries_nothing(A);
    pair.delete_ike(Side::Prober, A);
    assert!(!pair.can_be_initiated(A));
    pair.back(Side::Peer);
    pair.initiate(A);
}

#[test]
fn a_peer_that_forgot_its_side_leaves_half_a_tunnel() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.peer_forgets();
    assert_eq!(pair.sas(Side::Prober).child("net-a"), ["INSTALLED"]);
    assert!(pair.sas(Side::Peer).is_empty());
    pair.carries_nothing(A);
}

#[test]
fn a_killed_daemon_comes_back_without_configuration_and_without_tunnels() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.kill(Side::Prober);
    pair.carries_nothing(A);
    pair.start_empty(Side::Prober);
    assert!(pair.sas(Side::Prober).is_empty());
    assert_eq!(pair.configured(Side::Prober), 0);
    // The other side was not told.
    assert_eq!(pair.sas(Side::Peer).child("net-a"), ["INSTALLED"]);
    pair.load(Side::Prober);
    pair.initiate(A);
    pair.unload(Side::Prober);
    assert_eq!(pair.configured(Side::Prober), 0);
}

#[test]
fn a_restarted_daemon_tells_the_other_and_has_its_configuration() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    pair.restart(Side::Prober);
    assert!(pair.sas(Side::Prober).is_empty() && pair.sas(Side::Peer).is_empty());
    assert_eq!(pair.configured(Side::Prober), 8);
    pair.initiate(A);
}

#[test]
fn a_wrong_key_keeps_one_tunnel_from_coming_up_and_no_other() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    pair.psk_is_wrong();
    assert!(!pair.can_be_initiated(Tunnel::PSK));
    assert!(pair.log().contains("received AUTHENTICATION_FAILED notify error"));
    assert!(pair.sas(Side::Prober).is_empty());
    pair.initiate(A);
    pair.psk_is_right();
    pair.initiate(Tunnel::PSK);
}

#[test]
fn esp_can_vanish_while_ike_goes_through() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    {
        let _fault = pair.esp_vanishes();
        pair.carries_nothing(A);
        for side in [Side::Prober, Side::Peer] {
            assert_eq!(pair.sas(side).child("net-a"), ["INSTALLED"]);
        }
        // A delete and an initiate need the other side's answers.
        pair.delete_child(Side::Prober, A);
        assert!(pair.can_be_initiated(A));
        pair.carries_nothing(A);
    }
    pair.carries(A);
}

#[test]
fn the_inside_of_one_tunnel_can_fall_silent() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A, Tunnel::B1]);
    {
        let _fault = pair.inside_is_silent(A);
        pair.carries_nothing(A);
        assert_eq!(pair.sas(Side::Prober).child("net-a"), ["INSTALLED"]);
        pair.carries(Tunnel::B1);
    }
    pair.carries(A);
}

#[test]
fn the_way_to_the_peer_can_fall_silent_or_be_cut() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    assert!(pair.reaches_peer());
    {
        let _fault = pair.way_is_silent();
        assert!(!pair.reaches_peer());
        pair.carries_nothing(A);
    }
    pair.carries(A);
    pair.pull();
    assert!(!pair.reaches_peer());
    pair.carries_nothing(A);
    pair.plug();
    assert!(pair.reaches_peer());
}

#[test]
fn one_of_two_children_goes_down_and_the_other_is_not_touched() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::B1, Tunnel::B2]);
    let before = pair.sas(Side::Prober);
    assert_eq!(before.ids("net-b1").0, before.ids("net-b2").0, "one IKE_SA");
    pair.delete_child(Side::Peer, Tunnel::B2);
    let after = pair.sas(Side::Prober);
    assert_eq!((after.ids("net-b1"), after.child("net-b2")), (before.ids("net-b1"), vec![]));
    pair.carries(Tunnel::B1);
    pair.carries_nothing(Tunnel::B2);
}

#[test]
fn a_tunnel_rekeys_without_an_end_and_carries_traffic_all_the_while() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::REKEYS]);
    pair.until("the third successor, with its forebears in memory", |sas| {
        assert!(pair.answers(Tunnel::REKEYS), "{sas:?}");
        let states = sas.child_with_memory("net-r");
        assert!(!states.is_empty());
        states.iter().filter(|state| **state == "DELETED").count() >= 3
    });
}

#[test]
fn a_tunnel_can_bring_itself_back() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::RECOVERS]);
    let before = pair.sas(Side::Prober).ids("net-o");
    pair.delete_child(Side::Peer, Tunnel::RECOVERS);
    let after = pair.until("its return", |sas| sas.child("net-o") == ["INSTALLED"]).ids("net-o");
    assert_ne!(before, after);
    pair.kill(Side::Peer);
    pair.until("its tries with a dead peer", |sas| sas.ike("recovers") == ["CONNECTING"]);
    pair.back(Side::Peer);
    pair.until("its return with the peer", |sas| sas.child("net-o") == ["INSTALLED"]);
    pair.carries(Tunnel::RECOVERS);
}

#[test]
fn two_children_may_have_one_name() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::TWIN_1]);
    pair.carries_nothing(Tunnel::TWIN_2);
    pair.initiate(Tunnel::TWIN_2);
    assert_eq!(pair.sas(Side::Prober).child("net-twin"), ["INSTALLED", "INSTALLED"]);
}

#[test]
fn two_hundred_tunnels_can_be_had() {
    let lab = Lab::locked();
    let pair = Pair::start(&lab);
    pair.tunnels(200);
    assert_eq!((pair.configured(Side::Prober), pair.configured(Side::Peer)), (208, 208));
    pair.initiate(Tunnel::many(199));
    assert_eq!(pair.sas(Side::Peer).installed(), 1);
}

#[test]
fn a_pair_is_configured_by_ipsec_conf_as_well() {
    let lab = Lab::locked();
    let pair = Pair::start_with_ipsec_conf(&lab);
    assert_eq!(pair.configured(Side::Prober), 7);
    // There, the first connection that is alike lends its name.
    pair.initiate(Tunnel { ike: "net-a", ..A });
    pair.initiate(Tunnel { ike: "net-b1", ..Tunnel::B2 });
    let sas = pair.sas(Side::Prober);
    assert_eq!((sas.child("net-a"), sas.child("net-b2")), (vec!["INSTALLED"], vec!["INSTALLED"]));
}
