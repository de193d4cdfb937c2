//! Every file of `fixtures/csv` is read, and gives the rows that stand in its `.rows`. `UPDATE_FIXTURES=1` writes those
//! anew: look at what changed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;

use super::{DayFile, Form, Packing, Reading, Stamp, read_file};
use crate::record::CycleRecord;
use crate::results;

fn reading() -> Reading {
    Reading { hash: false, zone: "Europe/Berlin".parse().unwrap() }
}

fn day_file(path: PathBuf, date: &str) -> DayFile {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let packing = match path.extension().unwrap().to_str().unwrap() {
        "gz" => Packing::Gzip,
        "zst" => Packing::Zstd,
        _ => Packing::Plain,
    };
    let stamp = Stamp::of(&fs::metadata(&path).unwrap());
    DayFile { path, name, date: date.parse().unwrap(), packing, stamp, newest: false }
}

/// What reading a file gives, as text.
fn described(path: PathBuf) -> String {
    let date = if path.ends_with("ep-monitoring.csv") { "2018-11-14" } else { "2026-11-20" };
    let mut text = String::new();
    let summary = read_file(&day_file(path, date), &reading(), &mut |row, line| {
        writeln!(text, "{line}: {row:?}").unwrap();
    })
    .unwrap();
    writeln!(text, "rows: {}, form: {:?}, bad: {:?}", summary.rows, summary.form.unwrap(), summary.bad).unwrap();
    for note in summary.notes {
        writeln!(text, "{note}").unwrap();
    }
    text
}

#[test]
fn every_schema_that_was_released_is_read() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/csv");
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (expected, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.extension().unwrap() == "rows");
    let of_file = |path: &PathBuf| PathBuf::from(format!("{}.rows", path.display()));
    for path in &files {
        let read = described(path.clone());
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(of_file(path), &read).unwrap();
        }
        assert_eq!(fs::read_to_string(of_file(path)).unwrap_or_default(), read, "{}", path.display());
    }
    assert_eq!(expected, files.iter().map(of_file).collect::<Vec<_>>(), "each file has its rows");
}

#[test]
fn the_schema_in_force_has_its_fixture() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/csv");
    let file = dir.join(format!("{}-columns.csv", results::COLUMNS.len()));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().next().unwrap(), results::COLUMNS.join(","), "{}", file.display());
}

/// Fields that may be absent are left out.
const RECORD: &str = r#"{"id": "20261120T061530.123Z-9f3ab2c1", "time": "2026-11-20T07:15:30.123+01:00", "site": "paris",
    "kind": "ssl-vpn", "prober": "edge-1", "interval": {"secs": 600, "nanos": 0}, "stages": [], "verdict": "unknown",
    "leftovers": [], "dialogue": [], "checks": []}"#;

proptest! {
    #[test]
    fn what_the_prober_writes_is_what_the_report_reads(
        prober in "[a,\" =+@é\u{0}\u{202e}\n-]{0,8}",
        group in prop::option::of("[a,\" =+@é\u{0}\u{202e}\n-]{0,8}"),
        detail in prop::option::of("[a,\" =+@é\u{0}\u{202e}\n-]{0,8}"),
        login in prop::option::of(0..1_000_000_000_000_u64),
        restore in prop::option::of(0..1_000_000_000_000_u64),
        interval in 1..1_000_000_000_u64,
    ) {
        let mut record: CycleRecord = serde_json::from_str(RECORD).unwrap();
        record.prober = prober;
        record.group = group;
        record.detail = detail;
        record.login = login.map(Duration::from_micros);
        record.restore = restore.map(Duration::from_micros);
        record.interval = Duration::from_millis(interval);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results_2026-11-20.csv");
        let line = results::Row::of(&record);
        fs::write(&path, [results::COLUMNS.join(",").as_bytes(), b"\n", line.line(), line.line()].concat()).unwrap();
        let mut rows = 0;
        let seen = |text: &str| -> String {
            text.chars().map(|c| if crate::record::is_unseen(c) { ' ' } else { c }).collect()
        };
        let summary = read_file(&day_file(path, "2026-11-20"), &reading(), &mut |row, _| {
            rows += 1;
            assert_eq!(row.prober, seen(&record.prober));
            assert_eq!(row.group, record.group.as_deref().map(seen).unwrap_or_default());
            assert_eq!(row.login_us, login);
            assert_eq!(row.restore_ms, restore.map(|us| us.div_ceil(1000).cast_signed()));
            assert_eq!(row.interval_ms, Some(interval.cast_signed()));
            assert_eq!(row.cycle_id, record.id.as_str());
        }).unwrap();
        prop_assert_eq!((rows, summary.form, summary.bad, summary.notes), (2, Some(Form::Own), vec![], vec![]));
    }
}
