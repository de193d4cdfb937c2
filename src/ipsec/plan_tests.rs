use super::*;
use crate::ipsec::fake::{child, child_in, config, ike, ike_in};
use crate::vici::IkeState::{Connecting, Deleting, Passive, Rekeyed};

const DOWN: Cause = Cause::Down { tried_in_vain: None };

fn planned(installed: Vec<IkeSa>, cause: &Cause, stale: &[u32]) -> Plan {
    let configured = vec![config("gw", "net"), config("gw", "voice"), config("gw", "guests")];
    let view = View { configured: configured.clone(), installed };
    plan(&view, &configured[0], cause, &stale.iter().copied().collect())
}

#[test]
fn an_ike_sa_is_taken_down_only_where_nothing_lives_on_it() {
    for (state, other_protects) in [
        (ChildState::Installing, true),
        (ChildState::Installed, true),
        (ChildState::Updating, true),
        (ChildState::Rekeying, true),
        (ChildState::Rekeyed, true),
        (ChildState::Retrying, true),
        (ChildState::Deleting, true),
        (ChildState::Deleted, true),
        (ChildState::Unknown, true),
        (ChildState::Created, false),
        (ChildState::Routed, false),
        (ChildState::Destroying, false),
    ] {
        let plan = planned(vec![ike("gw", 1, vec![child_in(state, "voice", 8)])], &DOWN, &[]);
        assert_eq!(
            (plan.ike_then.is_empty(), !plan.protected.is_empty()),
            (other_protects, other_protects),
            "{state:?}"
        );
        let known_stale = planned(vec![ike("gw", 1, vec![child_in(state, "voice", 8)])], &DOWN, &[8]);
        assert_eq!(known_stale.ike_then, [1].into(), "{state:?}");
    }
}

#[test]
fn what_is_not_configured_any_more_protects_its_ike_sa_as_well() {
    let plan = planned(vec![ike("gw", 1, vec![child("forgotten", 8)])], &DOWN, &[]);
    assert_eq!(plan.protected, [(1, "forgotten".to_owned())]);
}

#[test]
fn a_child_sa_of_its_own_that_was_not_given_up_protects_as_well() {
    let installed = vec![ike("gw", 1, vec![child("net", 7), child("net", 9)])];
    let plan = planned(installed, &Cause::Silent([7].into()), &[]);
    assert_eq!(plan.children, [7].into());
    assert_eq!(plan.protected, [(1, "net".to_owned())]);
}

#[test]
fn ike_sas_that_begin_come_first_and_those_that_end_or_are_anothers_not_at_all() {
    let installed = [Connecting, Deleting, Passive, Rekeyed];
    let installed = (1..).zip(installed).map(|(id, state)| ike_in(state, ike("gw", id, vec![])));
    let plan = planned(installed.chain([ike("gw", 5, vec![]), ike("gw2", 6, vec![])]).collect(), &DOWN, &[]);
    assert_eq!((plan.ike_first, plan.ike_then), ([1].into(), [5].into()));
}

#[test]
fn an_ike_sa_on_which_strongswan_tried_in_vain_comes_first_too() {
    let plan = planned(vec![ike("gw", 5, vec![])], &Cause::Down { tried_in_vain: Some(5) }, &[]);
    assert_eq!((plan.ike_first, plan.ike_then.len()), ([5].into(), 0));
}

#[test]
fn what_is_on_its_way_out_is_given_up_without_being_taken_down() {
    let children = vec![child_in(ChildState::Deleting, "net", 7), child_in(ChildState::Deleted, "net", 6)];
    let plan = planned(vec![ike("gw", 1, children)], &DOWN, &[]);
    assert_eq!((plan.children.len(), plan.given_up), (0, [6, 7].into()));
    let leaving = vec![ike_in(Deleting, ike("gw", 1, vec![child("net", 7)]))];
    let plan = planned(leaving, &Cause::Silent([7].into()), &[]);
    assert_eq!((plan.children.len(), plan.given_up), (0, [7].into()));
}

#[test]
fn tunnels_that_carried_nothing_and_go_with_the_ike_sa_are_brought_up_again() {
    let children = vec![child("net", 7), child("voice", 8), child("forgotten", 9)];
    let plan = planned(vec![ike("gw", 1, children)], &Cause::Silent([7].into()), &[8, 9]);
    let voice = ChildRef { ike: Some("gw".to_owned()), child: "voice".to_owned() };
    assert_eq!((plan.ike_then, plan.with_it), ([1].into(), [voice].into()));
}
