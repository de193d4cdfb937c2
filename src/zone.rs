//! Time zones by their IANA names: those of the system where it has them (they are kept up to date), else those that
//! were built in (a container without `tzdata` has none).
//!
//! A [`Zone`] is a `chrono` time zone, so the rest of the program needs to know no other calendar.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono::{Datelike, Timelike};
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

/// Which moment a local time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalMoment {
    /// The clock shows it once: then.
    Once(DateTime<Utc>),
    /// The clock is set back behind it, and shows it twice.
    Twice(DateTime<Utc>, DateTime<Utc>),
    /// The clock is set forward over it, and never shows it: the moment of that.
    Skipped(DateTime<Utc>),
}

impl LocalMoment {
    /// The first moment at which the clock shows this time or a later one.
    pub const fn first(self) -> DateTime<Utc> {
        match self {
            Self::Once(at) | Self::Twice(at, _) | Self::Skipped(at) => at,
        }
    }

    /// The last moment at which the clock shows this time; where it never does, the moment at which it is set forward over
    /// it.
    pub const fn last(self) -> DateTime<Utc> {
        match self {
            Self::Once(at) | Self::Twice(_, at) | Self::Skipped(at) => at,
        }
    }
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

    /// The date and the time of day that its clock shows; `None` beyond the years that a date can have.
    pub fn local(&self, moment: DateTime<Utc>) -> Option<NaiveDateTime> {
        let utc = moment.naive_utc();
        utc.checked_add_offset(self.offset_from_utc_datetime(&utc).fixed)
    }

    /// Its offset at a moment of milliseconds since 1970, in seconds; without its name, which takes longer to be told.
    pub fn offset_s(&self, ms: i64) -> i32 {
        let seconds = ms.div_euclid(1000).clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Timestamp::from_second(seconds).map_or(0, |at| self.0.to_offset(at).seconds())
    }

    /// Which moment this local time stands for; `None` outside the years -9999 to 9999.
    pub fn moment(&self, local: NaiveDateTime) -> Option<LocalMoment> {
        match self.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => utc(local, &offset).map(LocalMoment::Once),
            MappedLocalTime::Ambiguous(first, second) => {
                Some(LocalMoment::Twice(utc(local, &first)?, utc(local, &second)?))
            }
            MappedLocalTime::None => self.skipping(local).map(LocalMoment::Skipped),
        }
    }

    /// When the clock is set forward over this local time.
    fn skipping(&self, local: NaiveDateTime) -> Option<DateTime<Utc>> {
        let civil = civil(&local)?;
        let AmbiguousOffset::Gap { after, .. } = self.0.to_ambiguous_timestamp(civil).offset() else { return None };
        // With the offset that is not in force yet, it is before that moment.
        let before = after.to_timestamp(civil).ok()?;
        let jump = self.0.following(before).find(|next| next.offset().to_datetime(next.timestamp()) > civil)?;
        DateTime::from_timestamp(jump.timestamp().as_second(), 0)
    }

    /// Its offset at a moment; beyond the years that the zone's rules reach, that of their end.
    fn at(&self, moment: Timestamp) -> ZoneOffset {
        let info = self.0.to_offset_info(moment);
        self.offset(info.offset(), info.abbreviation().to_owned())
    }

    fn offset(&self, offset: JiffOffset, abbreviation: String) -> ZoneOffset {
        // Zones differ from UTC by less than a day (jiff: 25:59:59 at most, which none has).
        let fixed = FixedOffset::east_opt(offset.seconds()).unwrap_or_else(|| Utc.fix());
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

fn utc(local: NaiveDateTime, offset: &ZoneOffset) -> Option<DateTime<Utc>> {
    Some(local.checked_sub_offset(offset.fixed)?.and_utc())
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
    fn a_local_time_stands_for_a_moment_also_where_the_clock_skips_it_or_shows_it_twice() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (zone, time, expected) in [
            ("Europe/Paris", "2026-07-01T12:00:00", LocalMoment::Once(at("2026-07-01T10:00:00Z"))),
            ("Europe/Paris", "2026-03-29T02:00:00", LocalMoment::Skipped(at("2026-03-29T01:00:00Z"))),
            ("Europe/Paris", "2026-03-29T02:59:59", LocalMoment::Skipped(at("2026-03-29T01:00:00Z"))),
            ("Europe/Paris", "2026-03-29T03:00:00", LocalMoment::Once(at("2026-03-29T01:00:00Z"))),
            (
                "Europe/Paris",
                "2026-10-25T02:00:00",
                LocalMoment::Twice(at("2026-10-25T00:00:00Z"), at("2026-10-25T01:00:00Z")),
            ),
            ("Europe/Paris", "2026-10-25T03:00:00", LocalMoment::Once(at("2026-10-25T02:00:00Z"))),
            // Half an hour; a whole day; midnight itself.
            ("Australia/Lord_Howe", "2026-10-04T02:10:00", LocalMoment::Skipped(at("2026-10-03T15:30:00Z"))),
            ("Pacific/Apia", "2011-12-30T12:00:00", LocalMoment::Skipped(at("2011-12-30T10:00:00Z"))),
            ("Africa/Cairo", "2026-04-24T00:00:00", LocalMoment::Skipped(at("2026-04-23T22:00:00Z"))),
            // By the rule behind the last year that is listed.
            ("Europe/Paris", "2099-03-29T02:30:00", LocalMoment::Skipped(at("2099-03-29T01:00:00Z"))),
        ] {
            assert_eq!(zone.parse::<Zone>().unwrap().moment(local(time)), Some(expected), "{time} in {zone}");
        }
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
            assert_eq!(paris().moment(utc.naive_utc()), None);
            let _ = paris().local(utc);
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
