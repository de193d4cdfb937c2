//! Reads one day file, row by row, in bounded memory.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

use super::cells::{Cells, Unquoter};
use super::files::{DayFile, Packing, Stamp};
use super::pass::{About, Listener, Pass, Refused, whole_lines};
use super::schema::Form;
use super::source::{Counted, Zstd};
use super::time::days_of;
use crate::record::one_line;
use crate::report::model::BadLine;
use crate::report::row::Row;
use crate::zone::Zone;

/// What is kept of a file while it is read; no line may be longer. It fits into the cache next to a core.
const BLOCK: usize = 256 * 1024;

/// What is read of a packed file at once.
const PACKED: usize = 64 * 1024;

/// Bad lines of a file that are listed one by one; of further ones only their number is kept.
pub const MOST_BAD_LINES: usize = 1000;

/// How to read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Whether to compute the file's SHA-256.
    pub hash: bool,
    /// The zone of times that have none (`EpMonitoring`'s).
    pub zone: Zone,
}

/// What a file held beside its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// Its size, as it was read.
    pub bytes: u64,
    /// Rows in it, readable or not.
    pub rows: u64,
    /// Of them those that could not be read.
    pub unreadable: u64,
    /// The first [`MOST_BAD_LINES`] of these.
    pub bad: Vec<BadLine>,
    /// Which program wrote it; `None`: it is empty.
    pub form: Option<Form>,
    /// SHA-256 of the file as it lies there, hexadecimal; `None`: it was not asked for.
    pub sha256: Option<String>,
    /// What it was when it was opened.
    pub stamp: Stamp,
    /// What else is to be known of it, a sentence each that begins with its name.
    pub notes: Vec<String>,
}

/// A file that can't be read. Rows that were handed out before count no more.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system does not let it be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no file of day rows.
    #[error("`{}` is not a file of results: {why}", path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

/// Reads files one after the other; one for each thread.
#[derive(Debug)]
pub struct Reader {
    block: Vec<u8>,
    cells: Cells,
    unquoter: Unquoter,
}

/// Reads one file. Rows come in the order of the file, each with its line, from 1.
pub fn read_file(file: &DayFile, how: &Reading, rows: &mut dyn FnMut(&Row<'_>, u64)) -> Result<FileSummary, ReadError> {
    Reader::new().read(file, how, rows)
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// One that has read nothing yet. It holds half a MiB at most.
    pub fn new() -> Self {
        Self { block: vec![0; BLOCK], cells: Cells::new(), unquoter: Unquoter::new(BLOCK) }
    }

    /// As [`read_file`].
    pub fn read(
        &mut self,
        file: &DayFile,
        how: &Reading,
        rows: &mut dyn FnMut(&Row<'_>, u64),
    ) -> Result<FileSummary, ReadError> {
        let failed = |source| ReadError::Io { path: file.path.clone(), source };
        let opened = File::open(&file.path).map_err(failed)?;
        let stamp = Stamp::of(&opened.metadata().map_err(failed)?);
        let mut source = Counted::new(opened, how.hash);
        let mut account = Account { name: &file.name, rows, summary: FileSummary::new(stamp) };
        let about = About { day: days_of(file.date), newest: file.newest, zone: how.zone.clone() };
        let ended = match file.packing {
            Packing::Plain => self.pass(&mut source, None, about, &mut account),
            Packing::Gzip => {
                let mut unpacked = MultiGzDecoder::new(BufReader::with_capacity(PACKED, &mut source));
                self.pass(&mut unpacked, Some("gzip"), about, &mut account)
            }
            Packing::Zstd => {
                let mut unpacked = Zstd::new(BufReader::with_capacity(PACKED, &mut source));
                self.pass(&mut unpacked, Some("zstd"), about, &mut account)
            }
        };
        if let Some(source) = source.failed {
            return Err(failed(source));
        }
        account.summary.form = ended.map_err(|Refused(why)| ReadError::Refused { path: file.path.clone(), why })?;
        // Of a file that can't be unpacked to its end, the hash is that of the whole file nevertheless.
        io::copy(&mut source, &mut io::sink()).map_err(failed)?;
        let bytes = source.bytes;
        Ok(FileSummary { bytes, sha256: source.sha256(), ..account.summary })
    }

    /// Reads to the end. What a source does not give because its bytes can't be unpacked (`packed` says how they are) is
    /// one bad line.
    fn pass(
        &mut self,
        source: &mut dyn Read,
        packed: Option<&str>,
        about: About,
        listener: &mut dyn Listener,
    ) -> Result<Option<Form>, Refused> {
        let Self { block, cells, unquoter } = self;
        let mut pass = Pass::new(about, cells, unquoter, listener);
        let mut filled = 0;
        let mut skipping = false;
        loop {
            let fill = fill(source, block, &mut filled);
            let ended = fill != Fill::Full;
            if skipping {
                let line = memchr(b'\n', &block[..filled]);
                let skipped = line.map_or(filled, |at| at + 1);
                block.copy_within(skipped..filled, 0);
                filled -= skipped;
                skipping = line.is_none();
                if !ended {
                    continue;
                }
            }
            // Behind a fault nothing can be said of a line without its end.
            let lines = if fill == Fill::End { filled } else { whole_lines(&block[..filled]) };
            if lines == 0 && !ended {
                pass.too_long(block.len())?;
                skipping = true;
                filled = 0;
                continue;
            }
            let mut used = pass.take(&block[..lines], !ended)?;
            if used == 0 && filled == block.len() {
                used = pass.take(&block[..lines], false)?;
            }
            block.copy_within(used..filled, 0);
            filled -= used;
            if let (Fill::Fault(why), Some(packed)) = (&fill, packed) {
                pass.cut_off(&format!("the {packed} data can't be unpacked from here on: {why}"))?;
            }
            if ended {
                return Ok(pass.end());
            }
        }
    }
}

/// How filling the block ended.
#[derive(PartialEq, Eq)]
enum Fill {
    Full,
    End,
    Fault(String),
}

/// Reads until the block is full or nothing more comes.
fn fill(source: &mut dyn Read, block: &mut [u8], filled: &mut usize) -> Fill {
    while *filled < block.len() {
        match source.read(&mut block[*filled..]) {
            Ok(0) => return Fill::End,
            Ok(read) => *filled += read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Fill::Fault(one_line(&e.to_string())),
        }
    }
    Fill::Full
}

impl FileSummary {
    const fn new(stamp: Stamp) -> Self {
        Self { bytes: 0, rows: 0, unreadable: 0, bad: Vec::new(), form: None, sha256: None, stamp, notes: Vec::new() }
    }
}

struct Account<'a> {
    name: &'a str,
    rows: &'a mut dyn FnMut(&Row<'_>, u64),
    summary: FileSummary,
}

impl Listener for Account<'_> {
    fn row(&mut self, row: &Row<'_>, line: u64) {
        self.summary.rows += 1;
        (self.rows)(row, line);
    }

    fn bad(&mut self, line: u64, why: String) {
        self.summary.rows += 1;
        self.summary.unreadable += 1;
        if self.summary.bad.len() < MOST_BAD_LINES {
            self.summary.bad.push(BadLine { file: self.name.to_owned(), line, why });
        }
    }

    fn note(&mut self, note: String) {
        self.summary.notes.push(format!("{}: {note}", self.name));
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
