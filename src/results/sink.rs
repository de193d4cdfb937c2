//! Writes each record's row; a row that can't be written now is kept and written later, in order.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use tokio::time::Instant;

use super::trouble::Trouble;
use super::{DayFiles, ResultsError, Row, Unwritten};
use crate::error::chain;
use crate::record::CycleRecord;

/// Rows kept while they can't be written: more than two days of a hundred sites every five minutes, some 30 MB.
const MOST_KEPT: usize = 60_000;

/// A row that waits.
#[derive(Debug)]
struct Kept {
    row: Row,
    /// It lies in `state_dir`, too: a crash does not lose it.
    safe: bool,
    /// It may have been written before, by whoever put it there: then it is not written again.
    perhaps_written: bool,
}

/// The results of one prober.
#[derive(Debug)]
pub struct Results {
    files: DayFiles,
    unwritten: Unwritten,
    kept: VecDeque<Kept>,
    lost: u64,
    trouble: Option<Trouble>,
    /// The rows of `unwritten` are among those kept.
    took_over: bool,
    last: Option<PathBuf>,
    most: usize,
}

impl Results {
    /// Rows go to these day files, and where that fails, into `unwritten` until they can.
    pub const fn new(files: DayFiles, unwritten: Unwritten) -> Self {
        let kept = VecDeque::new();
        Self { files, unwritten, kept, lost: 0, trouble: None, took_over: false, last: None, most: MOST_KEPT }
    }

    /// Goes on with what another program, or this one under its former configuration, could not write.
    pub fn keep(&mut self, rows: Vec<Row>) {
        self.kept.extend(rows.into_iter().map(|row| Kept { row, safe: false, perhaps_written: false }));
    }

    /// Writes the record's row, after those that could not be written before. `false`: it is kept for later.
    pub fn write(&mut self, record: &CycleRecord, now: Instant, time: DateTime<Utc>) -> bool {
        self.kept.push_back(Kept { row: Row::of(record), safe: false, perhaps_written: false });
        self.flush(now, time)
    }

    /// Writes what is kept. `false`: something still is.
    pub fn flush(&mut self, now: Instant, time: DateTime<Utc>) -> bool {
        self.take_over(time);
        let waiting = self.kept.len();
        match self.write_kept() {
            Ok(()) => {
                self.is_over(waiting, now);
                true
            }
            Err(e) => {
                self.put_away();
                self.complain(&e, now);
                false
            }
        }
    }

    /// Rows that are not written yet.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// What is neither written nor in `state_dir`, after one more try.
    pub fn unsaved(mut self, now: Instant, time: DateTime<Utc>) -> Vec<Row> {
        if self.kept.is_empty() || self.flush(now, time) {
            return Vec::new();
        }
        let safe = self.kept.iter().filter(|kept| kept.safe).count();
        if safe > 0 {
            let file = self.unwritten.path().display().to_string();
            tracing::error!(
                rows = safe,
                file,
                "rows could not be written: they are in this file, and the next start goes on with them"
            );
        }
        self.kept.into_iter().filter(|kept| !kept.safe).map(|kept| kept.row).collect()
    }

    /// Rows that somebody put away come first: they are older.
    fn take_over(&mut self, time: DateTime<Utc>) {
        if self.took_over || !self.unwritten.is_there() {
            return;
        }
        self.took_over = true;
        match self.unwritten.read(time) {
            Ok(rows) => {
                tracing::warn!(rows = rows.len(), "rows of an earlier time are not written yet");
                let kept = rows.into_iter().map(|row| Kept { row, safe: true, perhaps_written: true });
                self.kept = kept.chain(std::mem::take(&mut self.kept)).collect();
            }
            Err(e) => {
                let file = self.unwritten.path().display().to_string();
                tracing::error!(file, error = %e, "cannot read the rows of an earlier time that are not written yet");
            }
        }
    }

    fn write_kept(&mut self) -> Result<(), ResultsError> {
        let mut written: HashMap<NaiveDate, HashSet<String>> = HashMap::new();
        while let Some(Kept { row, perhaps_written, .. }) = self.kept.front() {
            let day = row.day();
            if *perhaps_written && !written.contains_key(&day) {
                written.insert(day, self.files.ids(day)?);
            }
            if !perhaps_written || !written.get(&day).is_some_and(|ids| ids.contains(&row.id())) {
                let appended = self.files.append(row)?;
                if appended.begun && self.last.as_ref() == Some(&appended.path) {
                    let file = appended.path.display().to_string();
                    tracing::warn!(file, "the day file was gone and is begun anew: its earlier rows are not in it");
                }
                self.last = Some(appended.path);
            }
            self.kept.pop_front();
        }
        Ok(())
    }

    /// What could not be written goes to `state_dir`, so that a crash does not lose it.
    fn put_away(&mut self) {
        while self.kept.len() > self.most {
            self.kept.pop_front();
            if self.lost == 0 {
                tracing::error!(most = self.most, "too many rows wait to be written: the oldest are lost from now on");
            }
            self.lost += 1;
        }
        for kept in self.kept.iter_mut().filter(|kept| !kept.safe) {
            if let Err(e) = self.unwritten.add(&kept.row) {
                tracing::debug!(error = %e, "no place for the row in the state directory either");
                return;
            }
            kept.safe = true;
            self.took_over = true;
        }
    }

    fn complain(&mut self, error: &ResultsError, now: Instant) {
        let begins = self.trouble.is_none();
        let trouble = self.trouble.get_or_insert_with(|| Trouble::begins(now));
        if begins || trouble.is_to_be_said(now) {
            let safe = self.kept.iter().filter(|kept| kept.safe).count();
            let minutes = trouble.lasted(now).as_secs() / 60;
            let (error, kept, lost) = (chain(error), self.kept.len(), self.lost);
            tracing::error!(error, kept, safe, lost, minutes, "cannot write rows: they are kept and written later");
        }
    }

    fn is_over(&mut self, rows: usize, now: Instant) {
        if self.took_over {
            if let Err(e) = self.unwritten.remove() {
                tracing::error!(file = %self.unwritten.path().display(), error = %e, "cannot remove rows that are written by now");
                return;
            }
            self.took_over = false;
        }
        if let Some(trouble) = self.trouble.take() {
            let minutes = trouble.lasted(now).as_secs() / 60;
            tracing::warn!(
                rows,
                lost = self.lost,
                minutes,
                "rows can be written again: those that were kept are in their files"
            );
        }
    }
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
