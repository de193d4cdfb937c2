//! At start-up: everything that a killed predecessor left is removed, and its cycle gets its row.

use crate::cleanup::{JournalFile, Mode, OwedRow, TidyReport};
use crate::error::chain;
use crate::net::LockHeld;
use crate::record::{CycleRecord, MalfunctionKind, Verdict, one_line};
use crate::results::{DayFiles, ResultsError, Row, Unwritten, WrittenRow};
use crate::stage::Surroundings;

/// What was found and done.
#[derive(Debug, Default)]
pub struct Recovery {
    /// What was done on the host and what remains.
    pub report: TidyReport,
    /// The record of the cycle that was cut; of one that had its row already, as far as that tells it.
    pub record: Option<CycleRecord>,
}

/// Why nothing could be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// Another prober is at work.
    #[error(transparent)]
    Busy(#[from] LockHeld),
    /// The journal can't be read or written.
    #[error("cannot use the journal in `{}`", dir.display())]
    Journal {
        /// Where.
        dir: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The row can't be written.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

/// Removes what a killed prober left and writes the row of its cycle (`unknown`, `prober-killed`). The day files are
/// opened only when a row is owed.
pub async fn recover(
    around: &Surroundings,
    results: &(dyn Fn() -> Result<DayFiles, ResultsError> + Sync),
    mode: Mode,
) -> Result<Recovery, RecoverError> {
    let _lock = around.lock().await?;
    let mut recovery = settle_journal(around, results, mode).await?;
    if recovery.record.is_none() && mode != Mode::DryRun {
        recovery.record = settle_row(around, results)?;
    }
    Ok(recovery)
}

/// What the journal of a cycle with a client tells.
async fn settle_journal(
    around: &Surroundings,
    results: &(dyn Fn() -> Result<DayFiles, ResultsError> + Sync),
    mode: Mode,
) -> Result<Recovery, RecoverError> {
    let journal_error = |source| RecoverError::Journal { dir: around.state_dir.clone(), source };
    let file = JournalFile::new(&around.state_dir, around.net.name());
    let Some(mut journal) = file.read(around.clock.now()).map_err(journal_error)? else {
        return Ok(Recovery::default());
    };
    let report = around.settle(&journal, mode).await;
    if mode == Mode::DryRun {
        return Ok(Recovery { report, record: None });
    }
    let cycle = &journal.cycle;
    let mut recovery = Recovery { record: None, report };
    if journal.owes_row {
        recovery.record = pay(around, results, cut_cycle(cycle, &recovery.report))?;
        journal.owes_row = false;
    }
    journal.resolv_conf_left.clone_from(&recovery.report.resolv_conf_left);
    let kept = if recovery.report.is_clean() { file.remove() } else { file.write(&journal) };
    kept.map_err(journal_error)?;
    Ok(recovery)
}

/// The row of a cycle without a client.
fn settle_row(
    around: &Surroundings,
    results: &(dyn Fn() -> Result<DayFiles, ResultsError> + Sync),
) -> Result<Option<CycleRecord>, RecoverError> {
    let journal_error = |source| RecoverError::Journal { dir: around.state_dir.clone(), source };
    let owed = OwedRow::new(&around.state_dir, around.net.name());
    let Some(cycle) = owed.read(around.clock.now()).map_err(journal_error)? else { return Ok(None) };
    let record = pay(around, results, cut_cycle(&cycle, &TidyReport::default()))?;
    owed.settle().map_err(journal_error)?;
    Ok(record)
}

/// Writes the row that is owed. Killed between writing the row and removing the journal, a cycle has it already: then
/// what the row tells, as nobody may have been told of it.
fn pay(
    around: &Surroundings,
    results: &(dyn Fn() -> Result<DayFiles, ResultsError> + Sync),
    record: CycleRecord,
) -> Result<Option<CycleRecord>, ResultsError> {
    match results().and_then(|results| write_owed(&results, &record)) {
        Ok(None) => {
            tracing::warn!(site = %record.site, cycle = %record.id, "the cycle that the kill cut has its row now");
            Ok(Some(record))
        }
        Ok(Some(row)) => Ok(Some(row.complete(record))),
        Err(e) => {
            put_away(around, &record, e)?;
            Ok(Some(record))
        }
    }
}

/// Writes the row, unless the cycle has it, which is given then: it never gets a second.
fn write_owed(results: &DayFiles, record: &CycleRecord) -> Result<Option<WrittenRow>, ResultsError> {
    let written = results.find(record.time.date_naive(), record.id.as_str())?;
    if written.is_none() {
        results.append(&Row::of(record))?;
    }
    Ok(written)
}

/// A row that can't be written waits in the state directory; where that is no place either, the journal owes it still.
fn put_away(around: &Surroundings, record: &CycleRecord, error: ResultsError) -> Result<(), ResultsError> {
    let unwritten = Unwritten::new(&around.state_dir);
    if unwritten.add(&Row::of(record)).is_err() {
        return Err(error);
    }
    let file = unwritten.path().display().to_string();
    tracing::error!(
        error = chain(&error),
        file,
        "cannot write the row of the cycle that was cut: it waits in this file"
    );
    Ok(())
}

/// The record of a cycle that a kill cut: nothing of what it measured is known any more.
fn cut_cycle(cycle: &crate::cleanup::Started, report: &TidyReport) -> CycleRecord {
    let done = if report.done.is_empty() { String::new() } else { format!(": {}", report.done.join("; ")) };
    CycleRecord {
        id: cycle.id.clone(),
        time: cycle.time,
        site: cycle.site.clone(),
        kind: cycle.kind,
        group: cycle.group.clone(),
        prober: cycle.prober.clone(),
        interval: cycle.interval,
        maintenance: cycle.maintenance.clone(),
        stages: Vec::new(),
        verdict: Verdict::Unknown,
        failed_stage: None,
        reason: Some(MalfunctionKind::ProberKilled.into()),
        detail: Some(one_line(&format!("the prober was killed in the middle of the cycle{done}"))),
        external: None,
        gateway: None,
        login: None,
        internal: None,
        checks: Vec::new(),
        tunnel: None,
        restarts: None,
        restore: None,
        triggered: false,
        leftovers: report.leftovers(),
        took: None,
        dialogue: Vec::new(),
    }
}
