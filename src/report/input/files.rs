//! Which day files there are. Looks at names and `stat` alone; never opens a file.
//!
//! - `<stem>_<YYYY-MM-DD>[.N].csv`, each also as `.csv.gz` and `.csv.zst`: the program's own;
//! - `<stem>_<yymmdd>.csv`, in the same ways: `EpMonitoring`'s.
//!
//! A file that is there both plain and compressed is read once: plain, else `.gz`, else `.zst`.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

/// One day file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its name, without directories.
    pub name: String,
    /// The day in its name. `EpMonitoring` begins its files by UTC and writes local times: rows may be of the day before or
    /// after.
    pub date: NaiveDate,
    /// How it is packed, by its name.
    pub packing: Packing,
    /// What a sidecar is bound to, as it was when the directory was listed.
    pub stamp: Stamp,
    /// Whether its day is the last one that has a file: a prober may be writing it right now.
    pub newest: bool,
}

/// What tells whether a file is still the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes, as it lies there.
    pub size: u64,
    /// Last change of the content: seconds since 1970 UTC.
    pub mtime: i64,
    /// Nanoseconds beside them.
    pub mtime_ns: i64,
    /// Last change of the content or of what is known of the file: seconds since 1970 UTC.
    pub ctime: i64,
    /// Nanoseconds beside them.
    pub ctime_ns: i64,
    /// Its number in the file system.
    pub inode: u64,
}

/// How a file is packed; in the order in which one is chosen where there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// `.gz`.
    Gzip,
    /// `.zst`.
    Zstd,
}

/// The day files of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// By date; those of one date in the order in which they were begun, the program's own first.
    pub days: BTreeMap<NaiveDate, Vec<DayFile>>,
    /// What was left aside although its name is that of a day file, a sentence each.
    pub notes: Vec<String>,
}

/// The directory can't be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the day files in `{}`", dir.display())]
pub struct FindError {
    /// Which.
    pub dir: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl Stamp {
    /// That of an open or listed file.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime: metadata.mtime(),
            mtime_ns: metadata.mtime_nsec(),
            ctime: metadata.ctime(),
            ctime_ns: metadata.ctime_nsec(),
            inode: metadata.ino(),
        }
    }
}

/// What a name says; sorts in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    date: NaiveDate,
    foreign: bool,
    number: u32,
    packing: Packing,
}

/// The day files with this stem in `dir`; other names are not looked at.
pub fn find(dir: &Path, stem: &str) -> Result<Found, FindError> {
    let failed = |source| FindError { dir: dir.to_owned(), source };
    let mut named = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string()
            && let Some(what) = parse_name(&name, stem)
        {
            named.push((what, name));
        }
    }
    named.sort_unstable();
    let mut found = Found::default();
    let mut kept: Option<(Named, String)> = None;
    for (what, name) in named {
        let path = dir.join(&name);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => {
                found.notes.push(format!("{name} is not a file and was not read"));
                continue;
            }
            Err(e) => {
                found.notes.push(format!("{name} was not read: {e}"));
                continue;
            }
        };
        if let Some((other, read)) = &kept
            && (other.date, other.foreign, other.number) == (what.date, what.foreign, what.number)
        {
            found.notes.push(format!("{name} was not read: {read} stands beside it"));
            continue;
        }
        let file = DayFile {
            path,
            name: name.clone(),
            date: what.date,
            packing: what.packing,
            stamp: Stamp::of(&metadata),
            newest: false,
        };
        found.days.entry(what.date).or_default().push(file);
        kept = Some((what, name));
    }
    if let Some(mut last) = found.days.last_entry() {
        for file in last.get_mut() {
            file.newest = true;
        }
    }
    Ok(found)
}

/// What the name of a day file says; `None`: it is none.
fn parse_name(name: &str, stem: &str) -> Option<Named> {
    let rest = name.strip_prefix(stem)?.strip_prefix('_')?;
    let (rest, packing) = [(".csv", Packing::Plain), (".csv.gz", Packing::Gzip), (".csv.zst", Packing::Zstd)]
        .into_iter()
        .find_map(|(ending, packing)| Some((rest.strip_suffix(ending)?, packing)))?;
    let (date, number) = match rest.split_once('.') {
        Some((date, number)) => (date, Some(whole(number, 1..=9)?)),
        None => (rest, None),
    };
    let (date, foreign) = match date.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => {
            (day(whole(date.get(..4)?, 4..=4)?, date.get(5..7)?, date.get(8..)?)?, false)
        }
        [_, _, _, _, _, _] if number.is_none() => {
            (day(2000 + whole(date.get(..2)?, 2..=2)?, date.get(2..4)?, date.get(4..)?)?, true)
        }
        _ => return None,
    };
    // The first file of a day has no number.
    Some(Named { date, foreign, number: number.unwrap_or(0), packing })
}

fn day(year: u32, month: &str, day: &str) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, whole(month, 2..=2)?, whole(day, 2..=2)?)
}

/// A number of so many digits, without a sign.
fn whole(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = digits.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &Found) -> Vec<(String, Vec<&str>)> {
        found
            .days
            .iter()
            .map(|(date, files)| (date.to_string(), files.iter().map(|f| f.name.as_str()).collect()))
            .collect()
    }

    fn dir_with(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        dir
    }

    #[test]
    fn day_files_are_found_by_their_names_and_those_of_one_day_stand_in_their_order() {
        let dir = dir_with(&[
            "results_2026-11-20.10.csv",
            "results_2026-11-20.csv",
            "results_2026-11-20.2.csv.gz",
            "results_2026-11-19.csv.zst",
            "results_261120.csv",
            "results_181114.csv",
        ]);
        let found = find(dir.path(), "results").unwrap();
        let expected = [
            ("2018-11-14".to_owned(), vec!["results_181114.csv"]),
            ("2026-11-19".to_owned(), vec!["results_2026-11-19.csv.zst"]),
            (
                "2026-11-20".to_owned(),
                vec![
                    "results_2026-11-20.csv",
                    "results_2026-11-20.2.csv.gz",
                    "results_2026-11-20.10.csv",
                    "results_261120.csv",
                ],
            ),
        ];
        assert_eq!(names(&found), expected);
        assert_eq!(found.notes, Vec::<String>::new());
        let newest: Vec<_> = found.days.values().flatten().filter(|f| f.newest).map(|f| f.date.to_string()).collect();
        assert_eq!(newest, ["2026-11-20"; 4]);
    }

    #[test]
    fn other_names_are_not_looked_at() {
        let dir = dir_with(&[
            "results_2026-11-20.csv.torn",
            "results_2026-11-20.csv.1",
            "results_2026-02-30.csv",
            "results_2026-11-2.csv",
            "results_2026-11-20.x.csv",
            "results_2026-11-20.+2.csv",
            "results_+026-11-20.csv",
            "results_2026-11-20.csv.bz2",
            "results_2026-11-20",
            "results_20é-1-20.csv",
            "results2026-11-20.csv",
            "results_181314.csv",
            "results_181114.2.csv",
            "other_2026-11-20.csv",
        ]);
        assert_eq!(find(dir.path(), "results").unwrap(), Found::default());
    }

    #[test]
    fn a_file_that_is_there_plain_and_compressed_is_read_once() {
        let dir = dir_with(&["r_2026-11-20.csv", "r_2026-11-20.csv.gz", "r_2026-11-19.csv.zst", "r_2026-11-19.csv.gz"]);
        let found = find(dir.path(), "r").unwrap();
        assert_eq!(
            names(&found),
            [
                ("2026-11-19".to_owned(), vec!["r_2026-11-19.csv.gz"]),
                ("2026-11-20".to_owned(), vec!["r_2026-11-20.csv"]),
            ]
        );
        assert_eq!(
            found.notes,
            [
                "r_2026-11-19.csv.zst was not read: r_2026-11-19.csv.gz stands beside it",
                "r_2026-11-20.csv.gz was not read: r_2026-11-20.csv stands beside it",
            ]
        );
    }

    #[test]
    fn a_directory_or_a_dangling_link_with_such_a_name_is_said_and_left_aside() {
        let dir = dir_with(&["r_2026-11-18.csv.gz"]);
        fs::create_dir(dir.path().join("r_2026-11-20.csv")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("r_2026-11-19.csv")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("r_2026-11-18.csv")).unwrap();
        let found = find(dir.path(), "r").unwrap();
        assert_eq!(names(&found), [("2026-11-18".to_owned(), vec!["r_2026-11-18.csv.gz"])]);
        assert_eq!(
            found.notes,
            [
                "r_2026-11-18.csv was not read: No such file or directory (os error 2)",
                "r_2026-11-19.csv was not read: No such file or directory (os error 2)",
                "r_2026-11-20.csv is not a file and was not read",
            ]
        );
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let error = find(Path::new("/nonexistent/results"), "r").unwrap_err();
        assert_eq!(error.to_string(), "cannot list the day files in `/nonexistent/results`");
    }

    #[test]
    fn the_stamp_changes_with_the_file() {
        let dir = dir_with(&["r_2026-11-20.csv"]);
        let stamp = |found: Found| found.days.values().next().unwrap()[0].stamp;
        let before = stamp(find(dir.path(), "r").unwrap());
        assert_eq!(before.size, 1);
        assert_eq!(stamp(find(dir.path(), "r").unwrap()), before);
        fs::write(dir.path().join("new"), "y").unwrap();
        fs::rename(dir.path().join("new"), dir.path().join("r_2026-11-20.csv")).unwrap();
        assert_ne!(stamp(find(dir.path(), "r").unwrap()), before);
    }
}
