//! Small state files: replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Replaces `path` by a file with these bytes that only this user can read: after a crash the old file or the new one
/// is there, never a part of one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(dir)?.sync_all()
}

/// Removes a file; one that is not there is no error.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Moves a damaged file aside, to a name that says when, and tells that name.
pub(crate) fn set_aside(path: &Path, when: chrono::DateTime<chrono::Utc>) -> io::Result<std::path::PathBuf> {
    let aside = path.with_extension(format!("damaged-{}", when.format("%Y%m%dT%H%M%S%.3fZ")));
    fs::rename(path, &aside)?;
    Ok(aside)
}
