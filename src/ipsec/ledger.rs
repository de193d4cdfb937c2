//! What is remembered of tunnels: restarts, since when one is ill, which CHILD_SAs were found silent.
//!
//! One file of `state_dir` for every process, so that a limit holds over restarts of the prober and from one cron run
//! to the next; the lock beside it is in `permit`. Where it can't be written, this program goes by its memory and says
//! so: a full disk must not keep a tunnel down.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::assess::{Assessment, children_of, is_live, resolve};
use super::guard::{History, Inside, is_well, recovery};
use crate::files;
use crate::vici::{ChildRef, ChildSa, View};

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    version: u32,
    #[serde(default)]
    tunnels: BTreeMap<String, Entry>,
    /// CHILD_SAs through which nothing answered.
    #[serde(default)]
    silent: Vec<Silent>,
}

impl Default for Page {
    fn default() -> Self {
        Self { version: VERSION, tunnels: BTreeMap::new(), silent: Vec::new() }
    }
}

/// One tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Entry {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restarts: Vec<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ill_since: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recovering_since: Option<DateTime<Utc>>,
}

/// A CHILD_SA through which nothing answered. Numbers begin anew with the daemon, so the name and the time count too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Silent {
    tunnel: String,
    id: u32,
    at: DateTime<Utc>,
}

/// Version of the file's form.
const VERSION: u32 = 1;
/// What `max_per_hour` counts, and how long a silence is remembered.
const HOUR: TimeDelta = TimeDelta::hours(1);
/// An illness of which nothing was heard for so long is forgotten: its tunnel may have another name by now.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(7);
/// The daemon tells ages in whole seconds.
const ROUNDING: TimeDelta = TimeDelta::seconds(1);

/// One look at one tunnel.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The tunnel.
    pub target: &'a ChildRef,
    /// What the view says of it.
    pub assessment: &'a Assessment,
    /// What the inside said.
    pub inside: Inside,
}

/// The memory of one daemon's tunnels, shared by all who have the same `state_dir` and ask at the same endpoint.
#[derive(Debug, Clone)]
pub struct Ledger {
    path: PathBuf,
    endpoint: String,
    /// What could not be written.
    unsaved: Arc<Mutex<Option<Page>>>,
}

impl Ledger {
    /// `state_dir/ipsec-restarts.json`, for the daemon at `endpoint` (path or `tcp://…`, as configured).
    pub fn new(state_dir: &Path, endpoint: impl Into<String>) -> Self {
        Self { path: state_dir.join("ipsec-restarts.json"), endpoint: endpoint.into(), unsaved: Arc::default() }
    }

    /// Takes one look in and tells what is remembered of the tunnel, this look included. A tunnel that is not
    /// configured has no history.
    pub fn observe(&self, view: &View, seen: Seen<'_>, now: DateTime<Utc>) -> History {
        self.observe_all(view, &[seen], now).pop().unwrap_or_default()
    }

    /// The same for many tunnels of one view, in their order. The file is read once, and written only when something
    /// has changed.
    pub fn observe_all(&self, view: &View, seen: &[Seen<'_>], now: DateTime<Utc>) -> Vec<History> {
        let page = self.change_if_needed(now, |page| {
            for one in seen {
                self.take_in(page, view, one, now);
            }
        });
        seen.iter()
            .map(|one| self.key(view, one.target).map_or_else(History::default, |key| page.history(&key, now)))
            .collect()
    }

    /// CHILD_SAs that are known to carry nothing: nothing answered through them within the last hour, and nothing has
    /// come in since. They do not protect their IKE_SA.
    pub fn stale(&self, view: &View, now: DateTime<Utc>) -> BTreeSet<u32> {
        let page = self.read(now);
        let children = view.installed.iter().flat_map(|ike| ike.children.iter().map(move |child| (ike, child)));
        children
            .filter(|(ike, child)| {
                let tunnel = self.key_of(&ike.name, &child.name);
                page.silent.iter().any(|silent| silent.tunnel == tunnel && silent.is_of(child, now))
            })
            .map(|(_, child)| child.unique_id)
            .collect()
    }

    /// Restarts of a tunnel within the last hour, the oldest first.
    pub(super) fn restarts(&self, tunnel: &ChildRef, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        self.read(now).history(&self.key_of_ref(tunnel), now).restarts
    }

    /// Notes a restart.
    pub(super) fn note_restart(&self, tunnel: &ChildRef, now: DateTime<Utc>) {
        let key = self.key_of_ref(tunnel);
        self.change(now, |page| page.tunnels.entry(key).or_default().restarts.push(now));
    }

    /// Takes a note back: nothing was done.
    pub(super) fn withdraw_restart(&self, tunnel: &ChildRef, at: DateTime<Utc>, now: DateTime<Utc>) {
        let key = self.key_of_ref(tunnel);
        self.change(now, |page| {
            let restarts = page.tunnels.get_mut(&key).map(|entry| &mut entry.restarts);
            if let Some(restarts) = restarts
                && let Some(place) = restarts.iter().rposition(|restart| *restart == at)
            {
                restarts.remove(place);
            }
        });
    }

    /// Directory of the locks, and the endpoint, which is part of their names.
    pub(super) fn lock_place(&self) -> (PathBuf, &str) {
        (self.path.with_file_name("ipsec-locks"), &self.endpoint)
    }

    fn take_in(&self, page: &mut Page, view: &View, seen: &Seen<'_>, now: DateTime<Utc>) {
        let Ok(config) = resolve(view, seen.target) else { return };
        let key = self.key_of(&config.ike, &config.child);
        let entry = page.tunnels.entry(key.clone()).or_default();
        let is_well = is_well(seen.assessment, seen.inside);
        // Times to come are of a clock that was set back.
        entry.ill_since = (!is_well).then(|| entry.ill_since.unwrap_or(now).min(now));
        let recovers = !is_well && recovery(view, seen.target, seen.assessment, seen.inside).is_some();
        entry.recovering_since = recovers.then(|| entry.recovering_since.unwrap_or(now).min(now));
        match seen.inside {
            Inside::NotAsked => {}
            Inside::Reached => page.silent.retain(|silent| silent.tunnel != key),
            Inside::Silent { asked } => {
                let asked = TimeDelta::from_std(asked).unwrap_or(TimeDelta::MAX);
                for (_, child) in children_of(view, config).filter(|(ike, child)| is_live(ike, child)) {
                    page.silent.retain(|silent| silent.tunnel != key || silent.id != child.unique_id);
                    let at = now.checked_sub_signed(asked).unwrap_or(now);
                    page.silent.push(Silent { tunnel: key.clone(), id: child.unique_id, at });
                }
            }
        }
    }

    fn key(&self, view: &View, target: &ChildRef) -> Option<String> {
        resolve(view, target).ok().map(|config| self.key_of(&config.ike, &config.child))
    }

    fn key_of_ref(&self, tunnel: &ChildRef) -> String {
        self.key_of(tunnel.ike.as_deref().unwrap_or_default(), &tunnel.child)
    }

    /// Apart by a character that no name has.
    fn key_of(&self, ike: &str, child: &str) -> String {
        format!("{}\u{1f}{ike}\u{1f}{child}", self.endpoint)
    }

    /// Changes the page, and writes it only if that makes a difference. Returns it as it is then.
    fn change_if_needed(&self, now: DateTime<Utc>, change: impl Fn(&mut Page)) -> Page {
        let page = self.read(now);
        let mut changed = page.clone();
        change(&mut changed);
        changed.tidy(now);
        if changed == page { page } else { self.change(now, change) }
    }

    /// Reads, changes and writes under a lock. Returns the page as it is then.
    fn change(&self, now: DateTime<Utc>, change: impl FnOnce(&mut Page)) -> Page {
        let lock = files::lock(&self.path);
        let mut page = self.read(now);
        change(&mut page);
        page.tidy(now);
        let written = lock.and_then(|_lock| files::replace(&self.path, &serde_json::to_vec(&page)?));
        match written {
            Ok(()) => *self.unsaved() = None,
            Err(e) => {
                tracing::warn!(path = %self.path.display(), error = %e, "restarts of tunnels can't be written down: the limit per hour holds for this program alone");
                *self.unsaved() = Some(page.clone());
            }
        }
        page
    }

    /// What could not be written, else the file. A damaged file is set aside and begun anew: a tunnel may then be
    /// restarted more often than its limit, which is said.
    fn read(&self, now: DateTime<Utc>) -> Page {
        if let Some(page) = self.unsaved().clone() {
            return page;
        }
        match self.read_file(now) {
            Ok(page) => page,
            Err(e) => {
                tracing::warn!(path = %self.path.display(), error = %e, "what is known of restarts of tunnels can't be read");
                Page::default()
            }
        }
    }

    fn read_file(&self, now: DateTime<Utc>) -> io::Result<Page> {
        let damaged = |aside: &Path, why: &str| {
            tracing::error!(aside = %aside.display(), why, "what was known of restarts of tunnels can't be read and was set aside: the limit per hour begins anew");
        };
        let page =
            files::read_state(&self.path, now, |page: &Page| files::other_version(page.version, VERSION), damaged)?;
        Ok(page.unwrap_or_default())
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<Page>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn history(&self, key: &str, now: DateTime<Utc>) -> History {
        let Some(entry) = self.tunnels.get(key) else { return History::default() };
        let mut restarts: Vec<_> =
            entry.restarts.iter().map(|at| (*at).min(now)).filter(|at| now - *at < HOUR).collect();
        restarts.sort();
        History { restarts, ill_since: entry.ill_since, recovering_since: entry.recovering_since }
    }

    /// Forgets what counts no more, and takes times to come for now: after a clock was set back they would count for
    /// as long as it was set back.
    fn tidy(&mut self, now: DateTime<Utc>) {
        for entry in self.tunnels.values_mut() {
            for at in &mut entry.restarts {
                *at = (*at).min(now);
            }
            entry.restarts.retain(|at| now - *at < HOUR);
        }
        self.tunnels.retain(|_, entry| {
            let ill = entry.ill_since.is_some_and(|since| now - since < FORGOTTEN_AFTER);
            ill || !entry.restarts.is_empty()
        });
        self.silent.retain(|silent| silent.at <= now && now - silent.at < HOUR);
    }
}

impl Silent {
    /// Whether it is about this CHILD_SA, and still true.
    fn is_of(&self, child: &ChildSa, now: DateTime<Utc>) -> bool {
        let ago = |age: std::time::Duration| TimeDelta::from_std(age).ok().and_then(|age| now.checked_sub_signed(age));
        let was_there = child.installed.and_then(ago).is_none_or(|installed| installed <= self.at + ROUNDING);
        let heard_since = child.inbound.idle.and_then(ago).is_some_and(|heard| heard > self.at + ROUNDING);
        self.id == child.unique_id && self.at <= now && now - self.at < HOUR && was_there && !heard_since
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
