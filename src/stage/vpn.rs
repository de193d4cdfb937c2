//! What the stages of a login's cycle share.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Findings, Lock, Measured, Order, StageEnd, Surroundings, cleanup, external, gateway, internal, login, prepare,
    teardown,
};
use crate::cleanup::{Baseline, Journal, JournalFile, KnownGood, Started};
use crate::client::Session;
use crate::config::{Secret, Site, SslVpn};
use crate::net::Interface;
use crate::process::Tree;
use crate::record::{DialogueEvent, GatewayFacts, LeftoverKind, Stage};

/// A client that was started.
#[derive(Debug)]
pub struct Client {
    /// Its terminal.
    pub session: Session,
    /// Its processes.
    pub tree: Tree,
    /// It said that the tunnel is up, and not yet that it is gone.
    pub connected: bool,
    /// When its tunnel was seen.
    pub proved: Option<Instant>,
    /// What was said to and by one that was started before it in the same cycle.
    pub earlier: Vec<DialogueEvent>,
}

impl Client {
    /// The whole dialogue; times count from the start of the client that spoke.
    pub fn dialogue(&self) -> Vec<DialogueEvent> {
        let mut all = self.earlier.clone();
        all.extend(self.session.dialogue());
        all
    }
}

/// A cycle with a login, under way.
pub struct VpnCycle<'a> {
    /// The site.
    pub site: &'a Site,
    /// Its gateway.
    pub vpn: &'a SslVpn,
    /// What every cycle shares.
    pub around: &'a Surroundings,
    /// Id and start.
    pub cycle: Started,
    /// Whether the cycle's row is written (`run`, `test --record`).
    pub owes_row: bool,
    /// Log in although the account rests.
    pub force: bool,
    /// Where the journal lies.
    pub journal_file: Option<JournalFile>,
    /// The journal, once written.
    pub journal: Option<Journal>,
    /// The lock of the network context.
    pub lock: Lock,
    /// The password, read before the login; none where the site has none.
    pub password: Option<Secret>,
    /// The secret of its one-time codes, where the site has one.
    pub otp_secret: Option<Secret>,
    /// The passphrase of the client's private key, the same.
    pub key_passphrase: Option<Secret>,
    /// The known good content of resolv.conf.
    pub known_good: Option<KnownGood>,
    /// The host before the login.
    pub baseline: Option<Baseline>,
    /// The client, once started.
    pub client: Option<Client>,
    /// The tunnel's interface.
    pub tunnel: Option<Interface>,
    /// What was measured on both sides of the tunnel.
    pub measured: Measured,
    /// What the stage `gateway` saw.
    pub gateway: Option<GatewayFacts>,
    /// From spawn to the client's word.
    pub login: Option<Duration>,
    /// What stayed.
    pub leftovers: Vec<LeftoverKind>,
}

impl<'a> VpnCycle<'a> {
    /// A cycle of which nothing has happened yet.
    pub fn new(
        site: &'a Site,
        vpn: &'a SslVpn,
        around: &'a Surroundings,
        cycle: Started,
        order: Order,
        lock: Lock,
    ) -> Self {
        Self {
            site,
            vpn,
            around,
            cycle,
            owes_row: order.owes_row,
            force: order.force,
            journal_file: None,
            journal: None,
            lock,
            password: None,
            otp_secret: None,
            key_passphrase: None,
            known_good: None,
            baseline: None,
            client: None,
            tunnel: None,
            measured: Measured::nothing(),
            gateway: None,
            login: None,
            leftovers: Vec::new(),
        }
    }

    /// Runs one stage.
    pub async fn run(&mut self, stage: Stage) -> StageEnd {
        match stage {
            Stage::Prepare => prepare::run(self).await,
            Stage::External => external::run(self.site, self.around, &mut self.measured).await,
            // Boxed: the state of a TLS handshake is large, and most of a cycle has none.
            Stage::Gateway => Box::pin(gateway::run(self)).await,
            Stage::Login => login::run(self).await,
            Stage::Internal => internal::run(self).await,
            Stage::Teardown => teardown::run(self).await,
            Stage::Cleanup => cleanup::run(self).await,
            Stage::Sa | Stage::Restart | Stage::Keepalive => StageEnd::passed(),
        }
    }

    /// What came of it.
    pub fn into_findings(self) -> Findings {
        Findings {
            dialogue: self.client.as_ref().map(Client::dialogue).unwrap_or_default(),
            measured: self.measured,
            gateway: self.gateway,
            login: self.login,
            tunnel: None,
            restarts: None,
            restore: None,
            leftovers: self.leftovers,
            lock: self.lock.and_then(Result::ok),
            journal: self.journal_file.zip(self.journal),
        }
    }
}
