//! What each site looked like last, and when it is looked at next: plain data for whoever asks while the prober runs.
//!
//! Written where records go by, and by the timetable. Who reads it (`status`, later pages and metrics) asks neither the
//! runner nor the network, and holds nobody up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::record::{CycleRecord, SiteName};

/// One site.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SiteSnapshot {
    /// Its latest cycle, without the dialogue; none before the first one is over.
    pub last: Option<Arc<CycleRecord>>,
    /// Start of the first of its cycles in a row with that verdict, as far as this prober saw them.
    pub since: Option<DateTime<Utc>>,
    /// When its next cycle begins.
    pub next: Option<Next>,
}

/// When a site's next cycle begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At this time, as the wall clock stands now.
    At(DateTime<Utc>),
    /// It is due, and waits for the cycles of other sites.
    Waits,
    /// It is under way.
    UnderWay,
}

/// What the timetable says of a site. No wall time: that may be set meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Its next cycle is due then.
    At(Instant),
    /// It is due.
    Waits,
    /// Its cycle is under way.
    UnderWay,
}

/// Where snapshots are kept. One writer of each fact, many readers; it outlives a reload.
#[derive(Debug, Default)]
pub struct Board {
    sites: Mutex<BTreeMap<SiteName, Entry>>,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    last: Option<Arc<CycleRecord>>,
    since: Option<DateTime<Utc>>,
    due: Option<Due>,
}

impl Board {
    /// A cycle is over.
    pub fn note(&self, record: &CycleRecord) {
        let mut sites = self.sites();
        let entry = sites.entry(record.site.clone()).or_default();
        let time = record.time.to_utc();
        let goes_on = entry.last.as_ref().is_some_and(|last| last.verdict == record.verdict);
        entry.since = entry.since.filter(|_| goes_on).or(Some(time));
        // What a client said is the largest part of a record, and nobody here shows it.
        entry.last = Some(Arc::new(CycleRecord { dialogue: Vec::new(), ..record.clone() }));
    }

    /// What the timetable says of these sites.
    pub fn note_due<'a>(&self, due: impl IntoIterator<Item = (&'a SiteName, Due)>) {
        let mut sites = self.sites();
        for (site, due) in due {
            match sites.get_mut(site) {
                Some(entry) => entry.due = Some(due),
                None => drop(sites.insert(site.clone(), Entry { due: Some(due), ..Entry::default() })),
            }
        }
    }

    /// Forgets every site but these: a new configuration has no others.
    pub fn keep_only(&self, is_kept: impl Fn(&SiteName) -> bool) {
        self.sites().retain(|site, _| is_kept(site));
    }

    /// One site as it is known now.
    pub fn site(&self, site: &SiteName, now: DateTime<Utc>) -> SiteSnapshot {
        let entry = self.sites().get(site).cloned().unwrap_or_default();
        let next = entry.due.map(|due| match due {
            Due::At(at) => Next::At(wall_time(at, now)),
            Due::Waits => Next::Waits,
            Due::UnderWay => Next::UnderWay,
        });
        SiteSnapshot { last: entry.last, since: entry.since, next }
    }

    fn sites(&self) -> MutexGuard<'_, BTreeMap<SiteName, Entry>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the wall clock, which says `now`, is going to say at that instant.
fn wall_time(at: Instant, now: DateTime<Utc>) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(at.saturating_duration_since(Instant::now())).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::Verdict;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn cycle(time: &str, verdict: Verdict) -> CycleRecord {
        let json = serde_json::json!({
            "id": time, "time": time, "site": "paris", "kind": "ssl-vpn", "prober": "edge-1",
            "interval": { "secs": 600, "nanos": 0 }, "stages": [], "verdict": verdict, "leftovers": [], "checks": [],
            "dialogue": [{ "at_ms": 1, "sent": false, "text": "hello" }],
        });
        serde_json::from_value(json).unwrap()
    }

    fn paris() -> SiteName {
        SiteName::new("paris").unwrap()
    }

    #[test]
    fn a_verdict_is_since_its_first_cycle_in_a_row() {
        let board = Board::default();
        let mut since = Vec::new();
        for (time, verdict) in [
            ("2026-11-20T06:00:00Z", Verdict::Up),
            ("2026-11-20T06:10:00Z", Verdict::Down),
            ("2026-11-20T06:20:00Z", Verdict::Down),
            ("2026-11-20T06:30:00Z", Verdict::Unknown),
        ] {
            board.note(&cycle(time, verdict));
            let site = board.site(&paris(), at(time));
            assert_eq!(site.last.as_ref().unwrap().verdict, verdict);
            assert!(site.last.unwrap().dialogue.is_empty());
            since.push(site.since.unwrap().format("%H:%M").to_string());
        }
        assert_eq!(since, ["06:00", "06:10", "06:10", "06:30"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_cycle_is_told_by_the_wall_clock_also_after_it_was_set() {
        let board = Board::default();
        assert_eq!(board.site(&paris(), at("2026-11-20T06:00:00Z")), SiteSnapshot::default());
        board.note_due([(&paris(), Due::At(Instant::now() + Duration::from_mins(10)))]);
        tokio::time::advance(Duration::from_mins(4)).await;
        let next = |now| board.site(&paris(), at(now)).next;
        assert_eq!(next("2026-11-20T06:04:00Z"), Some(Next::At(at("2026-11-20T06:10:00Z"))));
        assert_eq!(next("2026-11-20T05:04:00Z"), Some(Next::At(at("2026-11-20T05:10:00Z"))));
        board.note_due([(&paris(), Due::UnderWay)]);
        assert_eq!(next("2026-11-20T06:04:00Z"), Some(Next::UnderWay));
        board.keep_only(|site| site.as_str() != "paris");
        assert_eq!(next("2026-11-20T06:04:00Z"), None);
    }
}
