//! Secrets: values that never reach argv, a log, a transcript, an alert or an error.

use std::fmt;
use std::path::PathBuf;

/// A secret's value. Its `Debug` shows nothing of it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one place that must have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Where a secret comes from. It is read anew for each use, so that a rotated file counts at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In place, in the configuration.
    Inline(Secret),
    /// First line of a file; refused when group or others can read it.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// First line of a command's output.
    Command(Vec<String>),
    /// A systemd credential: a file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// Why a secret could not be read. Never shows a value.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read.
    #[error("cannot read the secret file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
