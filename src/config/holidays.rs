//! The file of holidays: one date a line, comments behind `#`.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::NaiveDate;

use super::fault::shown;
use super::load::read;
use super::local_time::parse_date;
use super::value::Value;

/// So many wrong lines are told; more are only counted: it is another file then.
const TOLD: usize = 5;

/// Reads the dates of the file that the value names; `today` tells whether all of them are over.
pub(super) fn read_holidays(value: &Value<'_>, base: &Path, today: Option<NaiveDate>) -> BTreeSet<NaiveDate> {
    let Some(path) = value.path(base) else { return BTreeSet::new() };
    let file = shown_path(&path);
    let text = match read(&path) {
        Ok((bytes, _)) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(message) => {
            value.fault(format!("{file}: {message}"));
            return BTreeSet::new();
        }
    };
    let (dates, wrong) = parse(&text);
    for (line, text) in wrong.iter().take(TOLD) {
        let hint = "one date a line: `2026-12-25`; a name goes behind `#`".to_owned();
        value.fault_with(format!("{file}:{line}: `{}` is not a date", shown(text)), hint);
    }
    if wrong.len() > TOLD {
        value.fault(format!("{file}: {} more lines are not dates", wrong.len() - TOLD));
    }
    if wrong.is_empty() {
        warn(value, &file, &dates, today);
    }
    dates
}

fn warn(value: &Value<'_>, file: &str, dates: &BTreeSet<NaiveDate>, today: Option<NaiveDate>) {
    let message = match (dates.last(), today) {
        (None, _) => format!("{file} holds no date, so no day is a holiday"),
        (Some(last), Some(today)) if *last < today => {
            format!("the last date in {file} is {last}: days after it are agreed time, holidays or not")
        }
        (Some(_), _) => return,
    };
    value.sink.warning(&value.path, value.node.at, message, None);
}

/// The dates, and each line that is none with its number from 1.
fn parse(text: &str) -> (BTreeSet<NaiveDate>, Vec<(usize, &str)>) {
    let (mut dates, mut wrong) = (BTreeSet::new(), Vec::new());
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        match parse_date(line) {
            Some(date) => drop(dates.insert(date)),
            None if line.is_empty() => {}
            None => wrong.push((index + 1, line)),
        }
    }
    (dates, wrong)
}

/// A path holds whatever its file system takes.
fn shown_path(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '�' } else { c }).collect()
}
