//! One time that a window takes out of the agreed time.

use chrono::{DateTime, Utc};

use super::{Sites, Window};
use crate::zone::Zone;

/// One time that a window takes out of the agreed time of its sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The window's name, where it has one.
    pub name: Option<String>,
    /// For whom.
    pub sites: Sites,
    /// The first moment, milliseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// The first moment after it.
    pub end: i64,
}

impl Occurrence {
    /// Its start and its end; of several, collected, these are the moments of [`crate::agreed::Intervals`].
    pub const fn span(&self) -> (i64, i64) {
        (self.start, self.end)
    }

    /// Those of a window, cut to the period from `start` until before `end`.
    pub(super) fn of(window: &Window, zone: &Zone, start: i64, end: i64) -> Vec<Self> {
        let all = window.when.occurrences(moment(start), moment(end), zone).into_iter();
        let cut = all.map(|(from, to)| (millis(from).max(start), millis(to).min(end))).filter(|(from, to)| from < to);
        let one = |(start, end)| Self { name: window.name.clone(), sites: window.sites.clone(), start, end };
        cut.map(one).collect()
    }
}

/// The whole millisecond at the moment or after it: those before it are the same.
fn millis(moment: DateTime<Utc>) -> i64 {
    let begun = i64::from(!moment.timestamp_subsec_nanos().is_multiple_of(1_000_000));
    moment.timestamp_millis() + begun
}

/// Beyond what a calendar reaches, its end.
fn moment(millis: i64) -> DateTime<Utc> {
    let end_of_time = if millis < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_millis(millis).unwrap_or(end_of_time)
}
