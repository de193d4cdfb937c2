//! One restart from beginning to end: the permit, the sequence, the note in the ledger.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::guard::{Refusal, RestartPolicy};
use super::ledger::Ledger;
use super::plan::Plan;
use super::progress::{Observer, Probe};
use super::restore::{By, Failed, Restore, Restored};
use crate::clock::Clock;
use crate::vici::{IkeControl, View};

/// What a restart needs.
pub struct Restart<'a> {
    /// The daemon.
    pub control: &'a dyn IkeControl,
    /// What is remembered.
    pub ledger: &'a Ledger,
    /// The wall clock.
    pub clock: &'a dyn Clock,
    /// What was decided ([`super::Decision::Act`]).
    pub plan: &'a Plan,
    /// What is allowed.
    pub policy: &'a RestartPolicy,
    /// Whether traffic flows.
    pub probe: &'a dyn Probe,
    /// Is told each step.
    pub observer: &'a dyn Observer,
    /// After this nothing is begun.
    pub deadline: Instant,
}

/// Why the tunnel is not back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRestored {
    /// Nothing was done: another instance is at it, or the limit was reached meanwhile.
    Refused(Refusal),
    /// It was tried.
    Failed(Failed),
}

impl std::fmt::Display for NotRestored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "not restarted: {refusal}"),
            Self::Failed(failed) => write!(f, "not restored: {failed}"),
        }
    }
}

impl std::fmt::Debug for Restart<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restart").field("plan", self.plan).finish_non_exhaustive()
    }
}

/// Restarts a tunnel: takes the lock of its connection, notes the restart, restores, and takes the note back when
/// nothing had to be touched. May be dropped at any time: the lock goes, the note stays.
pub async fn restart(it: &Restart<'_>) -> Result<Restored, NotRestored> {
    let permit = it.ledger.begin(&it.plan.tunnel, it.policy, it.clock.now()).map_err(NotRestored::Refused)?;
    let stale = |view: &View| -> BTreeSet<u32> { it.ledger.stale(view, it.clock.now()) };
    let restore = Restore {
        control: it.control,
        plan: it.plan,
        stale: &stale,
        policy: it.policy,
        probe: it.probe,
        observer: it.observer,
        deadline: it.deadline,
    };
    let ended = restore.run().await;
    let untouched = match &ended {
        Ok(restored) => restored.by == By::Itself,
        Err(failed) => failed.attempts == 0,
    };
    if untouched {
        permit.withdraw(it.clock.now());
    }
    ended.map_err(NotRestored::Failed)
}

#[cfg(test)]
#[path = "restart_tests.rs"]
mod tests;
