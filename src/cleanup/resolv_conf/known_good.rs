//! The known good state of resolv.conf, kept over cycles and restarts.
//!
//! Before each login the file is compared with it. A difference is either the administrator's, and then it is the new
//! known good state, or what a client wrote and nobody took back: that is known by having been seen while a client
//! was up.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ResolvConf, ResolvState};
use crate::files;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Whether anything is known yet.
    known: bool,
    /// As it was before the last login.
    good: ResolvState,
    /// As it was while the last client was up, where that one had changed it.
    of_client: Option<ResolvState>,
}

/// Where a difference comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// There is none.
    None,
    /// Nothing was known, or somebody else changed the file: as it is, it is the known good one from now on.
    Others,
    /// A client wrote it and it stayed; this stood there before.
    Clients(ResolvState),
}

/// The known good state of one network context's resolv.conf.
#[derive(Debug, Clone)]
pub struct KnownGood {
    path: PathBuf,
    kept: Kept,
    while_up: Option<ResolvState>,
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
        Ok(Self { path, kept, while_up: None })
    }

    /// Compares the file with the known good state, before a login.
    pub fn compare(&mut self, now: &ResolvState) -> io::Result<Difference> {
        if self.kept.known && self.kept.good.is(now) {
            return Ok(Difference::None);
        }
        let clients = self.kept.of_client.as_ref().is_some_and(|clients| clients.says_as(now));
        if self.kept.known && now.content.is_some() && clients {
            return Ok(Difference::Clients(self.kept.good.clone()));
        }
        (self.kept.known, self.kept.good) = (true, now.clone());
        self.save()?;
        Ok(Difference::Others)
    }

    /// Remembers what the file is like while a client is up. What the last client did counts alone: what an earlier
    /// one wrote may be somebody else's word by now.
    pub fn note_client(&mut self, resolv_conf: &ResolvConf) -> io::Result<()> {
        let now = resolv_conf.read()?;
        self.while_up = Some(now.clone());
        let of_client = Some(now).filter(|now| !self.kept.good.says_as(now));
        if self.kept.of_client == of_client {
            return Ok(());
        }
        self.kept.of_client = of_client;
        self.save()
    }

    /// What the file was like while the client of this cycle was up.
    pub const fn while_up(&self) -> Option<&ResolvState> {
        self.while_up.as_ref()
    }

    fn save(&self) -> io::Result<()> {
        files::replace(&self.path, &serde_json::to_vec(&self.kept).map_err(io::Error::other)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ResolvConfConfig;

    const GOOD: &str = "nameserver 192.0.2.53\n";
    const CLIENTS: &str = "# SonicWall\nnameserver 10.1.0.53\n";

    struct Place {
        dir: tempfile::TempDir,
        file: ResolvConf,
    }

    impl Place {
        fn known(&self) -> KnownGood {
            KnownGood::open(self.dir.path(), "host").unwrap()
        }

        /// The file is found like this before a login.
        fn found(&self, content: &str) -> Difference {
            self.holds(content);
            self.known().compare(&self.file.read().unwrap()).unwrap()
        }

        fn holds(&self, content: &str) {
            std::fs::write(self.dir.path().join("resolv.conf"), content).unwrap();
        }

        /// A login during which the file is like this. Another process goes on.
        fn login(&self, content: &str) {
            self.holds(content);
            self.known().note_client(&self.file).unwrap();
        }
    }

    fn after_a_login() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let config = ResolvConfConfig { path: dir.path().join("resolv.conf"), restore_command: None };
        let place = Place { file: ResolvConf::new(&config, dir.path()), dir };
        assert_eq!(place.found(GOOD), Difference::Others, "nothing was known");
        place.login(CLIENTS);
        place
    }

    #[test]
    fn what_a_client_wrote_and_nobody_took_back_is_known_also_after_a_restart() {
        let place = after_a_login();
        let Difference::Clients(good) = place.found(CLIENTS) else { panic!("it is the client's") };
        assert_eq!(good.content.as_deref(), Some(GOOD.as_bytes()));
        assert_eq!(place.found(GOOD), Difference::None);
    }

    #[test]
    fn what_the_administrator_writes_is_kept() {
        let place = after_a_login();
        let new = "nameserver 198.51.100.53\n";
        assert_eq!(place.found(new), Difference::Others);
        assert_eq!(place.found(new), Difference::None);
        let gone = place.known().compare(&ResolvState::default()).unwrap();
        assert_eq!(gone, Difference::Others, "the file may be gone, too");
    }

    #[test]
    fn what_was_written_by_another_during_one_login_is_not_taken_for_a_clients_for_ever() {
        let place = after_a_login();
        place.login("nameserver 198.51.100.53\n");
        place.holds(GOOD);
        place.login(GOOD);
        assert_eq!(place.found("nameserver 198.51.100.53\n"), Difference::Others);
    }

    #[test]
    fn a_damaged_file_is_no_reason_to_stop() {
        let place = after_a_login();
        std::fs::write(place.dir.path().join("resolv-conf-host.json"), "{").unwrap();
        assert_eq!(place.found(GOOD), Difference::Others);
    }
}
