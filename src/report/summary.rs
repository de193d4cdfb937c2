//! Summaries beside the day files: what the rows of a date, or of a whole month, come to.
//!
//! They are optional and never the truth: a summary that is missing, damaged, of other files or of other agreed hours is
//! as good as none, and is written anew. It is bound to its day files by size, modification and change time and inode,
//! and to the agreed time by a fingerprint of those hours of which its rows are.
//!
//! `<stem>_<YYYY-MM-DD>.summary` and `<stem>_<YYYY-MM>.summary`: eight bytes that say what it is and of which version, a
//! check sum, and the rest in postcard's format (postcard.jamesmunns.com).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest;
use serde::{Deserialize, Serialize};

use super::compute::{Month, Read};
use super::input::{DayFile, Stamp};
use super::model::{BadLine, Input};
use super::unit::{Agreed, Unit};

/// What it is; the last byte is the version, raised with every change of the form or of how rows are read.
const MAGIC: [u8; 8] = *b"vpnpsum\x03";
/// No summary of a day or a month is so large.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// A summary as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    files: Vec<StoredFile>,
    agreed: Fingerprint,
    inputs: Vec<Input>,
    bad: Vec<BadLine>,
    notes: Vec<String>,
    unit: Unit,
}

/// What a day file was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredFile {
    name: String,
    size: u64,
    mtime: (i64, i64),
    ctime: (i64, i64),
    inode: u64,
}

impl StoredFile {
    fn of(file: &DayFile) -> Self {
        let Stamp { size, mtime, mtime_ns, ctime, ctime_ns, inode } = file.stamp;
        Self { name: file.name.clone(), size, mtime: (mtime, mtime_ns), ctime: (ctime, ctime_ns), inode }
    }
}

/// Half of a SHA-256.
type Fingerprint = [u8; 16];

/// Of the agreed time of which a unit's rows are.
fn fingerprint(unit: &Unit, agreed: &dyn Agreed) -> Fingerprint {
    let mut sum = digest::Context::new(&digest::SHA256);
    let mut latest = None;
    for site in &unit.sites {
        let own = agreed.of(&site.site);
        // Most sites have the same.
        if latest.as_ref().is_none_or(|latest| !std::sync::Arc::ptr_eq(latest, &own)) {
            sum.update(site.site.as_bytes());
            sum.update(&own.clipped(unit.first, unit.last.saturating_add(1)).bytes());
            latest = Some(own);
        }
    }
    let mut half = Fingerprint::default();
    for (own, byte) in half.iter_mut().zip(sum.finish().as_ref()) {
        *own = *byte;
    }
    half
}

/// Where the summary of a date lies.
pub(super) fn of_day(dir: &Path, stem: &str, date: chrono::NaiveDate) -> PathBuf {
    dir.join(format!("{stem}_{date}.summary"))
}

/// Where the summary of a month lies.
pub(super) fn of_month(dir: &Path, stem: &str, month: Month) -> PathBuf {
    dir.join(format!("{stem}_{:04}-{:02}.summary", month.year, month.month))
}

/// The summary, where it is one of exactly these files. Unless nobody asks for what counts (`agreed`), it must also be of
/// the same agreed time.
pub(super) fn load(path: &Path, files: &[&DayFile], agreed: Option<&dyn Agreed>) -> Option<Read> {
    if fs::metadata(path).ok()?.len() > MOST_BYTES {
        return None;
    }
    let bytes = fs::read(path).ok()?;
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (sum, content) = rest.split_first_chunk::<8>()?;
    if *magic != MAGIC || u64::from_le_bytes(*sum) != check_sum(content) {
        return None;
    }
    let stored: Stored = postcard::from_bytes(content).ok()?;
    let same = stored.files.len() == files.len()
        && stored.files.iter().zip(files).all(|(stored, file)| *stored == StoredFile::of(file));
    if !same || agreed.is_some_and(|agreed| fingerprint(&stored.unit, agreed) != stored.agreed) {
        return None;
    }
    let Stored { inputs, bad, notes, unit, .. } = stored;
    Some(Read { unit, inputs, bad, notes })
}

/// Writes a summary of these files.
pub(super) fn store(path: &Path, files: &[&DayFile], agreed: &dyn Agreed, read: &Read) -> io::Result<()> {
    let stored = Stored {
        files: files.iter().map(|file| StoredFile::of(file)).collect(),
        agreed: fingerprint(&read.unit, agreed),
        inputs: read.inputs.clone(),
        bad: read.bad.clone(),
        notes: read.notes.clone(),
        unit: read.unit.clone(),
    };
    let content = postcard::to_allocvec(&stored).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(content.len() + 16);
    bytes.extend(MAGIC);
    bytes.extend(check_sum(&content).to_le_bytes());
    bytes.extend(content);
    // Another report may be writing the same: each into a file of its own, the last one stays.
    let written = path.with_extension(format!("summary.{}", std::process::id()));
    fs::write(&written, bytes).and_then(|()| fs::rename(&written, path)).inspect_err(|_| {
        let _ = fs::remove_file(&written);
    })
}

/// Tells damage, not malice: eight bytes at a time, multiplied by an odd number and turned.
fn check_sum(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = mix(FACTOR, bytes.len() as u64);
    for word in words {
        sum = mix(sum, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (own, byte) in last.iter_mut().zip(rest) {
        *own = *byte;
    }
    mix(sum, u64::from_le_bytes(last))
}
