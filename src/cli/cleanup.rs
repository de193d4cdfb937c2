//! `vpnprobe cleanup`: removes what a client of ours left on this host.

use std::sync::Arc;

use super::common::{CommandError, load, note, say, surroundings};
use super::global::Global;
use crate::cleanup::{Mode, TidyReport};
use crate::config::{Adopt, Config};
use crate::daemon::day_files;
use crate::exit_code;
use crate::runner::recover;
use crate::shutdown::{Hangup, Shutdown};
use crate::stage::{Quiet, Surroundings};

/// Arguments of `cleanup`.
#[derive(Debug, clap::Args)]
pub(super) struct CleanupArgs {
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(super) async fn run(global: &Global, args: &CleanupArgs) -> Result<u8, CommandError> {
    let config = load(global)?;
    let shutdown =
        Shutdown::listen(Hangup::Stops).map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let around = surroundings(&config, Arc::new(Quiet), &shutdown)?;
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Repair };
    let recovery = recover(&around, &|| day_files(&config), mode)
        .await
        .map_err(|e| CommandError::Failed(crate::error::chain(&e)))?;
    let mut adopted = end_adopted(&config, &around, mode).await?;
    // In a dry run the cut cycle's processes still live when the adopted ones are looked at.
    adopted.done.retain(|done| !recovery.report.done.contains(done));
    let (first, second) = (print(&recovery.report, mode), print(&adopted, mode));
    let clean = first && second;
    if clean {
        say(if mode == Mode::Repair { "nothing remains\n" } else { "nothing to do\n" });
        // What is ours is known from there: another state directory knows of other leftovers.
        note(&format!("looked for what the state directory {} knows of", config.state_dir.display()));
    }
    Ok(if clean { exit_code::OK } else { exit_code::FAILED })
}

/// Ends what the profiles of the configured sites adopt; without a site, what the built-in profiles adopt.
async fn end_adopted(config: &Config, around: &Surroundings, mode: Mode) -> Result<TidyReport, CommandError> {
    let _lock = around.lock().await.map_err(|e| CommandError::Failed(e.to_string()))?;
    let of_sites = config.sites.iter().filter_map(|site| site.ssl_vpn()).flat_map(|vpn| vpn.client.adopt.clone());
    let adopt: Vec<Adopt> = if config.sites.is_empty() {
        config.clients.values().flat_map(|c| c.adopt.clone()).collect()
    } else {
        of_sites.collect()
    };
    Ok(around.end_adopted(adopt, mode).await)
}

/// Prints what was done and what remains; `true` when nothing remains.
fn print(report: &TidyReport, mode: Mode) -> bool {
    let would = if mode == Mode::DryRun { "would " } else { "" };
    for done in &report.done {
        say(&format!("{would}{done}\n"));
    }
    for (kind, words) in &report.left {
        say(&format!("REMAINS {kind}: {words}\n"));
    }
    report.is_clean() && (mode == Mode::Repair || report.done.is_empty())
}
