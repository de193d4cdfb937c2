//! Rows without files, for tests.

use std::collections::BTreeMap;
use std::convert::Infallible;

use chrono::NaiveDate;

use super::compute::{Read, Source};
use super::row::Row;
use super::unit::Counting;
use super::unit_builder::UnitBuilder;
use crate::record::Verdict;

/// A row that owns nothing.
pub(super) type Given = Row<'static>;

/// A row of site `paris` at a moment, every 600 s.
pub(super) fn row(time: &str, verdict: Verdict) -> Given {
    Row {
        time: at(time),
        site: "paris",
        kind: "ssl-vpn",
        verdict,
        failed_stage: "",
        reason: "",
        fault_domain: "",
        external_rtt_us: None,
        external_loss: None,
        login_us: None,
        internal_rtt_us: None,
        internal_loss: None,
        restarts: None,
        restore_ms: None,
        interval_ms: Some(600_000),
        maintenance: "",
        group: "",
        prober: "edge-1",
        cycle_id: "",
    }
}

pub(super) fn up(time: &str) -> Given {
    row(time, Verdict::Up)
}

pub(super) fn down(time: &str, (stage, reason, fault_domain): (&'static str, &'static str, &'static str)) -> Given {
    Row { failed_stage: stage, reason, fault_domain, ..row(time, Verdict::Down) }
}

pub(super) fn unknown(time: &str) -> Given {
    Row { reason: "client-missing", failed_stage: "login", fault_domain: "own", ..row(time, Verdict::Unknown) }
}

/// `2026-11-20T13:05:00Z` in milliseconds.
pub(super) fn at(time: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time).unwrap().timestamp_millis()
}

/// Rows by the date of their file.
#[derive(Debug, Default)]
pub(super) struct Rows(pub(super) BTreeMap<NaiveDate, Vec<Given>>);

impl Rows {
    /// Each row in the file of its day by UTC.
    pub(super) fn of(rows: &[Given]) -> Self {
        let mut days = BTreeMap::<_, Vec<_>>::new();
        for row in rows {
            let date = chrono::DateTime::from_timestamp_millis(row.time).unwrap().date_naive();
            days.entry(date).or_default().push(*row);
        }
        Self(days)
    }
}

impl Source for Rows {
    type Error = Infallible;

    fn dates(&self) -> Vec<NaiveDate> {
        self.0.keys().copied().collect()
    }

    fn read(&self, dates: &[NaiveDate], counting: Counting<'_>) -> Result<Read, Infallible> {
        let mut unit = UnitBuilder::default();
        for row in dates.iter().filter_map(|date| self.0.get(date)).flatten() {
            unit.add(row);
        }
        Ok(Read { unit: unit.finish(counting, None), ..Read::default() })
    }
}
