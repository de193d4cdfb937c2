//! From hours of the week to moments, right on days on which clocks are set.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::{Hours, Intervals};
use crate::zone::{LocalMoment, Zone};

/// Days before the local date of a moment on which hours that hold it may have begun: that of hours over midnight, and the
/// day that a zone may leave out when it changes sides of the date line. Also after it, as a clock may be set back over
/// midnight.
const DAYS_AROUND: u64 = 2;

/// The agreed time from `start` until before `end`: the hours, less those that begin on a holiday, less what is excluded.
///
/// Hours last from the first moment at which the local clock shows their beginning or a later time to the moment from
/// which on it shows nothing before their end. So the clock that is set forward over hours takes them away, and set back
/// it makes them longer.
pub fn agreed(
    zone: &Zone,
    hours: &Hours,
    holidays: &BTreeSet<NaiveDate>,
    excluded: &Intervals,
    start: i64,
    end: i64,
) -> Intervals {
    if start >= end {
        return Intervals::none();
    }
    let whole = if hours.is_always() && holidays.is_empty() {
        Intervals::single(start, end)
    } else {
        let days = days(zone, start, end).filter(|date| !holidays.contains(date));
        days.flat_map(|date| hours.of(date, date.weekday()))
            .filter_map(|(from, to)| Some((millis(zone.moment(from)?.first()), millis(over(zone, to)?))))
            .collect::<Intervals>()
            .clipped(start, end)
    };
    whole.subtract(excluded)
}

/// The moment from which on the local clock shows nothing before this time.
fn over(zone: &Zone, local: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.moment(local)? {
        LocalMoment::Once(at) | LocalMoment::Skipped(at) => Some(at),
        LocalMoment::Twice(first, second) => {
            // Set back to exactly this time, the clock has shown nothing before it since the first.
            let set_back_to_it = zone.local(second.checked_sub_signed(TimeDelta::milliseconds(1))?)? > local;
            Some(if set_back_to_it { first } else { second })
        }
    }
}

/// The first moment of a local day, and that of the next. A midnight that the clock skips is the moment of that; one that
/// it shows twice is the first. A day that the zone leaves out is empty.
pub fn day_bounds(zone: &Zone, date: NaiveDate) -> (i64, i64) {
    let next = date.succ_opt().unwrap_or(date);
    (midnight(zone, date), midnight(zone, next))
}

fn midnight(zone: &Zone, date: NaiveDate) -> i64 {
    let local = date.and_time(NaiveTime::MIN);
    // Beyond the years that a zone's rules reach, no prober has been.
    millis(zone.moment(local).map_or_else(|| local.and_utc(), LocalMoment::first))
}

/// The local dates on which hours that hold one of these moments may begin.
fn days(zone: &Zone, start: i64, end: i64) -> impl Iterator<Item = NaiveDate> {
    let first = local_date(zone, start).checked_sub_days(Days::new(DAYS_AROUND)).unwrap_or(NaiveDate::MIN);
    let last = local_date(zone, end).checked_add_days(Days::new(DAYS_AROUND)).unwrap_or(NaiveDate::MAX);
    first.iter_days().take_while(move |date| *date <= last)
}

fn local_date(zone: &Zone, moment: i64) -> NaiveDate {
    let end_of_time = if moment < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    let moment = DateTime::from_timestamp_millis(moment).unwrap_or(end_of_time);
    zone.local(moment).map_or_else(|| moment.date_naive(), |local| local.date())
}

const fn millis(moment: DateTime<Utc>) -> i64 {
    moment.timestamp_millis()
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
