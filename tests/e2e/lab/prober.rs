//! The prober under way, and what came of it.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use serde_json::Value;

use super::guard::kill;
use super::{Row, Sampler, Setup, until};

/// A prober under way; killed with this value.
pub(crate) struct Prober<'a> {
    setup: &'a Setup<'a>,
    child: Child,
    output: PathBuf,
    sampler: Option<Sampler>,
}

/// A prober that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl<'a> Prober<'a> {
    pub(super) fn start(setup: &'a Setup<'a>, arguments: &[&str]) -> Self {
        let number = fs::read_dir(setup.output()).unwrap().count();
        let output = setup.output().join(number.to_string());
        fs::create_dir(&output).unwrap();
        let into = |name: &str| File::create(output.join(name)).unwrap();
        let sampler = Some(Sampler::start(setup.lab()));
        // `scripts/lab run` becomes the prober: its process id is the prober's.
        let child = setup
            .command(arguments)
            .stdin(Stdio::null())
            .stdout(into("stdout"))
            .stderr(into("stderr"))
            .spawn()
            .unwrap();
        Self { setup, child, output, sampler }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        self.child.id().try_into().unwrap()
    }

    /// What it printed so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.output.join("stdout")).unwrap()
    }

    /// What it logged so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.output.join("stderr")).unwrap()
    }

    /// Waits until it prints or logs this.
    #[track_caller]
    pub(crate) fn says(&mut self, words: &str) {
        until(&format!("the prober says `{words}`"), || {
            let said = [self.stdout(), self.stderr()].concat();
            let lives = self.child.try_wait().unwrap().is_none();
            assert!(lives || said.contains(words), "the prober ended without saying `{words}`: {said}");
            said.contains(words).then_some(())
        });
    }

    /// Waits until there are so many rows, and gives them.
    #[track_caller]
    pub(crate) fn rows(&self, count: usize) -> Vec<Row> {
        until(&format!("{count} rows; so far {:?}", self.setup.rows()), || {
            Some(self.setup.rows()).filter(|rows| rows.len() >= count)
        })
    }

    /// Waits until it pings with a tunnel up.
    #[track_caller]
    pub(crate) fn pings_inside(&self) {
        until("the prober pings through the tunnel", || {
            (self.sees_tunnel() && self.has_socket("icmp", "")).then_some(())
        });
    }

    /// Looks again and again until it has ended.
    #[track_caller]
    pub(crate) fn until_end(&self, mut look: impl FnMut()) {
        until("the end of the prober", || {
            look();
            // Asked for without taking note: that is for `end`.
            let pid = Pid::from_raw(self.pid()).unwrap();
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT).unwrap()
        });
    }

    /// Whether a tunnel stands where it is.
    pub(crate) fn sees_tunnel(&self) -> bool {
        self.table("dev").contains("tun")
    }

    /// Whether a socket of this kind, whose line in the kernel's table contains `text`, is open where it is.
    pub(crate) fn has_socket(&self, kind: &str, text: &str) -> bool {
        self.table(kind).lines().skip(1).any(|line| line.contains(text))
    }

    fn table(&self, name: &str) -> String {
        fs::read_to_string(format!("/proc/{}/net/{name}", self.pid())).unwrap_or_default()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// `kill -9` of the prober alone.
    #[track_caller]
    pub(crate) fn kill(self) -> Ran {
        self.signal(Signal::KILL);
        let ran = self.end();
        assert_eq!(ran.status.signal(), Some(Signal::KILL.as_raw()), "it had ended before: {ran:?}");
        ran
    }

    /// Asks it to stop and waits for its end.
    #[track_caller]
    pub(crate) fn stop(self) -> Ran {
        self.signal(Signal::TERM);
        self.end()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ran {
        let status = until("the end of the prober", || self.child.try_wait().unwrap());
        if let Some(sampler) = self.sampler.take() {
            sampler.saw_none();
        }
        Ran { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Prober<'_> {
    fn drop(&mut self) {
        // After its end both do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    /// Asserts its exit status.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that it printed or logged this.
    #[track_caller]
    pub(crate) fn said(&self, words: &str) -> &Self {
        let said = [self.stdout.as_str(), &self.stderr].concat();
        assert!(said.contains(words), "not said: `{words}` in\n{said}");
        self
    }

    /// The only line of `--json`.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "one object a line: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// What was typed, as `--json` shows it.
    #[track_caller]
    pub(crate) fn typed(&self) -> Vec<String> {
        let json = self.json();
        let dialogue = json["dialogue"].as_array().unwrap();
        let sent = dialogue.iter().filter(|event| event["sent"] == true);
        sent.map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    }
}
