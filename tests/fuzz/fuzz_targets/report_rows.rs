//! Reading day files for a report: whatever stands in one, reading ends without a panic, every line that is no row is told,
//! rows hold nothing unseen, and a file that is read in one piece, packed or beside others, gives the same. The first byte
//! says how the rest is packed.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use vpnprobe::record::is_unseen;
use vpnprobe::report::input::{Reading, find, read_file};
use vpnprobe_fuzz::empty_dir;

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let ending = ["", ".gz", ".zst"][usize::from(kind % 3)];
    let dir = empty_dir();
    let name = if kind & 0x40 == 0 { "results_2026-11-20.csv" } else { "results_181114.csv" };
    fs::write(dir.join(format!("{name}{ending}")), bytes).expect("it can be written");
    let found = find(&dir, "results").expect("it can be listed");
    let mut file = found.days.into_values().next().expect("it was found").remove(0);
    file.newest = kind & 0x80 == 0;
    let how = Reading { hash: true, zone: "Europe/Berlin".parse().expect("a zone") };
    let mut rows = 0;
    let mut last = 1;
    let read = read_file(&file, &how, &mut |row, line| {
        assert!(line > last, "rows come in their order, behind the header");
        last = line;
        rows += 1;
        assert!(!row.site.is_empty());
        assert!(row.interval_ms.is_none_or(|ms| ms > 0));
        assert!(row.external_loss.is_none_or(|loss| loss <= 100_000));
        for text in
            [row.site, row.kind, row.failed_stage, row.reason, row.maintenance, row.group, row.prober, row.cycle_id]
        {
            assert!(!text.chars().any(is_unseen), "{text:?}");
        }
    });
    let Ok(summary) = read else { return };
    assert_eq!(summary.rows, rows + summary.unreadable);
    assert_eq!(summary.bytes, bytes.len() as u64);
    assert_eq!(summary.unreadable, summary.bad.len() as u64 + summary.unreadable.saturating_sub(1000));
    for bad in &summary.bad {
        assert!(!bad.why.chars().any(is_unseen), "{:?}", bad.why);
    }
    if ending.is_empty() {
        let lines = 1 + bytes.iter().filter(|b| **b == b'\n').count() as u64;
        assert!(summary.rows <= lines, "{} rows in {lines} lines", summary.rows);
    }
});
