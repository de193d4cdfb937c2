//! `vpnprobe client try`: one dialogue, live, to write a profile by.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::client::{config_or_none, profile};
use super::common::{CommandError, chosen, note, say, surroundings};
use super::global::Global;
use super::show::Terminal;
use crate::client::{Seen, Typist};
use crate::config::{
    Account, AlertRules, Config, Fingerprint, GatewayConfig, GatewayProtocol, Probes, Profile, Reaction, Secret,
    SecretSource, Site, SiteTarget, SslVpn,
};
use crate::daemon::clear_up;
use crate::exit_code;
use crate::record::{SiteName, Stage, StageRecord, Verdict};
use crate::runner::{Observer, Order, run_cycle};
use crate::shutdown::{Hangup, Shutdown};
use crate::stage::Quiet;

/// A client that prints nothing for so long, and has not ended its line, waits for an answer.
const QUIET: Duration = Duration::from_secs(2);

/// Arguments of `client try`.
#[derive(Debug, clap::Args)]
pub(super) struct TryArgs {
    /// The profile
    #[arg(value_name = "NAME")]
    name: String,
    /// Take the values of this site
    #[arg(long, value_name = "SITE", conflicts_with_all = ["gateway", "username", "realm", "param", "password_file"])]
    site: Option<String>,
    /// Host or host:port
    #[arg(long, value_name = "GATEWAY", required_unless_present = "site")]
    gateway: Option<String>,
    /// User name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Login group
    #[arg(long, value_name = "REALM")]
    realm: Option<String>,
    /// A value of `params` (several times)
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    param: Vec<(String, String)>,
    /// A certificate that may be accepted (several times)
    #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
    fingerprint: Vec<Fingerprint>,
    /// The password's file [default: asked on the terminal]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Log in although the account rests after it was refused
    #[arg(long)]
    force: bool,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    Fingerprint::parse(text).ok_or_else(|| "is not a fingerprint".to_owned())
}

/// Runs the command.
pub(super) async fn run(global: &Global, args: &TryArgs) -> Result<u8, CommandError> {
    let config = config_or_none(global)?;
    let client = profile(&config, &args.name)?;
    let site = site(&config, client, args)?;
    let shutdown =
        Shutdown::listen(Hangup::Stops).map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let (watch, mut seen) = mpsc::unbounded_channel();
    let mut around = surroundings(&config, Arc::new(Quiet), &shutdown)?;
    around.watch = Some(watch);
    clear_up(&around, &config).await.map_err(CommandError::Failed)?;

    let terminal = Terminal::of_stdout();
    say(&terminal.headline(&site));
    let stages = Stages(terminal);
    let order = Order { force: args.force, ..Order::new(site.interval, false) };
    let cycle = run_cycle(&site, order, &around, &stages);
    tokio::pin!(cycle);
    let mut live = Live::default();
    let finished = loop {
        let quiet = live.quiet_at;
        tokio::select! {
            biased;
            Some(seen) = seen.recv() => live.sees(seen),
            finished = &mut cycle => break finished,
            answer = live.answer(), if live.asking.is_some() => live.type_answer(answer),
            () = sleep_until(quiet.unwrap_or_else(Instant::now)), if quiet.is_some() => live.is_quiet(),
        }
    };
    drop(live);
    say(&terminal.verdict_line(&finished.record));
    finished.closing.close().map_err(|e| CommandError::Failed(format!("cannot close the cycle's journal: {e}")))?;
    Ok(match finished.record.verdict {
        Verdict::Up => exit_code::OK,
        Verdict::Down => exit_code::FAILED,
        Verdict::Unknown => exit_code::UNKNOWN,
    })
}

/// The site to try: one of the configuration with another client, or one made of the arguments; its login alone.
fn site(config: &Config, client: Arc<Profile>, args: &TryArgs) -> Result<Site, CommandError> {
    let gateway = GatewayConfig { speaks: GatewayProtocol::None, verify: None, timeout: Duration::from_secs(10) };
    if let Some(name) = &args.site {
        let found = chosen(config, std::slice::from_ref(name))?;
        let Some(mut site) = found.first().map(|site| Site::clone(site)) else {
            return Err(CommandError::Usage(format!("there is no site `{name}`")));
        };
        let SiteTarget::SslVpn(vpn) = &mut site.target else {
            return Err(CommandError::Usage(format!(
                "the site `{name}` has no client: it is of `kind: {}`",
                site.kind()
            )));
        };
        (vpn.client, vpn.gateway) = (client, gateway);
        vpn.fingerprints.extend(args.fingerprint.iter().cloned());
        site.probes = Probes::default();
        return Ok(site);
    }
    let vpn_gw = args.gateway.clone().unwrap_or_default();
    if crate::config::split_host_port(&vpn_gw).is_none() {
        return Err(CommandError::Usage(format!("`{vpn_gw}` is not a host or host:port")));
    }
    let name = SiteName::new("try").map_err(|e| CommandError::Failed(e.to_string()))?;
    let password = match &args.password_file {
        Some(file) => Some(SecretSource::File(file.clone())),
        None if asks_password(&client) && io::stdin().is_terminal() => {
            let password = Secret::new(ask("Password: ", true).map_err(|e| CommandError::Failed(e.to_string()))?);
            Some(SecretSource::Inline(password))
        }
        None => None,
    };
    let target = SiteTarget::SslVpn(Box::new(SslVpn {
        vpn_gw,
        account: Account {
            username: args.username.clone().unwrap_or_else(|| name.to_string()),
            realm: args.realm.clone(),
        },
        username: args.username.clone(),
        password,
        otp_secret: None,
        key_passphrase: None,
        timeout: Duration::from_mins(1),
        client,
        client_args: Vec::new(),
        fingerprints: args.fingerprint.clone(),
        gateway,
        params: args.param.iter().cloned().collect::<BTreeMap<_, _>>(),
    }));
    let interval = config.frequency;
    Ok(Site {
        name,
        group: None,
        interval,
        interval_down: None,
        alerts: AlertRules::default(),
        probes: Probes::default(),
        target,
    })
}

fn asks_password(client: &Profile) -> bool {
    client.dialogue.iter().any(
        |rule| matches!(&rule.reaction, Reaction::Send { line, .. } if line.fields().any(|field| field == "password")),
    )
}

/// Stages as they end; the dialogue stands between them.
struct Stages(Terminal);

impl Observer for Stages {
    fn begins(&self, _: &SiteName, _: Stage) {}

    fn ended(&self, _: &SiteName, record: &StageRecord) {
        say(&self.0.stage_line(record));
    }
}

/// What is shown of a dialogue.
#[derive(Default)]
struct Live {
    typist: Option<Typist>,
    open: String,
    echo_off: bool,
    quiet_at: Option<Instant>,
    asking: Option<(JoinHandle<io::Result<String>>, Option<Hidden>)>,
}

impl Live {
    fn sees(&mut self, seen: Seen) {
        self.quiet_at = None;
        match seen {
            Seen::Started(typist) => self.typist = Some(typist),
            Seen::Line(line) => say(&format!("    | {line}\n")),
            Seen::Open { text, echo_off } => {
                (self.open, self.echo_off) = (text, echo_off);
                self.quiet_at = (!self.open.trim().is_empty()).then(|| Instant::now() + QUIET);
            }
            Seen::Typed(shown) => {
                self.open.clear();
                say(&format!("    > {shown}\n"));
            }
            Seen::Matched { expect, fingerprint } => {
                if !self.open.trim().is_empty() {
                    say(&format!("    | {}\n", self.open.trim_end()));
                }
                say(&format!("    = rule {expect}\n"));
                if let Some(fingerprint) = fingerprint {
                    say(&format!(
                        "      certificate {fingerprint}\n      to accept it: fingerprint: [\"{fingerprint}\"]\n"
                    ));
                }
            }
        }
    }

    /// The client waits, and no rule has answered.
    fn is_quiet(&mut self) {
        self.quiet_at = None;
        let question = self.open.trim().to_owned();
        let hidden = if self.echo_off { ", hidden: true" } else { "" };
        say(&format!(
            "    | {question}\n    ? no rule answers this; if it is a question, add one:\n      - {{ expect: '(?m)^{}', send: \"…\"{hidden} }}\n",
            regex::escape(&question).replace('\'', "''")
        ));
        if io::stdin().is_terminal() && self.asking.is_none() {
            let hidden = if self.echo_off { Hidden::begin() } else { None };
            let task = tokio::task::spawn_blocking(|| ask("    your answer (Enter alone: none): ", false));
            self.asking = Some((task, hidden));
        }
    }

    async fn answer(&mut self) -> io::Result<String> {
        match &mut self.asking {
            Some((task, _)) => task.await.map_err(io::Error::other)?,
            None => std::future::pending().await,
        }
    }

    fn type_answer(&mut self, answer: io::Result<String>) {
        if self.asking.take().is_some_and(|(_, hidden)| hidden.is_some()) {
            say("\n");
        }
        match (answer, &self.typist) {
            (Ok(line), Some(typist)) if !line.is_empty() => typist.answer(Secret::new(line)),
            (Err(e), _) => note(&format!("cannot read your answer: {e}")),
            _ => {}
        }
    }
}

/// Asks on the terminal.
fn ask(question: &str, hide: bool) -> io::Result<String> {
    let hidden = if hide { Hidden::begin() } else { None };
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    if hidden.is_some() {
        writeln!(err)?;
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The echo of our own terminal is off while this lives.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
