//! Time zones by their IANA names: those of the system where it has them (they are kept up to date), else those that
//! were built in (a container without `tzdata` has none).
//!
//! A [`Zone`] is a `chrono` time zone, so the rest of the program needs to know no other calendar.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Timelike};
use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::Timestamp;
use jiff::civil::DateTime as CivilDateTime;
use jiff::tz::{AmbiguousOffset, Offset as JiffOffset, TimeZone as JiffZone};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(JiffZone);

/// How a zone's time differs from UTC at one moment; as text its abbreviation (`CET`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    fixed: FixedOffset,
    abbreviation: String,
}

/// There is no zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone")]
pub struct UnknownZone;

impl Zone {
    /// Coordinated universal time.
    pub const fn utc() -> Self {
        Self(JiffZone::UTC)
    }

    /// Every name that [`str::parse`] takes.
    pub fn names() -> Vec<String> {
        jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect()
    }

    /// Its offset at a moment; beyond the years that the zone's rules reach, that of their end.
    fn at(&self, moment: Timestamp) -> ZoneOffset {
        let info = self.0.to_offset_info(moment);
        self.offset(info.offset(), info.abbreviation().to_owned())
    }

    fn offset(&self, offset: JiffOffset, abbreviation: String) -> ZoneOffset {
        // Zones differ from UTC by less than a day (jiff: 25:59:59 at most, which none has).
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| chrono::Utc.fix());
        ZoneOffset { zone: self.clone(), fixed, abbreviation }
    }

    /// The offset at a local time that has this one.
    fn at_local(&self, local: CivilDateTime, offset: JiffOffset) -> Option<ZoneOffset> {
        Some(self.at(offset.to_timestamp(local).ok()?))
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        JiffZone::get(name).map(Self).map_err(|_| UnknownZone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.iana_name().unwrap_or("UTC"))
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.abbreviation)
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let Some(local) = civil(local) else { return MappedLocalTime::None };
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                self.at_local(local, offset).map_or(MappedLocalTime::None, MappedLocalTime::Single)
            }
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => {
                match (self.at_local(local, before), self.at_local(local, after)) {
                    (Some(before), Some(after)) => MappedLocalTime::Ambiguous(before, after),
                    _ => MappedLocalTime::None,
                }
            }
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        let seconds = utc.and_utc().timestamp();
        let limit = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        self.at(Timestamp::from_second(seconds).unwrap_or(limit))
    }
}

/// `None` outside the years -9999 to 9999.
fn civil(local: &NaiveDateTime) -> Option<CivilDateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    // A leap second is a nanosecond beyond the last one in chrono.
    let nanosecond = i32::try_from(local.nanosecond().min(999_999_999)).ok()?;
    CivilDateTime::new(
        i16::try_from(local.year()).ok()?,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
        nanosecond,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn paris() -> Zone {
        "Europe/Paris".parse().unwrap()
    }

    fn local(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn summer_time_begins_and_ends_at_its_second() {
        for (utc, expected) in [
            ("2026-03-29T00:59:59Z", "2026-03-29 01:59:59 +01:00 CET"),
            ("2026-03-29T01:00:00Z", "2026-03-29 03:00:00 +02:00 CEST"),
            ("2026-10-25T00:59:59Z", "2026-10-25 02:59:59 +02:00 CEST"),
            ("2026-10-25T01:00:00Z", "2026-10-25 02:00:00 +01:00 CET"),
        ] {
            let time = utc.parse::<DateTime<Utc>>().unwrap().with_timezone(&paris());
            assert_eq!(time.format("%Y-%m-%d %H:%M:%S %:z %Z").to_string(), expected);
        }
    }

    #[test]
    fn a_local_time_may_be_twice_or_never() {
        let paris = paris();
        let utc = |time: DateTime<Zone>| time.to_utc().to_rfc3339();
        let once = paris.from_local_datetime(&local("2026-07-01T12:00:00")).single().map(utc);
        assert_eq!(once.as_deref(), Some("2026-07-01T10:00:00+00:00"));
        assert_eq!(paris.from_local_datetime(&local("2026-03-29T02:30:00")), MappedLocalTime::None);
        let MappedLocalTime::Ambiguous(first, second) = paris.from_local_datetime(&local("2026-10-25T02:30:00")) else {
            panic!("it is twice");
        };
        assert_eq!([utc(first), utc(second)], ["2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00"]);
    }

    #[test]
    fn a_time_of_a_zone_keeps_its_zone() {
        let winter = "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap().with_timezone(&paris());
        let summer = winter.clone() + chrono::TimeDelta::days(181);
        assert_eq!(summer.format("%H %Z").to_string(), "02 CEST");
        assert_eq!(winter.timezone(), paris());
    }

    #[test]
    fn no_time_makes_it_panic() {
        for utc in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let offset = paris().offset_from_utc_datetime(&utc.naive_utc());
            assert!(offset.fix().local_minus_utc() > 0);
            let _ = paris().offset_from_local_datetime(&utc.naive_utc());
        }
    }

    #[test]
    fn only_names_of_zones_are_taken() {
        assert!(Zone::names().iter().any(|name| name == "Asia/Kolkata"));
        for name in ["", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe/Paris\n"] {
            assert_eq!(name.parse::<Zone>(), Err(UnknownZone), "{name:?}");
        }
        assert_eq!(paris().to_string(), "Europe/Paris");
        assert_eq!(Zone::utc().to_string(), "UTC");
        assert_eq!("UTC".parse(), Ok(Zone::utc()));
    }
}
