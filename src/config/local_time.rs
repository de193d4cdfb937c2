//! Dates and times as people write them: `2026-11-22T02:00`, `2026-11-22 02:00:30 +01:00`. Pure; knows no time zone.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};

/// A date and a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Without an offset: by whichever clock.
    Local(NaiveDateTime),
    /// With one.
    Moment(DateTime<Utc>),
}

/// Reads a date and a time of the years 0 to 9999, seconds and offset optional.
pub(super) fn parse_written(text: &str) -> Option<Written> {
    let (date, rest) = text.trim().split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, offset) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
    let local = parse_date(date)?.and_time(parse_time(time.trim_end())?);
    let offset = match offset {
        "" => return Some(Written::Local(local)),
        "Z" | "z" => FixedOffset::east_opt(0)?,
        other => parse_offset(other)?,
    };
    Some(Written::Moment(local.checked_sub_offset(offset)?.and_utc()))
}

/// Reads `2:00`, `02:00` or `02:00:30`.
pub(super) fn parse_time(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 1)?, number(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| number(second, 2))?;
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Reads `2026-11-22`.
pub(super) fn parse_date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Reads `Sun 02:00`.
pub(super) fn parse_weekly(text: &str) -> Option<(Weekday, NaiveTime)> {
    let (day, time) = text.trim().split_once(char::is_whitespace)?;
    Some((day.parse().ok()?, parse_time(time.trim_start())?))
}

/// Reads `1 07:00`: a day of a month and a time.
pub(super) fn parse_monthly(text: &str) -> Option<(u32, NaiveTime)> {
    let (day, time) = text.trim().split_once(char::is_whitespace)?;
    let day = number(day, 1).filter(|day| (1..=31).contains(day))?;
    Some((day, parse_time(time.trim_start())?))
}

/// Reads `+01:00`.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2).filter(|minutes| *minutes < 60)?);
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    FixedOffset::east_opt(if text.starts_with('-') { -seconds } else { seconds })
}

/// A number of so many digits at least, and of two or that many at most.
fn number(digits: &str, least: usize) -> Option<u32> {
    let fits = (least..=least.max(2)).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_and_times_are_read_as_people_write_them() {
        let local = |text: &str| Some(Written::Local(text.parse().unwrap()));
        let moment = |text: &str| Some(Written::Moment(text.parse().unwrap()));
        for (text, expected) in [
            ("2026-11-22T02:00", local("2026-11-22T02:00:00")),
            ("2026-11-22 2:00", local("2026-11-22T02:00:00")),
            (" 2026-11-22t02:00:30 ", local("2026-11-22T02:00:30")),
            ("2026-11-22T02:00Z", moment("2026-11-22T02:00:00Z")),
            ("2026-11-22T02:00+01:00", moment("2026-11-22T01:00:00Z")),
            ("2026-11-22 02:00:30 -05:30", moment("2026-11-22T07:30:30Z")),
        ] {
            assert_eq!(parse_written(text), expected, "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_date_and_time() {
        for text in [
            "",
            "2026-11-22",
            "02:00",
            "2026-11-22T",
            "2026-11-22T24:00",
            "2026-11-22T02:60",
            "2026-02-30T02:00",
            "2026-11-22T02",
            "2026-11-22T02:00:00:00",
            "2026-11-22T02:00+1",
            "2026-11-22T02:00+25:00",
            "2026-11-22T02:00+01:99",
            "2026-11-22T02:00 CET",
            "+2026-1-22T02:00",
            "22.11.2026 02:00",
            "2026-11-2202:00",
            "٢٠٢٦-11T02:00",
        ] {
            assert_eq!(parse_written(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", digits in "[-0-9T:+Z ]{0,30}") {
            let _ = (parse_written(&text), parse_written(&digits), parse_time(&text));
            let _ = (parse_weekly(&text), parse_monthly(&text), parse_monthly(&digits));
        }
    }
}
