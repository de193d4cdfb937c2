//! What a cycle needs beside its site: handed in, never looked up.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::zone::Zone;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_util::sync::CancellationToken;

use super::StageEnd;
use crate::account::AccountBook;
use crate::cleanup::{Baseline, Journal, Judgement, Mode, ResolvConf, Tidy, TidyReport, Witness};
use crate::client::Watch;
use crate::clock::Clock;
use crate::config::{Adopt, Environment, UplinkConfig};
use crate::ipsec::Ledger;
use crate::maintenance::Windows;
use crate::net::{BoxFuture, LockHeld, NetContext, NetLock};
use crate::process::{Claim, Endurance, Tree};
use crate::record::{FailureKind, MalfunctionKind, Outcome, SiteName};
use crate::uplink::{self, Witnesses};
use crate::vici::IkeControl;

/// Another prober's cycle may take so long: a login, a client that does not leave, and repairs.
const LOCK_PATIENCE: Duration = Duration::from_mins(5);

/// What every cycle in one network context shares.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The network.
    pub net: Arc<dyn NetContext>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Row times.
    pub timezone: Zone,
    /// This prober's name.
    pub prober: String,
    /// Maintenance windows.
    pub maintenance: Arc<Windows>,
    /// How the prober's own way out is looked at.
    pub uplink: UplinkConfig,
    /// What answered at the sites outside.
    pub witnesses: Witnesses,
    /// Where the journal lies.
    pub state_dir: PathBuf,
    /// strongSwan.
    pub ike: Arc<dyn IkeControl>,
    /// What is remembered of its tunnels.
    pub ledger: Ledger,
    /// Which accounts rest.
    pub accounts: AccountBook,
    /// resolv.conf.
    pub resolv_conf: ResolvConf,
    /// The environment that clients get: the prober's own, less every secret.
    pub client_env: BTreeMap<String, String>,
    /// How long processes may take to end.
    pub endurance: Endurance,
    /// The prober's own environment, for secrets that are read from it.
    pub secret_env: Environment,
    /// Keeps the prober's own messages back while a client holds the host's routes.
    pub hold: Arc<dyn HoldRoutes>,
    /// Sees dialogues live (`client try`).
    pub watch: Option<Watch>,
    /// The prober was asked to stop.
    pub cancel: CancellationToken,
    /// It was asked again: no more grace periods.
    pub hurry: CancellationToken,
}

/// Something that must keep quiet while a client holds the host's routes and resolver.
pub trait HoldRoutes: Send + Sync + std::fmt::Debug {
    /// Waits until it is quiet (a few seconds at most); it stays so until the guard is dropped.
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>>;
}

/// There is nothing that would speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl HoldRoutes for Quiet {
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>> {
        Box::pin(async { Box::new(()) as Box<dyn Send> })
    }
}

/// Whether there was no answer at all, as there would be none over a dead uplink. That a name does not exist is one.
const fn tells_of_silence(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed(kind) => {
            matches!(kind, FailureKind::NoReply | FailureKind::Unreachable | FailureKind::ConnectTimeout)
        }
        // A packet that could not be sent may have had no way: without a carrier there is "no buffer space".
        Outcome::Inconclusive(kind) => {
            matches!(kind, MalfunctionKind::ResolverFailed | MalfunctionKind::PrepareFailed)
        }
        _ => false,
    }
}

impl Surroundings {
    /// Ends strangers that a profile adopts.
    pub async fn end_adopted(&self, adopt: Vec<Adopt>, mode: Mode) -> TidyReport {
        if adopt.is_empty() {
            return TidyReport::default();
        }
        let tidy = self.tidy(None, None, mode);
        tidy.run(&mut Tree::new(Claim { adopt, ..Claim::default() }, Arc::clone(&self.net))).await
    }

    /// A tidying up in this network.
    pub fn tidy<'a>(&'a self, baseline: Option<&'a Baseline>, interface: Option<&'a str>, mode: Mode) -> Tidy<'a> {
        Tidy {
            net: &self.net,
            baseline,
            interface,
            resolv_conf: &self.resolv_conf,
            witness: Witness::default(),
            endurance: self.endurance,
            hurry: &self.hurry,
            mode,
        }
    }

    /// Removes what an earlier cycle left, by its journal.
    ///
    /// After a reboot its processes, interfaces and routes are gone and the ids in the journal mean others: then only
    /// the `restore_command` runs, since the file may have survived with the client's content.
    pub async fn settle(&self, journal: &Journal, mode: Mode) -> TidyReport {
        let witness = Witness { left: journal.resolv_conf_left.as_ref(), ..Witness::default() };
        if journal.is_of_this_boot() {
            let tidy = self.tidy(Some(&journal.baseline), journal.interface.as_deref(), mode);
            return Tidy { witness, ..tidy }.run(&mut Tree::new(journal.claim(), Arc::clone(&self.net))).await;
        }
        let mut report = TidyReport::default();
        let judgement = self.resolv_conf.judge(&journal.baseline.resolv_conf, witness);
        if mode == Mode::Repair && judgement == Judgement::Clients {
            report.done.extend(self.resolv_conf.refresh().await);
        }
        report
    }

    /// That nothing answered at `peers` is the prober's own fault where its uplink is down.
    pub(super) async fn blame(&self, site: &SiteName, end: StageEnd, peers: &[IpAddr]) -> StageEnd {
        if !tells_of_silence(end.outcome) {
            return end;
        }
        let why = uplink::is_to_blame(&*self.net, &self.uplink.targets, &self.witnesses, site, peers).await;
        why.map_or(end, |words| StageEnd::because(MalfunctionKind::OwnUplinkDown, words))
    }

    /// What time it is, as certificates count it.
    pub(super) fn unix_time(&self) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.clock.now().timestamp()).unwrap_or(0)))
    }

    /// Takes the lock of the network context; waits for another prober's cycle to end.
    pub async fn lock(&self) -> Result<NetLock, LockHeld> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            let held = match self.net.try_lock() {
                Ok(lock) => return Ok(lock),
                Err(held @ LockHeld::By(_)) => held,
                Err(other) => return Err(other),
            };
            tracing::warn!("{held}: waiting for it");
            if timeout_at(deadline, self.net.unlocked()).await.is_err() {
                return Err(held);
            }
        }
    }
}
