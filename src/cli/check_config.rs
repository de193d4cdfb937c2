//! `vpnprobe check-config`: every fault at once.

use super::common::{CommandError, config_path, faulty, say};
use super::global::Global;
use crate::config::{self, Environment, Fault};
use crate::exit_code;

/// Runs the command.
pub(super) fn run(global: &Global) -> Result<u8, CommandError> {
    let path = config_path(global)?;
    let loaded = config::load(&path, &Environment::of_process()).map_err(|e| {
        say_warnings(&e.warnings);
        faulty(&e)
    })?;
    say_warnings(&loaded.warnings);
    let sites = loaded.config.sites.len();
    let plural = if sites == 1 { "" } else { "s" };
    say(&format!("{}: no faults, {sites} site{plural}\n", path.display()));
    if sites == 0 {
        say("warning: without sites `run` and `test` have nothing to probe\n");
    }
    Ok(exit_code::OK)
}

fn say_warnings(warnings: &[Fault]) {
    for warning in warnings {
        say(&format!("warning: {warning}\n"));
    }
}
