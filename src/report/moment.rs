//! Moments as texts: RFC 3339 with milliseconds.
//!
//! A report over a year has a hundred thousand of them.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, SecondsFormat, Timelike, Utc};

use crate::zone::Zone;

/// The moment, milliseconds since 1970, as the zone's clock shows it: `2026-11-20T07:15:30.123+01:00`.
pub(super) fn moment(zone: &Zone, ms: i64) -> String {
    let offset_s = zone.offset_s(ms);
    let utc = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let local = utc.naive_utc().checked_add_signed(chrono::TimeDelta::seconds(i64::from(offset_s)));
    match local {
        Some(local) if (0..=9999).contains(&local.year()) && offset_s % 60 == 0 => usual(local, offset_s / 60),
        _ => any(utc, offset_s),
    }
}

fn any(utc: DateTime<Utc>, offset_s: i32) -> String {
    let offset = FixedOffset::east_opt(offset_s).unwrap_or_else(|| chrono::Offset::fix(&Utc));
    utc.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Millis, false)
}

fn usual(local: NaiveDateTime, offset_min: i32) -> String {
    let mut text = String::with_capacity(29);
    let mut put = |number: u32, digits: u32, next: Option<char>| {
        for place in (0..digits).rev() {
            text.push(char::from_digit(number / 10_u32.pow(place) % 10, 10).unwrap_or('0'));
        }
        text.extend(next);
    };
    let distance = offset_min.unsigned_abs();
    put(local.year().unsigned_abs(), 4, Some('-'));
    put(local.month(), 2, Some('-'));
    put(local.day(), 2, Some('T'));
    put(local.hour(), 2, Some(':'));
    put(local.minute(), 2, Some(':'));
    put(local.second(), 2, Some('.'));
    put(local.and_utc().timestamp_subsec_millis(), 3, Some(if offset_min < 0 { '-' } else { '+' }));
    put(distance / 60, 2, Some(':'));
    put(distance % 60, 2, None);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moments_are_those_of_chrono(ms in -70_000_000_000_000_i64..300_000_000_000_000, zone in 0_usize..5) {
            let zone: Zone =
                ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Africa/Monrovia"][zone].parse().unwrap();
            let utc = DateTime::from_timestamp_millis(ms).unwrap();
            prop_assert_eq!(moment(&zone, ms), utc.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Millis, false));
        }
    }
}
