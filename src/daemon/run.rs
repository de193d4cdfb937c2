//! `vpnprobe run`: start-up order, the tasks, shutdown order.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::control;
use super::recorder::{Recorder, day_files, take_state};
use crate::alert::RouteGate;
use crate::cleanup::Mode;
use crate::config::Config;
use crate::error::chain;
use crate::record::CycleRecord;
use crate::results::DayFiles;
use crate::runner::{NoObserver, Sink, recover, work};
use crate::scheduler::schedule;
use crate::shutdown::Shutdown;
use crate::stage::Surroundings;

/// Probes until the prober is asked to stop.
///
/// Start: own the state; open what records go to; mend torn rows; remove what a killed predecessor left, and write its
/// row; then the tasks. Stop: begin nothing new; the cycle under way goes to its teardown; its record is written; what
/// is pending has one more try.
pub async fn run(config: Config, around: Surroundings, gate: &RouteGate, shutdown: &Shutdown) -> Result<(), String> {
    let Some(_lock) = take_state(&config.state_dir)? else {
        let dir = config.state_dir.display();
        return Err(format!(
            "another `vpnprobe run` owns the state directory `{dir}`\n  hint: stop it, or give this one a `state_dir` of its own"
        ));
    };
    let recorder = Arc::new(Recorder::open(&config, &around, gate)?);
    let files = day_files(&config)?;
    if let Some(files) = &files {
        mend(files, &config, &around)?;
    }
    if let Some(record) = clear_up(&around, files.as_ref()).await?
        && let Some(site) = config.sites.iter().find(|s| s.name == record.site)
    {
        recorder.observe(&record, site).await;
    }
    let socket = control::bind(&config.state_dir)
        .map_err(|e| format!("cannot make the control socket in `{}`: {e}", config.state_dir.display()))?;
    let sink: Arc<dyn Sink> = Arc::clone(&recorder) as _;
    let control = tokio::spawn(control::serve(socket, config.sites.clone(), Arc::clone(&sink)));

    tracing::info!(sites = config.sites.len(), prober = config.prober, "probing");
    let (queue, jobs) = mpsc::unbounded_channel();
    let (progress, mut news) = mpsc::unbounded_channel();
    let worker = tokio::spawn(work(around, jobs, progress, sink, Arc::new(NoObserver)));
    schedule(&config.sites, &queue, &mut news, &shutdown.cancel).await;
    drop(queue);
    let ended = worker.await;
    control.abort();
    let _ = crate::files::remove(&control::socket_in(&config.state_dir));
    recorder.close().await;
    if !shutdown.cancel.is_cancelled() {
        let why = ended.err().map(|e| format!(": {e}")).unwrap_or_default();
        return Err(format!("the worker ended by itself{why}"));
    }
    tracing::info!("stopped");
    Ok(())
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
pub async fn clear_up(around: &Surroundings, files: Option<&DayFiles>) -> Result<Option<CycleRecord>, String> {
    let recovery = recover(around, files, Mode::Repair).await.map_err(|e| chain(&e))?;
    for done in &recovery.report.done {
        tracing::warn!("an earlier prober was killed: {done}");
    }
    for (kind, words) in &recovery.report.left {
        tracing::error!(%kind, "an earlier prober was killed: {words}");
    }
    if let Some(record) = &recovery.record {
        tracing::warn!(site = %record.site, cycle = %record.id, "the cycle that the kill cut has its row now");
    }
    Ok(recovery.record)
}
