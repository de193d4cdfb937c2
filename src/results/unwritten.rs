//! Rows that could not be written into their day files, in `state_dir` until they can: `unwritten-rows.csv`.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::line::{Row, append_whole, header_line};
use crate::files;

/// Where such rows are kept. Who changes the file owns the state (`run`, or a command while none runs).
#[derive(Debug, Clone)]
pub struct Unwritten {
    path: PathBuf,
}

impl Unwritten {
    /// `state_dir/unwritten-rows.csv`.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("unwritten-rows.csv") }
    }

    /// Where they lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a row, durably.
    pub fn add(&self, row: &Row) -> io::Result<()> {
        if let Some(dir) = self.path.parent() {
            files::create_private_dir(dir)?;
        }
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let length = file.metadata()?.len();
        let mut bytes = if length == 0 { header_line() } else { Vec::new() };
        bytes.extend(row.line());
        append_whole(&file, length, &bytes)
    }

    /// Whether there are any.
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// The rows, in their order. What is none (a line that a crash tore, a file of another version) is set aside with
    /// the file and said.
    pub fn read(&self, now: DateTime<Utc>) -> io::Result<Vec<Row>> {
        let bytes = match fs::read(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let header = header_line();
        let lines = bytes.strip_prefix(&*header).map(|rest| rest.split_inclusive(|&b| b == b'\n'));
        let rows: Vec<_> =
            lines.into_iter().flatten().map(|l| l.strip_suffix(b"\n").and_then(Row::from_line)).collect();
        if rows.is_empty() && !bytes.is_empty() && bytes != header || rows.iter().any(Option::is_none) {
            let aside = files::set_aside(&self.path, now)?;
            let good = rows.iter().flatten().count();
            tracing::error!(aside = %aside.display(), good, "rows that were never written can't all be read: what could not is in the file that was set aside");
        }
        Ok(rows.into_iter().flatten().collect())
    }

    /// They are all written.
    pub fn remove(&self) -> io::Result<()> {
        files::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::record;
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T06:16:00Z".parse().unwrap()
    }

    fn unwritten() -> (tempfile::TempDir, Unwritten) {
        let dir = tempfile::tempdir().unwrap();
        let unwritten = Unwritten::new(&dir.path().join("state"));
        (dir, unwritten)
    }

    #[test]
    fn rows_come_back_as_they_were_put_away() {
        let (_dir, unwritten) = unwritten();
        let row = Row::of(&record());
        assert_eq!(unwritten.read(now()).unwrap(), []);
        unwritten.add(&row).unwrap();
        unwritten.add(&row).unwrap();
        assert_eq!(unwritten.read(now()).unwrap(), [row.clone(), row.clone()]);
        assert_eq!((row.id(), row.day().to_string()), (record().id.to_string(), "2026-11-20".to_owned()));
        unwritten.remove().unwrap();
        assert!(!unwritten.is_there());
    }

    #[test]
    fn what_can_not_be_read_is_set_aside_and_the_rest_is_not_lost() {
        let (dir, unwritten) = unwritten();
        let row = Row::of(&record());
        for (damage, good) in [("torn,line", 1), ("a,line,of,another,version\n", 1)] {
            unwritten.add(&row).unwrap();
            let mut bytes = fs::read(unwritten.path()).unwrap();
            bytes.extend(damage.as_bytes());
            fs::write(unwritten.path(), bytes).unwrap();
            assert_eq!(unwritten.read(now()).unwrap().len(), good, "{damage}");
            assert!(!unwritten.is_there());
        }
        fs::write(unwritten.path(), "Time,CPE Name\n1,2\n").unwrap();
        assert_eq!(unwritten.read(now()).unwrap(), []);
        assert_eq!(fs::read_dir(dir.path().join("state")).unwrap().count(), 3, "nothing is thrown away");
    }
}
