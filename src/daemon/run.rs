//! `vpnprobe run`: start-up order, the tasks, reload, shutdown order.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::net::UnixListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::desk::Desk;
use super::recorder::{Recorder, day_files, nothing_lost, take_state};
use super::{control, watch};
use crate::alert::RouteGate;
use crate::cleanup::Mode;
use crate::config::Config;
use crate::error::chain;
use crate::maintenance::MaintenanceBook;
use crate::record::CycleRecord;
use crate::results::{DayFiles, Row};
use crate::runner::{NoObserver, Sink, recover, work};
use crate::scheduler::{Queues, Schedule};
use crate::shutdown::Shutdown;
use crate::snapshot::Board;
use crate::stage::Surroundings;

/// Where a prober gets its configuration and its surroundings from, at the start and at each reload.
pub trait Source: Send + Sync {
    /// Reads the configuration again.
    fn config(&self) -> Result<Config, String>;
    /// What goes with it.
    fn surroundings(&self, config: &Config, gate: &RouteGate) -> Result<Surroundings, String>;
}

/// Probes until the prober is asked to stop.
///
/// Start: own the state; open what records go to; mend torn rows; remove what a killed predecessor left, and write its
/// row; then the tasks. Stop: begin nothing new; the cycle under way goes to its teardown; its record is written; what
/// is pending has one more try. SIGHUP: the same with the new configuration, if it has no faults; counts, open outages
/// and places on the grid stay.
pub async fn run(mut config: Config, source: &dyn Source, shutdown: &Shutdown) -> Result<(), String> {
    let Some(_lock) = take_state(&config.state_dir)? else {
        let dir = config.state_dir.display();
        return Err(format!(
            "another `vpnprobe run` owns the state directory `{dir}`\n  hint: stop it, or give this one a `state_dir` of its own"
        ));
    };
    let mut hangups = signal(SignalKind::hangup()).map_err(|e| format!("cannot listen for SIGHUP: {e}"))?;
    let mut before = None;
    loop {
        let generation = Generation::start(&config, source, before).await?;
        let (ended, next) = generation.run(&config, source, &mut hangups, shutdown).await;
        match next {
            Next::Stop => {
                tracing::info!(missed = ended.schedule.missed(), "stopped");
                return nothing_lost(&ended.unsaved);
            }
            Next::Fail(why) => {
                return Err([Err(why), nothing_lost(&ended.unsaved)]
                    .into_iter()
                    .filter_map(Result::err)
                    .collect::<Vec<_>>()
                    .join("; "));
            }
            Next::Reload(new) => config = *new,
        }
        before = Some(ended);
    }
}

/// How a generation ended.
enum Next {
    Stop,
    Reload(Box<Config>),
    Fail(String),
}

/// What a generation hands on to the next.
struct Ended {
    schedule: Schedule,
    unsaved: Vec<Row>,
    board: Arc<Board>,
    since: DateTime<Utc>,
}

/// The prober under one configuration.
struct Generation {
    around: Surroundings,
    recorder: Arc<Recorder>,
    socket: UnixListener,
    schedule: Schedule,
    board: Arc<Board>,
    since: DateTime<Utc>,
}

impl Generation {
    async fn start(config: &Config, source: &dyn Source, before: Option<Ended>) -> Result<Self, String> {
        let gate = RouteGate::new();
        let around = source.surroundings(config, &gate)?;
        let (board, since) = match &before {
            Some(ended) => (Arc::clone(&ended.board), ended.since),
            None => (Arc::default(), around.clock.now()),
        };
        board.keep_only(|name| config.sites.iter().any(|site| site.name == *name));
        let recorder = Arc::new(Recorder::open(config, &around, &gate)?.showing_on(&board));
        let added = MaintenanceBook::new(&config.state_dir).load(around.clock.now()).map_err(|e| chain(&e))?;
        config.maintenance.show_added(&added);
        mend(&day_files(config).map_err(|e| chain(&e))?, config, &around)?;
        let (schedule, unsaved) = before.map(|ended| (ended.schedule, ended.unsaved)).unzip();
        recorder.keep(unsaved.unwrap_or_default());
        if let Some(record) = clear_up(&around, config).await?
            && let Some(site) = config.sites.iter().find(|s| s.name == record.site)
        {
            recorder.observe(&record, site).await;
        }
        recorder.catch_up();
        recorder.forget_unplanned_reports(config).await;
        let socket = control::bind(&config.state_dir)
            .map_err(|e| format!("cannot make the control socket in `{}`: {e}", config.state_dir.display()))?;
        let schedule = schedule.map_or_else(|| Schedule::new(&config.sites), |s| s.with_sites(&config.sites));
        tracing::info!(sites = config.sites.len(), prober = config.prober, "probing");
        // What only a start needs is not needed again. Before the first login, whose code is still to be mapped.
        crate::memory::rest();
        Ok(Self { around, recorder, socket, schedule, board, since })
    }

    async fn run(
        self,
        config: &Config,
        source: &dyn Source,
        hangups: &mut Signal,
        shutdown: &Shutdown,
    ) -> (Ended, Next) {
        let Self { around, recorder, socket, mut schedule, board, since } = self;
        let sink: Arc<dyn Sink> = Arc::clone(&recorder) as _;
        let desk = Desk::new(config, &around, Arc::clone(&recorder), Arc::clone(&board), since);
        let mut control = tokio::spawn(control::serve(socket, Arc::new(desk)));
        let (due, jobs) = mpsc::unbounded_channel();
        let (urgent, urgent_jobs) = mpsc::unbounded_channel();
        let queues = Queues { due, urgent };
        let (wake, mut wakes) = mpsc::unbounded_channel();
        let watch = watch::begin(config, &around.net, wake);
        let mut reports = Ending::new(recorder.reporter(config).map(|reporter| tokio::spawn(reporter.run())));
        let (progress, mut news) = mpsc::unbounded_channel();
        // Ends with the prober, or with this configuration.
        let stop = shutdown.cancel.child_token();
        let worker = tokio::spawn(work(around, jobs, urgent_jobs, progress, sink, Arc::new(NoObserver), stop.clone()));
        let mut reload = None;
        // A prober that can't tell anybody, or can't be told anything, is to be started anew by whoever watches it.
        let broken = tokio::select! {
            () = schedule.run(&queues, &mut news, &mut wakes, &board, &stop) => "the worker",
            new = good_config(source, config, hangups) => {
                reload = Some(new);
                "nothing"
            }
            () = recorder.alert_task_ended() => "the alert task",
            _ = &mut control => "the control socket",
            () = reports.ended() => "the task of reports",
        };
        stop.cancel();
        let ended = worker.await;
        while let Ok(news) = news.try_recv() {
            schedule.note(news);
        }
        control.abort();
        reports.abort();
        if let Some(watch) = watch {
            watch.abort();
        }
        let _ = crate::files::remove(&control::socket_in(&config.state_dir));
        let unsaved = recorder.close().await;
        let next = match (shutdown.cancel.is_cancelled(), reload, ended) {
            (true, ..) => Next::Stop,
            (false, _, Err(e)) => Next::Fail(format!("the worker ended by itself: {e}")),
            (false, Some(config), Ok(())) => Next::Reload(Box::new(config)),
            (false, None, Ok(())) => Next::Fail(format!("{broken} ended by itself")),
        };
        (Ended { schedule, unsaved, board, since }, next)
    }
}

/// A task that need not be there and never ends by itself but by a bug.
struct Ending(Option<JoinHandle<()>>);

impl Ending {
    fn new(task: Option<JoinHandle<()>>) -> Self {
        Self(task)
    }

    /// Waits for its end; for ever, where there is none.
    async fn ended(&mut self) {
        match &mut self.0 {
            Some(task) => drop(task.await),
            None => std::future::pending().await,
        }
    }

    fn abort(&self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

/// Waits for a SIGHUP after which the configuration has no faults.
async fn good_config(source: &dyn Source, old: &Config, hangups: &mut Signal) -> Config {
    loop {
        if hangups.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        match source.config() {
            Ok(new) if new.state_dir == old.state_dir => {
                tracing::info!("SIGHUP: the configuration is reloaded");
                return new;
            }
            Ok(_) => tracing::error!("SIGHUP: another `state_dir` needs a restart; the old configuration stays"),
            Err(why) => tracing::error!("SIGHUP: the old configuration stays: {why}"),
        }
    }
}

/// Torn rows can only stand in the files of the last days.
fn mend(files: &DayFiles, config: &Config, around: &Surroundings) -> Result<(), String> {
    let today = around.clock.now().with_timezone(&config.timezone).date_naive();
    let days: Vec<_> = std::iter::successors(Some(today), chrono::NaiveDate::pred_opt).take(8).collect();
    for said in files.mend(&days).map_err(|e| chain(&e))? {
        tracing::warn!("{said}");
    }
    Ok(())
}

/// Removes what a killed predecessor left and writes its row; gives its record.
pub async fn clear_up(around: &Surroundings, config: &Config) -> Result<Option<CycleRecord>, String> {
    let recovery = recover(around, &|| day_files(config), Mode::Repair).await.map_err(|e| chain(&e))?;
    for done in &recovery.report.done {
        tracing::warn!("left by an earlier cycle: {done}");
    }
    for (kind, words) in &recovery.report.left {
        tracing::error!(%kind, "left by an earlier cycle and still there: {words}");
    }
    Ok(recovery.record)
}
