//! Which SAs a restart may touch, and in which order. Pure.
//!
//! The rule that everything else here serves: an SA of another tunnel that lives is never in a plan. An IKE_SA is in it
//! only where nothing lives on it: each of its CHILD_SAs is this tunnel's and given up, or another's and known to carry
//! nothing.

use std::collections::BTreeSet;
use std::fmt;

use super::assess::{children_of, is_leaving, is_live};
use crate::vici::{ChildConfig, ChildRef, ChildSa, ChildState, IkeSa, IkeState, View};

/// Why a tunnel is restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// There is no usable CHILD_SA of it.
    Down {
        /// The IKE_SA on which strongSwan was at work for the whole grace.
        tried_in_vain: Option<u32>,
    },
    /// Its CHILD_SAs (by number) are there, and the inside is silent.
    Silent(BTreeSet<u32>),
}

/// What a restart does, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The tunnel, with the name of its connection.
    pub tunnel: ChildRef,
    /// Why.
    pub cause: Cause,
    /// IKE_SAs that are taken down first: nothing lives on them, and what is initiated would only wait in their queue.
    pub ike_first: BTreeSet<u32>,
    /// CHILD_SAs of this tunnel that are taken down.
    pub children: BTreeSet<u32>,
    /// CHILD_SAs of this tunnel that are listed and count for nothing: those to be taken down, and those that were on
    /// their way out already.
    pub given_up: BTreeSet<u32>,
    /// IKE_SAs of the connection that were on their way out already.
    pub leaving: BTreeSet<u32>,
    /// IKE_SAs that are taken down if initiating on them fails.
    pub ike_then: BTreeSet<u32>,
    /// IKE_SAs of the connection that are never taken down, with a tunnel that lives on each.
    pub protected: Vec<(u32, String)>,
    /// Other tunnels that carry nothing and lose their CHILD_SA with an IKE_SA: they are initiated after this one.
    pub with_it: BTreeSet<ChildRef>,
}

/// What a restart of this tunnel may do, by what there is now. `stale`: CHILD_SAs, of any tunnel, that are known to
/// carry nothing.
pub fn plan(view: &View, config: &ChildConfig, cause: &Cause, stale: &BTreeSet<u32>) -> Plan {
    let no_children = BTreeSet::new();
    let (condemned, in_vain) = match cause {
        Cause::Silent(children) => (children, None),
        Cause::Down { tried_in_vain } => (&no_children, *tried_in_vain),
    };
    let mut plan = Plan {
        tunnel: ChildRef { ike: Some(config.ike.clone()), child: config.child.clone() },
        cause: cause.clone(),
        ike_first: BTreeSet::new(),
        // By what there is: an SA that is gone needs no end, and a number may belong to another by now.
        children: children_of(view, config)
            .filter(|(ike, child)| !is_leaving(ike) && is_up(child) && condemned.contains(&child.unique_id))
            .map(|(_, child)| child.unique_id)
            .collect(),
        given_up: children_of(view, config)
            .filter(|(ike, child)| {
                condemned.contains(&child.unique_id) || is_going(child) || is_leaving(ike) && is_up(child)
            })
            .map(|(_, child)| child.unique_id)
            .collect(),
        leaving: ikes_of(view, config).filter(|ike| is_leaving(ike)).map(|ike| ike.unique_id).collect(),
        ike_then: BTreeSet::new(),
        protected: Vec::new(),
        with_it: BTreeSet::new(),
    };
    for ike in ikes_of(view, config).filter(|ike| is_usable(ike)) {
        if let Some(living) = living_on(ike, config, condemned, stale) {
            plan.protected.push((ike.unique_id, living.name.clone()));
        } else if in_vain == Some(ike.unique_id) || is_beginning(ike) {
            plan.ike_first.insert(ike.unique_id);
        } else {
            plan.ike_then.insert(ike.unique_id);
        }
    }
    plan.with_it = companions(view, config, &plan);
    plan
}

fn ikes_of<'v>(view: &'v View, config: &'v ChildConfig) -> impl Iterator<Item = &'v IkeSa> {
    view.installed.iter().filter(|ike| ike.name == config.ike)
}

/// A CHILD_SA on this IKE_SA that forbids to take it down.
///
/// Of other tunnels every state protects in which packets may pass or are about to, the last moments of a rekeying
/// included; what is only wanted (`CREATED`), a trap, and a memory do not.
fn living_on<'v>(
    ike: &'v IkeSa,
    config: &ChildConfig,
    condemned: &BTreeSet<u32>,
    stale: &BTreeSet<u32>,
) -> Option<&'v ChildSa> {
    ike.children.iter().find(|child| {
        if child.name == config.child {
            return is_live(ike, child) && !condemned.contains(&child.unique_id);
        }
        may_carry(child) && !stale.contains(&child.unique_id)
    })
}

/// Whether packets may pass through it, or are about to: by its state alone.
fn may_carry(child: &ChildSa) -> bool {
    match child.state {
        ChildState::Created | ChildState::Routed | ChildState::Destroying => false,
        ChildState::Installing
        | ChildState::Installed
        | ChildState::Updating
        | ChildState::Rekeying
        | ChildState::Rekeyed
        | ChildState::Retrying
        | ChildState::Deleting
        | ChildState::Deleted
        | ChildState::Unknown => true,
    }
}

/// Tunnels that are configured and lose a CHILD_SA with these IKE_SAs, one that waits in vain for its end included.
fn companions(view: &View, config: &ChildConfig, plan: &Plan) -> BTreeSet<ChildRef> {
    let taken = |ike: &&IkeSa| plan.ike_first.contains(&ike.unique_id) || plan.ike_then.contains(&ike.unique_id);
    let others = view.installed.iter().filter(taken).flat_map(|ike| {
        ike.children
            .iter()
            .filter(|child| child.name != config.child && may_carry(child))
            .map(|child| ChildRef { ike: Some(ike.name.clone()), child: child.name.clone() })
    });
    let is_configured = |other: &ChildRef| {
        view.configured.iter().any(|it| it.child == other.child && Some(&it.ike) == other.ike.as_ref())
    };
    others.filter(is_configured).collect()
}

/// Whether it is one that can be taken down: not on its way out, not a cluster's other node's.
fn is_usable(ike: &IkeSa) -> bool {
    match ike.state {
        IkeState::Deleting | IkeState::Destroying | IkeState::Rekeyed | IkeState::Passive => false,
        IkeState::Created | IkeState::Connecting | IkeState::Established | IkeState::Rekeying | IkeState::Unknown => {
            true
        }
    }
}

fn is_beginning(ike: &IkeSa) -> bool {
    matches!(ike.state, IkeState::Created | IkeState::Connecting)
}

fn is_up(child: &ChildSa) -> bool {
    matches!(child.state, ChildState::Installed | ChildState::Updating | ChildState::Rekeying | ChildState::Rekeyed)
}

/// Whether it is on its way out.
pub(super) fn is_going(child: &ChildSa) -> bool {
    matches!(child.state, ChildState::Rekeyed | ChildState::Deleting | ChildState::Deleted | ChildState::Destroying)
}

impl Plan {
    /// The steps in words, one a line, for `--dry-run`.
    pub fn steps(&self) -> Vec<String> {
        let name = &self.tunnel.child;
        let mut steps = Vec::new();
        for id in &self.ike_first {
            steps.push(format!("terminate IKE_SA #{id}, on which strongSwan has tried in vain"));
        }
        for id in &self.children {
            steps.push(format!("terminate CHILD_SA {name} #{id}"));
        }
        steps.push(format!("initiate CHILD_SA {name}"));
        for id in &self.ike_then {
            steps.push(format!("if that fails: terminate IKE_SA #{id}, on which nothing lives, and initiate again"));
        }
        for (id, living) in &self.protected {
            steps.push(format!("leave IKE_SA #{id} alone: {living} lives on it"));
        }
        for other in &self.with_it {
            steps.push(format!("initiate CHILD_SA {} too, if its IKE_SA was taken down", other.child));
        }
        steps
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down { .. } => f.write_str("DOWN"),
            Self::Silent(_) => f.write_str("UP but the inside does not answer (stale)"),
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
