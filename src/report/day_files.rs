//! Day files as a source of units.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::NaiveDate;

use super::compute::{Read, Source};
use super::input::{DayFile, Found, ReadError, Reader, Reading};
use super::model::{BadLine, Input};
use super::unit::UnitBuilder;
use crate::agreed::Intervals;
use crate::zone::Zone;

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
    found: Found,
    /// Of times that have none.
    zone: Zone,
    progress: &'a dyn Progress,
    bytes: u64,
    read: AtomicU64,
}

impl<'a> DayFiles<'a> {
    pub(super) fn new(found: Found, zone: Zone, progress: &'a dyn Progress) -> Self {
        let bytes = found.days.values().flatten().map(|file| file.stamp.size).sum();
        Self { found, zone, progress, bytes, read: AtomicU64::new(0) }
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
                read.unreadable += summary.unreadable;
                read.notes.extend(summary.notes);
                read.inputs.push(Input {
                    file: file.name.clone(),
                    bytes: summary.bytes,
                    rows: summary.rows,
                    sha256: summary.sha256.unwrap_or_default(),
                });
                Ok(())
            }
            Err(ReadError::Refused { why, .. }) => {
                read.unreadable += 1;
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

impl Source for DayFiles<'_> {
    type Error = ReadError;

    fn dates(&self) -> Vec<NaiveDate> {
        self.found.days.keys().copied().collect()
    }

    fn read(&self, dates: &[NaiveDate], agreed: &(dyn Fn(&str) -> Arc<Intervals> + Sync)) -> Result<Read, ReadError> {
        let mut read = Read::default();
        let mut unit = UnitBuilder::default();
        let mut reader = Reader::new();
        for file in dates.iter().filter_map(|date| self.found.days.get(date)).flatten() {
            self.read_file(&mut reader, file, &mut unit, &mut read)?;
            let bytes = self.read.fetch_add(file.stamp.size, Ordering::Relaxed) + file.stamp.size;
            self.progress.read(bytes, self.bytes);
        }
        read.unit = unit.finish(agreed);
        Ok(read)
    }
}
