//! Windows that were added at run time, in one file of `state_dir`: replaced as a whole, set aside when damaged.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::added::Register;
use super::{Added, Ended, NewWindow};
use crate::files;

/// Version of the file's form.
const VERSION: u32 = 1;

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    version: u32,
    #[serde(flatten)]
    register: Register,
}

/// A window could not be added or ended.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The file can't be read or written.
    #[error("cannot use the maintenance windows in `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is none of this name or id.
    #[error("no maintenance window `{which}` was added that is not over\n  hint: {}", hint(open))]
    NoSuch {
        /// What was asked for.
        which: String,
        /// Those that there are.
        open: Vec<String>,
    },
}

fn hint(open: &[String]) -> String {
    if open.is_empty() {
        "none was; those of the configuration are ended there".to_owned()
    } else {
        format!("those are {}; windows of the configuration are ended there", open.join(", "))
    }
}

/// The file. Only the owner of `state_dir` changes it.
#[derive(Debug, Clone)]
pub struct MaintenanceBook {
    path: PathBuf,
}

impl MaintenanceBook {
    /// `state_dir/maintenance.json`.
    pub fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join("maintenance.json") }
    }

    /// Those that were added, for the owner of the state: a damaged file is set aside and said.
    pub fn load(&self, now: DateTime<Utc>) -> Result<Vec<Added>, MaintenanceError> {
        self.read(now).map(|register| register.windows).map_err(|e| self.error(e))
    }

    /// The same for whoever only looks: a damaged file is an error and stays where it is.
    pub fn peek(&self) -> Result<Vec<Added>, MaintenanceError> {
        let page = files::peek_state(&self.path, |page: &Page| page.version == VERSION).map_err(|e| self.error(e))?;
        Ok(page.map(|page| page.register.windows).unwrap_or_default())
    }

    /// Adds one; gives it with its id, and all.
    pub fn add(&self, window: NewWindow, now: DateTime<Utc>) -> Result<(Added, Vec<Added>), MaintenanceError> {
        let mut register = self.read(now).map_err(|e| self.error(e))?;
        let added = register.add(window, now);
        self.write(register, now).map(|all| (added, all)).map_err(|e| self.error(e))
    }

    /// Ends those of this id or name; gives them, and all.
    pub fn end(&self, which: &str, now: DateTime<Utc>) -> Result<(Vec<Ended>, Vec<Added>), MaintenanceError> {
        let mut register = self.read(now).map_err(|e| self.error(e))?;
        let ended = register.end(which, now);
        if ended.is_empty() {
            let open = register.windows.into_iter().filter(|added| added.window.end > now);
            let name = |added: Added| match added.window.name {
                Some(name) => format!("{} ({name})", added.id),
                None => added.id,
            };
            return Err(MaintenanceError::NoSuch { which: which.to_owned(), open: open.map(name).collect() });
        }
        self.write(register, now).map(|all| (ended, all)).map_err(|e| self.error(e))
    }

    fn read(&self, now: DateTime<Utc>) -> io::Result<Register> {
        let damaged = |aside: &Path, why: &str| {
            tracing::error!(aside = %aside.display(), why, "maintenance windows that were added can't be read and were set aside: they count no more");
        };
        let page =
            files::read_state(&self.path, now, |page: &Page| files::other_version(page.version, VERSION), damaged)?;
        Ok(page.map(|page| page.register).unwrap_or_default())
    }

    fn write(&self, mut register: Register, now: DateTime<Utc>) -> io::Result<Vec<Added>> {
        register.tidy(now);
        let page = Page { version: VERSION, register };
        files::replace(&self.path, &serde_json::to_vec(&page)?)?;
        Ok(page.register.windows)
    }

    fn error(&self, source: io::Error) -> MaintenanceError {
        MaintenanceError::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
