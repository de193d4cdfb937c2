//! `--verify`: the request that a report answers, and what differs between two of them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};
use serde_json::Value;

use super::build::Request;
use super::model::{Excluded, Report, VERSION};
use super::period::{Period, PeriodError};
use super::policy::{Policy, Window};
use super::site::Detail;
use crate::agreed::HoursError;
use crate::zone::UnknownZone;

/// Why a report can't be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It is not a report.
    #[error("it is not a report of `--format json`")]
    NotAReport(#[source] serde_json::Error),
    /// Of a later program.
    #[error("it is of version {0} of the format, this program knows version {VERSION}")]
    OtherVersion(u64),
    /// A field that can't be right.
    #[error("`{field}`: `{value}` is not {wanted}")]
    Field {
        /// Its path.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        wanted: &'static str,
    },
    /// Its days.
    #[error("`period`")]
    Period(#[from] PeriodError),
}

/// Reads a report, as it stands and as what it means.
pub(super) fn parse(text: &str) -> Result<(Value, Report), VerifyError> {
    let value: Value = serde_json::from_str(text).map_err(VerifyError::NotAReport)?;
    if let Some(version) = value.get("report_version").and_then(Value::as_u64)
        && version > u64::from(VERSION)
    {
        return Err(VerifyError::OtherVersion(version));
    }
    let report = Report::deserialize_from(&value)?;
    Ok((value, report))
}

impl Report {
    fn deserialize_from(value: &Value) -> Result<Self, VerifyError> {
        serde_json::from_value(value.clone()).map_err(VerifyError::NotAReport)
    }
}

/// What was asked for when it was made.
pub(super) fn request_of(report: &Report) -> Result<Request, VerifyError> {
    let period = Period::days(day("period.from", &report.period.from)?, day("period.to", &report.period.to)?)?;
    let policy = &report.policy;
    let zone = report.period.zone.parse().map_err(|UnknownZone| VerifyError::Field {
        field: "period.zone",
        value: report.period.zone.clone(),
        wanted: "an IANA time zone",
    })?;
    let hours = policy.hours.as_deref().unwrap_or("always");
    let hours = hours.parse().map_err(|_: HoursError| VerifyError::Field {
        field: "policy.hours",
        value: hours.to_owned(),
        wanted: "hours such as `Mon-Fri 07:00-19:00`",
    })?;
    let holidays: Result<BTreeSet<_>, _> = policy.holidays.iter().map(|date| day("policy.holidays", date)).collect();
    let excluded = report.excluded.iter().chain(&policy.excluded_before);
    let windows: Result<Vec<_>, _> = excluded.map(window).collect();
    let leaves_out_identity = match policy.credentials.as_str() {
        "down" => false,
        "excluded" => true,
        other => {
            return Err(VerifyError::Field {
                field: "policy.credentials",
                value: other.to_owned(),
                wanted: "`down` or `excluded`",
            });
        }
    };
    Ok(Request {
        period,
        policy: Policy {
            zone,
            target: policy.target.map(target).transpose()?,
            hours,
            holidays: holidays?,
            leaves_out_identity,
            windows: windows?,
        },
        sites: report.selection.sites.iter().cloned().collect(),
        groups: report.selection.groups.iter().cloned().collect(),
        now: moment("generated", &report.generated)?,
        compare: report.period.compared,
        detail: Detail::Everything,
    })
}

fn window(excluded: &Excluded) -> Result<Window, VerifyError> {
    Ok(Window {
        name: excluded.name.clone(),
        sites: excluded.sites.iter().cloned().collect(),
        start: moment("excluded.start", &excluded.start)?,
        end: moment("excluded.end", &excluded.end)?,
    })
}

fn day(field: &'static str, text: &str) -> Result<NaiveDate, VerifyError> {
    text.parse().map_err(|_| VerifyError::Field { field, value: text.to_owned(), wanted: "a date such as 2026-11-20" })
}

fn moment(field: &'static str, text: &str) -> Result<i64, VerifyError> {
    let parsed = DateTime::parse_from_rfc3339(text);
    let wanted = "a moment such as 2026-11-20T13:05:00.000+01:00";
    parsed.map(|moment| moment.timestamp_millis()).map_err(|_| VerifyError::Field {
        field,
        value: text.to_owned(),
        wanted,
    })
}

/// A percentage with four decimals, as ten thousandths.
fn target(percent: f64) -> Result<u32, VerifyError> {
    let parts = (percent * 10_000.0).round();
    if !(1.0..=1_000_000.0).contains(&parts) {
        let wanted = "more than 0 and at most 100";
        return Err(VerifyError::Field { field: "policy.target", value: percent.to_string(), wanted });
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a million, and whole")]
    Ok(parts as u32)
}

/// One place at which two reports say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `sites.paris.downtime_s`.
    pub path: String,
    /// What the report says; `None`: nothing.
    pub said: Option<String>,
    /// What the files say; `None`: nothing.
    pub found: Option<String>,
}

/// Fields that may differ: who made it, and when.
const FREE: &[&str] = &["generated", "program"];

/// All differences, in the order of the report.
pub(super) fn differences(said: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    compare("", Some(said), Some(found), &mut all);
    all
}

fn compare(path: &str, said: Option<&Value>, found: Option<&Value>, all: &mut Vec<Difference>) {
    match (said, found) {
        (Some(Value::Object(said)), Some(Value::Object(found))) => {
            let keys = said.keys().chain(found.keys().filter(|key| !said.contains_key(*key)));
            for key in keys.filter(|key| !(path.is_empty() && FREE.contains(&key.as_str()))) {
                compare(&join(path, key), said.get(key), found.get(key), all);
            }
        }
        (Some(Value::Array(said)), Some(Value::Array(found))) => {
            for (name, said, found) in pairs(said, found) {
                compare(&join(path, &name), said, found, all);
            }
        }
        (said, found) if said == found => {}
        (said, found) => {
            all.push(Difference { path: path.to_owned(), said: said.map(short), found: found.map(short) });
        }
    }
}

/// Elements with a name belong together by it, others by their place.
fn pairs<'a>(said: &'a [Value], found: &'a [Value]) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let name = |value: &Value| {
        ["site", "group", "file", "fault_domain", "date"]
            .iter()
            .find_map(|key| value.get(key).and_then(Value::as_str))
            .map(str::to_owned)
    };
    let names = |values: &[Value]| values.iter().filter_map(name).collect::<BTreeSet<_>>();
    let (said_names, found_names) = (names(said), names(found));
    if said_names.len() == said.len() && found_names.len() == found.len() {
        let find =
            |values: &'a [Value], wanted: &str| values.iter().find(|value| name(value).as_deref() == Some(wanted));
        let all = said_names.union(&found_names);
        return all.map(|name| (name.clone(), find(said, name), find(found, name))).collect();
    }
    (0..said.len().max(found.len())).map(|at| (at.to_string(), said.get(at), found.get(at))).collect()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value in a line.
fn short(value: &Value) -> String {
    const MOST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
