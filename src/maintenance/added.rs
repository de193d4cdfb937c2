//! Windows that are added while the prober runs: pure. They are once, and kept for as long as a report may ask for them.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Effects, Sites, When, Window};
use crate::record::SiteName;

/// A window that is over is kept for so long: a report of a year and the one before it ask for no older one.
const KEPT: TimeDelta = TimeDelta::days(2 * 366);

/// A window as somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWindow {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// For whom; none: every site.
    pub sites: BTreeSet<SiteName>,
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The first moment after it.
    pub end: DateTime<Utc>,
    /// People are told nothing.
    pub suppress_alerts: bool,
    /// The time is not counted in the agreed time.
    pub exclude_from_sla: bool,
    /// No tunnel is restarted.
    pub pause_restarts: bool,
}

/// A window that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// `m1`, `m2`, and so on; never used again.
    pub id: String,
    /// When.
    pub added: DateTime<Utc>,
    /// The window.
    #[serde(flatten)]
    pub window: NewWindow,
}

/// A window that somebody ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// As it is now.
    pub window: Added,
    /// Whether it had begun; else it is forgotten.
    pub had_begun: bool,
}

impl NewWindow {
    /// The window that counts.
    pub fn to_window(&self) -> Window {
        Window {
            name: self.name.clone(),
            sites: if self.sites.is_empty() { Sites::All } else { Sites::Only(self.sites.clone()) },
            when: When::Once { start: self.start, end: self.end },
            effects: Effects {
                suppress_alerts: self.suppress_alerts,
                exclude_from_sla: self.exclude_from_sla,
                pause_restarts: self.pause_restarts,
            },
        }
    }
}

/// All that were added, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Register {
    /// How many were ever added.
    count: u64,
    pub(super) windows: Vec<Added>,
}

impl Register {
    pub(super) fn add(&mut self, window: NewWindow, now: DateTime<Utc>) -> Added {
        self.count = self.count.saturating_add(1);
        let added = Added { id: format!("m{}", self.count), added: now, window };
        self.windows.push(added.clone());
        added
    }

    /// Ends the one of this id; where there is none, all of this name. Those that are over are none.
    pub(super) fn end(&mut self, which: &str, now: DateTime<Utc>) -> Vec<Ended> {
        let open = |added: &Added| added.window.end > now;
        let by_id = self.windows.iter().any(|added| open(added) && added.id == which);
        let mut ended = Vec::new();
        self.windows.retain_mut(|added| {
            let name = if by_id { Some(added.id.as_str()) } else { added.window.name.as_deref() };
            if !open(added) || name != Some(which) {
                return true;
            }
            let had_begun = added.window.start < now;
            if had_begun {
                added.window.end = now;
            }
            ended.push(Ended { window: added.clone(), had_begun });
            had_begun
        });
        ended
    }

    /// Forgets those that no report asks for any more.
    pub(super) fn tidy(&mut self, now: DateTime<Utc>) {
        self.windows.retain(|added| added.window.end.checked_add_signed(KEPT).is_none_or(|until| until > now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn window(name: Option<&str>, start: &str, end: &str) -> NewWindow {
        NewWindow {
            name: name.map(Into::into),
            sites: BTreeSet::new(),
            start: at(start),
            end: at(end),
            suppress_alerts: true,
            exclude_from_sla: false,
            pause_restarts: true,
        }
    }

    fn register() -> Register {
        let mut register = Register::default();
        let now = at("2026-11-20T06:00:00Z");
        register.add(window(Some("switch"), "2026-11-20T06:00:00Z", "2026-11-20T08:00:00Z"), now);
        register.add(window(Some("switch"), "2026-11-21T06:00:00Z", "2026-11-21T08:00:00Z"), now);
        register.add(window(None, "2026-11-20T06:00:00Z", "2026-11-20T08:00:00Z"), now);
        register
    }

    fn ids(register: &Register) -> Vec<&str> {
        register.windows.iter().map(|added| added.id.as_str()).collect()
    }

    #[test]
    fn one_that_is_ended_keeps_the_time_that_it_was_in_force() {
        let mut register = register();
        let now = at("2026-11-20T07:00:00Z");
        let ended = register.end("m3", now);
        assert!(ended.len() == 1 && ended[0].had_begun && ended[0].window.window.end == now);
        assert_eq!(ids(&register), ["m1", "m2", "m3"]);
        assert_eq!(register.end("m3", now), [], "it is over");
    }

    #[test]
    fn a_name_ends_all_that_have_it_and_one_that_has_not_begun_is_forgotten() {
        let mut register = register();
        let ended = register.end("switch", at("2026-11-20T07:00:00Z"));
        assert_eq!(ended.iter().map(|e| e.had_begun).collect::<Vec<_>>(), [true, false]);
        assert_eq!(ids(&register), ["m1", "m3"]);
        assert_eq!(register.end("no-such", at("2026-11-20T07:00:00Z")), []);
        let next =
            register.add(window(None, "2026-11-20T06:00:00Z", "2026-11-20T08:00:00Z"), at("2026-11-20T07:00:00Z"));
        assert_eq!(next.id, "m4", "no id is used twice");
    }

    #[test]
    fn an_id_is_meant_before_a_name_that_looks_like_one() {
        let mut register = register();
        register.windows[0].window.name = Some("m3".into());
        assert_eq!(register.end("m3", at("2026-11-20T07:00:00Z"))[0].window.id, "m3");
    }

    #[test]
    fn it_is_kept_for_two_years_and_no_longer() {
        let mut register = register();
        register.tidy(at("2028-11-20T07:00:00Z"));
        assert_eq!(ids(&register), ["m1", "m2", "m3"]);
        register.tidy(at("2028-11-21T08:00:01Z"));
        assert_eq!(ids(&register), ["m2"]);
    }
}
