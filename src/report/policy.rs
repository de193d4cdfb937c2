//! The rules by which a report counts, from the configuration or from a report that is recomputed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::NaiveDate;

use super::unit::Agreed;
use crate::agreed::{Hours, Intervals, agreed};
use crate::zone::Zone;

/// A maintenance window that leaves the agreed time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// For which sites; empty: all.
    pub sites: BTreeSet<String>,
    /// Its first moment, milliseconds since 1970.
    pub start: i64,
    /// The first moment after it.
    pub end: i64,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Of days, months and hours.
    pub zone: Zone,
    /// Promised availability, in ten thousandths of a percent.
    pub target: Option<u32>,
    /// Agreed hours.
    pub hours: Hours,
    /// Days without any.
    pub holidays: BTreeSet<NaiveDate>,
    /// Whether time in which the test account was refused is left out.
    pub leaves_out_identity: bool,
    /// Of the period and of the one before.
    pub windows: Vec<Window>,
}

impl Policy {
    /// The fault domain that does not count.
    pub(super) fn leaves_out(&self) -> Option<&'static str> {
        self.leaves_out_identity.then_some("identity")
    }
}

/// Agreed time of each site in one span, worked out when it is asked for.
#[derive(Debug)]
pub(super) struct AgreedTimes<'a> {
    policy: &'a Policy,
    /// Hours less holidays.
    common: Intervals,
    sites: Mutex<BTreeMap<Box<str>, Arc<Intervals>>>,
    /// Of a site that no single window names.
    others: Arc<Intervals>,
}

impl<'a> AgreedTimes<'a> {
    pub(super) fn new(policy: &'a Policy, start: i64, end: i64) -> Self {
        let common = agreed(&policy.zone, &policy.hours, &policy.holidays, &Intervals::none(), start, end);
        let for_all = policy.windows.iter().filter(|window| window.sites.is_empty());
        let others = Arc::new(common.subtract(&for_all.map(|window| (window.start, window.end)).collect()));
        Self { policy, common, sites: Mutex::default(), others }
    }
}

impl Agreed for AgreedTimes<'_> {
    fn of(&self, site: &str) -> Arc<Intervals> {
        if !self.policy.windows.iter().any(|window| window.sites.contains(site)) {
            return Arc::clone(&self.others);
        }
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sites.get(site) {
            return Arc::clone(known);
        }
        let concerning = self.policy.windows.iter().filter(|w| w.sites.is_empty() || w.sites.contains(site));
        let own = Arc::new(self.common.subtract(&concerning.map(|window| (window.start, window.end)).collect()));
        sites.insert(site.into(), Arc::clone(&own));
        own
    }
}
