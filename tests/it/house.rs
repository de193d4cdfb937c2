//! A directory of its own with a configuration and clients that are small shell scripts: enough for whole cycles
//! without privileges. Its clients have no interface, so nothing but the lock is shared with the rest of the host.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::{Mutex, MutexGuard, mpsc};
use tokio::time::timeout;

/// Longest wait for anything; only a fault of the test itself, or another prober on this host, takes so long.
pub(crate) const LIMIT: Duration = Duration::from_secs(100);

/// The password that the clients here take.
pub(crate) const PASSWORD: &str = "let-me-in";

/// One client at a time: the prober's lock is one for the whole network namespace.
static CLIENT: Mutex<()> = Mutex::const_new(());

/// Keeps the other tests' clients away.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    CLIENT.lock().await
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A directory in which `vpnprobe` is run.
pub(crate) struct House(TempDir);

impl House {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// One with these sites (lines of YAML, indented by two) and the clients `good`, `refusing`, `stubborn` and
    /// `missing`.
    pub(crate) fn with_sites(sites: &str) -> Self {
        let house = Self::empty();
        house.write("resolv.conf", "nameserver 192.0.2.53\n");
        let asks = "printf 'Password: '\nread -r password\n";
        house.script("good", &format!("{asks}echo Connected\nread -r line\necho Disconnected\n"));
        let leaks = "echo \"you typed $password\"\necho \"environment: ${PROBE_PASSWORD-nothing}\"\n";
        house.script("refusing", &format!("{asks}{leaks}echo 'Access Denied'\nread -r line\n"));
        // Outlives its terminal, and its end can be seen: `told` is closed when the last of its processes is gone.
        house.script("stubborn", "trap '' HUP\nexec 3>told\necho started >&3\nsleep 600\n");
        mkfifo(&house.path("told"), Mode::S_IRWXU).unwrap();
        house.configure(sites);
        house
    }

    /// Writes `config.yml` anew with these sites.
    pub(crate) fn configure(&self, sites: &str) {
        let at = self.0.path().display();
        let text = format!(
            r#"
frequency: 1h
prober: here
state_dir: state
logging: {{ dir: results }}
resolv_conf: {{ path: resolv.conf }}
defaults: {{ vpn_gw: vpn.example.com, username: probe, password_env: PROBE_PASSWORD, timeout: 60 }}
clients:
  good:
    command: {at}/good
    dialogue:
      - {{ expect: "(?m)^Password: ", send: "{{password}}" }}
      - {{ expect: "Access Denied", failed: auth-rejected }}
      - {{ expect: "(?m)^Connected", connected: true }}
    leave: {{ send: quit }}
  refusing: {{ extends: good, command: {at}/refusing }}
  stubborn: {{ extends: good, command: {at}/stubborn }}
  missing: {{ extends: good, command: {at}/not-there }}
sites:
{sites}
"#
        );
        self.write("config.yml", &text);
    }

    /// A place in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn script(&self, name: &str, body: &str) {
        self.write(name, &format!("#!/bin/sh\ncd '{}' || exit\n{body}", self.0.path().display()));
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `vpnprobe` with these arguments, in this directory.
    pub(crate) fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpnprobe"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("PROBE_PASSWORD", PASSWORD)
            .env_remove("STATE_DIRECTORY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs `vpnprobe` to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments.iter().copied()).output();
        let output = timeout(LIMIT, output).await.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts `vpnprobe run`.
    pub(crate) fn start(&self) -> Prober {
        self.start_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Prober {
        let mut command = self.command(["run", "--log-format", "json"]);
        let mut process = command.envs(variables.iter().copied()).spawn().unwrap();
        let log = tokio::io::BufReader::new(process.stderr.take().unwrap()).lines();
        Prober { process, log }
    }

    /// What the client `stubborn` tells; `None` once the last of its processes is gone.
    pub(crate) fn told(&self) -> mpsc::UnboundedReceiver<String> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let path = self.path("told");
        // A thread that nobody waits for: when the test fails, nothing may ever be told.
        std::thread::spawn(move || {
            for line in BufReader::new(fs::File::open(path).unwrap()).lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        receiver
    }

    /// The rows of all day files as column → cell, and a look at the header.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let mut files = files_of(&self.path("results"));
        files.sort();
        files.iter().flat_map(|path| rows_of(path)).collect()
    }

    /// Every byte that it left behind, but for the scripts and the configuration.
    pub(crate) fn everything_written(&self) -> String {
        let files = files_of(&self.path("results")).into_iter().chain(files_of(&self.path("state")));
        files.map(|file| String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()).collect()
    }
}

fn files_of(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).map(|entries| entries.map(|e| e.unwrap().path()).collect()).unwrap_or_default()
}

fn rows_of(path: &Path) -> Vec<Value> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| header.iter().zip(record.iter()).map(|(k, v)| (k.into(), v.into())).collect();
    reader.records().map(|record| Value::Object(row(record.unwrap()))).collect()
}

/// A running `vpnprobe run`.
pub(crate) struct Prober {
    process: Child,
    log: Lines<tokio::io::BufReader<ChildStderr>>,
}

impl Prober {
    /// The next line of its log with this message.
    pub(crate) async fn says(&mut self, message: &str) -> Value {
        self.says_what(message, |said| said.contains(message)).await
    }

    /// The line about the next cycle that is over. No other is meant: one that was busy has a warning of its own.
    pub(crate) async fn says_cycle(&mut self) -> Value {
        self.says_what("cycle", |said| said == "cycle").await
    }

    async fn says_what(&mut self, message: &str, is_it: impl Fn(&str) -> bool) -> Value {
        let read = async {
            while let Some(line) = self.log.next_line().await.unwrap() {
                let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if line["message"].as_str().is_some_and(&is_it) {
                    return line;
                }
            }
            panic!("it ended without saying `{message}`");
        };
        timeout(LIMIT, read).await.unwrap_or_else(|_| panic!("it does not say `{message}`"))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).unwrap();
    }

    fn pid(&self) -> i32 {
        self.process.id().expect("it still runs").try_into().unwrap()
    }

    /// Memory that it holds, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// It may open so many files more than it has open now. The limit is on the numbers of descriptors, and there may be
    /// unused ones among them.
    pub(crate) fn may_open_more(&self, more: usize) {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap();
        let open: Vec<u64> =
            entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
        self.may_open((0..).filter(|number| !open.contains(number)).nth(more).unwrap());
    }

    /// How many it may have open from now on.
    pub(crate) fn may_open(&self, files: u64) {
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        let pid = rustix::process::Pid::from_raw(self.pid());
        prlimit(pid, Resource::Nofile, Rlimit { current: Some(files), maximum }).unwrap();
    }

    /// Waits for its end: the exit status, or none where a signal ended it.
    pub(crate) async fn ends(mut self) -> Option<i32> {
        // Its log is read to the end, so that it never waits for a reader.
        let ended = async {
            while self.log.next_line().await.unwrap().is_some() {}
            self.process.wait().await.unwrap().code()
        };
        timeout(LIMIT, ended).await.expect("it does not end")
    }
}
