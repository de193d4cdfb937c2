//! Small state files: replaced as a whole or not at all, set aside when damaged.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use nix::fcntl::{Flock, FlockArg};
use serde::de::DeserializeOwned;

/// Replaces `path` by a file with these bytes that only this user can read: after a crash the old file or the new one
/// is there, never a part of one. The directory is created if it is missing.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let new = beside(path, "new");
    // Whatever lies there is of a write that was cut, or a link that is not to be followed.
    remove(&new)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(dir)?.sync_all()
}

/// Creates a directory that only this user can enter; one that is there is left as it is.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Removes a file; one that is not there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The state that lies there as JSON; none where no file does. One that can't be read, or of which `fault` says what is
/// wrong with it, is set aside, and `damaged` is told where it went and why.
pub(crate) fn read_state<T: DeserializeOwned>(
    path: &Path,
    now: DateTime<Utc>,
    fault: impl FnOnce(&T) -> Option<String>,
    damaged: impl FnOnce(&Path, &str),
) -> io::Result<Option<T>> {
    let bytes = match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => {
            damaged(&set_aside(path, now)?, "a directory lies in its place");
            return Ok(None);
        }
        other => other?,
    };
    let why = match serde_json::from_slice::<T>(&bytes) {
        Ok(state) => match fault(&state) {
            None => return Ok(Some(state)),
            Some(why) => why,
        },
        Err(e) => e.to_string(),
    };
    damaged(&set_aside(path, now)?, &why);
    Ok(None)
}

/// The same for whoever only looks: nothing is set aside, and a damaged state or one that is not `fit` is an error, whose
/// words hold nothing of it.
pub(crate) fn peek_state<T: DeserializeOwned>(path: &Path, fit: impl FnOnce(&T) -> bool) -> io::Result<Option<T>> {
    let bytes = match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let state = serde_json::from_slice::<T>(&bytes).ok().filter(|state| fit(state));
    state.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is damaged, or of another version"))
}

/// What is wrong with a state of another version than this program's.
pub(crate) fn other_version(version: u32, own: u32) -> Option<String> {
    (version != own).then(|| format!("it has version {version}"))
}

/// Waits for the lock beside a state file, which keeps other processes from changing it; gone when dropped.
pub(crate) fn lock(path: &Path) -> io::Result<Flock<File>> {
    let path = path.with_extension("lock");
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, e)| e.into())
}

/// Moves a damaged file to a name that says when and that is not taken yet, and tells that name.
pub(crate) fn set_aside(path: &Path, when: DateTime<Utc>) -> io::Result<PathBuf> {
    let time = when.format("%Y%m%dT%H%M%SZ");
    let names = (0_u32..).map(|n| match n {
        0 => format!("damaged-{time}"),
        n => format!("damaged-{time}-{n}"),
    });
    let free = names.map(|name| beside(path, &name)).find(|aside| fs::symlink_metadata(aside).is_err());
    let aside = free.unwrap_or_else(|| beside(path, "damaged"));
    fs::rename(path, &aside)?;
    Ok(aside)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}
