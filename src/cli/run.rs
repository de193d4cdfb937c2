//! `vpnprobe run`: the scheduled prober.

use std::sync::Arc;

use super::args::Global;
use super::common::{CommandError, load, need_sites, surroundings};
use crate::alert::RouteGate;
use crate::daemon;
use crate::exit_code;
use crate::shutdown::Shutdown;

/// Runs the command.
pub(super) async fn run(global: &Global) -> Result<u8, CommandError> {
    let config = load(global)?;
    need_sites(&config)?;
    let shutdown = Shutdown::listen().map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let gate = RouteGate::new();
    let around = surroundings(&config, Arc::new(gate.clone()), &shutdown)?;
    daemon::run(config, around, &gate, &shutdown).await.map_err(CommandError::Failed)?;
    Ok(exit_code::OK)
}
