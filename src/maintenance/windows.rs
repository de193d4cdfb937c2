//! All windows of a configuration.

use chrono::{DateTime, Utc};

use super::{Effects, Occurrence, Window};
use crate::record::{InForce, SiteName};
use crate::zone::Zone;

/// Maintenance windows, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    zone: Zone,
    windows: Vec<Window>,
}

impl Windows {
    /// These windows; local times are those of `zone`.
    pub const fn new(zone: Zone, windows: Vec<Window>) -> Self {
        Self { zone, windows }
    }

    /// No window at all.
    pub const fn none() -> Self {
        Self::new(Zone::utc(), Vec::new())
    }

    /// What is in force for `site` at `time`; `None`: no maintenance.
    ///
    /// Of several windows each one's effects count. The name is that of one that leaves the time out of the agreed time,
    /// where there is one: a row has one name, and by it the report must not count that time.
    pub fn at(&self, time: DateTime<Utc>, site: &SiteName) -> Option<InForce> {
        let concerning = self.windows.iter().filter(|window| window.sites.contains(site));
        let ends: Vec<(&Window, DateTime<Utc>)> =
            concerning.filter_map(|window| Some((window, window.when.end_at(time, &self.zone)?))).collect();
        let any = |effect: fn(&Effects) -> bool| ends.iter().any(|(window, _)| effect(&window.effects));
        let exclude_from_sla = any(|effects| effects.exclude_from_sla);
        let mut naming = ends.iter().filter(|(window, _)| window.effects.exclude_from_sla == exclude_from_sla);
        Some(InForce {
            name: naming.find_map(|(window, _)| window.name.clone()),
            until: ends.iter().map(|(_, end)| *end).max()?,
            suppress_alerts: any(|effects| effects.suppress_alerts),
            exclude_from_sla,
            pause_restarts: any(|effects| effects.pause_restarts),
        })
    }

    /// Each time from `start` until before `end` (milliseconds since 1970-01-01T00:00:00Z) that a window takes out of the
    /// agreed time, in the order of time; cut to that period. They may overlap.
    ///
    /// A moment is in one of a site's exactly where [`Windows::at`] says so.
    pub fn excluded(&self, start: i64, end: i64) -> Vec<Occurrence> {
        let excluding = self.windows.iter().filter(|window| window.effects.exclude_from_sla);
        let mut all: Vec<_> = excluding.flat_map(|window| Occurrence::of(window, &self.zone, start, end)).collect();
        all.sort_by_key(Occurrence::span);
        all
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self::none()
    }
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "excluded_tests.rs"]
mod excluded_tests;
