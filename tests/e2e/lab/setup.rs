//! One prober's configuration, in a directory of its own, written as the story is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use tempfile::TempDir;

use super::rows::Row;
use super::secrets::assert_none_in;
use super::{Lab, Prober, Ran};

/// A configuration: sites on top of keys that all of them share.
pub(crate) struct Setup<'a> {
    lab: &'a Lab,
    dir: TempDir,
    top: Vec<String>,
    email: Option<String>,
    defaults: Vec<(String, String)>,
    sites: Vec<String>,
    clients: Vec<String>,
    environment: Vec<(String, String)>,
    wrapper: Option<String>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(lab: &'a Lab) -> Self {
        let fingerprint = |name: &str| fs::read_to_string(lab.dir().join("fingerprints").join(name)).unwrap();
        let (sha1, pin) = (fingerprint("gw.sha1"), fingerprint("gw.pin-sha256"));
        let password = lab.dir().join("secrets/probe.pw");
        let defaults = [
            ("vpn_gw", "10.78.0.1".to_owned()),
            ("external_ip", "10.78.0.1".to_owned()),
            ("internal_ip", "10.77.0.1".to_owned()),
            ("username", "probe".to_owned()),
            ("password_file", password.display().to_string()),
            ("timeout", "20".to_owned()),
            ("client", "lab-startct".to_owned()),
            ("fingerprint", format!("[\"SHA1:{}\", \"{}\"]", sha1.trim(), pin.trim())),
            ("ping", "{ count: 3, interval: 20ms, timeout: 1s }".to_owned()),
        ];
        let setup = Self {
            lab,
            dir: tempfile::tempdir().unwrap(),
            top: Vec::new(),
            email: None,
            defaults: defaults.map(|(key, value)| (key.to_owned(), value)).to_vec(),
            sites: Vec::new(),
            clients: Vec::new(),
            environment: Vec::new(),
            wrapper: None,
        };
        fs::create_dir(setup.output()).unwrap();
        setup.plays("good");
        setup
    }

    /// One more site; `keys` is the inside of a YAML flow mapping.
    pub(crate) fn site(mut self, name: &str, keys: &str) -> Self {
        self.sites.push(format!("  {name}: {{ {keys} }}"));
        self
    }

    /// A client profile of its own, in the same form.
    pub(crate) fn client(mut self, name: &str, keys: &str) -> Self {
        self.clients.push(format!("  {name}: {{ {keys} }}"));
        self
    }

    /// A key at the top of the file, in one line; it takes the place of an earlier one.
    pub(crate) fn top(mut self, line: &str) -> Self {
        let key = line.split_once(':').unwrap().0;
        self.top.retain(|other| other.split_once(':').unwrap().0 != key);
        self.top.push(line.to_owned());
        self
    }

    /// Another value of a key that all sites share.
    pub(crate) fn default(self, key: &str, value: &str) -> Self {
        let mut setup = self.without(key);
        setup.defaults.push((key.to_owned(), value.to_owned()));
        setup
    }

    /// Leaves out a key that all sites share.
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.defaults.retain(|(name, _)| name != key);
        self
    }

    /// Mails; `keys` comes beside sender and recipient.
    pub(crate) fn email(mut self, keys: &str) -> Self {
        self.email = Some(format!("{{ from: prober@prober.lab, to: operator@mail.lab, {keys} }}"));
        self
    }

    /// A variable of the prober's environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs the prober from a shell script, as `"$@"`, in a mount namespace of its own: what it mounts, nobody else sees.
    pub(crate) fn wrapped(mut self, script: &str) -> Self {
        self.wrapper = Some(script.to_owned());
        self
    }

    /// From now on the stand-in for Connect Tunnel plays this scenario of `fixtures/scenarios`.
    pub(crate) fn plays(&self, scenario: &str) {
        let of = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/scenarios").join(format!("{scenario}.yml"));
        fs::copy(of, self.scenario()).unwrap();
    }

    /// From now on it plays this one.
    pub(crate) fn plays_text(&self, scenario: &str) {
        fs::write(self.scenario(), scenario).unwrap();
    }

    /// The same, as one would say it in one line.
    pub(crate) fn playing(self, scenario: &str) -> Self {
        self.plays(scenario);
        self
    }

    /// Runs the prober to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).end()
    }

    /// Starts the prober.
    pub(crate) fn start(&self, arguments: &[&str]) -> Prober<'_> {
        Prober::start(self, arguments)
    }

    /// The prober's command line, in the lab, on this configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let config = self.write_config();
        let program = env!("CARGO_BIN_EXE_vpnprobe");
        let mut command = self.lab.script(&["run"]);
        if let Some(script) = &self.wrapper {
            command.args(["sh", "-c", script, "sh"]);
        }
        command.args([program, "-c", &config.display().to_string()]);
        command.args(arguments).current_dir(self.dir.path()).env("STARTCT_SCENARIO", self.scenario());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// All rows so far.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Row> {
        Row::all_in(&self.results())
    }

    /// The only row.
    #[track_caller]
    pub(crate) fn row(&self) -> Row {
        let rows = self.rows();
        assert_eq!(rows.len(), 1, "one row a cycle: {rows:?}");
        rows[0].clone()
    }

    pub(crate) const fn lab(&self) -> &'a Lab {
        self.lab
    }

    /// Where it is all kept.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The journal of the cycle under way.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir().join("state/cycle-host.json")
    }

    pub(crate) fn results(&self) -> PathBuf {
        self.dir().join("results")
    }

    pub(super) fn output(&self) -> PathBuf {
        self.dir().join("output")
    }

    fn scenario(&self) -> PathBuf {
        self.dir().join("scenario.yml")
    }

    fn write_config(&self) -> PathBuf {
        let path = self.dir().join("config.yml");
        let startct = self.lab.dir().join("bin/startct");
        let mut lines = vec!["state_dir: state".to_owned(), "logging:".to_owned(), "  dir: results".to_owned()];
        lines.extend(self.email.iter().map(|email| format!("  email: {email}")));
        lines.extend([
            "clients:".to_owned(),
            format!("  lab-startct: {{ extends: startct, command: \"{}\" }}", startct.display()),
            // The same, given up sooner when it does not leave.
            "  hasty-startct: { extends: lab-startct, leave: { grace: 1s } }".to_owned(),
        ]);
        lines.extend(self.clients.iter().cloned());
        lines.push("defaults:".to_owned());
        lines.extend(self.defaults.iter().map(|(key, value)| format!("  {key}: {value}")));
        lines.extend(self.top.iter().cloned());
        lines.push("sites:".to_owned());
        lines.extend(self.sites.iter().cloned());
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    }
}

impl Drop for Setup<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert_none_in(self.dir());
        }
    }
}
