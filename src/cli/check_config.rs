//! `vpnprobe check-config`: every fault at once.

use super::common::{CommandError, config_path, say};
use super::global::Global;
use crate::config::{self, Environment};
use crate::exit_code;

/// Runs the command.
pub(super) fn run(global: &Global) -> Result<u8, CommandError> {
    let path = config_path(global)?;
    let loaded = config::load(&path, &Environment::of_process()).map_err(|e| CommandError::Usage(e.to_string()))?;
    for warning in &loaded.warnings {
        say(&format!("warning: {warning}\n"));
    }
    let sites = loaded.config.sites.len();
    let plural = if sites == 1 { "" } else { "s" };
    say(&format!("{}: no faults, {sites} site{plural}\n", path.display()));
    Ok(exit_code::OK)
}
