use std::fs;
use std::path::Path;

use super::*;
use crate::record::Verdict;
use crate::report::input::Packing;
use crate::results::COLUMNS;

const ID: &str = "20261120T061530.123Z-9f3ab2c1";

/// What reading a file gave: a line for each row (line, site, verdict) and the summary.
#[derive(Debug)]
struct Read {
    rows: Vec<String>,
    bad: Vec<String>,
    notes: Vec<String>,
    summary: FileSummary,
}

fn file_of(path: &Path, newest: bool) -> DayFile {
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let packing = match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Packing::Gzip,
        Some("zst") => Packing::Zstd,
        _ => Packing::Plain,
    };
    let stamp = fs::metadata(path).or_else(|_| fs::metadata("/")).map(|m| Stamp::of(&m)).unwrap();
    DayFile { path: path.to_owned(), name, date: "2026-11-20".parse().unwrap(), packing, stamp, newest }
}

fn how() -> Reading {
    Reading { hash: true, zone: "Europe/Berlin".parse().unwrap() }
}

fn try_file(file: &DayFile) -> Result<Read, ReadError> {
    let mut rows = Vec::new();
    let summary = read_file(file, &how(), &mut |row, line| {
        rows.push(format!("{line} {} {}", row.site, row.verdict));
    })?;
    let bad = summary.bad.iter().map(|b| format!("{}: {}", b.line, b.why)).collect();
    let notes = summary.notes.iter().map(|n| n.strip_prefix(&format!("{}: ", file.name)).unwrap().to_owned()).collect();
    assert_eq!(summary.rows, rows.len() as u64 + summary.unreadable);
    Ok(Read { rows, bad, notes, summary })
}

fn try_bytes(bytes: impl AsRef<[u8]>, newest: bool) -> Result<Read, ReadError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results_2026-11-20.csv");
    fs::write(&path, bytes).unwrap();
    try_file(&file_of(&path, newest))
}

fn read(bytes: impl AsRef<[u8]>) -> Read {
    try_bytes(bytes, false).unwrap()
}

fn refusal(bytes: impl AsRef<[u8]>) -> String {
    let words = try_bytes(bytes, false).unwrap_err().to_string();
    let (_, why) = words.split_once("results_2026-11-20.csv` is not a file of results: ").expect(&words);
    why.to_owned()
}

fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// A row with these cells, the others as usual.
fn row(cells: &[(&str, &str)]) -> String {
    let usual = [
        ("time", "2026-11-20T07:15:30.123+01:00"),
        ("site", "paris"),
        ("kind", "ssl-vpn"),
        ("verdict", "up"),
        ("external_rtt_ms", "12.346"),
        ("interval_s", "300"),
        ("prober", "edge-1"),
        ("cycle_id", ID),
    ];
    let of = |name: &str| cells.iter().chain(&usual).find(|(n, _)| *n == name).map_or("", |(_, cell)| *cell);
    COLUMNS.map(of).join(",") + "\n"
}

fn up(site: &str) -> String {
    row(&[("site", site)])
}

#[test]
fn every_cell_of_a_row_is_read_to_its_last_digit() {
    let line = row(&[
        ("verdict", "down"),
        ("failed_stage", "login"),
        ("reason", "auth-rejected"),
        ("fault_domain", "identity"),
        ("external_loss_pct", "33.333"),
        ("login_ms", "4567.89"),
        ("internal_rtt_ms", "0"),
        ("internal_loss_pct", "100"),
        ("restarts", "1"),
        ("restore_ms", "1500.001"),
        ("maintenance", "carrier night"),
        ("group", "'=emea"),
        ("detail", "\"a \"\"quoted\"\", text\""),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r_2026-11-20.csv");
    fs::write(&path, header() + &line).unwrap();
    let mut seen = 0;
    let summary = read_file(&file_of(&path, false), &how(), &mut |row, line| {
        seen += 1;
        let expected = Row {
            time: 1_795_155_330_123,
            site: "paris",
            kind: "ssl-vpn",
            verdict: Verdict::Down,
            failed_stage: "login",
            reason: "auth-rejected",
            fault_domain: "identity",
            external_rtt_us: Some(12_346),
            external_loss: Some(33_333),
            login_us: Some(4_567_890),
            internal_rtt_us: Some(0),
            internal_loss: Some(100_000),
            restarts: Some(1),
            restore_ms: Some(1501),
            interval_ms: Some(300_000),
            maintenance: "carrier night",
            group: "=emea",
            prober: "edge-1",
            cycle_id: ID,
        };
        assert_eq!((row, line), (&expected, 2));
    });
    assert_eq!((seen, summary.unwrap().rows), (1, 1));
}

#[test]
fn the_hash_is_that_of_the_file_as_it_lies_there_and_only_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r_2026-11-20.csv");
    fs::write(&path, "time,site,verdict\n").unwrap();
    let file = file_of(&path, false);
    let summary = read_file(&file, &how(), &mut |_, _| {}).unwrap();
    let hash = "5effaa5fbb214d04eb9cd071780245f54d05d1c161ed71995fed20c90ceebfcc";
    assert_eq!((summary.bytes, summary.stamp), (18, file.stamp));
    assert_eq!(summary.sha256.as_deref(), Some(hash));
    let without = read_file(&file, &Reading { hash: false, ..how() }, &mut |_, _| {}).unwrap();
    assert_eq!(without.sha256, None);
}

#[test]
fn what_no_schema_before_had_is_empty_and_what_comes_later_is_ignored() {
    let old = "time,site,verdict,reason\n2026-11-20T07:15:30.123+01:00,paris,down,no-reply\n";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("r_2026-11-20.csv");
    fs::write(&path, old).unwrap();
    let mut seen = 0;
    read_file(&file_of(&path, false), &how(), &mut |row, _| {
        seen += 1;
        assert_eq!((row.kind, row.interval_ms, row.login_us, row.cycle_id), ("", None, None, ""));
        assert_eq!(row.fault_domain, "carrier", "that of the reason");
    })
    .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_file_without_rows_is_no_error() {
    for (bytes, notes) in [("", vec!["it is empty"]), ("\n\r\n", vec!["it is empty"]), (&header(), vec![])] {
        let read = read(bytes);
        assert_eq!((read.summary.rows, read.notes), (0, notes.into_iter().map(str::to_owned).collect()), "{bytes:?}");
    }
}

#[test]
fn a_file_of_something_else_is_refused() {
    assert_eq!(refusal("a,b\n1,2\n"), "its header lacks `time`, `site`, `verdict`");
    assert_eq!(refusal(up("paris")), "its header lacks `time`, `site`, `verdict`");
    assert_eq!(refusal("\u{0}\u{0}\n"), "its header lacks `time`, `site`, `verdict`");
    assert_eq!(refusal(b"\xff\xfe\n"), "its first line is not UTF-8");
    assert_eq!(refusal("\"time,site\n"), "its first line is no header: a quote is not closed");
    assert_eq!(refusal("x".repeat(300_000)), "its first line is longer than 262144 bytes");
    assert_eq!(refusal("time,si"), "its header lacks `site`, `verdict`");
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    let plain = header() + &up("paris") + &row(&[("site", "\"b,1\"")]);
    let other = "\u{feff}".to_owned() + &plain.replace('\n', "\r\n");
    let (plain, other) = (read(plain), read(other));
    assert_eq!(plain.rows, ["2 paris up", "3 b,1 up"]);
    assert_eq!((other.rows, other.bad), (plain.rows, plain.bad));
    assert_eq!(read("\u{feff}\"time\",site,verdict\n").summary.rows, 0);
}

#[test]
fn a_cell_that_can_not_be_read_makes_the_row_unreadable_and_is_shown() {
    for (name, cell, why) in [
        ("time", "yesterday", "`time` can't be `yesterday`"),
        ("time", "", "`time` is empty"),
        ("time", "2026-02-30T07:15:30.123+01:00", "`time` can't be `2026-02-30T07:15:30.123+01:00`"),
        ("time", "2026-11-20T07:15:30.123", "`time` can't be `2026-11-20T07:15:30.123`"),
        ("site", "", "`site` is empty"),
        ("site", "pa\u{202e}ris", "`site` can't be `pa\u{fffd}ris`"),
        ("verdict", "UP", "`verdict` can't be `UP`"),
        ("login_ms", "nan", "`login_ms` can't be `nan`"),
        ("login_ms", "1e999", "`login_ms` can't be `1e999`"),
        ("external_rtt_ms", "-1", "`external_rtt_ms` can't be `-1`"),
        (
            "internal_rtt_ms",
            "1000000000000000000000000000000",
            "`internal_rtt_ms` can't be `1000000000000000000000000000000`",
        ),
        ("restore_ms", "TIMEOUT", "`restore_ms` can't be `TIMEOUT`"),
        ("internal_loss_pct", "100.001", "`internal_loss_pct` can't be `100.001`"),
        ("interval_s", "0", "`interval_s` can't be `0`"),
        ("restarts", "1.5", "`restarts` can't be `1.5`"),
        ("group", "em\u{0}ea", "the line has NUL bytes; `group` can't be `em\u{fffd}ea`"),
        (
            "login_ms",
            "\u{1b}[2J3456789012345678901234567890123456789é123",
            "`login_ms` can't be `\u{fffd}[2J345678901234567890123456789012345678…`",
        ),
    ] {
        let read = read(header() + &up("a") + &row(&[(name, cell)]) + &up("b"));
        assert_eq!(read.rows, ["2 a up", "4 b up"], "{name} {cell}");
        assert_eq!(read.bad, [format!("3: {why}")]);
        assert_eq!(read.summary.bad[0].file, "results_2026-11-20.csv");
    }
}

#[test]
fn damaged_lines_are_told_and_the_rows_around_them_are_read() {
    let whole = up("torn");
    let torn = &whole[..whole.len() / 2];
    for (bytes, why) in [
        (format!("{torn}\n"), "it has 10 cells, the header 28"),
        (format!("{},x\n", whole.trim_end()), "it has 29 cells, the header 28"),
        ("\0\0\0\0\0\0\n".to_owned(), "the line has NUL bytes; it has 1 cell, the header 28"),
        (
            format!("\0\0\0\0{whole}"),
            "the line has NUL bytes; `time` can't be `\u{fffd}\u{fffd}\u{fffd}\u{fffd}2026-11-20T07:15:30.123+01:00`",
        ),
        ("x".repeat(1_000_000) + "\n", "the line is longer than 262144 bytes"),
        ("\"".repeat(1_000_001) + "\n", "the line is longer than 262144 bytes"),
        ("a,\"b\n".to_owned(), "a quote is not closed"),
        ("a,\"\rb\"c\n".to_owned(), "it has 2 cells, the header 28"),
        ("a\rb,\"\"\n".to_owned(), "it has a carriage return, or cells beyond count, in it"),
        ("\"\"".to_owned() + &",".repeat(400) + "\n", "it has a carriage return, or cells beyond count, in it"),
        (",".repeat(400) + "\n", "it has 401 cells, the header 28"),
    ] {
        let read = read(header() + &up("a") + &bytes + &up("b") + &row(&[("detail", "\"x\"")]));
        assert_eq!(read.rows, ["2 a up", "4 b up", "5 paris up"], "{:?}", shorten(&bytes));
        assert_eq!(read.bad, [format!("3: {why}")], "{:?}", shorten(&bytes));
    }
}

fn shorten(text: &str) -> &str {
    &text[..text.len().min(50)]
}

#[test]
fn a_line_that_is_not_utf_8_is_told_also_in_quotes() {
    for line in [b"a,\xff\n".as_slice(), b"a,\"\xff\"\n"] {
        let bytes = [header().as_bytes(), up("à").as_bytes(), line, up("b").as_bytes()].concat();
        let read = read(bytes);
        assert_eq!(read.rows, ["2 à up", "4 b up"]);
        assert_eq!(read.bad, ["3: the line is not UTF-8"]);
    }
}

#[test]
fn a_torn_row_with_an_open_quote_does_not_swallow_the_rows_behind_it() {
    let whole = row(&[("site", "torn"), ("detail", "\"a, b\"")]);
    let torn = &whole[..whole.find("a, b").unwrap() + 2];
    let next = row(&[("site", "next"), ("detail", "\"x\"")]);
    let read = read(header() + &up("a") + torn + "\n" + &next + &up("b"));
    assert_eq!(read.rows, ["2 a up", "4 next up", "5 b up"]);
    assert_eq!(read.bad, ["3: a quote is not closed"]);
}

#[test]
fn a_line_break_within_a_cell_of_another_program_is_read() {
    let read = read(header() + &row(&[("detail", "\"a\nb\r\n\nc\"")]) + &up("b") + &row(&[("time", "\"x\ny\"")]));
    assert_eq!(read.rows, ["2 paris up", "6 b up"]);
    assert_eq!(read.bad, ["7: `time` can't be `x\u{fffd}y`"]);
}

#[test]
fn a_last_line_without_its_end_counts_when_it_is_whole() {
    let read = read(header() + &up("a") + up("b").trim_end());
    assert_eq!((read.rows, read.bad, read.notes), (vec!["2 a up".into(), "3 b up".into()], vec![], vec![]));
}

#[test]
fn half_a_last_row_is_bad_in_an_old_file_and_noted_in_the_newest() {
    let whole = row(&[("detail", "\"a, é, b\"")]);
    let whole = whole.trim_end();
    for cut in 1..whole.len() {
        let bytes = [header().as_bytes(), up("a").as_bytes(), &whole.as_bytes()[..cut]].concat();
        let old = read(&bytes);
        assert_eq!((old.rows, old.bad), (vec!["2 a up".to_owned()], vec!["3: half a row: the file ends in it".into()]));
        let newest = try_bytes(&bytes, true).unwrap();
        assert_eq!((newest.summary.rows, newest.summary.unreadable), (1, 0), "{cut}");
        assert_eq!(newest.notes, ["line 3, its last, has no end: it is being written or was torn, and does not count"]);
    }
}

#[test]
fn half_a_header_in_the_newest_file_is_one_that_is_being_written() {
    let read = try_bytes("time,si", true).unwrap();
    assert_eq!(read.summary.rows, 0);
    assert_eq!(read.notes[0], "line 1, its last, has no end: it is being written or was torn, and does not count");
}

#[test]
fn files_that_were_put_together_are_read_by_each_header() {
    let other = "verdict,site,time\ndown,b,2026-11-20T07:15:30.123+01:00\n";
    let read =
        read(header() + &up("a") + &header() + &up("b") + other + "time,site\n" + "unknown,c,2026-11-20T08:00:00Z\n");
    assert_eq!(read.rows, ["2 a up", "4 b up", "6 b down", "8 c unknown"]);
    assert_eq!(read.bad, ["7: the line is a header that can't be used: its header lacks `verdict`"]);
    assert_eq!(
        read.notes,
        ["line 3 is the header once more", "line 5 is another header, by which the rows below it are read"]
    );
}

#[test]
fn rows_of_another_day_are_handed_on_and_noted() {
    let other = row(&[("time", "2026-11-21T00:00:00.000+01:00")]);
    let read = read(header() + &up("a") + &other + &row(&[("time", "2026-11-19T23:59:59Z")]) + &up("b"));
    assert_eq!(read.rows.len(), 4);
    assert_eq!(read.notes, ["2 rows are of another day than its name says"]);
}

#[test]
fn the_list_of_bad_lines_is_bounded_and_their_number_is_not() {
    let read = read(header() + &"x\n".repeat(5000) + &up("a"));
    assert_eq!((read.bad.len(), read.summary.unreadable), (MOST_BAD_LINES, 5000));
    assert_eq!(read.rows, ["5002 a up"]);
}

#[test]
fn a_file_larger_than_a_block_is_read_as_if_it_were_one() {
    let mut text = header();
    let mut expected = Vec::new();
    for number in 0..6000_u32 {
        let site = format!("s{number}");
        let detail = if number % 7 == 0 { "\"a, \nb\"" } else { "é" };
        let line = 2 + number + number.div_ceil(7);
        text += &row(&[("site", &site), ("detail", detail)]);
        expected.push(format!("{line} {site} up"));
    }
    assert!(text.len() > 2 * BLOCK);
    let read = read(text);
    assert_eq!(read.rows, expected);
    assert_eq!(read.bad, Vec::<String>::new());
}

#[test]
fn a_directory_and_a_file_that_is_not_there_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("r_2026-11-20.csv")] {
        let error = try_file(&file_of(&path, false)).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read `{}`", path.display()));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// A frame that unpacks to nothing.
fn skippable() -> Vec<u8> {
    [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0], b"abc".as_slice()].concat()
}

fn try_packed(ending: &str, bytes: &[u8]) -> Result<Read, ReadError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("results_2026-11-20.csv.{ending}"));
    fs::write(&path, bytes).unwrap();
    try_file(&file_of(&path, false))
}

/// How something is packed, and by what.
type Packed = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);

const PACKINGS: [Packed; 2] = [("gz", "gzip", gzip), ("zst", "zstd", zstd)];

#[test]
fn packed_files_are_read_as_plain_ones_and_hashed_as_they_lie_there() {
    let text = header() + &(0..3000).map(|n| up(&format!("s{n}"))).collect::<String>();
    let plain = read(&text);
    for (ending, _, pack) in PACKINGS {
        let bytes = pack(text.as_bytes());
        let packed = try_packed(ending, &bytes).unwrap();
        assert_eq!((&packed.rows, packed.bad.len()), (&plain.rows, 0), "{ending}");
        assert_eq!(packed.summary.bytes, bytes.len() as u64);
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let hash = packed.summary.sha256.unwrap();
        let bytes = (0..hash.len()).step_by(2).map(|at| u8::from_str_radix(&hash[at..at + 2], 16).unwrap());
        assert_eq!(bytes.collect::<Vec<_>>(), digest.as_ref());
    }
}

#[test]
fn packed_parts_that_were_put_together_are_one_file() {
    let parts = [header() + &up("a"), up("b"), up("c")];
    for (ending, _, pack) in PACKINGS {
        let between = if ending == "zst" { skippable() } else { Vec::new() };
        let parts = parts.each_ref().map(|part| [between.clone(), pack(part.as_bytes())].concat());
        let packed = try_packed(ending, &parts.concat()).unwrap();
        assert_eq!(packed.rows, ["2 a up", "3 b up", "4 c up"], "{ending}");
    }
}

#[test]
fn of_packed_data_that_ends_early_what_was_read_counts() {
    let text = header() + &(0..9000).map(|n| row(&[("site", &format!("s{}", n * 7919 % 9000))])).collect::<String>();
    let plain = read(&text);
    for (ending, name, pack) in PACKINGS {
        let bytes = pack(text.as_bytes());
        for cut in [bytes.len() * 3 / 4, bytes.len() - 1] {
            let packed = try_packed(ending, &bytes[..cut]).unwrap();
            let read = packed.rows.len();
            assert!(read > 2000, "{ending}: {read}");
            assert_eq!(packed.rows, plain.rows[..read]);
            assert_eq!(packed.bad.len(), 1);
            let expected = format!("{}: the {name} data can't be unpacked from here on: ", read + 2);
            assert!(packed.bad[0].starts_with(&expected), "{:?}", packed.bad);
            assert_eq!(packed.summary.bytes, cut as u64);
        }
    }
}

#[test]
fn packed_data_that_is_damaged_is_told() {
    let text = header() + &(0..9000).map(|n| row(&[("site", &format!("s{}", n * 7919 % 9000))])).collect::<String>();
    for (ending, name, pack) in PACKINGS {
        let mut bytes = pack(text.as_bytes());
        let whole = bytes.len();
        bytes.extend_from_slice(b"something else");
        let behind = try_packed(ending, &bytes).unwrap();
        assert_eq!((behind.rows.len(), behind.bad.len()), (9000, 1), "{ending}");
        assert_eq!(behind.summary.bytes, bytes.len() as u64);
        bytes.truncate(whole);
        // Of the checksum.
        bytes[whole - if ending == "gz" { 5 } else { 1 }] ^= 1;
        let checksum = try_packed(ending, &bytes).unwrap();
        assert_eq!((checksum.rows.len(), checksum.bad.len()), (9000, 1), "{ending}");
        let other = try_packed(ending, text.as_bytes()).unwrap_err().to_string();
        assert!(other.contains(&format!("the {name} data can't be unpacked from here on: ")), "{other}");
    }
}

#[test]
fn a_packed_file_may_be_empty() {
    for (ending, _, pack) in PACKINGS {
        let packed = try_packed(ending, &pack(b"")).unwrap();
        assert_eq!((packed.rows.len(), packed.notes), (0, vec!["it is empty".to_owned()]), "{ending}");
    }
}
