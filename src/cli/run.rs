//! `vpnprobe run`: the scheduled prober.

use std::sync::Arc;

use super::common::{CommandError, load, need_sites, surroundings};
use super::global::Global;
use crate::alert::RouteGate;
use crate::config::Config;
use crate::daemon::{self, Source};
use crate::exit_code;
use crate::shutdown::{Hangup, Shutdown};
use crate::stage::Surroundings;

/// Runs the command.
pub(super) async fn run(global: &Global) -> Result<u8, CommandError> {
    let config = load(global)?;
    need_sites(&config)?;
    let shutdown = Shutdown::listen(Hangup::Reloads)
        .map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let source = CommandLine { global, shutdown: &shutdown };
    daemon::run(config, &source, &shutdown).await.map_err(CommandError::Failed)?;
    Ok(exit_code::OK)
}

/// The configuration file that the command line names, on this host.
struct CommandLine<'a> {
    global: &'a Global,
    shutdown: &'a Shutdown,
}

impl Source for CommandLine<'_> {
    fn config(&self) -> Result<Config, String> {
        let config = load(self.global).and_then(|config| need_sites(&config).map(|()| config));
        config.map_err(CommandError::into_text)
    }

    fn surroundings(&self, config: &Config, gate: &RouteGate) -> Result<Surroundings, String> {
        surroundings(config, Arc::new(gate.clone()), self.shutdown).map_err(CommandError::into_text)
    }
}
