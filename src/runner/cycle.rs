//! One cycle: every stage in its order, one record at the end, whatever happens.

use std::time::Duration;

use tokio::time::Instant;

use super::catch::caught;
use super::own_uplink;
use super::plan::{Decision, decide, stages_of};
use crate::cleanup::{Journal, JournalFile, OwedRow, Started};
use crate::config::Site;
use crate::hostload::{BUSY_PCT, HostLoad};
use crate::net::NetLock;
use crate::record::{CycleId, CycleRecord, MalfunctionKind, Outcome, SiteName, Stage, StageRecord, judge, one_line};
use crate::stage::{CycleState, Order, StageEnd, Surroundings};

/// Sees stages as they happen.
pub trait Observer: Send + Sync {
    /// A stage begins.
    fn begins(&self, site: &SiteName, stage: Stage);
    /// A stage is done, or was skipped.
    fn ended(&self, site: &SiteName, record: &StageRecord);
}

/// Sees nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn begins(&self, _: &SiteName, _: Stage) {}
    fn ended(&self, _: &SiteName, _: &StageRecord) {}
}

/// A cycle's record, and what keeps another prober away until the record is safe.
pub struct Finished {
    /// The record.
    pub record: CycleRecord,
    /// To be closed once the record's row is written.
    pub closing: Closing,
}

/// Holds the lock and the journal of a cycle that is over.
pub struct Closing {
    lock: Option<NetLock>,
    journal: Option<(JournalFile, Journal)>,
    owed: Option<OwedRow>,
    clean: bool,
}

impl Closing {
    /// Nothing to close.
    pub const fn nothing() -> Self {
        Self { lock: None, journal: None, owed: None, clean: true }
    }

    /// The row is written (or none is owed): removes the journal, or keeps what the next `prepare` needs to remove what
    /// stayed; then gives the lock back.
    pub fn close(self) -> std::io::Result<()> {
        let paid = self.owed.as_ref().map_or(Ok(()), OwedRow::settle);
        let Some((file, mut journal)) = self.journal else { return paid };
        let done = if self.clean {
            file.remove()
        } else {
            journal.owes_row = false;
            file.write(&journal)
        };
        drop(self.lock);
        done
    }
}

/// Runs one cycle of `site`. Never fails: what goes wrong is in the record.
pub async fn run_cycle(site: &Site, order: Order, around: &Surroundings, observer: &dyn Observer) -> Finished {
    // What waits for another prober's cycle to end, or for mails to be sent before this one begins, is not the cycle.
    let lock = tokio::select! {
        biased;
        () = around.cancel.cancelled() => None,
        lock = around.lock() => Some(lock),
    };
    // From here to the end of `cleanup` the prober keeps its own messages back, where a client is to hold the routes.
    let hold = match site.ssl_vpn() {
        Some(_) => Some(around.hold.hold().await),
        None => None,
    };
    let load = HostLoad::begin();
    let began = Instant::now();
    let now = around.clock.now();
    let cycle = Started {
        id: CycleId::new(now, random()),
        time: now.with_timezone(&around.timezone).fixed_offset(),
        site: site.name.clone(),
        kind: site.kind(),
        group: site.group.clone(),
        prober: around.prober.clone(),
        interval: order.interval,
        maintenance: around.maintenance.at(now, &site.name),
    };
    let owed = owe_row(site, around, &cycle, order);
    let mut cx = CycleState::new(site, around, cycle.clone(), order, lock);
    let mut stages = Vec::new();
    for stage in stages_of(site) {
        let record = one_stage(stage, &stages, &mut cx, (site, around), observer).await;
        observer.ended(&site.name, &record);
        log_stage(&site.name, &record);
        stages.push(record);
    }
    if let Some(blamed) = own_uplink::look(site, around, &stages, cx.peer()).await {
        log_stage(&site.name, &blamed);
        stages.iter_mut().filter(|s| s.stage == blamed.stage).for_each(|s| *s = blamed.clone());
    }
    drop(hold);
    if let Some(busy_pct) = load.busy_pct().filter(|&busy| busy >= BUSY_PCT) {
        tracing::warn!(site = %site.name, busy_pct = busy_pct.round(), "this host was busy during the cycle: its times may be too long");
    }
    let found = cx.into_findings();
    let judged = judge(&stages);
    let deciding = stages.iter().find(|s| Some(s.stage) == judged.stage);
    let record = CycleRecord {
        id: cycle.id,
        time: cycle.time,
        site: cycle.site,
        kind: cycle.kind,
        group: cycle.group,
        prober: cycle.prober,
        interval: cycle.interval,
        maintenance: cycle.maintenance,
        verdict: judged.verdict,
        failed_stage: judged.stage,
        reason: judged.reason,
        detail: deciding.and_then(|s| s.detail.clone()).or_else(|| noteworthy(&stages)),
        stages,
        external: found.measured.external,
        gateway: found.gateway,
        login: found.login,
        internal: found.measured.internal,
        checks: found.measured.checks,
        tunnel: found.tunnel,
        restarts: found.restarts,
        restore: found.restore,
        triggered: order.triggered,
        leftovers: found.leftovers,
        took: Some(began.elapsed()),
        dialogue: found.dialogue,
    };
    own_uplink::note_witness(site, around, &record).await;
    let clean = record.leftovers.is_empty();
    Finished { record, closing: Closing { lock: found.lock, journal: found.journal, owed, clean } }
}

/// Notes that a cycle which starts no client, and so has no journal, is owed its row.
fn owe_row(site: &Site, around: &Surroundings, cycle: &Started, order: Order) -> Option<OwedRow> {
    if site.ssl_vpn().is_some() || !order.owes_row {
        return None;
    }
    let owed = OwedRow::new(&around.state_dir, around.net.name());
    match owed.note(cycle) {
        Ok(()) => Some(owed),
        Err(e) => {
            tracing::warn!(site = %site.name, error = %e, "cannot note the cycle: should the prober be killed in it, its row is lost");
            None
        }
    }
}

/// Runs or skips one stage, times it, and turns a stop or a panic into its outcome.
async fn one_stage(
    stage: Stage,
    done: &[StageRecord],
    cx: &mut CycleState<'_>,
    (site, around): (&Site, &Surroundings),
    observer: &dyn Observer,
) -> StageRecord {
    let required = stage != Stage::External || site.probes.external_required;
    let cancel = around.cancel.clone();
    let skip = match decide(stage, done, cx.client_started(), cancel.is_cancelled()) {
        Decision::Skip(because_of) => Some(Outcome::Skipped { because_of }),
        Decision::Run => None,
    };
    if let Some(outcome) = skip {
        return StageRecord { stage, outcome, required, took: Duration::ZERO, detail: None };
    }
    observer.begins(&site.name, stage);
    let began = Instant::now();
    let always_runs = matches!(stage, Stage::Teardown | Stage::Cleanup);
    let end = tokio::select! {
        biased;
        () = cancel.cancelled(), if !always_runs => {
            StageEnd::because(MalfunctionKind::Cancelled, "the prober was asked to stop")
        }
        end = caught(cx.run(stage)) => end.unwrap_or_else(|panic| {
            tracing::error!(%stage, panic, "a stage panicked: please report this");
            StageEnd::because(MalfunctionKind::Panicked, panic)
        }),
    };
    StageRecord { stage, outcome: end.outcome, required, took: began.elapsed(), detail: end.detail }
}

/// A line per stage, for who asks for details.
fn log_stage(site: &SiteName, record: &StageRecord) {
    let StageRecord { stage, outcome, took, detail, .. } = record;
    tracing::debug!(%site, "stage {stage}: {} in {took:.1?} {}", outcome.as_str(), detail.as_deref().unwrap_or_default());
}

/// What is worth a word although the cycle is up: a failure that does not count, something that stayed.
fn noteworthy(stages: &[StageRecord]) -> Option<String> {
    let said: Vec<_> = stages
        .iter()
        .filter(|s| !matches!(s.outcome, Outcome::Passed | Outcome::Skipped { .. }))
        .map(|s| format!("{}: {}", s.stage, s.detail.as_deref().unwrap_or(s.outcome.as_str())))
        .collect();
    (!said.is_empty()).then(|| one_line(&said.join("; ")))
}

/// Keeps ids of cycles that start in one millisecond apart. The kernel always has randomness to give once it is up.
fn random() -> u32 {
    let mut bytes = [0; 4];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => u32::from_ne_bytes(bytes),
        Err(_) => std::process::id(),
    }
}

#[cfg(test)]
#[path = "cycle_tests.rs"]
mod tests;
