//! What a restart does, as it does it: for logs and terminals, in the words of the field.

use std::fmt;
use std::time::Duration;

use super::assess::Recovering;
use super::plan::Cause;
use crate::net::BoxFuture;
use crate::vici::{ChildRef, SaId};

/// Is told each step of a restart. Must not block.
pub trait Observer: Send + Sync {
    /// The next step begins, or has ended.
    fn step(&self, step: &Step);
}

/// Any function will do.
impl<F: Fn(&Step) + Send + Sync> Observer for F {
    fn step(&self, step: &Step) {
        self(step);
    }
}

/// Asks whether the tunnel carries traffic.
pub trait Probe: Send + Sync {
    /// Asks until it is sure: it is asked once for each CHILD_SA that came up, and one lost packet is no silence.
    fn ask(&self) -> BoxFuture<'_, Flow>;
}

/// What the probe said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Something answered through the tunnel.
    Answered,
    /// Nothing did.
    Silent,
    /// Nothing inside is configured: then the SA alone counts.
    NotAsked,
}

/// A tunnel of which nothing inside is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn ask(&self) -> BoxFuture<'_, Flow> {
        Box::pin(std::future::ready(Flow::NotAsked))
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The restart begins.
    Begun {
        /// The tunnel.
        tunnel: ChildRef,
        /// Why.
        cause: Cause,
    },
    /// An SA is taken down.
    Terminating {
        /// The tunnel.
        tunnel: ChildRef,
        /// The SA.
        sa: SaId,
    },
    /// That did not work.
    NotTerminated {
        /// The SA.
        sa: SaId,
        /// Why.
        why: String,
    },
    /// A tunnel is brought up: this one, or one that lost its CHILD_SA with the IKE_SA.
    Initiating {
        /// The tunnel.
        tunnel: ChildRef,
        /// Which attempt, from 1.
        attempt: u32,
        /// Of how many.
        of: u32,
    },
    /// That did not work.
    NotInitiated {
        /// The tunnel.
        tunnel: ChildRef,
        /// Why.
        why: String,
    },
    /// strongSwan or the peer is at work on it by itself.
    LeftToStrongSwan {
        /// The tunnel.
        tunnel: ChildRef,
        /// What it does.
        work: Recovering,
    },
    /// strongSwan went away, or does not answer.
    DaemonAway {
        /// What it said last.
        why: String,
    },
    /// The SA is there; now the inside is asked.
    SaUp {
        /// The tunnel.
        tunnel: ChildRef,
    },
    /// The SA is there, and the inside is silent.
    StillSilent {
        /// The tunnel.
        tunnel: ChildRef,
    },
    /// The next attempt comes after a pause.
    Retrying {
        /// The tunnel.
        tunnel: ChildRef,
        /// Which attempt comes.
        attempt: u32,
        /// Of how many.
        of: u32,
        /// The pause.
        after: Duration,
    },
    /// It is done.
    Restored {
        /// The tunnel.
        tunnel: ChildRef,
        /// Whether the inside was asked.
        reachable: bool,
        /// How long it took.
        after: Duration,
    },
    /// It was not to be done.
    Failed {
        /// The tunnel.
        tunnel: ChildRef,
        /// Why.
        why: String,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { tunnel, cause } => write!(f, "Tunnel {} is {cause}", tunnel.child),
            Self::Terminating { tunnel, sa: SaId::Child(id) } => {
                write!(f, "terminating CHILD_SA {}{{{id}}}", tunnel.child)
            }
            Self::Terminating { tunnel, sa: SaId::Ike(id) } => {
                write!(f, "terminating IKE_SA {}[{id}]", tunnel.ike.as_deref().unwrap_or(&tunnel.child))
            }
            Self::NotTerminated { sa: SaId::Child(id), why } => write!(f, "CHILD_SA {{{id}}} not terminated: {why}"),
            Self::NotTerminated { sa: SaId::Ike(id), why } => write!(f, "IKE_SA [{id}] not terminated: {why}"),
            Self::Initiating { tunnel, attempt: 1, .. } => write!(f, "initiating CHILD_SA {}", tunnel.child),
            Self::Initiating { tunnel, attempt, of } => {
                write!(f, "initiating CHILD_SA {} (attempt {attempt} of {of})", tunnel.child)
            }
            Self::NotInitiated { tunnel, why } => write!(f, "CHILD_SA {} not established: {why}", tunnel.child),
            Self::LeftToStrongSwan { tunnel, work } => {
                write!(f, "Tunnel {}: strongSwan is at work on it, waiting: {work}", tunnel.child)
            }
            Self::DaemonAway { why } => write!(f, "waiting for strongSwan: {why}"),
            Self::SaUp { tunnel } => write!(f, "CHILD_SA {} is INSTALLED", tunnel.child),
            Self::StillSilent { tunnel } => write!(f, "Tunnel {} is UP but the inside does not answer", tunnel.child),
            Self::Retrying { tunnel, attempt, of, after } => {
                write!(f, "Tunnel {}: attempt {attempt} of {of} in {} s", tunnel.child, after.as_secs_f32())
            }
            Self::Restored { tunnel, reachable: true, .. } => write!(f, "Tunnel {} is UP and reachable", tunnel.child),
            Self::Restored { tunnel, reachable: false, .. } => write!(f, "Tunnel {} is UP", tunnel.child),
            Self::Failed { tunnel, why } => write!(f, "Tunnel {} could not be restored: {why}", tunnel.child),
        }
    }
}
