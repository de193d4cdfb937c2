//! What the stages of one cycle share, and what comes of it.

use std::net::IpAddr;
use std::time::Duration;

use super::restart::peer_of;
use super::{StageEnd, Surroundings, TunnelCycle, VpnCycle};
use crate::cleanup::{Journal, JournalFile, Started};
use crate::config::{Site, SiteTarget};
use crate::net::{LockHeld, NetLock};
use crate::record::{CheckRecord, DialogueEvent, GatewayFacts, LeftoverKind, PingStats, Stage, TunnelFacts};

/// What is asked for beside the site.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own, and independent of the others")]
pub struct Order {
    /// The interval in force.
    pub interval: Duration,
    /// Whether a row is written for the cycle: then one is owed even if the prober is killed.
    pub owes_row: bool,
    /// Log in although the account rests (`test --force`).
    pub force: bool,
    /// Say what a restart would do, and do nothing (`test --dry-run`).
    pub dry_run: bool,
    /// An event asked for the cycle, not the timetable.
    pub triggered: bool,
}

impl Order {
    /// An ordinary cycle.
    pub const fn new(interval: Duration, owes_row: bool) -> Self {
        Self { interval, owes_row, force: false, dry_run: false, triggered: false }
    }
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
    /// `kind: ipsec`.
    Ipsec(Box<TunnelCycle<'a>>),
}

/// What a cycle has found when its stages are done.
pub struct Findings {
    /// On both sides of the tunnel.
    pub measured: Measured,
    /// What the stage `gateway` saw.
    pub gateway: Option<GatewayFacts>,
    /// From spawn to the client's word.
    pub login: Option<Duration>,
    /// What strongSwan said of the tunnel.
    pub tunnel: Option<TunnelFacts>,
    /// How often it was restarted.
    pub restarts: Option<u32>,
    /// From the start of the cycle until it carried traffic again.
    pub restore: Option<Duration>,
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
            SiteTarget::Ipsec(tunnel) => Self::Ipsec(Box::new(TunnelCycle::new(site, tunnel, around, order, lock))),
        }
    }

    /// Runs one stage.
    pub async fn run(&mut self, stage: Stage) -> StageEnd {
        match self {
            Self::SslVpn(cycle) => cycle.run(stage).await,
            Self::Ipsec(cycle) => cycle.run(stage).await,
        }
    }

    /// Whether a client was started, which is to be taken down whatever happens.
    pub const fn client_started(&self) -> bool {
        match self {
            Self::SslVpn(cycle) => cycle.client.is_some(),
            Self::Ipsec(_) => false,
        }
    }

    /// The other side of a tunnel, where strongSwan knows its address.
    pub fn peer(&self) -> Option<IpAddr> {
        match self {
            Self::SslVpn(_) => None,
            Self::Ipsec(cycle) => peer_of(cycle),
        }
    }

    /// What came of it.
    pub fn into_findings(self) -> Findings {
        match self {
            Self::SslVpn(cycle) => cycle.into_findings(),
            Self::Ipsec(cycle) => cycle.into_findings(),
        }
    }
}
