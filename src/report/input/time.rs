//! Times of rows as milliseconds since 1970 UTC: RFC 3339, and those of C's `asctime`. Pure.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};

use crate::zone::{LocalMoment, Zone};

/// Reads the times of one file. The rows of a file have the same few dates and offsets, so these are read once.
#[derive(Debug)]
pub(super) struct Times {
    /// `2026-11-20T` and `+01:00` of the last time.
    date: [u8; 11],
    offset: [u8; 6],
    /// The moment of that date's midnight with that offset.
    midnight: i64,
    /// That date, in days since 1970.
    day: i64,
}

impl Times {
    pub(super) const fn new() -> Self {
        Self { date: [0; 11], offset: [0; 6], midnight: 0, day: 0 }
    }

    /// The moment; `None`: it is no RFC 3339 time.
    pub(super) fn read(&mut self, cell: &str) -> Option<i64> {
        let Some((date, clock, offset)) = parts(cell.as_bytes()) else { return self.read_any(cell) };
        let Some(ms) = clock_ms(clock) else { return self.read_any(cell) };
        if word(*date) == word(self.date) && *offset == self.offset {
            return Some(self.midnight + ms);
        }
        let time = self.read_any(cell)?;
        self.date = *date;
        self.offset = *offset;
        self.midnight = time - ms;
        Some(time)
    }

    /// The day of the time read last, as its own clock showed it, in days since 1970.
    pub(super) const fn day(&self) -> i64 {
        self.day
    }

    fn read_any(&mut self, cell: &str) -> Option<i64> {
        let time = DateTime::parse_from_rfc3339(cell).ok()?;
        self.day = days_of(time.date_naive());
        // What was kept is of another day.
        self.date = [0; 11];
        Some(time.timestamp_millis())
    }
}

/// Date, clock and offset of the form that this program writes, by their lengths.
fn parts(cell: &[u8]) -> Option<(&[u8; 11], &[u8; 12], &[u8; 6])> {
    let (date, rest) = cell.split_first_chunk()?;
    let (clock, offset) = rest.split_first_chunk()?;
    Some((date, clock, offset.as_array()?))
}

/// The date as one number: compared without a call, unlike bytes.
fn word(date: [u8; 11]) -> u128 {
    let mut padded = [0; 16];
    padded[..11].copy_from_slice(&date);
    u128::from_le_bytes(padded)
}

/// Days since 1970-01-01.
pub(super) fn days_of(date: NaiveDate) -> i64 {
    i64::from(date.num_days_from_ce()) - 719_163
}

/// `07:15:30.123` in milliseconds; `None`: another form, or a leap second.
fn clock_ms(clock: &[u8; 12]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3] = *clock else { return None };
    let mut all_digits = true;
    let mut digit = |byte: u8| {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit <= 9;
        i64::from(digit)
    };
    let hour = digit(h1) * 10 + digit(h2);
    let minute = digit(m1) * 10 + digit(m2);
    let second = digit(s1) * 10 + digit(s2);
    let fraction = digit(f1) * 100 + digit(f2) * 10 + digit(f3);
    (all_digits && hour < 24 && minute < 60 && second < 60)
        .then_some(((hour * 60 + minute) * 60 + second) * 1000 + fraction)
}

/// Reads the times of a file whose clock has no zone (`Wed Nov 14 00:03:40 2018`).
#[derive(Debug)]
pub(super) struct LocalTimes {
    zone: Zone,
    last: i64,
    day: i64,
}

impl LocalTimes {
    pub(super) const fn new(zone: Zone) -> Self {
        Self { zone, last: i64::MIN, day: 0 }
    }

    /// The moment. Of the hour that the clock shows twice in autumn, the first moment that is not before the row above.
    ///
    /// `None`: another form, or a time that this zone's clock never shows.
    pub(super) fn read(&mut self, cell: &str) -> Option<i64> {
        let local = NaiveDateTime::parse_from_str(cell.trim(), "%a %b %e %H:%M:%S %Y").ok()?;
        let time = match self.zone.moment(local)? {
            LocalMoment::Once(at) => at.timestamp_millis(),
            LocalMoment::Twice(first, second) if first.timestamp_millis() < self.last => second.timestamp_millis(),
            LocalMoment::Twice(first, _) => first.timestamp_millis(),
            LocalMoment::Skipped(_) => return None,
        };
        self.last = time;
        self.day = days_of(local.date());
        Some(time)
    }

    /// The day of the time read last, as its own clock showed it, in days since 1970.
    pub(super) const fn day(&self) -> i64 {
        self.day
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_to_the_millisecond_and_with_their_offset() {
        let mut times = Times::new();
        for cell in [
            "2026-11-20T07:15:30.123+01:00",
            "2026-11-20T07:15:30.124+01:00",
            "2026-11-20T07:15:30.124+02:00",
            "2026-11-21T00:00:00.000+01:00",
            "2026-11-20T23:59:59.999-11:30",
            "2026-11-20T07:15:30Z",
            "2026-11-20T07:15:30.5z",
            "2026-11-20T07:15:30.123999999Z",
            "2016-12-31T23:59:60.500+00:00",
            "2016-12-31T23:59:59.500+00:00",
            "0001-01-01T00:00:00.000+00:00",
            "9999-12-31T23:59:59.999+00:00",
        ] {
            let expected = DateTime::parse_from_rfc3339(cell).unwrap();
            assert_eq!(times.read(cell), Some(expected.timestamp_millis()), "{cell}");
            assert_eq!(times.day(), days_of(expected.date_naive()), "{cell}");
        }
        assert_eq!(times.read("1970-01-01T00:00:00.001+00:00"), Some(1));
        assert_eq!(times.day(), 0);
    }

    #[test]
    fn absurd_times_are_none() {
        let mut times = Times::new();
        for cell in [
            "",
            "time",
            "2026-11-20",
            "2026-02-30T07:15:30.123+01:00",
            "2026-13-01T07:15:30.123+01:00",
            "2026-11-20T24:00:00.000+01:00",
            "2026-11-20T07:60:00.000+01:00",
            "2026-11-20T07:15:30.123",
            "2026-11-20T07:15:30.123+25:00",
            "2026-11-20T07:15:30.123+01:60",
            "2026-11-20T07:15:3x.123+01:00",
            "2026-11-20T07:15:30.123+01:00x",
            "1e999",
            "20261120T071530.123Z",
            "-2026-11-20T07:15:30.123+01:00",
        ] {
            assert_eq!(times.read(cell), None, "{cell}");
        }
    }

    #[test]
    fn a_time_after_one_that_is_none_is_read_as_before() {
        let mut times = Times::new();
        let good = "2026-11-20T07:15:30.123+01:00";
        let expected = times.read(good);
        assert_eq!(times.read("2026-02-30T07:15:30.123+01:00"), None);
        assert_eq!(times.read("2026-11-21T07:15:30Z").map(|_| times.day()), Some(times.day()));
        assert_eq!(times.read(good), expected);
        assert_eq!(times.day(), days_of("2026-11-20".parse().unwrap()));
    }

    #[test]
    fn a_time_without_a_zone_is_that_of_the_configured_one() {
        let mut times = LocalTimes::new("Europe/Berlin".parse().unwrap());
        assert_eq!(times.read("Wed Nov 14 00:03:40 2018"), Some(1_542_150_220_000));
        assert_eq!(times.read("Sun Nov  4 00:03:40 2018"), Some(1_541_286_220_000));
        for cell in ["Thu Nov 14 00:03:40 2018", "2018-11-14T00:03:40Z", "", "Sun Mar 25 02:30:00 2018"] {
            assert_eq!(times.read(cell), None, "{cell}");
        }
    }

    #[test]
    fn the_hour_that_comes_twice_in_autumn_goes_on_where_the_rows_above_are() {
        let mut times = LocalTimes::new("Europe/Berlin".parse().unwrap());
        let read = ["02:10:00", "02:50:00", "02:00:00", "02:40:00", "03:10:00"]
            .map(|clock| times.read(&format!("Sun Oct 28 {clock} 2018")).unwrap());
        assert_eq!(read.map(|time| (time - read[0]) / 60_000), [0, 40, 50, 90, 120]);
    }

    proptest! {
        #[test]
        fn every_time_is_what_chrono_says(
            cells in prop::collection::vec(("2026-11-[0-3][0-9]", "[0-2][0-9]:[0-6][0-9]:[0-6][0-9]", "(\\.[0-9]{1,9})?",
                "Z|[+-]0[0-9]:[0-9]0"), 1..20)
        ) {
            let mut times = Times::new();
            for (date, clock, fraction, offset) in cells {
                let cell = format!("{date}T{clock}{fraction}{offset}");
                let expected = DateTime::parse_from_rfc3339(&cell).ok();
                prop_assert_eq!(times.read(&cell), expected.map(|t| t.timestamp_millis()), "{}", cell);
                if let Some(expected) = expected {
                    prop_assert_eq!(times.day(), days_of(expected.date_naive()), "{}", cell);
                }
            }
        }
    }
}
