//! The day files: appended to with one write per row, synced, never rewritten.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use nix::fcntl::{Flock, FlockArg};

use super::line::{Row, append_whole, header_line};
use super::mend::mend;
use super::written::WrittenRow;

/// The end of a file in which a cycle's row is looked for: a cycle that was cut has its row, if any, among the last.
const TAIL_BYTES: u64 = 1024 * 1024;

/// A result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{}`", path.display())]
pub struct ResultsError {
    /// What was tried.
    pub operation: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Where a row went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The day file.
    pub path: PathBuf,
    /// It was begun with this row.
    pub begun: bool,
}

/// The day files of one prober: `<dir>/<file>_<YYYY-MM-DD>.csv`.
#[derive(Debug, Clone)]
pub struct DayFiles {
    dir: PathBuf,
    file: String,
}

impl DayFiles {
    /// Day files in `dir`; the directory is created if it is missing, and proved to be writable.
    pub fn open(dir: &Path, file: &str) -> Result<Self, ResultsError> {
        let failed = |operation| move |source| ResultsError { operation, path: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(failed("create the directory"))?;
        nix::unistd::access(dir, nix::unistd::AccessFlags::W_OK | nix::unistd::AccessFlags::X_OK)
            .map_err(|e| failed("write to the directory")(e.into()))?;
        Ok(Self { dir: dir.to_owned(), file: file.to_owned() })
    }

    /// Mends the last line of each of these days' files, if a crash tore it: a line that only lacks its end is
    /// completed; a torn one is moved to `<day file>.torn`. Says what was done.
    pub fn mend(&self, days: &[NaiveDate]) -> Result<Vec<String>, ResultsError> {
        let mut done = Vec::new();
        for &day in days {
            for path in self.versions(day).take_while(|p| p.exists()) {
                done.extend(mend(&path)?);
            }
        }
        Ok(done)
    }

    /// Appends a row to the file of its day: one write, then a sync. A write that fails leaves nothing behind.
    pub fn append(&self, row: &Row) -> Result<Appended, ResultsError> {
        let (path, file) = self.current(row.day())?;
        let failed = |operation| {
            let path = path.clone();
            move |source| ResultsError { operation, path, source }
        };
        let length = file.metadata().map_err(failed("look at"))?.len();
        let mut bytes = Vec::new();
        if length == 0 {
            bytes.extend(header_line());
        } else if !ends_with_newline(&file, length).map_err(failed("read"))? {
            // Another writer's row was torn since the start: the new row must not become a part of it.
            bytes.push(b'\n');
        }
        bytes.extend(row.line());
        append_whole(&*file, length, &bytes).map_err(failed("write to"))?;
        if length == 0 {
            // A new file is only safe when its directory entry is.
            File::open(&self.dir).and_then(|d| d.sync_all()).map_err(failed("sync the directory of"))?;
        }
        Ok(Appended { path, begun: length == 0 })
    }

    /// The ids of the cycles that have their row in the day's files.
    pub fn ids(&self, day: NaiveDate) -> Result<HashSet<String>, ResultsError> {
        let mut ids = HashSet::new();
        for path in self.versions(day).take_while(|p| p.exists()) {
            let failed = |source| ResultsError { operation: "read", path: path.clone(), source };
            for line in BufReader::new(File::open(&path).map_err(failed)?).split(b'\n') {
                let line = line.map_err(failed)?;
                let id = line.rsplit(|&b| b == b',').next().unwrap_or_default();
                ids.insert(String::from_utf8_lossy(id).into_owned());
            }
        }
        Ok(ids)
    }

    /// The row with this cycle id, where the day has it already among its last ones.
    pub fn find(&self, day: NaiveDate, cycle_id: &str) -> Result<Option<WrittenRow>, ResultsError> {
        let end = format!(",{cycle_id}");
        for path in self.versions(day).take_while(|p| p.exists()) {
            let tail = tail(&path).map_err(|source| ResultsError { operation: "read", path: path.clone(), source })?;
            let tail = String::from_utf8_lossy(&tail);
            // One without its newline was cut.
            let whole = tail.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            if let Some(line) = whole.rev().find(|line| line.ends_with(&end)) {
                return Ok(Some(WrittenRow::read(line)));
            }
        }
        Ok(None)
    }

    /// The names that a day's file may have: a file whose header is of another version is left alone, and `.2`, `.3`, …
    /// is begun.
    fn versions(&self, day: NaiveDate) -> impl Iterator<Item = PathBuf> + '_ {
        (1..).map(move |version| {
            let suffix = if version == 1 { String::new() } else { format!(".{version}") };
            self.dir.join(format!("{}_{}{suffix}.csv", self.file, day.format("%Y-%m-%d")))
        })
    }

    /// The day's file with our header, or a new one; locked against another writer until it is dropped.
    fn current(&self, day: NaiveDate) -> Result<(PathBuf, Flock<File>), ResultsError> {
        for path in self.versions(day).take(1000) {
            let failed = |operation| {
                let path = path.clone();
                move |source| ResultsError { operation, path, source }
            };
            fs::create_dir_all(&self.dir).map_err(failed("create the directory of"))?;
            let file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed("open"))?;
            let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| failed("lock")(e.into()))?;
            let mut header = vec![0; header_line().len()];
            let read = read_start(&mut file, &mut header).map_err(failed("read"))?;
            if read == 0 || header == header_line() {
                return Ok((path, file));
            }
        }
        Err(ResultsError {
            operation: "find a day file with this version's header beside",
            path: self.dir.join(&self.file),
            source: io::ErrorKind::AlreadyExists.into(),
        })
    }
}

fn read_start(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(0))?;
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn ends_with_newline(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut last, length - 1)?;
    Ok(last == *b"\n")
}

pub(super) fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::row::COLUMNS;
    use super::super::row::tests::record;
    use super::*;

    fn row() -> Row {
        Row::of(&record())
    }

    fn day() -> NaiveDate {
        record().time.date_naive()
    }

    fn files() -> (tempfile::TempDir, DayFiles) {
        let dir = tempfile::tempdir().unwrap();
        let files = DayFiles::open(&dir.path().join("results"), "results").unwrap();
        (dir, files)
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_header_stands_once_and_every_row_is_a_line() {
        let (_dir, files) = files();
        let path = files.append(&row()).unwrap().path;
        files.append(&row()).unwrap();
        assert!(path.ends_with("results/results_2026-11-20.csv"));
        let text = read(&path);
        assert_eq!(text.lines().count(), 3);
        assert_eq!(text.lines().next().unwrap(), COLUMNS.join(","));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!(&row[1], "paris, \"north\"");
    }

    #[test]
    fn the_day_is_that_of_the_cycles_start_in_its_zone() {
        let (_dir, files) = files();
        let mut late = record();
        late.time = "2026-11-21T00:30:00+09:00".parse().unwrap();
        assert!(files.append(&Row::of(&late)).unwrap().path.ends_with("results_2026-11-21.csv"));
    }

    #[test]
    fn a_torn_last_line_is_set_aside_and_nothing_else_lost() {
        let (_dir, files) = files();
        let path = files.append(&row()).unwrap().path;
        let whole = read(&path);
        let second = {
            files.append(&row()).unwrap();
            read(&path)[whole.len()..].to_owned()
        };
        for cut in 1..second.len() - 1 {
            fs::write(&path, format!("{whole}{}", &second[..cut])).unwrap();
            let said = files.mend(&[day()]).unwrap();
            assert_eq!(said.len(), 1);
            assert_eq!(read(&path), whole, "cut after {cut} bytes");
            let aside = PathBuf::from(format!("{}.torn", path.display()));
            assert_eq!(read(&aside), format!("{}\n", &second[..cut]));
            fs::remove_file(aside).unwrap();
        }
        assert_eq!(files.mend(&[day()]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_last_line_that_only_lacks_its_end_is_completed() {
        let (_dir, files) = files();
        let path = files.append(&row()).unwrap().path;
        let whole = read(&path);
        fs::write(&path, whole.trim_end()).unwrap();
        assert_eq!(files.mend(&[day()]).unwrap().len(), 1);
        assert_eq!(read(&path), whole);
    }

    #[test]
    fn a_file_of_another_version_is_left_alone() {
        let (_dir, files) = files();
        let old = files.dir.join("results_2026-11-20.csv");
        fs::write(&old, "Time,CPE Name,Summary,Stage 1 in ms,Stage 2 in ms,Stage 3 in ms\n").unwrap();
        let path = files.append(&row()).unwrap().path;
        assert!(path.ends_with("results_2026-11-20.2.csv"));
        assert_eq!(read(&old).lines().count(), 1);
        assert_eq!(files.append(&row()).unwrap().path, path);
    }

    #[test]
    fn a_row_that_does_not_fit_on_the_disk_leaves_no_part_of_it() {
        let (_dir, files) = files();
        let path = files.append(&row()).unwrap().path;
        let whole = read(&path);
        let file = OpenOptions::new().append(true).open(&path).unwrap();
        assert!(Full { file: &file, room: 40 }.write_all(row().line()).is_err());
        assert_eq!(read(&path).len(), whole.len() + 40, "control: a part of it was written");
        file.set_len(whole.len() as u64).unwrap();
        assert!(append_whole(Full { file: &file, room: 40 }, whole.len() as u64, row().line()).is_err());
        assert_eq!(read(&path), whole);
    }

    /// A file on a disk with so much room left.
    struct Full<'a> {
        file: &'a File,
        room: usize,
    }

    impl Write for Full<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let written = self.file.write(&bytes[..bytes.len().min(self.room)])?;
            self.room -= written;
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl std::os::fd::AsFd for Full<'_> {
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            self.file.as_fd()
        }
    }

    #[test]
    fn the_ids_of_a_day_are_those_of_its_rows() {
        let (_dir, files) = files();
        assert!(files.ids(day()).unwrap().is_empty());
        files.append(&row()).unwrap();
        assert!(files.ids(day()).unwrap().contains(record().id.as_str()));
    }

    #[test]
    fn a_cycle_that_has_its_row_is_found() {
        let (_dir, files) = files();
        assert_eq!(files.find(day(), record().id.as_str()).unwrap(), None);
        files.append(&row()).unwrap();
        assert!(files.find(day(), record().id.as_str()).unwrap().is_some());
        assert_eq!(files.find(day(), "20261120T061530.123Z-00000000").unwrap(), None);
    }

    #[test]
    fn a_directory_that_can_not_be_made_is_named() {
        let (dir, _) = files();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = DayFiles::open(&dir.path().join("file/results"), "results").unwrap_err();
        assert!(error.to_string().contains("file/results"), "{error}");
    }
}
