//! What the stages of one cycle share, and what comes of it.

use std::time::Duration;

use super::{StageEnd, Surroundings, VpnCycle};
use crate::cleanup::{Journal, JournalFile, Started};
use crate::config::{Site, SiteTarget};
use crate::net::{LockHeld, NetLock};
use crate::record::{CheckRecord, DialogueEvent, GatewayFacts, LeftoverKind, PingStats, Stage};

/// What is asked for beside the site.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// The interval in force.
    pub interval: Duration,
    /// Whether a row is written for the cycle: then one is owed even if the prober is killed.
    pub owes_row: bool,
    /// Log in although the account rests (`test --force`).
    pub force: bool,
}

/// What was measured on both sides of the tunnel.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Pings outside.
    pub external: Option<PingStats>,
    /// Pings inside.
    pub internal: Option<PingStats>,
    /// Checks through the tunnel.
    pub checks: Vec<CheckRecord>,
}

impl Measured {
    /// Nothing yet.
    pub const fn nothing() -> Self {
        Self { external: None, internal: None, checks: Vec::new() }
    }
}

/// The lock of the network context, or why it could not be had; `None`: nobody waited for it.
pub type Lock = Option<Result<NetLock, LockHeld>>;

/// One cycle under way, by the kind of its site.
pub enum CycleState<'a> {
    /// `kind: ssl-vpn`.
    SslVpn(Box<VpnCycle<'a>>),
}

/// What a cycle has found when its stages are done.
pub struct Findings {
    /// On both sides of the tunnel.
    pub measured: Measured,
    /// What the stage `gateway` saw.
    pub gateway: Option<GatewayFacts>,
    /// From spawn to the client's word.
    pub login: Option<Duration>,
    /// What stayed.
    pub leftovers: Vec<LeftoverKind>,
    /// The dialogue with the client.
    pub dialogue: Vec<DialogueEvent>,
    /// Keeps other probers away.
    pub lock: Option<NetLock>,
    /// What the next start needs when this prober is killed.
    pub journal: Option<(JournalFile, Journal)>,
}

impl<'a> CycleState<'a> {
    /// A cycle of which nothing has happened yet.
    pub fn new(site: &'a Site, around: &'a Surroundings, cycle: Started, order: Order, lock: Lock) -> Self {
        match &site.target {
            SiteTarget::SslVpn(vpn) => Self::SslVpn(Box::new(VpnCycle::new(site, vpn, around, cycle, order, lock))),
        }
    }

    /// Runs one stage.
    pub async fn run(&mut self, stage: Stage) -> StageEnd {
        match self {
            Self::SslVpn(cycle) => cycle.run(stage).await,
        }
    }

    /// Whether a client was started, which is to be taken down whatever happens.
    pub const fn client_started(&self) -> bool {
        match self {
            Self::SslVpn(cycle) => cycle.client.is_some(),
        }
    }

    /// What came of it.
    pub fn into_findings(self) -> Findings {
        match self {
            Self::SslVpn(cycle) => cycle.into_findings(),
        }
    }
}
