//! One window: for whom, when, and what it changes.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use crate::record::SiteName;
use crate::zone::Zone;

/// A maintenance window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// For whom.
    pub sites: Sites,
    /// When.
    pub when: When,
    /// What it changes.
    pub effects: Effects,
}

/// For whom a window is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sites {
    /// Every site.
    All,
    /// These.
    Only(BTreeSet<SiteName>),
}

/// When a window is in force. Its start belongs to it, its end does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Once, from `start` to `end`.
    Once {
        /// The first moment.
        start: DateTime<Utc>,
        /// The first moment after it.
        end: DateTime<Utc>,
    },
    /// Every week.
    Weekly {
        /// The local day on which it begins.
        day: Weekday,
        /// From the first moment at which the local clock shows this time of that day or a later one.
        time: NaiveTime,
        /// So long, however the clock is set meanwhile; seven days at most.
        length: Duration,
    },
}

/// What a window changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effects {
    /// People are told nothing. Default true.
    pub suppress_alerts: bool,
    /// The time is not counted in the agreed time. Default true.
    pub exclude_from_sla: bool,
    /// No tunnel is restarted. Default true.
    pub pause_restarts: bool,
}

impl Default for Effects {
    fn default() -> Self {
        Self { suppress_alerts: true, exclude_from_sla: true, pause_restarts: true }
    }
}

impl Sites {
    /// These and others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        match (self, others) {
            (Self::Only(mut sites), Self::Only(others)) => {
                sites.extend(others);
                Self::Only(sites)
            }
            (Self::All, _) | (_, Self::All) => Self::All,
        }
    }

    /// Their names, in order; none: every site.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::All => Vec::new(),
            Self::Only(sites) => sites.iter().map(SiteName::as_str).collect(),
        }
    }

    /// Whether a site of this name is one of them, as a row may have it whose site is not configured any more.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.iter().any(|site| site.as_str() == name),
        }
    }

    /// Whether the site is one of them.
    pub fn contains(&self, site: &SiteName) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.contains(site),
        }
    }
}

impl When {
    /// When it ends, where it is in force at `time`. Local times are those of `zone`.
    pub fn end_at(&self, time: DateTime<Utc>, zone: &Zone) -> Option<DateTime<Utc>> {
        match self {
            Self::Once { start, end } => (*start <= time && time < *end).then_some(*end),
            Self::Weekly { day, time: at, length } => weekly_end(time, zone, *day, *at, *length),
        }
    }

    /// Each time that it is in force between `from` and `to`, from its own start to its own end, in the order of time.
    pub fn occurrences(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        zone: &Zone,
    ) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut all = match self {
            Self::Once { start, end } => vec![(*start, *end)],
            Self::Weekly { day, time, length } => weekly(from, to, zone, *day, *time, *length),
        };
        all.retain(|(start, end)| *start < to && from < *end && from < to);
        all
    }
}

/// Days before the local date of a moment on which a window that holds the moment may have begun: the week that it may
/// last, the day that a zone may leave out when it changes sides of the date line, and one for the time of day.
const DAYS_BACK: u64 = 9;

fn weekly_end(
    time: DateTime<Utc>,
    zone: &Zone,
    day: Weekday,
    at: NaiveTime,
    length: Duration,
) -> Option<DateTime<Utc>> {
    let length = TimeDelta::from_std(length).ok()?;
    // Begun tomorrow: the clock was set back over midnight after it had.
    let newest = zone.local(time)?.date().checked_add_days(Days::new(1))?;
    (0..=DAYS_BACK + 1)
        .filter_map(|back| newest.checked_sub_days(Days::new(back)))
        .filter(|date| date.weekday() == day)
        .filter_map(|date| Some(zone.moment(date.and_time(at))?.first()))
        .filter(|start| *start <= time)
        .filter_map(|start| start.checked_add_signed(length))
        .filter(|end| time < *end)
        .max()
}

/// Those that may hold a moment from `from` to `to`.
fn weekly(
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    zone: &Zone,
    day: Weekday,
    at: NaiveTime,
    length: Duration,
) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let Ok(length) = TimeDelta::from_std(length) else { return Vec::new() };
    let local_date =
        |moment: DateTime<Utc>| zone.local(moment).map_or_else(|| moment.date_naive(), |local| local.date());
    let oldest = local_date(from).checked_sub_days(Days::new(DAYS_BACK)).unwrap_or(NaiveDate::MIN);
    let newest = local_date(to).checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let starts = oldest
        .iter_days()
        .take_while(|date| *date <= newest)
        .filter(|date| date.weekday() == day)
        .filter_map(|date| Some(zone.moment(date.and_time(at))?.first()));
    starts.filter_map(|start| Some((start, start.checked_add_signed(length)?))).collect()
}
