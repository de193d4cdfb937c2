//! A row as it stands in a file, and its way there: whole or not at all.

use std::io;
use std::os::fd::AsFd;

use chrono::NaiveDate;

use super::row::{COLUMNS, row_of};
use crate::record::CycleRecord;

/// One row, ready to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    day: NaiveDate,
    line: Vec<u8>,
}

impl Row {
    /// The row of a cycle. Its day is that of its start, in its zone.
    pub fn of(record: &CycleRecord) -> Self {
        Self { day: record.time.date_naive(), line: csv_line(&row_of(record)) }
    }

    /// A line that was written before; `None`: it is none, or has other columns.
    pub(super) fn from_line(line: &[u8]) -> Option<Self> {
        let mut record = csv::StringRecord::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        if !reader.read_record(&mut record).ok()? || record.len() != COLUMNS.len() {
            return None;
        }
        let day = record.get(0)?.get(..10)?.parse().ok()?;
        let mut line = line.to_vec();
        line.push(b'\n');
        Some(Self { day, line })
    }

    /// The day in whose file it belongs.
    pub const fn day(&self) -> NaiveDate {
        self.day
    }

    /// The line, with its end.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// The cycle's id: the last cell, which is never quoted.
    pub fn id(&self) -> String {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        String::from_utf8_lossy(line.rsplit(|&b| b == b',').next().unwrap_or_default()).into_owned()
    }
}

/// The header.
pub(super) fn header_line() -> Vec<u8> {
    csv_line(&COLUMNS)
}

/// One line, RFC 4180 quoting, ended by a line feed.
fn csv_line<T: AsRef<[u8]>>(cells: &[T]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    writer.write_record(cells).expect("a Vec takes every write");
    writer.into_inner().expect("a Vec takes every flush")
}

/// Appends `bytes` to a file of this length and syncs it. Where that fails (a full disk takes a part of them), the file
/// is as long as before.
pub(super) fn append_whole(mut file: impl io::Write + AsFd, length: u64, bytes: &[u8]) -> io::Result<()> {
    let written = file.write_all(bytes).and_then(|()| Ok(rustix::fs::fdatasync(&file)?));
    if written.is_err() {
        // Nothing more can be done: a line that is torn now is mended by the next start.
        let _ = rustix::fs::ftruncate(&file, length);
    }
    written
}
