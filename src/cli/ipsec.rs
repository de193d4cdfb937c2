//! `vpnprobe ipsec`: the command line of MIPsec, its flags and its exit statuses.
//!
//! It has a runtime of one thread of its own: it mostly waits, and is to be small meanwhile (docs/decisions/0037).

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::common::note;
use super::ipsec_list::names;
use super::ipsec_words::{Teller, summary};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, parse_duration};
use crate::error::chain;
use crate::ipsec::{Ended, Ledger, Mode, Note, Pass, Passed, RestartPolicy};
use crate::net::HostNet;
use crate::vici::{Endpoint, Strongswan, ViciError};
use crate::{exit_code, files, memory};

/// Arguments of `ipsec`. Those of MIPsec have its names, its defaults and its meaning; its options may be cut short as
/// Python's argparse has it.
#[derive(Debug, clap::Args)]
pub(super) struct IpsecArgs {
    /// CHILD_SAs to look at, beside those of the list
    #[arg(value_name = "TUNNEL")]
    tunnels: Vec<String>,
    /// Where strongSwan's VICI listens: a path, or `tcp://127.0.0.1:4502`
    #[arg(long, value_name = "SOCKET", default_value = Endpoint::DEFAULT)]
    socket: String,
    /// List of CHILD_SAs, in YAML [default: /opt/mipsec/mipsec.yaml]
    #[arg(id = "config", long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Log more
    #[arg(long, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Log warnings and errors only
    #[arg(long)]
    quiet: bool,
    /// Look again every --interval seconds, until SIGTERM or SIGINT
    #[arg(long, alias = "d")]
    daemon: bool,
    /// From one pass to the next, in seconds
    #[arg(long, value_name = "INTERVAL", default_value = "300", value_parser = seconds, allow_negative_numbers = true)]
    interval: Seconds,
    /// Attempts at bringing a tunnel up
    #[arg(long, value_name = "MAX_RETRIES", default_value = "3", allow_negative_numbers = true)]
    max_retries: i64,
    /// Before the second attempt, in seconds; doubled before each further one
    #[arg(long, value_name = "RETRY_DELAY", default_value = "2", value_parser = seconds, allow_negative_numbers = true)]
    retry_delay: Seconds,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// How long strongSwan's own recovery of a tunnel is left alone, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "45", value_parser = seconds, allow_negative_numbers = true)]
    grace: Seconds,
    /// Resets of a tunnel within an hour, at most
    #[arg(long, value_name = "COUNT", default_value_t = RestartPolicy::default().max_per_hour)]
    limit_per_hour: u32,
}

/// A length of time as it was written; none where it is below zero.
#[derive(Debug, Clone)]
struct Seconds(Option<Duration>);

/// Seconds, or a number with its unit.
fn seconds(text: &str) -> Result<Seconds, String> {
    let (number, is_negative) = text.strip_prefix('-').map_or((text, false), |number| (number, true));
    let duration = parse_duration(number).ok_or("write a number of seconds, like 60, or 5m")?;
    Ok(Seconds((!is_negative || duration.is_zero()).then_some(duration)))
}

/// Why it did not begin, or did not go on.
#[derive(Debug)]
pub(super) struct Refused {
    status: u8,
    text: String,
}

impl Refused {
    pub(super) fn new(status: u8, text: String) -> Self {
        Self { status, text }
    }
}

impl IpsecArgs {
    /// How much is logged: as [`super::global::Global::verbosity`] says.
    pub(super) fn verbosity(&self) -> i8 {
        if self.quiet { -1 } else { i8::from(self.verbose > 0) }
    }

    /// What is wrong with values that are values; MIPsec ends with 1 on them.
    fn policy(&self) -> Result<(RestartPolicy, Duration), Refused> {
        const LONGEST_INTERVAL: Duration = Duration::from_hours(24 * 366);
        const LONGEST_WAIT: Duration = Duration::from_hours(1);
        const MOST_RETRIES: u32 = 100;
        let mut faults = Vec::new();
        let mut within = |name: &str, Seconds(given): &Seconds, least: Duration, most: Duration| {
            let fits = given.filter(|given| (least..=most).contains(given));
            if fits.is_none() {
                let (least, most) = (least.as_secs(), most.as_secs());
                faults.push(format!("{name} is out of range: give {least} to {most} seconds"));
            }
            fits.unwrap_or_default()
        };
        let interval = within("--interval", &self.interval, Duration::from_secs(1), LONGEST_INTERVAL);
        let retry_delay = within("--retry-delay", &self.retry_delay, Duration::ZERO, LONGEST_WAIT);
        let grace = within("--grace", &self.grace, Duration::ZERO, LONGEST_WAIT);
        let max_retries = u32::try_from(self.max_retries).ok().filter(|count| (1..=MOST_RETRIES).contains(count));
        if max_retries.is_none() {
            faults.push(format!("--max-retries is out of range: give 1 to {MOST_RETRIES}"));
        }
        if self.verbose > 0 && self.quiet {
            faults.push("--verbose and --quiet contradict each other: leave one of them out".to_owned());
        }
        match max_retries {
            Some(max_retries) if faults.is_empty() => {
                let max_per_hour = self.limit_per_hour;
                Ok((RestartPolicy { enabled: true, grace, max_retries, retry_delay, max_per_hour }, interval))
            }
            _ => Err(Refused::new(exit_code::FAILED, faults.join("\n"))),
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &IpsecArgs) -> ExitCode {
    let status = prepare(args).and_then(|command| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Refused::new(exit_code::CRITICAL, format!("cannot start: {e}")))?;
        if !args.daemon {
            return runtime.block_on(command.once());
        }
        // A panic has told its place by then.
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(command.for_ever())))
            .unwrap_or_else(|_| Err(Refused::new(exit_code::CRITICAL, "cannot go on".to_owned())))
    });
    ExitCode::from(status.unwrap_or_else(|refused| {
        note(&refused.text);
        refused.status
    }))
}

/// Everything that was asked for, checked. In MIPsec's order: the values, the list, the socket.
fn prepare(args: &IpsecArgs) -> Result<Ipsec, Refused> {
    let (policy, interval) = args.policy()?;
    let names = names(args.list.as_ref(), &args.tunnels)?;
    let endpoint =
        Endpoint::parse(&args.socket).map_err(|e| Refused::new(exit_code::NO_VICI, format!("--socket {e}")))?;
    let net = HostNet::new(PathBuf::from("/etc/resolv.conf"));
    let net =
        Arc::new(net.map_err(|e| Refused::new(exit_code::FAILED, format!("cannot look at this host's network: {e}")))?);
    let ledger = Ledger::new(&state_dir(&Environment::of_process(), is_writable), endpoint.to_string());
    let mode = match (args.dry_run, args.daemon) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Return,
        (false, false) => Mode::Wait,
    };
    let control = Strongswan::new(endpoint, Arc::clone(&net) as Arc<_>);
    Ok(Ipsec { names, control, net, ledger, policy, interval, mode })
}

/// The command, ready to begin.
#[derive(Debug)]
struct Ipsec {
    names: Vec<String>,
    control: Strongswan,
    net: Arc<HostNet>,
    ledger: Ledger,
    policy: RestartPolicy,
    interval: Duration,
    mode: Mode,
}

impl Ipsec {
    async fn once(&self) -> Result<u8, Refused> {
        let teller = Teller::of_one_pass();
        let passed = self.pass(&teller).await.map_err(|e| unasked(&e))?;
        let words = summary(&self.names, &passed.tunnels);
        if passed.tunnels.iter().all(|end| *end == Ended::Up) {
            tracing::info!("{words}");
            return Ok(exit_code::OK);
        }
        tracing::warn!("{words}");
        Ok(exit_code::FAILED)
    }

    async fn pass(&self, teller: &Teller) -> Result<Passed, ViciError> {
        let tell = |note: &Note<'_>| teller.tell(note);
        let pass = Pass {
            control: &self.control,
            net: &*self.net,
            ledger: &self.ledger,
            clock: &SystemClock,
            policy: &self.policy,
            mode: self.mode,
            tell: &tell,
        };
        pass.run(&self.names).await
    }

    async fn for_ever(&self) -> Result<u8, Refused> {
        let no_signals = |e: io::Error| Refused::new(exit_code::CRITICAL, format!("cannot listen for signals: {e}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        tokio::select! {
            ended = self.passes() => ended,
            _ = terminate.recv() => Ok(exit_code::OK),
            _ = interrupt.recv() => Ok(exit_code::OK),
        }
    }

    /// Pass after pass; ends only where there was no strongSwan from the beginning.
    async fn passes(&self) -> Result<u8, Refused> {
        /// After a look that failed: strongSwan is being restarted, and its tunnels are down.
        const ANOTHER_TRY: Duration = Duration::from_secs(5);
        /// Looks that a tunnel calls for come no faster.
        const SOONEST: Duration = Duration::from_secs(1);
        tracing::info!("looking at {} tunnels every {} s", self.names.len(), self.interval.as_secs_f32());
        let teller = Teller::of_many_passes();
        let (mut before, mut is_first, mut is_away) = (Vec::new(), true, false);
        loop {
            let begun = Instant::now();
            let next = match self.pass(&teller).await {
                Ok(passed) => {
                    if std::mem::take(&mut is_away) {
                        tracing::info!("strongSwan answers again");
                    }
                    let words = summary(&self.names, &passed.tunnels);
                    if passed.tunnels == before {
                        tracing::debug!("{words}");
                    } else {
                        tracing::info!("{words}");
                    }
                    let again = passed.again.map(|at| {
                        let left = at.signed_duration_since(SystemClock.now()).to_std().unwrap_or_default();
                        Instant::now() + left.max(SOONEST)
                    });
                    before = passed.tunnels;
                    again.map_or(begun + self.interval, |again| again.min(begun + self.interval))
                }
                Err(error @ ViciError::Unreachable { .. }) if is_first => return Err(unasked(&error)),
                Err(error) => {
                    if !std::mem::replace(&mut is_away, true) {
                        tracing::error!("{}", chain(&error));
                    }
                    begun + self.interval.min(ANOTHER_TRY)
                }
            };
            is_first = false;
            memory::rest();
            sleep_until(next).await;
        }
    }
}

/// strongSwan could not be asked.
fn unasked(error: &ViciError) -> Refused {
    let words = chain(error);
    let ViciError::Unreachable { source, .. } = error else { return Refused::new(exit_code::FAILED, words) };
    let hint = match source.kind() {
        io::ErrorKind::PermissionDenied => "the socket is root's: run this as root",
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            "is strongSwan running, and has it VICI? Debian's package strongswan-swanctl has the plugin `vici`, also for \
             configurations in ipsec.conf: install it and restart strongSwan; `--socket` names another socket"
        }
        _ => "`--socket` names the socket of strongSwan's plugin `vici`",
    };
    Refused::new(exit_code::NO_VICI, format!("{words}\n  hint: {hint}"))
}

/// Where restarts are noted, so that their limit holds from one cron run to the next: the service manager's directory,
/// the system's, or the user's own.
fn state_dir(environment: &Environment, is_writable: impl Fn(&Path) -> bool) -> PathBuf {
    let given = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').find(|dir| !dir.is_empty()));
    if let Some(given) = given {
        return PathBuf::from(given);
    }
    let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let own = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    let places = [Some(PathBuf::from("/var/lib/vpnprobe")), own.map(|own| own.join("vpnprobe"))];
    places.into_iter().flatten().find(|path| is_writable(path)).unwrap_or_else(|| PathBuf::from("state"))
}

/// Whether a file can be made there; the directory is created if it is missing.
fn is_writable(dir: &Path) -> bool {
    use rustix::fs::{Access, access};
    files::create_private_dir(dir).is_ok() && access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_noted_where_the_next_run_finds_them() {
        let none: [(&str, &str); 0] = [];
        let with = |variables: &[(&'static str, &'static str)]| Environment::new(variables.iter().copied(), "h");
        for (environment, writable, dir) in [
            (with(&none), "/", "/var/lib/vpnprobe"),
            (with(&[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"), ("HOME", "/root")]), "/", "/var/lib/a"),
            (with(&[("HOME", "/home/probe")]), "/home", "/home/probe/.local/state/vpnprobe"),
            (
                with(&[("HOME", "/home/probe"), ("XDG_STATE_HOME", "/home/probe/st")]),
                "/home",
                "/home/probe/st/vpnprobe",
            ),
            (with(&[("HOME", "here")]), "/home", "state"),
            (with(&none), "/nowhere", "state"),
        ] {
            assert_eq!(state_dir(&environment, |path| path.starts_with(writable)), Path::new(dir));
        }
    }
}
