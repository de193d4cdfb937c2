//! Brings a tunnel back: the sequence of a [`Plan`], over whatever daemon it is given.
//!
//! This is its face; the steps are in `sequence`. Nothing lives on when the future is dropped: what was asked of the
//! daemon is the daemon's, and the ledger was written before.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::assess::Up;
use super::guard::RestartPolicy;
use super::plan::Plan;
use super::progress::{Observer, Probe, Step};
use super::sequence::Run;
use crate::vici::{IkeControl, View};

/// Everything that a restart needs.
pub struct Restore<'a> {
    /// The daemon.
    pub control: &'a dyn IkeControl,
    /// What was decided.
    pub plan: &'a Plan,
    /// Tells which CHILD_SAs of a view, of any tunnel, are known to carry nothing. Asked for each look: numbers begin
    /// anew when the daemon does.
    pub stale: &'a (dyn Fn(&View) -> BTreeSet<u32> + Send + Sync),
    /// Attempts and delays.
    pub policy: &'a RestartPolicy,
    /// Whether traffic flows.
    pub probe: &'a dyn Probe,
    /// Is told each step.
    pub observer: &'a dyn Observer,
    /// After this nothing is begun. Whatever is under way may take a few seconds more.
    pub deadline: Instant,
}

/// The tunnel carries traffic again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// From the beginning of the restart to the answer of the inside, or to the SA where nobody asks the inside.
    pub after: Duration,
    /// Attempts begun.
    pub attempts: u32,
    /// Whose doing it was.
    pub by: By,
    /// The tunnel as it is now.
    pub up: Up,
}

/// Whose doing it was that a tunnel is up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// This restart's.
    Us,
    /// strongSwan's or the peer's: this restart has touched nothing.
    Itself,
}

/// The tunnel is not back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failed {
    /// Why.
    pub why: Fault,
    /// Attempts begun; 0 when nothing was touched.
    pub attempts: u32,
}

/// Why a tunnel is not back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Each attempt failed.
    NotEstablished {
        /// The last words of strongSwan.
        why: String,
    },
    /// New SAs are up, and the inside is silent as before: the fault is not the tunnel's.
    StillSilent,
    /// The peer does not answer on the IKE_SA, and another tunnel may live on it.
    SharedIkeSaSilent {
        /// That tunnel.
        living: String,
    },
    /// strongSwan does not know the tunnel any more.
    NotConfigured,
    /// strongSwan does not answer.
    NoDaemon {
        /// The error.
        why: String,
    },
    /// The deadline passed.
    OutOfTime,
}

impl Restore<'_> {
    /// Restarts the tunnel. Nothing is noted and no lock is taken here: [`super::restart()`] does.
    pub async fn run(&self) -> Result<Restored, Failed> {
        let tunnel = &self.plan.tunnel;
        self.observer.step(&Step::Begun { tunnel: tunnel.clone(), cause: self.plan.cause.clone() });
        let mut run = Run::new(self);
        let ended = run.attempts().await;
        match &ended {
            Ok(restored) => {
                let reachable = run.asked;
                self.observer.step(&Step::Restored { tunnel: tunnel.clone(), reachable, after: restored.after });
                run.initiate_companions().await;
            }
            Err(failed) => self.observer.step(&Step::Failed { tunnel: tunnel.clone(), why: failed.why.to_string() }),
        }
        ended
    }
}

impl fmt::Debug for Restore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restore").field("plan", self.plan).finish_non_exhaustive()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEstablished { why } | Self::NoDaemon { why } => f.write_str(why),
            Self::StillSilent => f.write_str("its SAs are new, and the inside does not answer as before"),
            Self::SharedIkeSaSilent { living } => {
                write!(f, "the peer does not answer on its IKE_SA, which was left because {living} may live on it")
            }
            Self::NotConfigured => f.write_str("strongSwan does not know it any more"),
            Self::OutOfTime => f.write_str("the time for it ran out"),
        }
    }
}
