//! Day files as a source of units.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chrono::{DateTime, NaiveDate};
use ring::digest;

use super::compute::{Month, Read, Source};
use super::input::{DayFile, FindError, Found, ReadError, Reader, Reading, begins_at, find, hexadecimal};
use super::model::{BadLine, Input};
use super::period::Period;
use super::summary;
use super::unit::Counting;
use super::unit_builder::UnitBuilder;
use crate::zone::Zone;

/// Where the day files lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Their directory.
    pub dir: PathBuf,
    /// The first part of their names.
    pub stem: String,
    /// Whether summaries beside them are used and written.
    pub summaries: bool,
}

/// Is told how far the reading is.
pub trait Progress: Sync {
    /// So many bytes of so many are read.
    fn read(&self, bytes: u64, of: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn read(&self, _bytes: u64, _of: u64) {}
}

/// The day files of a directory.
pub(super) struct DayFiles<'a> {
    files: &'a Files,
    found: Found,
    /// Of times that have none.
    zone: Zone,
    /// Days before it are over, by their files: nothing is added to them, usually.
    today: NaiveDate,
    /// Milliseconds since 1970.
    now: i64,
    /// Months that have a summary.
    months: BTreeSet<Month>,
    progress: &'a dyn Progress,
    bytes: u64,
    read: AtomicU64,
    /// How many rows the sites had in the file that was read last: those of the next one will have about as many.
    rows_a_site: AtomicUsize,
}

/// Room is made for no more rows of a site than it has in a day of every minute.
const MOST_ROWS_EXPECTED: usize = 1440;

/// A file that was changed so lately may be changed again without its times telling.
const LATELY_S: i64 = 3;

impl<'a> DayFiles<'a> {
    /// Those of which a report over these days may ask are said to be all, as far as progress goes.
    pub(super) fn new(
        files: &'a Files,
        zone: &Zone,
        now: i64,
        days: Period,
        progress: &'a dyn Progress,
    ) -> Result<Self, FindError> {
        let found = find(&files.dir, &files.stem)?;
        let first = days.from.pred_opt().unwrap_or(days.from);
        let last = days.to.succ_opt().unwrap_or(days.to);
        let bytes = found.days.range(first..=last).flat_map(|(_, files)| files).map(|file| file.stamp.size).sum();
        let today = DateTime::from_timestamp_millis(now).and_then(|now| zone.local(now)).map(|local| local.date());
        let months = found.days.keys().map(|date| Month::of(*date)).collect::<BTreeSet<_>>();
        let has_summary =
            |month: &Month| files.summaries && summary::of_month(&files.dir, &files.stem, *month).exists();
        Ok(Self {
            months: months.into_iter().filter(has_summary).collect(),
            files,
            found,
            zone: zone.clone(),
            today: today.unwrap_or(NaiveDate::MIN),
            now,
            progress,
            bytes,
            read: AtomicU64::new(0),
            rows_a_site: AtomicUsize::new(0),
        })
    }

    fn of_dates(&self, dates: &[NaiveDate]) -> Vec<&DayFile> {
        dates.iter().filter_map(|date| self.found.days.get(date)).flatten().collect()
    }

    /// Whether nothing is added to these files any more.
    fn are_closed(&self, files: &[&DayFile]) -> bool {
        let before = self.now / 1000 - LATELY_S;
        let is_closed = |file: &&DayFile| {
            file.date < self.today && !file.newest && file.stamp.mtime < before && file.stamp.ctime < before
        };
        self.files.summaries && files.iter().all(is_closed)
    }

    /// Reads one date, from its summary where there is one.
    fn read_day(&self, date: NaiveDate, counting: Counting<'_>) -> Result<Read, ReadError> {
        let files = self.of_dates(&[date]);
        let path = summary::of_day(&self.files.dir, &self.files.stem, date);
        let closed = self.are_closed(&files);
        if closed && let Some(read) = summary::load(&path, &files, Some(counting.agreed)) {
            self.count(&files);
            return Ok(read);
        }
        let read = self.read_rows(&files, counting, Some(date.to_epoch_days()))?;
        let unchanged = read.inputs.len() == files.len()
            && read.inputs.iter().zip(&files).all(|(input, file)| input.bytes == file.stamp.size);
        if closed && unchanged && !read.unit.straddles {
            store(&path, &files, counting, &read);
        }
        Ok(read)
    }

    fn count(&self, files: &[&DayFile]) {
        let bytes: u64 = files.iter().map(|file| file.stamp.size).sum();
        let read = self.read.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Around the border of two periods a file is read for both.
        self.progress.read(read.min(self.bytes), self.bytes);
    }

    fn read_rows(&self, files: &[&DayFile], counting: Counting<'_>, date: Option<i32>) -> Result<Read, ReadError> {
        let mut read = Read::default();
        let mut unit = UnitBuilder::expecting(self.rows_a_site.load(Ordering::Relaxed).min(MOST_ROWS_EXPECTED));
        let mut reader = Reader::new();
        for file in files {
            self.read_file(&mut reader, file, &mut unit, &mut read)?;
            self.count(&[file]);
        }
        self.rows_a_site.store(unit.usual_rows(), Ordering::Relaxed);
        read.unit = unit.finish(counting, date);
        Ok(read)
    }

    /// Appends the days of a month to each other, and keeps that.
    fn append_days(&self, dates: &[NaiveDate], counting: Counting<'_>) -> Result<Option<Read>, ReadError> {
        let mut all = Read::default();
        for date in dates {
            let read = self.read_day(*date, counting)?;
            if all.unit.append(read.unit).is_err() {
                return Ok(None);
            }
            all.inputs.extend(read.inputs);
            all.bad.extend(read.bad);
            all.notes.extend(read.notes);
        }
        Ok(Some(all))
    }

    /// Keeps a summary of each month that lies in the period as a whole, is over, and has none.
    pub(super) fn summarise(&self, period: Period, counting: Counting<'_>) -> Result<(), ReadError> {
        let dates: Vec<NaiveDate> = self.dates();
        for dates in dates.chunk_by(|a, b| Month::of(*a) == Month::of(*b)) {
            let month = Month::of(dates[0]);
            let files = self.of_dates(dates);
            let wanted = period.has_month(month.year, month.month)
                && month < Month::of(self.today)
                && !self.months.contains(&month)
                && self.are_closed(&files);
            if wanted
                && let Some(read) = self.append_days(dates, counting)?
                && !read.unit.straddles
            {
                store(&summary::of_month(&self.files.dir, &self.files.stem, month), &files, counting, &read);
            }
        }
        Ok(())
    }

    fn have_rows_before(&self, files: &[&DayFile], moment: i64) -> Result<bool, ReadError> {
        if files.iter().all(|file| begins_at(file, moment)) {
            return Ok(false);
        }
        let how = Reading { hash: false, zone: self.zone.clone() };
        let (mut reader, mut found) = (Reader::new(), false);
        for file in files {
            match reader.read(file, &how, &mut |row, _| found |= row.time < moment) {
                Ok(_) | Err(ReadError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// What is to be said of the directory.
    pub(super) fn notes(&self) -> &[String] {
        &self.found.notes
    }

    fn read_file(
        &self,
        reader: &mut Reader,
        file: &DayFile,
        unit: &mut UnitBuilder,
        read: &mut Read,
    ) -> Result<(), ReadError> {
        let how = Reading { hash: true, zone: self.zone.clone() };
        match reader.read(file, &how, &mut |row, _| unit.add(row)) {
            Ok(summary) => {
                read.bad.extend(summary.bad);
                read.notes.extend(summary.notes);
                read.inputs.push(Input {
                    file: file.name.clone(),
                    bytes: summary.bytes,
                    rows: summary.rows,
                    unreadable: summary.unreadable,
                    sha256: summary.sha256.unwrap_or_default(),
                });
                Ok(())
            }
            Err(ReadError::Refused { why, .. }) => {
                read.inputs.push(Input {
                    file: file.name.clone(),
                    bytes: file.stamp.size,
                    rows: 0,
                    unreadable: 1,
                    sha256: sha256_of(&file.path)?,
                });
                read.bad.push(BadLine {
                    file: file.name.clone(),
                    line: 1,
                    why: format!("not one row was read: {why}"),
                });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// SHA-256 of a file that nobody could read as rows, hexadecimal.
fn sha256_of(path: &Path) -> Result<String, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(failed)?;
    let mut sum = digest::Context::new(&digest::SHA256);
    let mut block = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut block).map_err(failed)?;
        if read == 0 {
            break;
        }
        sum.update(&block[..read]);
    }
    Ok(hexadecimal(sum.finish().as_ref()))
}

/// A summary that can't be written is done without.
fn store(path: &Path, files: &[&DayFile], counting: Counting<'_>, read: &Read) {
    if let Err(error) = summary::store(path, files, counting.agreed, read) {
        tracing::debug!(path = %path.display(), %error, "summary not written");
    }
}

impl Source for DayFiles<'_> {
    type Error = ReadError;

    fn dates(&self) -> Vec<NaiveDate> {
        self.found.days.keys().copied().collect()
    }

    fn read(&self, dates: &[NaiveDate], counting: Counting<'_>) -> Result<Read, ReadError> {
        match dates {
            [date] => self.read_day(*date, counting),
            several => self.read_rows(&self.of_dates(several), counting, None),
        }
    }

    fn reaches_before(&self, date: NaiveDate, moment: i64) -> Result<bool, ReadError> {
        let files = self.of_dates(&[date]);
        let path = summary::of_day(&self.files.dir, &self.files.stem, date);
        let summary = if self.are_closed(&files) { summary::load(&path, &files, None) } else { None };
        let reaches = match summary {
            Some(read) => read.unit.reaches_before(moment),
            None => self.have_rows_before(&files, moment)?,
        };
        if !reaches {
            self.count(&files);
        }
        Ok(reaches)
    }

    fn has_month(&self, month: Month) -> bool {
        self.months.contains(&month)
    }

    fn read_month(&self, dates: &[NaiveDate], counting: Counting<'_>) -> Result<Option<Read>, ReadError> {
        let Some(month) = dates.first().map(|date| Month::of(*date)) else { return Ok(None) };
        let files = self.of_dates(dates);
        let path = summary::of_month(&self.files.dir, &self.files.stem, month);
        if !self.are_closed(&files) {
            return Ok(None);
        }
        if let Some(read) = summary::load(&path, &files, Some(counting.agreed)) {
            self.count(&files);
            return Ok(Some(read));
        }
        let read = self.append_days(dates, counting)?;
        if let Some(read) = read.as_ref().filter(|read| !read.unit.straddles) {
            store(&path, &files, counting, read);
        }
        Ok(read)
    }
}
