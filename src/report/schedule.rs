//! When a report by mail is due, and of which period: pure. Knows neither files nor mail.
//!
//! A report is told apart by its period, not by the moment at which it was due. So a clock that is set back, a change of
//! the day on which it is sent, and a restart make none twice.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};

use super::period::Period;
use crate::config::Rhythm;
use crate::zone::Zone;

/// Days around a local date among which the weekly one before it and the one after it lie: a week, the day that a zone may
/// leave out when it changes sides of the date line, and one for the time of day.
const DAYS_AROUND: u64 = 9;
/// The same in months.
const MONTHS_AROUND: u32 = 2;
/// Periods of one rhythm that are remembered as settled: more than any clock is set back by.
const REMEMBERED: usize = 16;

/// A report that is due once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Why.
    pub rhythm: Rhythm,
    /// The first moment at which the local clock shows the configured time of that day or a later one.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub period: Period,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Nothing,
    /// This is the first start: what was due before is settled without being sent.
    Settle(Due),
    /// It is sent, and settled.
    Send(Due),
}

/// What is to be done at `now`, where the periods that begin on the days of `settled` need no report any more.
///
/// Of several that were due meanwhile only the last is sent. Days of `settled` that lie behind `now` come from a clock that
/// was wrong: they are sent no second time, and keep nothing else from being sent.
pub fn decide(rhythm: Rhythm, settled: &BTreeSet<NaiveDate>, now: DateTime<Utc>, zone: &Zone) -> Decision {
    let Some(due) = latest(rhythm, now, zone) else { return Decision::Nothing };
    let period = due.period.from;
    match settled.range(..=local_date(now, zone)).next_back() {
        _ if settled.contains(&period) => Decision::Nothing,
        None => Decision::Settle(due),
        Some(last) if period > *last => Decision::Send(due),
        Some(_) => Decision::Nothing,
    }
}

/// Notes that a period needs no report any more. Of too many, those furthest from it are forgotten.
pub fn settle(settled: &mut BTreeSet<NaiveDate>, period: NaiveDate) {
    settled.insert(period);
    while settled.len() > REMEMBERED {
        let furthest = settled.iter().copied().max_by_key(|day| (*day - period).num_days().abs());
        settled.remove(&furthest.unwrap_or(period));
    }
}

/// The last one that was due at `now` or before.
pub fn latest(rhythm: Rhythm, now: DateTime<Utc>, zone: &Zone) -> Option<Due> {
    around(rhythm, now, zone).filter(|due| due.at <= now).max_by_key(|due| (due.at, due.period.from))
}

/// The first one that is due after `now`.
pub fn next(rhythm: Rhythm, now: DateTime<Utc>, zone: &Zone) -> Option<Due> {
    around(rhythm, now, zone).filter(|due| now < due.at).min_by_key(|due| (due.at, due.period.from))
}

/// Its name in a subject line and in the name of a file: `2026-10`, `2026-W44` (ISO 8601).
pub fn label(rhythm: Rhythm, period: Period) -> String {
    match rhythm {
        Rhythm::Weekly { .. } => {
            let week = period.from.iso_week();
            format!("{}-W{:02}", week.year(), week.week())
        }
        Rhythm::Monthly { .. } => period.from.format("%Y-%m").to_string(),
    }
}

/// Some before `now` and some after it.
fn around(rhythm: Rhythm, now: DateTime<Utc>, zone: &Zone) -> impl Iterator<Item = Due> {
    let today = local_date(now, zone);
    dates(rhythm, today).into_iter().filter_map(move |date| {
        let (time, period) = match rhythm {
            Rhythm::Weekly { time, .. } => (time, week_before(date)?),
            Rhythm::Monthly { time, .. } => {
                (time, Period::month(date.with_day(1)?.checked_sub_months(Months::new(1))?).ok()?)
            }
        };
        Some(Due { rhythm, at: zone.moment(date.and_time(time))?.first(), period })
    })
}

fn dates(rhythm: Rhythm, today: NaiveDate) -> Vec<NaiveDate> {
    match rhythm {
        Rhythm::Weekly { day, .. } => {
            let first = today.checked_sub_days(Days::new(DAYS_AROUND)).unwrap_or(NaiveDate::MIN);
            let last = today.checked_add_days(Days::new(DAYS_AROUND)).unwrap_or(NaiveDate::MAX);
            let days = first.iter_days().take_while(|date| *date <= last);
            days.filter(|date| date.weekday() == day).collect()
        }
        Rhythm::Monthly { day, .. } => {
            let first = today.with_day(1).and_then(|first| first.checked_sub_months(Months::new(MONTHS_AROUND)));
            let months = (0..=2 * MONTHS_AROUND).filter_map(|n| first?.checked_add_months(Months::new(n)));
            months
                .filter_map(|first| {
                    let last = Period::month(first).ok()?.to;
                    Some(first.with_day(day).unwrap_or(last))
                })
                .collect()
        }
    }
}

/// Monday to Sunday of the week before that of `date`.
fn week_before(date: NaiveDate) -> Option<Period> {
    let monday = date.checked_sub_days(Days::new(u64::from(date.weekday().num_days_from_monday())))?;
    Period::days(monday.checked_sub_days(Days::new(7))?, monday.pred_opt()?).ok()
}

fn local_date(moment: DateTime<Utc>, zone: &Zone) -> NaiveDate {
    zone.local(moment).map_or_else(|| moment.date_naive(), |local| local.date())
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
