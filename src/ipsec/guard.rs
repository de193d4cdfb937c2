//! May a tunnel be restarted now? Pure: everything that counts is handed in, and a [`Decision`] comes out.
//!
//! What is answered here is whether and why; which SAs a restart may touch is in `plan`.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::assess::{Assessment, Recovering, Unresolved, resolve, restarts_itself};
use super::plan::{Cause, Plan, plan};
pub use crate::config::RestartPolicy;
use crate::vici::{Action, ChildConfig, ChildRef, IkeSa, IkeState, View};

/// What a probe through the tunnel said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inside {
    /// Nothing inside is configured, or nobody asked.
    NotAsked,
    /// Something answered.
    Reached,
    /// Nothing answered, and the probe was repeated: one lost packet is no silence.
    Silent {
        /// How long ago the last repetition began. A CHILD_SA that is younger was not probed, and is left alone.
        asked: Duration,
    },
}

/// What is remembered of a tunnel (`ledger`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Restarts within the last 60 minutes, the oldest first.
    pub restarts: Vec<DateTime<Utc>>,
    /// Since it was first seen other than well, in this outage.
    pub ill_since: Option<DateTime<Utc>>,
    /// Since strongSwan was first seen at work on it, without a pause.
    pub recovering_since: Option<DateTime<Utc>>,
}

/// Everything that counts.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The tunnel.
    pub target: &'a ChildRef,
    /// What is installed, looked at after the probe.
    pub view: &'a View,
    /// What that says of the tunnel.
    pub assessment: &'a Assessment,
    /// What the inside said.
    pub inside: Inside,
    /// What is allowed.
    pub policy: &'a RestartPolicy,
    /// What is remembered, with this look taken in already ([`super::Ledger::observe`]).
    pub history: &'a History,
    /// CHILD_SAs, of this or any other tunnel, that are known to carry nothing ([`super::Ledger::stale`]).
    pub stale: &'a BTreeSet<u32>,
    /// The prober's own uplink is down: then no tunnel is to blame.
    pub uplink_down: bool,
    /// A maintenance window with `pause_restarts`.
    pub maintenance: bool,
    /// Now.
    pub now: DateTime<Utc>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is up, and carries traffic as far as was asked.
    Nothing,
    /// Nothing: `restart.enabled` is `false`.
    OnlyWatched,
    /// Nothing yet: look again then.
    Leave {
        /// When to look again.
        until: DateTime<Utc>,
        /// What is waited for.
        why: Wait,
    },
    /// It needs a restart and gets none.
    Refused(Refusal),
    /// Restart it.
    Act(Box<Plan>),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The moment does not tell.
    Settling,
    /// strongSwan is at work on it.
    Recovering(Recovering),
    /// strongSwan asks whether the peer is alive, and will make the tunnel anew if not (`dpd_action`).
    DeadPeerDetection,
    /// It has just fallen, and strongSwan is configured to make it anew.
    JustFallen,
    /// It has come up after the probe began.
    JustUp,
}

/// Why a tunnel that needs a restart gets none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// strongSwan does not know it.
    NotConfigured,
    /// Which of several is meant was not said.
    Ambiguous,
    /// Its configuration has no address of the peer: only the peer can bring it up.
    NoPeerAddress,
    /// The own uplink is down.
    UplinkDown,
    /// Maintenance.
    Maintenance,
    /// `max_per_hour` was reached.
    Limit {
        /// Restarts within the last 60 minutes.
        restarts: u32,
        /// When the next is allowed; none with `max_per_hour: 0`.
        free_at: Option<DateTime<Utc>>,
    },
    /// Another instance is restarting a tunnel of this connection.
    AnotherInstance {
        /// Its process id, where it could be read.
        pid: Option<u32>,
    },
}

/// Until a look is repeated where a moment does not tell.
pub const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);
/// How long a tunnel has just fallen. strongSwan acts on it by itself within 30 ms, or not at all: then nothing is left
/// to wait for.
pub const JUST_FALLEN: TimeDelta = TimeDelta::milliseconds(250);

/// What may be done about this tunnel now.
///
/// In this order: what is not known cannot be judged; what is well is left alone; what is only watched is left alone;
/// then what forbids a restart for reasons outside of the tunnel; then strongSwan's own recovery; then the limit.
pub fn decide(situation: &Situation<'_>) -> Decision {
    let config = match resolve(situation.view, situation.target) {
        Ok(config) => config,
        Err(Unresolved::Ambiguous { .. }) => return Decision::Refused(Refusal::Ambiguous),
        Err(Unresolved::NotConfigured { .. }) => return Decision::Refused(Refusal::NotConfigured),
    };
    if is_well(situation.assessment, situation.inside) {
        return Decision::Nothing;
    }
    if !situation.policy.enabled {
        return Decision::OnlyWatched;
    }
    if let Some(refusal) = forbidden(situation, config) {
        return Decision::Refused(refusal);
    }
    if let Some((until, why)) = left_alone(situation, config) {
        return Decision::Leave { until, why };
    }
    match over_limit(situation.policy, &situation.history.restarts) {
        Some(refusal) => Decision::Refused(refusal),
        None => Decision::Act(Box::new(plan(situation.view, config, &cause(situation, config), situation.stale))),
    }
}

/// Whether there is nothing to mend.
pub fn is_well(assessment: &Assessment, inside: Inside) -> bool {
    assessment.is_up() && !matches!(inside, Inside::Silent { .. })
}

/// Tasks of an IKE_SA that is up, by which strongSwan sees that the peer is dead.
const TASKS_THAT_ASK_THE_PEER: &[&str] = &["IKE_DPD", "IKE_MOBIKE", "ISAKMP_DPD"];

/// What strongSwan itself is doing about a tunnel that is not well.
pub(super) fn recovery(view: &View, target: &ChildRef, assessment: &Assessment, inside: Inside) -> Option<Wait> {
    match (assessment, inside) {
        (Assessment::Recovering(work), _) => Some(Wait::Recovering(work.clone())),
        (Assessment::Up(up), Inside::Silent { .. }) => {
            let config = resolve(view, target).ok()?;
            let mut ikes = view.installed.iter().filter(|ike| ike.name == config.ike);
            let beginning = |ike: &&IkeSa| matches!(ike.state, IkeState::Created | IkeState::Connecting);
            if let Some(ike) = ikes.clone().find(beginning) {
                return Some(Wait::Recovering(Recovering::Connecting { ike_id: ike.unique_id }));
            }
            let ike = ikes.find(|ike| ike.unique_id == up.ike_id)?;
            let asks = ike.tasks.iter().any(|task| TASKS_THAT_ASK_THE_PEER.contains(&task.as_str()));
            (asks && config.dpd_action == Action::Start).then_some(Wait::DeadPeerDetection)
        }
        _ => None,
    }
}

fn forbidden(situation: &Situation<'_>, config: &ChildConfig) -> Option<Refusal> {
    if situation.uplink_down {
        Some(Refusal::UplinkDown)
    } else if situation.maintenance {
        Some(Refusal::Maintenance)
    } else if has_no_peer_address(config) {
        Some(Refusal::NoPeerAddress)
    } else {
        None
    }
}

/// `%any` and networks: the peer comes to us. What the daemon did not tell is not held against it.
fn has_no_peer_address(config: &ChildConfig) -> bool {
    let nobody = |address: &String| {
        address.starts_with("%any") || address.contains('/') || address == "0.0.0.0" || address == "::"
    };
    !config.remote_addrs.is_empty() && config.remote_addrs.iter().all(nobody)
}

fn left_alone(situation: &Situation<'_>, config: &ChildConfig) -> Option<(DateTime<Utc>, Wait)> {
    let Situation { assessment, history, now, .. } = *situation;
    if matches!(assessment, Assessment::Settling(_)) {
        return Some((now + LOOK_AGAIN, Wait::Settling));
    }
    if let Some(work) = recovery(situation.view, situation.target, assessment, situation.inside) {
        // Times to come are of a clock that was set back.
        let since = history.recovering_since.unwrap_or(now).min(now);
        let grace = TimeDelta::from_std(situation.policy.grace).ok();
        let until = grace.and_then(|grace| since.checked_add_signed(grace)).unwrap_or(DateTime::<Utc>::MAX_UTC);
        return (now < until).then_some((until, work));
    }
    let since = history.ill_since.unwrap_or(now).min(now);
    if !assessment.is_up() && restarts_itself(config) && now < since + JUST_FALLEN {
        return Some((since + JUST_FALLEN, Wait::JustFallen));
    }
    let unproven = matches!((assessment, situation.inside), (Assessment::Up(up), Inside::Silent { asked })
        if up.child.installed.is_some_and(|installed| installed < asked));
    unproven.then_some((now + LOOK_AGAIN, Wait::JustUp))
}

/// The limit as a refusal, where it is reached.
pub(super) fn over_limit(policy: &RestartPolicy, restarts: &[DateTime<Utc>]) -> Option<Refusal> {
    let count = u32::try_from(restarts.len()).unwrap_or(u32::MAX);
    if count < policy.max_per_hour {
        return None;
    }
    // Allowed again when so many have passed that fewer than the limit are left.
    let last_that_must_pass = restarts.len().checked_sub(usize::try_from(policy.max_per_hour).unwrap_or(usize::MAX));
    let free_at = last_that_must_pass.and_then(|at| restarts.get(at)).map(|at| *at + TimeDelta::hours(1));
    Some(Refusal::Limit { restarts: count, free_at })
}

fn cause(situation: &Situation<'_>, config: &ChildConfig) -> Cause {
    let live = super::assess::children_of(situation.view, config)
        .filter(|(ike, child)| super::assess::is_live(ike, child))
        .map(|(_, child)| child.unique_id);
    match situation.assessment {
        Assessment::Up(_) => Cause::Silent(live.collect()),
        Assessment::Recovering(work) => Cause::Down { tried_in_vain: Some(work.ike_id()) },
        _ => Cause::Down { tried_in_vain: None },
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settling => f.write_str("its SAs are on the move"),
            Self::Recovering(work) => write!(f, "strongSwan is at work on it: {work}"),
            Self::DeadPeerDetection => f.write_str("strongSwan asks whether the peer is alive, and acts if it is not"),
            Self::JustFallen => f.write_str("it has just fallen, and strongSwan is configured to make it anew"),
            Self::JustUp => f.write_str("it has only just come up"),
        }
    }
}

/// After "not restarted: ".
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("strongSwan has no such configuration"),
            Self::Ambiguous => f.write_str("several connections have a child of this name"),
            Self::NoPeerAddress => f.write_str(
                "its configuration has no address of the peer (`remote_addrs`): only the peer can bring it up",
            ),
            Self::UplinkDown => f.write_str("the own uplink is down"),
            Self::Maintenance => f.write_str("maintenance"),
            Self::Limit { restarts, free_at: Some(at) } => {
                write!(f, "restarted {restarts} times within the last hour; the next is allowed at {}", in_words(*at))
            }
            Self::Limit { free_at: None, .. } => f.write_str("`max_per_hour` allows none"),
            Self::AnotherInstance { pid: Some(pid) } => {
                write!(f, "another instance (process {pid}) is restarting a tunnel of this connection")
            }
            Self::AnotherInstance { pid: None } => {
                f.write_str("another instance is restarting a tunnel of this connection")
            }
        }
    }
}

fn in_words(at: DateTime<Utc>) -> impl fmt::Display {
    at.format("%H:%M:%S UTC")
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
