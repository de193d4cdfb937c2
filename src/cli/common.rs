//! What several commands need.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::global::Global;
use crate::account::AccountBook;
use crate::cleanup::ResolvConf;
use crate::clock::SystemClock;
use crate::config::{self, Config, Environment, Site};
use crate::exit_code;
use crate::ipsec::Ledger;
use crate::net::{HostNet, NetContext};
use crate::process::{self, Endurance};
use crate::shutdown::Shutdown;
use crate::stage::{HoldRoutes, Surroundings};
use crate::uplink::Witnesses;
use crate::vici::{Endpoint, Strongswan};

/// Why a command could not do its work.
#[derive(Debug)]
pub(super) enum CommandError {
    /// Usage or configuration: the text is shown as it is.
    Usage(String),
    /// Anything else.
    Failed(String),
}

impl CommandError {
    /// Its text alone.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Usage(text) | Self::Failed(text) => text,
        }
    }

    /// Prints it and gives its exit status.
    pub(super) fn report(self) -> ExitCode {
        let (text, status) = match self {
            Self::Usage(text) => (text, exit_code::USAGE),
            Self::Failed(text) => (text, exit_code::FAILED),
        };
        say_error(&text);
        ExitCode::from(status)
    }
}

/// Prints an error and gives the exit status of a failure.
pub(super) fn fail(text: &str) -> ExitCode {
    CommandError::Failed(text.to_owned()).report()
}

/// To stderr; where nobody reads it there is nobody to tell that.
fn say_error(text: &str) {
    let _ = writeln!(io::stderr(), "vpnprobe: {}", text.trim_end());
}

/// A word beside the result, on stderr.
pub(super) fn note(text: &str) {
    say_error(text);
}

/// Prints to stdout. A reader that went away (`| head`) is no error.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The configuration that the command line names, with its warnings logged.
pub(super) fn load(global: &Global) -> Result<Config, CommandError> {
    let environment = Environment::of_process();
    let path = config_path(global)?;
    let loaded = config::load(&path, &environment).map_err(|e| faulty(&e))?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(loaded.config)
}

/// A configuration that can't be used; more than one fault are counted first, each on lines of its own.
pub(super) fn faulty(error: &config::LoadError) -> CommandError {
    CommandError::Usage(match error.faults.len() {
        0 | 1 => error.to_string(),
        several => format!("the configuration has {several} faults\n{error}"),
    })
}

/// The file that the command line names, else the first of the default ones that exists.
pub(super) fn config_path(global: &Global) -> Result<PathBuf, CommandError> {
    if let Some(path) = &global.config {
        return Ok(path.clone());
    }
    config::find_config().ok_or_else(|| {
        let places = config::DEFAULT_FILES.join(" nor ");
        CommandError::Usage(format!(
            "there is neither {places}\n  hint: name the configuration with --config FILE, or look at it work first: vpnprobe demo"
        ))
    })
}

/// Fails when there is nothing to probe.
pub(super) fn need_sites(config: &Config) -> Result<(), CommandError> {
    if config.sites.is_empty() {
        let text = "the configuration has no sites\n  hint: add one below `sites:`; config.yml.example shows how";
        return Err(CommandError::Usage(text.to_owned()));
    }
    Ok(())
}

/// The named sites, or all; a name that is not configured is a usage error.
pub(super) fn chosen(config: &Config, names: &[String]) -> Result<Vec<Arc<Site>>, CommandError> {
    if names.is_empty() {
        return Ok(config.sites.clone());
    }
    names
        .iter()
        .map(|name| {
            let found = config.sites.iter().find(|s| s.name.as_str() == name).cloned();
            let known = || config.sites.iter().map(|s| s.name.to_string()).collect::<Vec<_>>();
            found.map_or_else(|| Err(not_there("site", name, &known())), Ok)
        })
        .collect()
}

/// Fails where `name` is none of the known ones.
pub(super) fn one_of(what: &str, name: &str, known: &[String]) -> Result<(), CommandError> {
    if known.iter().any(|one| one == name) { Ok(()) } else { Err(not_there(what, name, known)) }
}

/// Names the one that was meant, where there is one, and a few of those that are there.
fn not_there(what: &str, name: &str, known: &[String]) -> CommandError {
    const SHOWN: usize = 20;
    let meant = config::did_you_mean(name, known.iter().map(String::as_str));
    let more = if known.len() > SHOWN { format!(" and {} more", known.len() - SHOWN) } else { String::new() };
    let listed = known.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let meant = meant.map(|meant| format!("{meant} ")).unwrap_or_default();
    CommandError::Usage(format!("there is no {what} `{name}`\n  hint: {meant}configured are {listed}{more}"))
}

/// The host's network and everything else that a cycle needs.
pub(super) fn surroundings(
    config: &Config,
    hold: Arc<dyn HoldRoutes>,
    shutdown: &Shutdown,
) -> Result<Surroundings, CommandError> {
    let net = HostNet::new(config.resolv_conf.path.clone())
        .map_err(|e| CommandError::Failed(format!("cannot look at this host's network: {e}")))?;
    surroundings_in(Arc::new(net), config, hold, shutdown)
}

/// The same in another network.
pub(super) fn surroundings_in(
    net: Arc<dyn NetContext>,
    config: &Config,
    hold: Arc<dyn HoldRoutes>,
    shutdown: &Shutdown,
) -> Result<Surroundings, CommandError> {
    process::become_subreaper()
        .map_err(|e| CommandError::Failed(format!("cannot become the subreaper of the clients' orphans: {e}")))?;
    // The configuration has looked at it.
    let endpoint =
        Endpoint::parse(&config.ipsec.socket).map_err(|e| CommandError::Usage(format!("ipsec.socket: {e}")))?;
    let ledger = Ledger::new(&config.state_dir, endpoint.to_string());
    Ok(Surroundings {
        ike: Arc::new(Strongswan::new(endpoint, Arc::clone(&net))),
        ledger,
        net,
        clock: Arc::new(SystemClock),
        timezone: config.timezone.clone(),
        prober: config.prober.clone(),
        maintenance: Arc::clone(&config.maintenance),
        uplink: config.uplink.clone(),
        witnesses: Witnesses::default(),
        state_dir: config.state_dir.clone(),
        accounts: AccountBook::new(&config.state_dir),
        resolv_conf: ResolvConf::new(&config.resolv_conf, &config.state_dir),
        client_env: client_env(&config.secret_env),
        endurance: Endurance::default(),
        secret_env: Environment::of_process(),
        hold,
        watch: None,
        cancel: shutdown.cancel.clone(),
        hurry: shutdown.hurry.clone(),
    })
}

/// The prober's environment less every secret.
fn client_env(secrets: &[String]) -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| !secrets.contains(name))
        .collect()
}
