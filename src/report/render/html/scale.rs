//! Where a moment or a day lies in the period, from 0 (its first moment) to 1.

use chrono::{DateTime, NaiveDate, Utc};

use super::label;
use crate::report::model::Period;
use crate::zone::Zone;

/// Days that are gone through at most: a century.
const DAYS: usize = 36_525;

/// The period as an axis.
#[derive(Debug)]
pub(super) struct Scale {
    start: i64,
    end: i64,
    zone: Zone,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Scale {
    /// Of this period; a moment that can't be read makes it empty, a zone that is not known is UTC.
    pub(super) fn new(period: &Period) -> Self {
        Self {
            start: label::instant(&period.start).unwrap_or(0),
            end: label::instant(&period.end).unwrap_or(0),
            zone: period.zone.parse().unwrap_or_else(|_| Zone::utc()),
            from: label::day(&period.from),
            to: label::day(&period.to),
        }
    }

    /// Whether there is no time in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Where a moment (milliseconds since 1970) is, not beyond the ends.
    pub(super) fn at(&self, moment: i64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        float(moment.clamp(self.start, self.end).saturating_sub(self.start))
            / float(self.end.saturating_sub(self.start))
    }

    /// The days of the period.
    pub(super) fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let to = self.to;
        let from = self.from.into_iter().flat_map(|day| day.iter_days());
        from.take_while(move |day| to.is_some_and(|to| *day <= to)).take(DAYS)
    }

    /// The moment at which this day's clock shows an hour; `None` outside the period.
    pub(super) fn hour(&self, day: NaiveDate, hour: u32) -> Option<f64> {
        let local = day.and_hms_opt(hour, 0, 0)?;
        let moment = self.zone.moment(local)?.first().timestamp_millis();
        (self.start..self.end).contains(&moment).then(|| self.at(moment))
    }

    /// The middle of a day, as far as it lies in the period.
    pub(super) fn middle(&self, day: NaiveDate) -> Option<f64> {
        let midnight =
            |day: NaiveDate| -> Option<DateTime<Utc>> { Some(self.zone.moment(day.and_hms_opt(0, 0, 0)?)?.first()) };
        let (begin, end) = (midnight(day)?.timestamp_millis(), midnight(day.succ_opt()?)?.timestamp_millis());
        (begin < self.end && end > self.start).then(|| f64::midpoint(self.at(begin), self.at(end)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a place in a drawing")]
const fn float(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(from: &str, to: &str, start: &str, end: &str) -> Scale {
        let [from, to, start, end, zone] = [from, to, start, end, "Europe/Paris"].map(str::to_owned);
        Scale::new(&Period { from, to, start, end, zone, compared: false })
    }

    #[test]
    fn a_day_with_twenty_five_hours_is_wider() {
        let days = scale("2026-10-24", "2026-10-25", "2026-10-24T00:00:00.000+02:00", "2026-10-26T00:00:00.000+01:00");
        assert_eq!(days.days().count(), 2);
        let sunday = days.hour("2026-10-25".parse().unwrap(), 0).unwrap();
        assert!((sunday - 24.0 / 49.0).abs() < 1e-9, "{sunday}");
        let noon = days.hour("2026-10-25".parse().unwrap(), 12).unwrap();
        assert!((noon - 37.0 / 49.0).abs() < 1e-9, "{noon}");
        let middle = days.middle("2026-10-25".parse().unwrap()).unwrap();
        assert!((middle - 36.5 / 49.0).abs() < 1e-9, "{middle}");
    }

    #[test]
    fn what_lies_outside_or_can_not_be_read_is_nowhere() {
        let day = scale("2026-11-20", "2026-11-20", "2026-11-20T00:00:00.000+01:00", "2026-11-20T12:00:00.000+01:00");
        assert_eq!(day.hour("2026-11-20".parse().unwrap(), 18), None);
        assert_eq!(day.middle("2026-11-19".parse().unwrap()), None);
        assert!(day.at(i64::MIN) <= 0.0 && day.at(i64::MAX) >= 1.0);
        let broken = scale("x", "2026-11-20", "y", "z");
        assert!(broken.is_empty() && broken.at(7) <= 0.0 && broken.days().next().is_none());
    }
}
