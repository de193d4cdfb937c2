//! All windows: those of a configuration, and those that were added at run time.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use super::{Added, Effects, Occurrence, Window};
use crate::record::{InForce, SiteName};
use crate::zone::Zone;

/// Maintenance windows, in the order of the configuration, then those that were added.
#[derive(Debug, Clone)]
pub struct Windows {
    zone: Zone,
    configured: Vec<Window>,
    /// Clones share them: whoever adds one makes it count for all.
    added: Arc<RwLock<Arc<[Window]>>>,
}

impl Windows {
    /// These windows; local times are those of `zone`.
    pub fn new(zone: Zone, windows: Vec<Window>) -> Self {
        Self { zone, configured: windows, added: Arc::new(RwLock::new(Arc::from([]))) }
    }

    /// Takes these for those that were added at run time, from now on and for every clone.
    pub fn show_added(&self, added: &[Added]) {
        let windows = added.iter().map(|added| added.window.to_window()).collect();
        *self.added.write().unwrap_or_else(PoisonError::into_inner) = windows;
    }

    /// Those of the configuration.
    pub fn configured(&self) -> &[Window] {
        &self.configured
    }

    fn added(&self) -> Arc<[Window]> {
        Arc::clone(&self.added.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// No window at all.
    pub fn none() -> Self {
        Self::new(Zone::utc(), Vec::new())
    }

    /// What is in force for `site` at `time`; `None`: no maintenance.
    ///
    /// Of several windows each one's effects count. The name is that of one that leaves the time out of the agreed time,
    /// where there is one: a row has one name, and by it the report must not count that time.
    pub fn at(&self, time: DateTime<Utc>, site: &SiteName) -> Option<InForce> {
        let added = self.added();
        let concerning = self.configured.iter().chain(&*added).filter(|window| window.sites.contains(site));
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
        let added = self.added();
        let excluding = self.configured.iter().chain(&*added).filter(|window| window.effects.exclude_from_sla);
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
