use std::time::Duration;

use super::*;
use crate::ipsec::fake::{busy, child, child_in, config, ike, ike_in, target};
use ChildState::{
    Created, Deleted, Deleting, Destroying, Installed, Installing, Rekeyed, Rekeying, Retrying, Routed, Updating,
};

fn of(installed: Vec<IkeSa>) -> View {
    View { configured: vec![config("gw", "net"), config("gw", "voice")], installed }
}

fn said(installed: Vec<IkeSa>) -> String {
    assess(&of(installed), &target("net")).to_string()
}

/// One IKE_SA with CHILD_SAs of the tunnel in these states.
fn states(states: &[ChildState]) -> Vec<IkeSa> {
    let children = (1..).zip(states).map(|(id, state)| child_in(*state, "net", id));
    vec![ike("gw", 1, children.collect())]
}

#[test]
fn a_tunnel_is_up_as_long_as_one_of_its_child_sas_carries_traffic() {
    for (installed, expected) in [
        (states(&[Installed]), "is up"),
        (states(&[Rekeying]), "is up, rekeying"),
        (states(&[Rekeying, Installed]), "is up, rekeying"),
        (states(&[Rekeyed, Installed]), "is up, rekeying"),
        (states(&[Deleted, Installed]), "is up"),
        (states(&[Deleting, Deleted, Rekeyed, Installed]), "is up, rekeying"),
        (states(&[Rekeying, Created]), "is up, rekeying"),
        (states(&[Routed, Installed]), "is up"),
        (states(&[Installed, Installed]), "is up, with one CHILD_SA too many"),
        (states(&[Installed, Rekeying, Installed, Installed]), "is up, rekeying, with 2 CHILD_SAs too many"),
        // One that has lost the collision of two rekeyings.
        (states(&[Rekeying, Rekeying]), "is up, rekeying, with one CHILD_SA too many"),
        (vec![ike_in(IkeState::Rekeying, ike("gw", 1, vec![child("net", 1)]))], "is up"),
        (vec![ike_in(IkeState::Rekeyed, ike("gw", 1, vec![child("net", 1)])), ike("gw", 2, vec![])], "is up"),
        (vec![busy("IKE_DPD", ike("gw", 1, vec![child("net", 1)]))], "is up"),
        (vec![ike("gw", 1, vec![child("net", 1)]), ike_in(IkeState::Connecting, ike("gw", 2, vec![]))], "is up"),
        // Reauthentication that makes before it breaks.
        (
            vec![ike_in(IkeState::Deleting, ike("gw", 1, vec![child("net", 1)])), ike("gw", 2, vec![child("net", 2)])],
            "is up",
        ),
    ] {
        assert_eq!(said(installed.clone()), expected, "{installed:?}");
    }
}

#[test]
fn the_moments_of_a_rekeying_are_not_called_down() {
    for (installed, expected) in [
        (states(&[Rekeyed]), "is on the move: its CHILD_SAs are REKEYED"),
        (states(&[Rekeyed, Deleting]), "is on the move: its CHILD_SAs are REKEYED, DELETING"),
        (states(&[Rekeyed, Installing]), "is on the move: its CHILD_SAs are REKEYED"),
        (states(&[Deleted, Deleted]), "is on the move: its CHILD_SAs are DELETED"),
        (states(&[Updating]), "is on the move: its CHILD_SAs are UPDATING"),
        (states(&[ChildState::Unknown]), "is on the move: its CHILD_SAs are of an unknown state"),
        (states(&[Destroying, Routed]), "is on the move: its CHILD_SAs are DESTROYING"),
        (
            vec![ike_in(IkeState::Deleting, ike("gw", 1, vec![child("net", 1)]))],
            "is on the move: its CHILD_SAs are INSTALLED",
        ),
        (vec![ike_in(IkeState::Deleting, ike("gw", 1, vec![]))], "is on the move: its IKE_SA is being deleted"),
    ] {
        assert_eq!(said(installed.clone()), expected, "{installed:?}");
    }
}

#[test]
fn a_move_that_lasts_is_an_outage() {
    for (installed, expected) in [
        (states(&[Rekeyed, Deleting]), "is down: its CHILD_SAs are REKEYED, DELETING and nothing follows"),
        (
            states(&[Rekeyed, Installing]),
            "is down, and strongSwan is at work on it: its CHILD_SA in IKE_SA #1 is INSTALLING",
        ),
        (vec![ike_in(IkeState::Deleting, ike("gw", 1, vec![]))], "is down: no SA of its connection is there"),
        (states(&[Installed]), "is up"),
    ] {
        assert_eq!(assess(&of(installed.clone()), &target("net")).settled().to_string(), expected, "{installed:?}");
    }
}

#[test]
fn what_strongswan_does_about_it_is_seen() {
    for (installed, expected) in [
        (vec![ike_in(IkeState::Created, ike("gw", 3, vec![]))], "IKE_SA #3 is CONNECTING"),
        (vec![ike_in(IkeState::Connecting, ike("gw", 3, vec![]))], "IKE_SA #3 is CONNECTING"),
        (vec![busy("CHILD_CREATE", ike("gw", 3, vec![child("voice", 1)]))], "IKE_SA #3 has CHILD_CREATE to do"),
        (vec![busy("QUICK_MODE", ike("gw", 3, vec![]))], "IKE_SA #3 has QUICK_MODE to do"),
        (vec![busy("IKE_REAUTH", ike("gw", 3, vec![]))], "IKE_SA #3 has IKE_REAUTH to do"),
        (states(&[Created]), "its CHILD_SA in IKE_SA #1 is CREATED"),
        (states(&[Installing]), "its CHILD_SA in IKE_SA #1 is INSTALLING"),
        (states(&[Retrying]), "its CHILD_SA in IKE_SA #1 is RETRYING"),
    ] {
        let expected = format!("is down, and strongSwan is at work on it: {expected}");
        assert_eq!(said(installed.clone()), expected, "{installed:?}");
    }
}

#[test]
fn down_is_down_with_or_without_an_ike_sa() {
    for (installed, expected) in [
        (vec![], "is down: no SA of its connection is there"),
        (vec![ike("other", 1, vec![child("net", 1)])], "is down: no SA of its connection is there"),
        (vec![ike("gw", 1, vec![])], "is down: its IKE_SA is up and has no such CHILD_SA"),
        (vec![ike("gw", 1, vec![child("voice", 1)])], "is down: its IKE_SA is up and has no such CHILD_SA"),
        (vec![busy("IKE_DPD", ike("gw", 1, vec![]))], "is down: its IKE_SA is up and has no such CHILD_SA"),
        (states(&[Routed]), "is down: only its trap is installed"),
    ] {
        assert_eq!(said(installed.clone()), expected, "{installed:?}");
    }
}

#[test]
fn a_name_that_strongswan_does_not_know_is_told_with_what_may_have_been_meant() {
    let view = View { configured: vec![config("gw", "ikev2-vpn-140"), config("gw2", "branch")], installed: vec![] };
    let said = |ike: Option<&str>, child: &str| {
        assess(&view, &ChildRef { ike: ike.map(Into::into), child: child.into() }).to_string()
    };
    let unknown = "is not configured in strongSwan";
    assert_eq!(said(None, "ikev2-vpn-104"), format!("{unknown} (did you mean `ikev2-vpn-140`?)"));
    assert_eq!(said(Some("gw"), "branch"), format!("{unknown} (it is a child of the connection `gw2`)"));
    assert_eq!(said(None, "zebra"), unknown);
}

#[test]
fn two_connections_with_a_child_of_one_name_are_told_apart_by_the_connection_alone() {
    let view = View {
        configured: vec![config("b", "net"), config("a", "net")],
        installed: vec![ike("b", 1, vec![child("net", 1)])],
    };
    assert_eq!(
        assess(&view, &target("net")).to_string(),
        "is configured in several connections (a, b): name one as `ike_sa`"
    );
    let of = |ike: &str| assess(&view, &ChildRef { ike: Some(ike.into()), child: "net".into() });
    assert!(of("b").is_up());
    assert_eq!(of("a"), Assessment::Missing);
    // Told twice by the daemon, it is still one.
    let twice = View { configured: vec![config("a", "net"), config("a", "net")], installed: vec![] };
    assert_eq!(assess(&twice, &target("net")), Assessment::Missing);
}

#[test]
fn the_newest_live_child_sa_is_shown_and_the_traffic_of_all_is_added_up() {
    let mut old = child_in(Rekeyed, "net", 4);
    old.inbound = Traffic { bytes: 1000, packets: 10, idle: Some(Duration::from_secs(9)) };
    let mut new = child("net", 5);
    new.inbound = Traffic { bytes: 84, packets: 1, idle: Some(Duration::from_secs(2)) };
    new.outbound = Traffic { bytes: u64::MAX, packets: 0, idle: None };
    let view = of(vec![ike("gw", 1, vec![old, new, child("voice", 6)])]);
    let Assessment::Up(up) = assess(&view, &target("net")) else { panic!("it is up") };
    assert_eq!((up.child.unique_id, up.ike_id, up.duplicates, up.rekeying), (5, 1, 0, true));
    assert_eq!(up.inbound, Traffic { bytes: 1084, packets: 11, idle: Some(Duration::from_secs(2)) });
    assert_eq!((up.outbound.bytes, up.outbound.idle), (u64::MAX, Some(Duration::from_secs(50))));
}
