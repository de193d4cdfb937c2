//! No secret is seen where others can see it.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Lab;
use super::snapshot::processes;

/// The secrets that the lab knows.
pub(crate) const SECRETS: &[&str] = &[
    "lab-secret-1",
    "lab-secret-2",
    "lab-secret-3",
    "not-the-password",
    "lab-mail-secret",
    "lab-key-secret",
    "GEZDGNBVGY3TQOJQ",
];

/// Between two looks at all processes.
const PACE: Duration = Duration::from_millis(10);

/// Looks at every process of the prober's namespace while the prober and its client run: command lines, and the client's environment.
pub(crate) struct Sampler {
    stop: Sender<()>,
    seen: JoinHandle<Vec<String>>,
}

impl Sampler {
    /// Looks from now on.
    pub(crate) fn start(lab: &Lab) -> Self {
        let namespace = lab.namespace();
        let (stop, stopped) = mpsc::channel();
        let seen = thread::spawn(move || {
            let mut found = Vec::new();
            while matches!(stopped.recv_timeout(PACE), Err(RecvTimeoutError::Timeout)) {
                found.extend(shown_secrets(&namespace));
            }
            found
        });
        Self { stop, seen }
    }

    /// Asserts that no secret was seen.
    #[track_caller]
    pub(crate) fn saw_none(self) {
        // It has ended only if it panicked, which `join` tells.
        let _ = self.stop.send(());
        assert_eq!(self.seen.join().unwrap(), Vec::<String>::new(), "secrets that every user could see");
    }
}

/// Secrets that can be seen now, and by which command.
pub(crate) fn shown_secrets(namespace: &str) -> Vec<String> {
    processes(namespace)
        .iter()
        .flat_map(|process| shown_by(&Path::new("/proc").join(process.pid.to_string())))
        .collect()
}

fn shown_by(process: &Path) -> Vec<String> {
    // Whoever ends while looked at shows nothing.
    let read = |file: &str| fs::read(process.join(file)).unwrap_or_default();
    let command = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
    let is_client =
        ["startct", "java ", "AvConnect", "openconnect", "openvpn"].iter().any(|name| command.contains(name));
    let environment = if is_client && !command.contains("vpnprobe ") { read("environ") } else { Vec::new() };
    let environment = String::from_utf8_lossy(&environment);
    let shown = SECRETS.iter().filter(|secret| command.contains(**secret) || environment.contains(**secret));
    shown.map(|secret| format!("`{secret}` by `{command}`")).collect()
}

/// Asserts that no file below `dir` holds a secret.
#[track_caller]
pub(crate) fn assert_none_in(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            assert_none_in(&path);
        } else if path.is_file() {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            for secret in SECRETS {
                assert!(!text.contains(secret), "`{}` holds the secret `{secret}`", path.display());
            }
        }
    }
}
