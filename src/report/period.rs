//! Which days a report is about.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::agreed::day_bounds;
use crate::zone::Zone;

/// Twenty years: nobody agrees on availability for longer.
const MOST_DAYS: i64 = 7305;

/// Days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

/// Why a period makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The last day lies before the first.
    #[error("the last day, {to}, lies before the first, {from}")]
    Backwards {
        /// First.
        from: NaiveDate,
        /// Last.
        to: NaiveDate,
    },
    /// More days than a report has.
    #[error("{from} to {to} is more than {MOST_DAYS} days")]
    TooLong {
        /// First.
        from: NaiveDate,
        /// Last.
        to: NaiveDate,
    },
    /// Years that no calendar has.
    #[error("the calendar ends before that")]
    OutOfCalendar,
}

impl Period {
    /// From one day to another.
    pub fn days(from: NaiveDate, to: NaiveDate) -> Result<Self, PeriodError> {
        if to < from {
            return Err(PeriodError::Backwards { from, to });
        }
        if (to - from).num_days() >= MOST_DAYS {
            return Err(PeriodError::TooLong { from, to });
        }
        Ok(Self { from, to })
    }

    /// A calendar month.
    pub fn month(first: NaiveDate) -> Result<Self, PeriodError> {
        let from = first.with_day(1).ok_or(PeriodError::OutOfCalendar)?;
        let next = from.checked_add_months(Months::new(1)).ok_or(PeriodError::OutOfCalendar)?;
        Ok(Self { from, to: next.pred_opt().ok_or(PeriodError::OutOfCalendar)? })
    }

    /// So many whole days before `today`.
    pub fn last(days: u64, today: NaiveDate) -> Result<Self, PeriodError> {
        let from = today.checked_sub_days(Days::new(days)).ok_or(PeriodError::OutOfCalendar)?;
        let to = today.pred_opt().ok_or(PeriodError::OutOfCalendar)?;
        Self::days(from, to)
    }

    /// The period before: of a whole calendar month (or several) as many months, else as many days.
    pub fn before(self) -> Option<Self> {
        let to = self.from.pred_opt()?;
        let next = self.to.succ_opt()?;
        let from = if self.from.day() == 1 && next.day() == 1 {
            let months =
                (next.year() - self.from.year()) * 12 + next.month0().cast_signed() - self.from.month0().cast_signed();
            self.from.checked_sub_months(Months::new(u32::try_from(months).ok()?))?
        } else {
            let days = (self.to - self.from).num_days() + 1;
            self.from.checked_sub_days(Days::new(u64::try_from(days).ok()?))?
        };
        Some(Self { from, to })
    }

    /// Its first moment, and the first one after it.
    pub fn bounds(self, zone: &Zone) -> (i64, i64) {
        (day_bounds(zone, self.from).0, day_bounds(zone, self.to).1)
    }

    /// Whether every day of the month lies in it.
    pub fn has_month(self, year: i32, month: u32) -> bool {
        NaiveDate::from_ymd_opt(year, month, 1)
            .and_then(|first| Self::month(first).ok())
            .is_some_and(|month| self.from <= month.from && month.to <= self.to)
    }

    /// Each day.
    pub fn each_day(self) -> impl Iterator<Item = NaiveDate> {
        self.from.iter_days().take_while(move |day| *day <= self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(from: &str, to: &str) -> Period {
        Period::days(day(from), day(to)).unwrap()
    }

    #[test]
    fn a_month_has_its_own_length() {
        assert_eq!(Period::month(day("2024-02-11")), Ok(days("2024-02-01", "2024-02-29")));
        assert_eq!(Period::month(day("2026-12-31")), Ok(days("2026-12-01", "2026-12-31")));
    }

    #[test]
    fn the_last_days_are_whole_days_before_today() {
        assert_eq!(Period::last(30, day("2026-11-20")), Ok(days("2026-10-21", "2026-11-19")));
        assert!(Period::last(0, day("2026-11-20")).is_err());
    }

    #[test]
    fn before_a_month_comes_a_month_and_before_days_as_many() {
        assert_eq!(days("2026-03-01", "2026-03-31").before(), Some(days("2026-02-01", "2026-02-28")));
        assert_eq!(days("2026-01-01", "2026-12-31").before(), Some(days("2025-01-01", "2025-12-31")));
        assert_eq!(days("2026-03-02", "2026-03-08").before(), Some(days("2026-02-23", "2026-03-01")));
    }

    #[test]
    fn days_that_end_before_they_begin_are_refused() {
        let error = Period::days(day("2026-03-02"), day("2026-03-01")).unwrap_err();
        assert_eq!(error.to_string(), "the last day, 2026-03-01, lies before the first, 2026-03-02");
        let error = Period::days(day("0001-01-01"), day("2026-03-01")).unwrap_err();
        assert_eq!(error.to_string(), "0001-01-01 to 2026-03-01 is more than 7305 days");
    }
}
