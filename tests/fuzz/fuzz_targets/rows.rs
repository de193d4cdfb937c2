//! Day files: whatever stands in one, mending loses no byte of it, a row that is appended is found and is one line, and
//! what comes from a gateway is neither a formula nor a second line. The input is the file, then, behind a zero byte,
//! the text from the gateway.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use vpnprobe::record::CycleRecord;
use vpnprobe::results::{COLUMNS, DayFiles, Row, row_of};
use vpnprobe_fuzz::empty_dir;

/// Fields that may be absent are left out.
const RECORD: &str = r#"{"id": "20261120T061530.123Z-9f3ab2c1", "time": "2026-11-20T07:15:30.123+01:00", "site": "paris",
    "kind": "ssl-vpn", "prober": "edge-1", "interval": {"secs": 600, "nanos": 0}, "stages": [], "verdict": "unknown",
    "leftovers": [], "dialogue": [], "checks": []}"#;

fuzz_target!(|data: &[u8]| {
    let (before, said) = match data.iter().rposition(|b| *b == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b""[..]),
    };
    let mut record: CycleRecord = serde_json::from_str(RECORD).expect("RECORD has every field of a record");
    record.detail = Some(String::from_utf8_lossy(said).into_owned());
    let row = row_of(&record);
    let detail = COLUMNS.iter().position(|c| *c == "detail").expect("a column");
    assert!(!row[detail].trim_start().starts_with(['=', '+', '-', '@']), "{:?}", row[detail]);
    assert!(row.iter().all(|cell| !cell.chars().any(char::is_control)), "{row:?}");

    let dir = empty_dir();
    let files = DayFiles::open(&dir, "results").expect("it can be written to");
    let day = record.time.date_naive();
    let path = dir.join("results_2026-11-20.csv");
    fs::write(&path, before).expect("it can be written");
    let done = files.mend(&[day]).expect("it can be mended");
    let mended = fs::read(&path).expect("it is there");
    let torn = fs::read(dir.join("results_2026-11-20.csv.torn")).unwrap_or_default();
    let completed = done.iter().any(|words| words.starts_with("completed"));
    let whole = if completed {
        mended.strip_suffix(b"\n").expect("it was completed").to_vec()
    } else {
        [mended.as_slice(), torn.strip_suffix(b"\n").unwrap_or_default()].concat()
    };
    assert_eq!(whole, before, "{done:?}");
    assert!(mended.is_empty() || mended.ends_with(b"\n"));
    assert!(files.mend(&[day]).expect("it can be mended").is_empty(), "mended twice");

    let written = files.append(&Row::of(&record)).expect("it can be appended to").path;
    let after = fs::read(&written).expect("it is there");
    if written == path {
        assert!(after.starts_with(&mended));
    } else {
        assert_eq!(fs::read(&path).expect("it is there"), mended);
    }
    assert!(after.ends_with(b",20261120T061530.123Z-9f3ab2c1\n"));
    assert!(files.find(day, record.id.as_str()).expect("it can be read").is_some());
});
