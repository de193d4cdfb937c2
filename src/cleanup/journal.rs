//! The journal of the cycle under way: what the next start needs when this one is killed.
//!
//! It is written before a client is started and removed when its cleanup is verified. One that is found at a start
//! tells what to look for: which processes are ours, what stood on the host before, whose row is missing.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::{Baseline, ResolvState};
use crate::config::Adopt;
use crate::files;
use crate::process::{Claim, ProcessId};
use crate::record::{CycleId, InForce, SiteKind, SiteName};

/// The cycle, as far as its row needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its id.
    pub id: CycleId,
    /// Its start.
    pub time: DateTime<FixedOffset>,
    /// The site.
    pub site: SiteName,
    /// Its kind.
    pub kind: SiteKind,
    /// Its group.
    pub group: Option<String>,
    /// The prober's name.
    pub prober: String,
    /// The interval in force.
    pub interval: Duration,
    /// The maintenance in which it began.
    #[serde(default)]
    pub maintenance: Option<InForce>,
}

/// A cycle under way, or one whose cleanup is not verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// Version of this format.
    pub version: u32,
    /// The boot during which it was written: processes and interfaces of another one are gone.
    pub boot_id: String,
    /// The cycle.
    pub cycle: Started,
    /// A row is still owed for it.
    pub owes_row: bool,
    /// The client's first process, once it was started.
    pub leader: Option<ProcessId>,
    /// Strangers that the profile adopts.
    pub adopt: Vec<Adopt>,
    /// The profile's `interface`.
    pub interface: Option<String>,
    /// What stood on the host before.
    pub baseline: Baseline,
    /// resolv.conf as it remained where it could not be restored: what stands there instead by now is somebody's own.
    #[serde(default)]
    pub resolv_conf_left: Option<ResolvState>,
}

impl Journal {
    /// This version of the format.
    pub const VERSION: u32 = 1;

    /// Whether it was written since the machine was started.
    pub fn is_of_this_boot(&self) -> bool {
        self.boot_id == boot_id()
    }

    /// What makes a process this cycle's.
    pub fn claim(&self) -> Claim {
        Claim {
            mark: Some(self.cycle.id.to_string()),
            leader: self.leader,
            known: BTreeSet::new(),
            subreaper: std::process::id().try_into().ok(),
            adopt: self.adopt.clone(),
        }
    }
}

/// Where the journal of one network context lies.
#[derive(Debug, Clone)]
pub struct JournalFile {
    path: PathBuf,
}

impl JournalFile {
    /// `state_dir/cycle-<context>.json`; the directory is created when it is written for the first time.
    pub fn new(state_dir: &Path, context: &str) -> Self {
        Self { path: state_dir.join(format!("cycle-{context}.json")) }
    }

    /// The journal that was left. One that can't be read is set aside and said.
    pub fn read(&self, now: DateTime<Utc>) -> io::Result<Option<Journal>> {
        let fault = |journal: &Journal| files::other_version(journal.version, Journal::VERSION);
        files::read_state(&self.path, now, fault, |aside, why| {
            tracing::error!(aside = %aside.display(), why, "the journal of an earlier cycle can't be read and was set aside: leftovers of its client are not known any more");
        })
    }

    /// Writes it, so that it survives a crash.
    pub fn write(&self, journal: &Journal) -> io::Result<()> {
        let bytes = serde_json::to_vec(journal).map_err(io::Error::other)?;
        files::replace(&self.path, &bytes)
    }

    /// Removes it: nothing is owed and nothing is left.
    pub fn remove(&self) -> io::Result<()> {
        files::remove(&self.path)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Names this boot of the machine.
pub(crate) fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::NetSnapshot;

    fn journal() -> Journal {
        Journal {
            version: Journal::VERSION,
            boot_id: boot_id(),
            cycle: Started {
                id: CycleId::from_text("20261120T061530.123Z-9f3ab2c1"),
                time: "2026-11-20T07:15:30.123+01:00".parse().unwrap(),
                site: SiteName::new("paris").unwrap(),
                kind: SiteKind::SslVpn,
                group: None,
                prober: "edge-1".into(),
                interval: Duration::from_mins(10),
                maintenance: None,
            },
            owes_row: true,
            leader: None,
            adopt: vec![Adopt { name: "java".into(), arg: Some("SnwlConnect.jar".into()) }],
            interface: Some("tun*".into()),
            baseline: Baseline {
                network: NetSnapshot::default(),
                resolv_conf: ResolvState { content: Some(b"nameserver ::1\n".to_vec()), ..ResolvState::default() },
            },
            resolv_conf_left: None,
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-20T06:16:00Z".parse().unwrap()
    }

    #[test]
    fn it_is_read_back_as_written_and_gone_when_removed() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(&dir.path().join("state"), "host");
        assert_eq!(file.read(now()).unwrap(), None);
        file.write(&journal()).unwrap();
        assert_eq!(file.read(now()).unwrap(), Some(journal()));
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(file.read(now()).unwrap(), None);
    }

    #[test]
    fn a_damaged_one_is_set_aside_and_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let file = JournalFile::new(dir.path(), "host");
        for damage in ["", "{", "{\"version\": 1}", "[]", "\u{0}"] {
            std::fs::write(file.path(), damage).unwrap();
            assert_eq!(file.read(now()).unwrap(), None, "{damage}");
            assert!(!file.path().exists());
        }
        let aside = dir.path().join("cycle-host.json.damaged-20261120T061600Z-4");
        assert!(aside.exists());
    }
}
