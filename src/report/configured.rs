//! What a configuration says about reports.

use std::sync::Arc;

use super::make::windows;
use super::period::Period;
use super::policy::Policy;
use crate::config::{Config, Credentials, Sla, Target};
use crate::maintenance::Windows;
use crate::zone::Zone;

/// What a configuration says about reports, as long as it counts.
#[derive(Debug, Clone)]
pub struct Configured {
    /// Of days, months and hours.
    pub zone: Zone,
    sla: Sla,
    maintenance: Arc<Windows>,
}

impl Default for Configured {
    /// Without a configuration: UTC, and nothing is promised.
    fn default() -> Self {
        let maintenance = Arc::new(Windows::new(Zone::utc(), Vec::new()));
        Self { zone: Zone::utc(), sla: Sla::default(), maintenance }
    }
}

impl Configured {
    /// Of this configuration.
    pub fn of(config: &Config) -> Self {
        Self { zone: config.timezone.clone(), sla: config.sla.clone(), maintenance: Arc::clone(&config.maintenance) }
    }

    /// The rules for a report of this period.
    pub fn policy(&self, period: Period) -> Policy {
        let start = period.before().unwrap_or(period).bounds(&self.zone).0;
        let end = period.bounds(&self.zone).1;
        Policy {
            target: self.sla.target.map(Target::ten_thousandths),
            hours: self.sla.hours.clone(),
            holidays: self.sla.holidays.clone(),
            leaves_out_identity: self.sla.credentials == Credentials::Excluded,
            windows: windows(&self.maintenance, start, end),
            zone: self.zone.clone(),
        }
    }
}
