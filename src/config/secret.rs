//! Secrets: values that never reach argv, a log, a transcript, an alert or an error.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

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

/// Where a secret comes from. It is read anew for each use ([`SecretSource::read`]), so that a rotated file counts at
/// once.
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
    /// Group or others can read the file, so it is no secret.
    #[error("the secret file `{}` can be read by others (mode {mode:o}): chmod 600", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The environment variable is not set, or is not valid UTF-8.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The credential's name is no plain file name.
    #[error("`{0}` is not the plain name of a systemd credential")]
    CredentialName(String),
    /// Not started by systemd with credentials.
    #[error("there is no credential `{0}`: CREDENTIALS_DIRECTORY is not set")]
    NoCredentials(String),
    /// The command can't be run.
    #[error("cannot run the secret command `{program}`")]
    Command {
        /// Its program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The command ended badly.
    #[error("the secret command `{program}` failed: {status}")]
    CommandFailed {
        /// Its program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The command did not end in time, and was killed.
    #[error("the secret command `{program}` did not end within {} s", after.as_secs())]
    CommandTimeout {
        /// Its program.
        program: String,
        /// How long it had.
        after: Duration,
    },
    /// The first line is empty, or there is none.
    #[error("the secret from {0} is empty")]
    Empty(String),
    /// More than 64 KiB.
    #[error("the secret from {0} is larger than 64 KiB")]
    TooLarge(String),
    /// Not valid UTF-8, or with control characters, which no prompt would take.
    #[error("the secret from {0} is not a line of text")]
    NotText(String),
}

/// Whether this is a plain file name: no path, no hidden way out of a directory.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0'])
}
