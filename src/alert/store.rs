//! What survives a restart and a kill -9: the policy's state per subject and the outbox, in one value and one file.
//!
//! The file is replaced atomically: it is the old state or the new one, never half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::expiry::Expiry;
use super::{Outbox, Stories, SubjectState};
use crate::clock::Clock;
use crate::files;

/// Version of the file's form. A change that this program could not read back raises it.
const VERSION: u32 = 1;
/// Name of the file in `state_dir`.
const FILE_NAME: &str = "alerts.json";

/// Everything that alerts remember.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertState {
    version: u32,
    /// The policy's state per subject.
    pub subjects: BTreeMap<String, SubjectState>,
    /// The policy's state of the prober's own uplink.
    #[serde(default)]
    pub uplink: SubjectState,
    /// The policy's state of what all sites have in common.
    #[serde(default)]
    pub all_sites: SubjectState,
    /// Of the accounts whose password expires: what people know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) passwords: BTreeMap<String, Expiry>,
    /// The subjects that are to be looked at; empty: those that were. Nothing to remember: the configuration says it anew.
    #[serde(skip)]
    pub configured: BTreeSet<String>,
    /// What is not yet delivered.
    pub outbox: Outbox,
    /// Who was told of what still goes on.
    #[serde(default, skip_serializing_if = "Stories::is_empty")]
    pub stories: Stories,
    /// Of what is told by the calendar, by its name: the periods that need no more telling. In this file, so that a
    /// message is in the outbox and its period settled by one write, or neither.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<String, BTreeSet<NaiveDate>>,
}

impl Default for AlertState {
    fn default() -> Self {
        Self {
            version: VERSION,
            subjects: BTreeMap::new(),
            uplink: SubjectState::default(),
            all_sites: SubjectState::default(),
            passwords: BTreeMap::new(),
            configured: BTreeSet::new(),
            outbox: Outbox::default(),
            stories: Stories::default(),
            settled: BTreeMap::new(),
        }
    }
}

/// Where the state is kept: a file here, a database in the hub.
pub trait AlertStore: Send + Sync {
    /// The state as saved last; a fresh one where there is none. What is there and makes no sense is set aside and said,
    /// never an error.
    fn load(&self) -> Result<AlertState, StoreError>;

    /// Saves the state durably: after this returns, a power cut loses nothing of it.
    fn save(&self, state: &AlertState) -> Result<(), StoreError>;
}

/// The state can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub struct StoreError {
    what: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// `what` reads after "cannot" and names the thing.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into() }
    }
}

/// The state in `alerts.json`, readable for its owner only.
#[derive(Debug)]
pub struct FileStore {
    dir: PathBuf,
    clock: Arc<dyn Clock>,
}

/// Why a state file is not used.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error("its content makes no sense: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("a directory lies in its place")]
    Directory,
    #[error("it is of version {0}, this program writes version {VERSION}")]
    OtherVersion(u32),
}

impl FileStore {
    /// The store in this directory, which is made when it is missing. The clock names a damaged file that is set aside.
    pub fn new(state_dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { dir: state_dir.into(), clock }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.dir.join(FILE_NAME)
    }

    /// The state for whoever only looks: a damaged one is an error and stays where it is.
    pub fn peek(&self) -> Result<AlertState, StoreError> {
        let state = files::peek_state(&self.path(), |state: &AlertState| state.version == VERSION);
        state.map(Option::unwrap_or_default).map_err(self.error("read"))
    }

    fn error(&self, operation: &'static str) -> impl FnOnce(io::Error) -> StoreError {
        let what = format!("{operation} the alert state `{}`", self.path().display());
        move |source| StoreError::new(what, source)
    }
}

impl AlertStore for FileStore {
    fn load(&self) -> Result<AlertState, StoreError> {
        let parsed = match fs::read(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(AlertState::default()),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Err(Unusable::Directory),
            Err(error) => return Err(self.error("read")(error)),
            Ok(content) => parse(&content),
        };
        let reason = match parsed {
            Ok(state) => return Ok(state),
            Err(reason) => reason,
        };
        let aside = files::set_aside(&self.path(), self.clock.now()).map_err(self.error("set aside"))?;
        tracing::error!(
            file = %self.path().display(), kept_as = %aside.display(), %reason,
            "alert state cannot be used; it is set aside and begun anew: open alerts are told again, pending messages are lost"
        );
        Ok(AlertState::default())
    }

    fn save(&self, state: &AlertState) -> Result<(), StoreError> {
        let content = serde_json::to_vec(state).map_err(io::Error::from).map_err(self.error("write"))?;
        files::replace(&self.path(), &content).map_err(self.error("write"))
    }
}

fn parse(content: &[u8]) -> Result<AlertState, Unusable> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(content)?;
    if version != VERSION {
        return Err(Unusable::OtherVersion(version));
    }
    Ok(serde_json::from_slice(content)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;
    use crate::alert::{AlertEvent, AlertFacts, AlertKind};
    use crate::clock::SystemClock;

    fn store(dir: &TempDir) -> FileStore {
        FileStore::new(dir.path().join("state"), Arc::new(SystemClock))
    }

    fn some_state() -> AlertState {
        let mut state = AlertState::default();
        state.subjects.insert("paris".into(), SubjectState::default());
        let at = "2026-11-20T06:15:30.123456789Z".parse().unwrap();
        let event = AlertEvent {
            id: "id".into(),
            thread: "id".into(),
            subject: "paris".into(),
            at,
            kind: AlertKind::Triggered { start: at, downs: 2 },
            facts: AlertFacts { login_ms: Some(0.1), ..AlertFacts::default() },
        };
        state.outbox.enqueue("email", event, at);
        state
    }

    fn files(dir: &TempDir) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir.path().join("state"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let dir = TempDir::new().unwrap();
        store(&dir).save(&AlertState::default()).unwrap();
        store(&dir).save(&some_state()).unwrap();
        assert_eq!(store(&dir).load().unwrap(), some_state());
        assert_eq!(files(&dir), ["alerts.json"], "nothing else stays behind");
    }

    #[test]
    fn nobody_else_may_read_the_file() {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        let torn = dir.path().join("state").join("alerts.json.new");
        fs::write(&torn, "left by a killed prober").unwrap();
        fs::set_permissions(&torn, fs::Permissions::from_mode(0o666)).unwrap();
        store(&dir).save(&some_state()).unwrap();
        assert_eq!(fs::metadata(store(&dir).path()).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(store(&dir).load().unwrap(), some_state());
    }

    #[test]
    fn a_missing_file_is_a_fresh_state() {
        let dir = TempDir::new().unwrap();
        assert_eq!(store(&dir).load().unwrap(), AlertState::default());
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_a_fresh_state_begun() {
        let good = serde_json::to_string(&some_state()).unwrap();
        let cases =
            ["", "{", "null", "[]", "{\"version\":1}", "{\"version\":2,\"subjects\":{},\"outbox\":{}}", "\0\0\0\0"];
        for content in cases.iter().map(|c| (*c).to_owned()).chain([good[..good.len() / 2].to_owned()]) {
            let dir = TempDir::new().unwrap();
            store(&dir).save(&some_state()).unwrap();
            fs::write(store(&dir).path(), &content).unwrap();
            assert_eq!(store(&dir).load().unwrap(), AlertState::default(), "{content}");
            let names = files(&dir);
            assert!(names.len() == 1 && names[0].starts_with("alerts.json.damaged-20"), "{names:?}");
            assert_eq!(fs::read_to_string(dir.path().join("state").join(&names[0])).unwrap(), content);
        }
    }

    #[test]
    fn a_directory_in_its_place_is_set_aside_too() {
        let dir = TempDir::new().unwrap();
        fs::create_dir_all(store(&dir).path()).unwrap();
        assert!(store(&dir).peek().is_err() && store(&dir).path().is_dir(), "who only looks moves nothing");
        assert_eq!(store(&dir).load().unwrap(), AlertState::default());
        store(&dir).save(&some_state()).unwrap();
        assert_eq!(store(&dir).peek().unwrap(), some_state());
        assert!(files(&dir)[1].starts_with("alerts.json.damaged-20"), "{:?}", files(&dir));
    }

    /// As the first version wrote it, with a tunnel's facts unknown, and less remembered of each subject.
    const FIRST_VERSION: &str = r#"{"version":1,"subjects":{"paris":{"last":{"at":"2026-11-20T06:25:30Z","interval":
        {"secs":600,"nanos":0}},"downs":0,"ups":{"count":1,"since":"2026-11-20T06:25:30Z"},"outage":{"start":
        "2026-11-20T06:05:30Z","last":{"prober":"edge-1","stage":"login","reason":"auth-rejected","detail":null,"stages":
        "login=auth-rejected","external":null,"gateway":null,"login_ms":null,"internal":null,"checks":"","dialogue":[]},
        "told":{"thread":"paris.20261120T060530.000Z.down","at":"2026-11-20T06:15:31Z","reminders":0,"failed":{"prober":
        "edge-1","stage":"login","reason":"auth-rejected"}}},"blindness":null}},"outbox":{"pending":[{"channel":"email",
        "event":{"id":"a","thread":"a","subject":"paris","at":"2026-11-20T06:15:31Z","kind":{"resolved":{"start":
        "2026-11-20T05:05:30Z","end":"2026-11-20T05:15:30Z","failed":{"prober":"edge-1"}}},"facts":{"prober":"edge-1"}},
        "created_at":"2026-11-20T06:15:31Z","attempts":1,"next_attempt":"2026-11-20T06:16:31Z","last_error":"refused"}],
        "dead":[],"delivered":3,"given_up":0}}"#;

    #[test]
    fn what_the_first_version_wrote_is_understood() {
        let dir = TempDir::new().unwrap();
        let store = store(&dir);
        store.save(&AlertState::default()).unwrap();
        fs::write(store.path(), FIRST_VERSION).unwrap();
        let state = store.load().unwrap();
        assert_eq!(files(&dir), ["alerts.json"], "not set aside");
        assert_eq!(
            state.subjects["paris"].open_alert().unwrap().start,
            "2026-11-20T06:05:30Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()
        );
        let AlertKind::Resolved { restored, .. } = state.outbox.pending().next().unwrap().event.kind else {
            panic!("{state:?}")
        };
        assert!(!restored && !state.subjects["paris"].is_unsteady());
    }

    #[test]
    fn two_damaged_files_of_one_second_are_both_kept() {
        let dir = TempDir::new().unwrap();
        let store = FileStore::new(dir.path().join("state"), Arc::new(StoppedClock));
        for content in ["one", "two"] {
            fs::create_dir_all(dir.path().join("state")).unwrap();
            fs::write(store.path(), content).unwrap();
            store.load().unwrap();
        }
        assert_eq!(files(&dir), ["alerts.json.damaged-20261120T061530Z", "alerts.json.damaged-20261120T061530Z-1"]);
    }

    #[derive(Debug)]
    struct StoppedClock;

    impl Clock for StoppedClock {
        fn now(&self) -> chrono::DateTime<chrono::Utc> {
            "2026-11-20T06:15:30Z".parse().unwrap()
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error_that_names_the_file() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("state"), "a file where the directory should be").unwrap();
        let error = store(&dir).save(&some_state()).unwrap_err();
        assert!(error.to_string().starts_with("cannot write the alert state `/"), "{error}");
        assert!(error.to_string().ends_with("/state/alerts.json`"), "{error}");
    }
}
