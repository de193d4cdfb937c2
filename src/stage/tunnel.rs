//! What the stages of a tunnel's cycle share.

use std::time::Duration;

use tokio::time::Instant;

use super::{Findings, Lock, Measured, Order, StageEnd, Surroundings, external, internal, keepalive, restart, sa};
use crate::config::{Ipsec, Site};
use crate::ipsec::{Assessment, Inside, Seen};
use crate::record::{MalfunctionKind, Stage, TunnelFacts};
use crate::vici::{ChildRef, View};

/// A cycle of an IPsec tunnel, under way.
pub struct TunnelCycle<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its tunnel.
    pub tunnel: &'a Ipsec,
    /// The same, as strongSwan is asked for it.
    pub target: ChildRef,
    /// What every cycle shares.
    pub around: &'a Surroundings,
    /// What was asked for.
    pub order: Order,
    /// When the cycle began.
    pub began: Instant,
    /// The lock of the network context: while another's client holds the host's routes, nothing can be told.
    pub lock: Lock,
    /// What was measured on both sides of the tunnel.
    pub measured: Measured,
    /// The latest look: what strongSwan has, and what that says of the tunnel.
    pub seen: Option<(View, Assessment)>,
    /// How often it was restarted.
    pub restarts: u32,
    /// From the start of the cycle until it carried traffic again.
    pub restore: Option<Duration>,
}

impl<'a> TunnelCycle<'a> {
    /// A cycle of which nothing has happened yet.
    pub fn new(site: &'a Site, tunnel: &'a Ipsec, around: &'a Surroundings, order: Order, lock: Lock) -> Self {
        Self {
            site,
            tunnel,
            target: ChildRef { ike: tunnel.ike_sa.clone(), child: tunnel.child_sa.clone() },
            around,
            order,
            began: Instant::now(),
            lock,
            measured: Measured::nothing(),
            seen: None,
            restarts: 0,
            restore: None,
        }
    }

    /// Runs one stage.
    pub async fn run(&mut self, stage: Stage) -> StageEnd {
        match &self.lock {
            Some(Ok(_)) => {}
            Some(Err(held)) => return StageEnd::because(MalfunctionKind::ClientBusy, held.to_string()),
            None => return StageEnd::because(MalfunctionKind::Cancelled, "the prober was asked to stop"),
        }
        match stage {
            Stage::External => external::run(self.site, self.around, &mut self.measured).await,
            Stage::Sa => sa::run(self).await,
            Stage::Internal => internal::ask(&self.site.probes, self.around, None, &mut self.measured).await,
            Stage::Restart => Box::pin(restart::run(self)).await,
            Stage::Keepalive => keepalive::run(self).await,
            Stage::Prepare | Stage::Gateway | Stage::Login | Stage::Teardown | Stage::Cleanup => StageEnd::passed(),
        }
    }

    /// Has it remembered that the tunnel is well, so that its next fall is a new one.
    fn remember_wellness(&self) {
        let Some((view, assessment @ Assessment::Up(_))) = &self.seen else { return };
        let inside = if !self.site.probes.ask_inside() {
            Inside::NotAsked
        } else if restart::answered(&self.measured) {
            Inside::Reached
        } else {
            return;
        };
        let seen = Seen { target: &self.target, assessment, inside };
        self.around.ledger.observe(view, seen, self.around.clock.now());
    }

    /// What came of it.
    pub fn into_findings(self) -> Findings {
        self.remember_wellness();
        Findings {
            measured: self.measured,
            gateway: None,
            login: None,
            tunnel: self.seen.as_ref().and_then(|(_, assessment)| facts(assessment)),
            restarts: Some(self.restarts),
            restore: self.restore,
            leftovers: Vec::new(),
            dialogue: Vec::new(),
            lock: self.lock.and_then(Result::ok),
            journal: None,
        }
    }
}

/// The figures of a tunnel that is up.
fn facts(assessment: &Assessment) -> Option<TunnelFacts> {
    let Assessment::Up(up) = assessment else { return None };
    Some(TunnelFacts {
        installed: u32::try_from(up.duplicates).unwrap_or(u32::MAX).saturating_add(1),
        bytes_in: up.inbound.bytes,
        bytes_out: up.outbound.bytes,
        packets_in: up.inbound.packets,
        packets_out: up.outbound.packets,
    })
}
