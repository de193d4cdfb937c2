//! Which accounts rest, for whoever shows it: without their secrets.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::book::key;
use super::{Rest, Resting};
use crate::config::Account;

/// Every account that was refused.
#[derive(Debug, Clone, Default)]
pub struct Pauses(BTreeMap<String, Vec<Rest>>);

/// An account rests, as long as its secret is the one that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// When it was refused.
    pub since: DateTime<Utc>,
    /// Why, and until when.
    pub resting: Resting,
}

impl Pauses {
    pub(super) const fn new(rests: BTreeMap<String, Vec<Rest>>) -> Self {
        Self(rests)
    }

    /// The rest of this account; of several secrets that were refused, that of the latest.
    pub fn of(&self, account: &Account, now: DateTime<Utc>) -> Option<Pause> {
        let rests = self.0.get(&key(account))?;
        let known = rests.iter().filter_map(|rest| Some(Pause { since: rest.since, resting: rest.known_at(now)? }));
        known.max_by_key(|pause| pause.since)
    }
}
