//! The row that is owed for a cycle that starts no client: should the prober be killed in it, the next start writes it.
//!
//! A cycle with a client has a journal, which tells that too. Only one cycle of a network context is ever under way.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::Started;
use crate::files;

/// Where it is noted.
#[derive(Debug, Clone)]
pub struct OwedRow {
    path: PathBuf,
}

impl OwedRow {
    /// `state_dir/owed-row-<context>.json`.
    pub fn new(state_dir: &Path, context: &str) -> Self {
        Self { path: state_dir.join(format!("owed-row-{context}.json")) }
    }

    /// The cycle is about to begin.
    pub fn note(&self, cycle: &Started) -> io::Result<()> {
        files::replace(&self.path, &serde_json::to_vec(cycle).map_err(io::Error::other)?)
    }

    /// The cycle whose row is owed. A note that can't be read is set aside and said.
    pub fn read(&self, now: DateTime<Utc>) -> io::Result<Option<Started>> {
        files::read_state(
            &self.path,
            now,
            |_| None,
            |aside, why| {
                tracing::error!(aside = %aside.display(), why, "the note of a cycle that was cut can't be read and was set aside: its row is lost");
            },
        )
    }

    /// The row is written.
    pub fn settle(&self) -> io::Result<()> {
        files::remove(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::{CycleId, SiteKind, SiteName};

    #[test]
    fn it_is_owed_until_it_is_settled_and_a_damaged_note_does_not_stop_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let (owed, now) = (OwedRow::new(dir.path(), "host"), "2026-11-20T06:16:00Z".parse().unwrap());
        assert_eq!(owed.read(now).unwrap(), None);
        let cycle = Started {
            id: CycleId::from_text("20261120T061530.123Z-9f3ab2c1"),
            time: "2026-11-20T07:15:30.123+01:00".parse().unwrap(),
            site: SiteName::new("utumishi").unwrap(),
            kind: SiteKind::Ipsec,
            group: None,
            prober: "edge-1".into(),
            interval: Duration::from_mins(1),
            maintenance: None,
        };
        owed.note(&cycle).unwrap();
        assert_eq!(owed.read(now).unwrap(), Some(cycle));
        owed.settle().unwrap();
        assert_eq!(owed.read(now).unwrap(), None);
        std::fs::write(dir.path().join("owed-row-host.json"), "{").unwrap();
        assert_eq!(owed.read(now).unwrap(), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "it is set aside");
    }
}
