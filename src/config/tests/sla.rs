//! The block `sla` and the file of holidays.

use std::fs;
use std::path::Path;

use super::support::{environment, from_text};
use crate::config::{Credentials, Fault, LoadError, Loaded, Sla, load_str};

const HOLIDAYS: &str = "sla: { holidays_file: h.txt }";

/// A configuration in a directory with this file of holidays, on 2026-11-20 at noon, UTC.
fn with_holidays(config: &str, holidays: &[u8]) -> (String, Result<Loaded, LoadError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.txt");
    fs::write(&path, holidays).unwrap();
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    (path.display().to_string(), load_str(config, dir.path(), "c.yml", &environment().at(now)))
}

fn days(loaded: &Loaded) -> Vec<String> {
    loaded.config.sla.holidays.iter().map(ToString::to_string).collect()
}

fn told(list: &[Fault]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_promised_where_nothing_is_said() {
    assert_eq!(from_text("frequency: 60").unwrap().config.sla, Sla::default());
    assert_eq!(from_text("sla:").unwrap().config.sla, Sla::default());
}

#[test]
fn what_is_promised_is_kept_as_it_was_written() {
    let text = "sla: { target: 99.95, hours: \"Mon-Fri 07:00-19:00, Sat 8:00-12:00\", credentials: excluded }";
    let sla = from_text(text).unwrap().config.sla;
    assert_eq!(sla.target.unwrap().to_string(), "99.95");
    assert_eq!(sla.hours.to_string(), "Mon-Fri 07:00-19:00, Sat 8:00-12:00");
    assert_eq!(sla.credentials, Credentials::Excluded);
}

#[test]
fn holidays_are_dates_with_comments_and_empty_lines() {
    let file = "\u{feff}# our contract, annex 2\r\n2026-12-25\r\n\r\n  2026-12-26 # second day\n#2026-12-31\n2026-12-25\n\t\n2027-01-01";
    let loaded = with_holidays(HOLIDAYS, file.as_bytes()).1.unwrap();
    assert_eq!(days(&loaded), ["2026-12-25", "2026-12-26", "2027-01-01"]);
    assert_eq!(told(&loaded.warnings), [""; 0]);
}

#[test]
fn each_line_that_is_no_date_is_told_with_its_place() {
    let (path, loaded) = with_holidays(HOLIDAYS, b"2020-12-25\n25.12.2026\n2026-02-30\n2026-12-24 Eve\n\x1b[2J\xff\n");
    let hint = "hint: one date a line: `2026-12-25`; a name goes behind `#`";
    let line = |number: u32, text: &str| {
        format!("c.yml:1:23: sla.holidays_file: {path}:{number}: `{text}` is not a date\n  {hint}")
    };
    let expected =
        [line(2, "25.12.2026"), line(3, "2026-02-30"), line(4, "2026-12-24 Eve"), line(5, "\\u{1b}[2J\u{fffd}")];
    let error = loaded.unwrap_err();
    assert_eq!(told(&error.faults), expected);
    // Which date is the last one, nobody knows yet.
    assert_eq!(error.warnings, []);
}

#[test]
fn of_another_kind_of_file_not_every_line_is_told() {
    let (path, loaded) = with_holidays(HOLIDAYS, &b"BEGIN:VEVENT\n".repeat(1000));
    let faults = told(&loaded.unwrap_err().faults);
    assert_eq!(faults.len(), 6);
    assert_eq!(faults[5], format!("c.yml:1:23: sla.holidays_file: {path}: 995 more lines are not dates"));
}

#[test]
fn holidays_that_are_over_are_warned_about_by_the_local_date() {
    let over = |path: &str, last: &str| {
        format!(
            "c.yml:1:23: sla.holidays_file: the last date in {path} is {last}: days after it are agreed time, holidays or not"
        )
    };
    for (zone, file, last) in [
        ("UTC", "2025-12-25\n2025-12-26\n", Some("2025-12-26")),
        ("UTC", "2026-11-19\n", Some("2026-11-19")),
        ("UTC", "2026-11-20\n", None),
        // There it is tomorrow already.
        ("Pacific/Kiritimati", "2026-11-20\n", Some("2026-11-20")),
    ] {
        let (path, loaded) = with_holidays(&format!("{HOLIDAYS}\ntimezone: {zone}"), file.as_bytes());
        let expected: Vec<_> = last.map(|last| over(&path, last)).into_iter().collect();
        assert_eq!(told(&loaded.unwrap().warnings), expected, "{file} in {zone}");
    }
    let (path, loaded) = with_holidays(HOLIDAYS, b"# none yet\n");
    let expected = format!("c.yml:1:23: sla.holidays_file: {path} holds no date, so no day is a holiday");
    assert_eq!(told(&loaded.unwrap().warnings), [expected]);
}

#[test]
fn without_a_clock_no_holiday_is_over() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("h.txt"), "2001-01-01").unwrap();
    assert_eq!(load_str(HOLIDAYS, dir.path(), "c.yml", &environment()).unwrap().warnings, []);
}

#[test]
fn a_file_that_is_none_is_told_with_its_path() {
    let missing = from_text("sla: { holidays_file: none.txt }").unwrap_err().to_string();
    let expected = "config.yml:1:23: sla.holidays_file: /etc/vpnprobe/none.txt: cannot be opened: No such file or directory (os error 2)";
    assert_eq!(missing, expected);
    let directory = load_str("sla: { holidays_file: / }", Path::new("/"), "c.yml", &environment()).unwrap_err();
    assert_eq!(directory.to_string(), "c.yml:1:23: sla.holidays_file: /: is a directory");
}

#[test]
fn each_fault_of_the_hours_names_its_part_and_what_is_expected() {
    for (hours, expected) in [
        (
            "07:00-19:00",
            "`07:00-19:00` names no day\n  hint: each part names its days: write `Mon-Fri 07:00-12:00, Mon-Fri 13:00-17:00`",
        ),
        (
            "Mon, Wed 07:00-19:00",
            "`Mon` names no time\n  hint: each part names its times: write `Mon 07:00-19:00, Wed 07:00-19:00`",
        ),
        (
            "Mon 07:00-19:00,",
            "has a part without hours\n  hint: write `always`, or `Mon-Fri 07:00-19:00, Sat 08:00-12:00`",
        ),
        (
            "Mon-Fr 07:00-19:00",
            "`Fr` is not a day of the week\n  hint: days are `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, or a range `Mon-Fri`",
        ),
        ("Mon 07:00", "`07:00` is not a range of times\n  hint: write `07:00-19:00`, one range for each part"),
        (
            "Mon 07:00-24:30",
            "`24:30` is not a time of day\n  hint: times are `00:00` to `23:59`, and `24:00` as an end",
        ),
        ("Mon 07:00-7:00", "`07:00-7:00` ends when it begins\n  hint: the whole day is `00:00-24:00`"),
    ] {
        let error = from_text(&format!("sla: {{ hours: \"{hours}\" }}")).unwrap_err().to_string();
        assert_eq!(error, format!("config.yml:1:15: sla.hours: {expected}"), "{hours}");
    }
}
