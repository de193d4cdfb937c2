//! What the stages of one cycle share.

use std::time::Duration;

use tokio::time::Instant;

use super::{Surroundings, cleanup, external, gateway, internal, login, prepare, teardown};
use crate::cleanup::{Baseline, Journal, JournalFile, KnownGood, Started};
use crate::client::Session;
use crate::config::{Secret, Site, SslVpn};
use crate::net::{Interface, LockHeld, NetLock};
use crate::process::Tree;
use crate::record::{
    CheckRecord, DialogueEvent, GatewayFacts, LeftoverKind, Outcome, PingStats, Reason, Stage, one_line,
};

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEnd {
    /// The outcome.
    pub outcome: Outcome,
    /// What a person wants to know beside it.
    pub detail: Option<String>,
}

impl StageEnd {
    /// It passed.
    pub const fn passed() -> Self {
        Self { outcome: Outcome::Passed, detail: None }
    }

    /// It passed, with a word on how.
    pub fn passed_with(detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Passed, detail: Some(one_line(detail.as_ref())) }
    }

    /// It did not pass, for this reason.
    pub fn because(reason: impl Into<Reason>, detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::from_reason(reason.into()), detail: Some(one_line(detail.as_ref())) }
    }

    /// Something stayed.
    pub fn left(kind: LeftoverKind, detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Left(kind), detail: Some(one_line(detail.as_ref())) }
    }
}

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

/// One cycle under way.
pub struct CycleState<'a> {
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
    /// The lock of the network context, or why it could not be had; `None`: nobody waited for it.
    pub lock: Option<Result<NetLock, LockHeld>>,
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
    /// Pings outside.
    pub external: Option<PingStats>,
    /// What the stage `gateway` saw.
    pub gateway: Option<GatewayFacts>,
    /// From spawn to the client's word.
    pub login: Option<Duration>,
    /// Pings inside.
    pub internal: Option<PingStats>,
    /// Checks through the tunnel.
    pub checks: Vec<CheckRecord>,
    /// What stayed.
    pub leftovers: Vec<LeftoverKind>,
}

impl<'a> CycleState<'a> {
    /// A cycle of which nothing has happened yet.
    pub const fn new(
        site: &'a Site,
        vpn: &'a SslVpn,
        around: &'a Surroundings,
        cycle: Started,
        owes_row: bool,
    ) -> Self {
        Self {
            site,
            vpn,
            around,
            cycle,
            owes_row,
            force: false,
            journal_file: None,
            journal: None,
            lock: None,
            password: None,
            otp_secret: None,
            key_passphrase: None,
            known_good: None,
            baseline: None,
            client: None,
            tunnel: None,
            external: None,
            gateway: None,
            login: None,
            internal: None,
            checks: Vec::new(),
            leftovers: Vec::new(),
        }
    }
}

/// Runs one stage.
pub async fn run(stage: Stage, cx: &mut CycleState<'_>) -> StageEnd {
    match stage {
        Stage::Prepare => prepare::run(cx).await,
        Stage::External => external::run(cx).await,
        // Boxed: the state of a TLS handshake is large, and most of a cycle has none.
        Stage::Gateway => Box::pin(gateway::run(cx)).await,
        Stage::Login => login::run(cx).await,
        Stage::Internal => internal::run(cx).await,
        Stage::Teardown => teardown::run(cx).await,
        Stage::Cleanup => cleanup::run(cx).await,
    }
}
