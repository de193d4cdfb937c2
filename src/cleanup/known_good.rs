//! The known good content of resolv.conf, kept over cycles and restarts.
//!
//! Before each login the file is compared with it. A difference is either the administrator's, and then it is the new
//! known good content, or what a client wrote and nobody took back: that is known by having been seen while a client
//! was up.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ResolvConf;
use crate::files;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Whether anything is known yet.
    known: bool,
    /// Content before the last login; `None`: there was no file.
    good: Option<Vec<u8>>,
    /// Content while the last client that changed it was up.
    of_client: Option<Vec<u8>>,
}

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is none.
    None,
    /// Nothing was known, or somebody else changed the file: its content is the known good one from now on.
    Others,
    /// A client wrote it and it stayed; this stood there before.
    Clients(Option<Vec<u8>>),
}

/// The known good content of one network context's resolv.conf.
#[derive(Debug, Clone)]
pub struct KnownGood {
    path: PathBuf,
    kept: Kept,
}

impl KnownGood {
    /// Reads what is kept in `state_dir`. A file that can't be understood is as good as none: the next content counts.
    pub fn open(state_dir: &Path, context: &str) -> io::Result<Self> {
        let path = state_dir.join(format!("resolv-conf-{context}.json"));
        let kept = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(e) => return Err(e),
        };
        Ok(Self { path, kept })
    }

    /// Compares the file with the known good content, before a login.
    pub fn compare(&mut self, now: Option<&[u8]>) -> io::Result<Difference> {
        if self.kept.known && self.kept.good.as_deref() == now {
            return Ok(Difference::None);
        }
        if self.kept.known && now.is_some() && self.kept.of_client.as_deref() == now {
            return Ok(Difference::Clients(self.kept.good.clone()));
        }
        (self.kept.known, self.kept.good) = (true, now.map(<[u8]>::to_vec));
        self.save()?;
        Ok(Difference::Others)
    }

    /// Remembers what the file holds while a client is up, where that is the client's doing.
    pub fn note_client(&mut self, resolv_conf: &ResolvConf) -> io::Result<()> {
        let now = resolv_conf.read()?;
        if self.kept.good == now || self.kept.of_client == now {
            return Ok(());
        }
        self.kept.of_client = now;
        self.save()
    }

    fn save(&self) -> io::Result<()> {
        files::replace(&self.path, &serde_json::to_vec(&self.kept).map_err(io::Error::other)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ResolvConfConfig;

    const GOOD: &[u8] = b"nameserver 192.0.2.53\n";
    const CLIENTS: &[u8] = b"# SonicWall\nnameserver 10.1.0.53\n";

    fn after_a_login() -> (tempfile::TempDir, KnownGood) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        let file = ResolvConf::new(&ResolvConfConfig { path: path.clone(), restore_command: None });
        let mut known = KnownGood::open(dir.path(), "host").unwrap();
        assert_eq!(known.compare(Some(GOOD)).unwrap(), Difference::Others, "nothing was known");
        std::fs::write(&path, CLIENTS).unwrap();
        known.note_client(&file).unwrap();
        // Another process goes on.
        let known = KnownGood::open(dir.path(), "host").unwrap();
        (dir, known)
    }

    #[test]
    fn what_a_client_wrote_and_nobody_took_back_is_known_also_after_a_restart() {
        let (_dir, mut known) = after_a_login();
        assert_eq!(known.compare(Some(CLIENTS)).unwrap(), Difference::Clients(Some(GOOD.to_vec())));
        assert_eq!(known.compare(Some(GOOD)).unwrap(), Difference::None);
    }

    #[test]
    fn what_the_administrator_writes_is_kept() {
        let (_dir, mut known) = after_a_login();
        let new: &[u8] = b"nameserver 198.51.100.53\n";
        assert_eq!(known.compare(Some(new)).unwrap(), Difference::Others);
        assert_eq!(known.compare(Some(new)).unwrap(), Difference::None);
        assert_eq!(known.compare(None).unwrap(), Difference::Others, "the file may be gone, too");
    }

    #[test]
    fn a_damaged_file_is_no_reason_to_stop() {
        let (dir, _) = after_a_login();
        std::fs::write(dir.path().join("resolv-conf-host.json"), "{").unwrap();
        let mut known = KnownGood::open(dir.path(), "host").unwrap();
        assert_eq!(known.compare(Some(GOOD)).unwrap(), Difference::Others);
    }
}
