//! Where a record goes: its row first, then the alert policy.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::control::{Request, ask};
use super::report_channel::{Letters, ReportChannel};
use super::reporter::{Reporter, forget_unplanned};
use super::state_lock::StateLock;
use crate::alert::{
    Channel, CommandChannel, EmailChannel, FileStore, Notifier, Observation, RouteGate, RoutedChannel, WebChannel,
};
use crate::clock::Clock;
use crate::config::{AlertChannel, ChannelKind, Config, Email, Environment, Site};
use crate::error::chain;
use crate::maintenance::Windows;
use crate::net::BoxFuture;
use crate::record::{CycleRecord, InForce};
use crate::results::{DayFiles, Results, ResultsError, Row, Unwritten};
use crate::runner::Sink;
use crate::snapshot::Board;
use crate::stage::{HoldRoutes, Surroundings};

/// At the end, what is pending has one more try for so long.
const LAST_TRY: Duration = Duration::from_secs(5);

/// Writes rows and feeds the alert policy.
pub struct Recorder {
    results: Mutex<Option<Results>>,
    clock: Arc<dyn Clock>,
    maintenance: Arc<Windows>,
    notifier: Notifier,
    board: Arc<Board>,
    task: Mutex<Option<JoinHandle<()>>>,
    ended: CancellationToken,
}

/// The day files that the configuration names.
pub fn day_files(config: &Config) -> Result<DayFiles, ResultsError> {
    DayFiles::open(&config.logging.dir, &config.logging.file)
}

impl Recorder {
    /// Opens everything that a record goes to, so that what can't be written is said before the first cycle.
    pub(super) fn open(config: &Config, around: &Surroundings, gate: &RouteGate) -> Result<Self, String> {
        let report = report_channel(config, &around.secret_env);
        Self::with_channels(
            config,
            around,
            gate,
            channels(config, &around.secret_env, &around.clock).into_iter().chain(report).collect(),
        )
    }

    /// The same with other channels than those configured.
    pub fn with_channels(
        config: &Config,
        around: &Surroundings,
        gate: &RouteGate,
        channels: Vec<Arc<dyn Channel>>,
    ) -> Result<Self, String> {
        let files = day_files(config).map_err(|e| chain(&e))?;
        let store = FileStore::new(&config.state_dir, Arc::clone(&around.clock));
        let (notifier, task) =
            Notifier::new(Arc::new(store), channels, gate, Arc::clone(&around.clock), config.timezone.clone())
                .map_err(|e| chain(&e))?;
        let task = task.watching(config.sites.iter().map(|site| site.name.to_string()));
        let ended = CancellationToken::new();
        let at_its_end = ended.clone().drop_guard();
        let task = tokio::spawn(async move {
            // Dropped also when the task panics.
            let _at_its_end = at_its_end;
            task.run().await;
        });
        let results = Mutex::new(Some(Results::new(files, Unwritten::new(&config.state_dir))));
        let (clock, maintenance) = (Arc::clone(&around.clock), Arc::clone(&around.maintenance));
        let board = Arc::default();
        Ok(Self { results, clock, maintenance, notifier, board, task: Mutex::new(Some(task)), ended })
    }

    /// Shows on this board what each site looks like.
    #[must_use]
    pub(super) fn showing_on(self, board: &Arc<Board>) -> Self {
        Self { board: Arc::clone(board), ..self }
    }

    /// Who tells people.
    pub(super) const fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Forgets of reports what the configuration no longer asks for.
    pub(super) async fn forget_unplanned_reports(&self, config: &Config) {
        forget_unplanned(config, &self.notifier).await;
    }

    /// The task that makes reports, where they are configured.
    pub(super) fn reporter(&self, config: &Config) -> Option<Reporter> {
        Reporter::of(config, self.notifier.clone(), Arc::clone(&self.clock))
    }

    /// Waits for the end of the task that tells people: it ends by itself only by a bug.
    pub(super) async fn alert_task_ended(&self) {
        self.ended.cancelled().await;
    }

    /// Takes rows that the recorder before this one could neither write nor put away.
    pub(super) fn keep(&self, rows: Vec<Row>) {
        self.with_results(|results, _, _| results.keep(rows));
    }

    /// Writes what an earlier program could not.
    pub(super) fn catch_up(&self) {
        self.with_results(Results::flush);
    }

    fn with_results<T>(&self, act: impl FnOnce(&mut Results, Instant, DateTime<Utc>) -> T) -> Option<T> {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.as_mut().map(|results| act(results, Instant::now(), self.clock.now()))
    }

    /// Sends what is pending, for a few seconds at most, and ends. Gives the rows that are neither written nor put away
    /// in the state directory: whoever drops them loses them.
    #[must_use]
    pub async fn close(&self) -> Vec<Row> {
        match self.notifier.shutdown(Instant::now() + LAST_TRY).await {
            Ok(0) => {}
            Ok(pending) => tracing::warn!(pending, "messages are not delivered yet: the next start goes on with them"),
            Err(e) => tracing::error!(error = chain(&e), "cannot end the alert task"),
        }
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await;
        }
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner).take();
        results.map(|results| results.unsaved(Instant::now(), self.clock.now())).unwrap_or_default()
    }

    /// Takes one record; `false`: its row could not be written yet.
    pub(super) async fn record(&self, record: &CycleRecord, site: &Site) -> bool {
        // One row of some hundred bytes: the sync of the disk is all that takes time, and the cycle is over.
        let write = || self.with_results(|results, now, time| results.write(record, now, time));
        let written = tokio::task::block_in_place(write).unwrap_or_default();
        self.observe(record, site).await;
        written
    }

    /// Feeds the alert policy alone: the row is written already.
    pub(super) async fn observe(&self, record: &CycleRecord, site: &Site) {
        self.board.note(record);
        let mut seen = Observation::from_record(record);
        // It may have begun before the maintenance that it ran into.
        let window = self.maintenance.at(self.clock.now(), &site.name);
        seen.silenced |= window.is_some_and(|window| window.suppress_alerts);
        seen.account = site.ssl_vpn().map(|vpn| vpn.account.to_string());
        seen.facts.account.clone_from(&seen.account);
        if let Err(e) = self.notifier.observe(seen, site.alerts).await {
            tracing::error!(error = chain(&e), "the alert state is not safe");
        }
    }
}

impl Sink for Recorder {
    fn take<'a>(&'a self, record: &'a CycleRecord, site: &'a Site) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            log(record);
            self.record(record, site).await;
        })
    }
}

/// One line per cycle.
fn log(record: &CycleRecord) {
    // To the microsecond: more digits are noise.
    let ms = |d: Duration| (d.as_secs_f64() * 1_000_000.0).round() / 1000.0;
    tracing::info!(
        site = %record.site,
        verdict = %record.verdict,
        stage = record.failed_stage.map(tracing::field::display),
        reason = record.reason.map(tracing::field::display),
        login_ms = record.login.map(ms),
        restarts = record.restarts.filter(|&restarts| restarts > 0),
        restore_ms = record.restore.map(ms),
        cycle_ms = record.took.map(ms),
        maintenance = record.maintenance.as_ref().map(InForce::label),
        detail = record.detail,
        "cycle"
    );
    if !record.leftovers.is_empty() {
        let left: Vec<_> = record.leftovers.iter().map(|l| l.as_str()).collect();
        tracing::warn!(site = %record.site, leftovers = left.join(" "), "the client left something behind");
    }
}

/// Every configured channel that alerts go to.
pub fn channels(config: &Config, environment: &Environment, clock: &Arc<dyn Clock>) -> Vec<Arc<dyn Channel>> {
    let routed = |configured: &AlertChannel| {
        let channel = channel(configured, config, environment, clock)?;
        Some(Arc::new(RoutedChannel::new(channel, configured.route.clone())) as Arc<dyn Channel>)
    };
    config.channels.iter().filter_map(routed).collect()
}

fn channel(
    configured: &AlertChannel,
    config: &Config,
    environment: &Environment,
    clock: &Arc<dyn Clock>,
) -> Option<Arc<dyn Channel>> {
    let (name, kind) = (&configured.name, &configured.kind);
    Some(match kind {
        ChannelKind::Email => Arc::new(email_channel(config.logging.email.clone()?, environment)),
        ChannelKind::Command(command) => {
            Arc::new(CommandChannel::new(name, command.clone(), config.secret_env.clone()))
        }
        ChannelKind::Webhook(_)
        | ChannelKind::Alertmanager(_)
        | ChannelKind::Telegram(_)
        | ChannelKind::Slack(_)
        | ChannelKind::Teams(_) => Arc::new(WebChannel::new(name, kind, environment, Arc::clone(clock))?),
    })
}

/// The channel of reports: by the same mail server to other people.
fn report_channel(config: &Config, environment: &Environment) -> Option<Arc<dyn Channel>> {
    let (email, plan) = (config.logging.email.clone()?, config.report.as_ref()?);
    let mail = email_channel(Email { to: plan.to.clone(), ..email }, environment);
    Some(Arc::new(ReportChannel::new(mail, Letters::new(&config.state_dir))))
}

fn email_channel(email: Email, environment: &Environment) -> EmailChannel {
    let password = email.login.clone().map(|(_, source)| {
        let environment = environment.clone();
        let reader: crate::alert::PasswordReader = Box::new(move || {
            let (source, environment) = (source.clone(), environment.clone());
            Box::pin(async move { source.read(&environment).await })
        });
        reader
    });
    EmailChannel::new(email, password)
}

impl HoldRoutes for RouteGate {
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>> {
        Box::pin(async { Box::new(Self::hold(self).await) as Box<dyn Send> })
    }
}

/// What `test --record` does with a record.
pub enum Recording {
    /// No `run` owns the state: this process does, until it ends.
    Own {
        /// Where the records go.
        recorder: Box<Recorder>,
        #[expect(missing_docs, reason = "held, not read")]
        lock: OwnedState,
    },
    /// A running prober owns this state directory: it takes the records through its control socket.
    Through(std::path::PathBuf),
}

/// Keeps a `run` from starting on the same state.
#[derive(Debug)]
pub struct OwnedState(#[expect(dead_code, reason = "held, not read")] StateLock);

impl Recording {
    /// Finds out who owns the state.
    pub fn open(config: &Config, around: &Surroundings, gate: &RouteGate) -> Result<Self, String> {
        match take_state(&config.state_dir)? {
            Some(lock) => {
                let recorder = Box::new(Recorder::open(config, around, gate)?);
                Ok(Self::Own { recorder, lock: OwnedState(lock) })
            }
            None => Ok(Self::Through(config.state_dir.clone())),
        }
    }

    /// Takes one record.
    pub async fn take(&self, record: &CycleRecord, site: &Site) -> Result<(), String> {
        match self {
            Self::Own { recorder, .. } => {
                if recorder.record(record, site).await {
                    Ok(())
                } else {
                    Err("its row could not be written yet".into())
                }
            }
            Self::Through(state_dir) => {
                let request = Request::Record(Box::new(record.clone()));
                ask(state_dir, &request).await.map(drop).map_err(|e| e.text())
            }
        }
    }

    /// Sends what is pending.
    pub async fn close(self) -> Result<(), String> {
        match self {
            Self::Own { recorder, .. } => nothing_lost(&recorder.close().await),
            Self::Through(_) => Ok(()),
        }
    }
}

/// Rows that nobody takes any more are lost.
pub(super) fn nothing_lost(unsaved: &[Row]) -> Result<(), String> {
    match unsaved.len() {
        0 => Ok(()),
        lost => Err(format!(
            "{lost} rows could be written neither to the day files nor to the state directory: they are lost"
        )),
    }
}

pub(super) fn take_state(state_dir: &Path) -> Result<Option<StateLock>, String> {
    StateLock::try_take(state_dir).map_err(|e| format!("cannot use the state directory `{}`: {e}", state_dir.display()))
}
