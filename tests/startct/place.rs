//! Where the stand-in lies, and what it finds there.

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use vpnprobe::simulator::{CertificateOf, Scenario, ScenarioError};

/// The directory of the installation: `$STARTCT_HOME`, else above that of the program (`HOME/ui/java`).
#[derive(Clone)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn find() -> io::Result<Self> {
        if let Some(home) = env::var_os("STARTCT_HOME") {
            return Ok(Self(home.into()));
        }
        let program = env::current_exe()?;
        Ok(Self(program.ancestors().nth(2).unwrap_or(Path::new("/")).to_owned()))
    }

    pub(crate) fn home(&self) -> &Path {
        &self.0
    }

    /// `$STARTCT_SCENARIO`, else `scenario.yml` beside the rest, else a good day.
    pub(crate) fn scenario(&self) -> Result<Scenario, ScenarioError> {
        match env::var_os("STARTCT_SCENARIO") {
            Some(path) => Scenario::load(Path::new(&path)),
            None if self.0.join("scenario.yml").exists() => Scenario::load(&self.0.join("scenario.yml")),
            None => Ok(Scenario::default()),
        }
    }

    /// SHA-1 of a certificate that the gateway shows; empty when nobody wrote it down.
    pub(crate) fn sha1(&self, of: CertificateOf) -> String {
        let name = match of {
            CertificateOf::Root => "root.sha1",
            CertificateOf::Leaf => "leaf.sha1",
        };
        self.line(name).unwrap_or_default()
    }

    /// The pin by which openconnect trusts the gateway.
    pub(crate) fn pin(&self) -> io::Result<String> {
        self.line("leaf.pin-sha256")
    }

    pub(crate) fn helper(&self) -> PathBuf {
        self.0.join("ui/AvConnect")
    }

    pub(crate) fn tunnel_script(&self) -> PathBuf {
        self.0.join("ui/tunnel-script")
    }

    pub(crate) fn instance_lock(&self) -> PathBuf {
        self.0.join("instance.lock")
    }

    /// Whether this is not the code that was used last; it is from now on.
    pub(crate) fn is_new_code(&self, code: &str) -> io::Result<bool> {
        let last = self.0.join("last-code");
        let new = fs::read_to_string(&last).unwrap_or_default() != code;
        fs::write(last, code)?;
        Ok(new)
    }

    /// For appending.
    pub(crate) fn log(&self) -> io::Result<fs::File> {
        fs::OpenOptions::new().create(true).append(true).open(self.0.join("log"))
    }

    fn line(&self, name: &str) -> io::Result<String> {
        Ok(fs::read_to_string(self.0.join(name))?.trim().to_owned())
    }
}
