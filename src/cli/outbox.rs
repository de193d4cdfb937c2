//! `vpnprobe outbox`: messages that are not delivered, and sending them again.

use std::sync::Arc;

use serde_json::json;

use super::common::{CommandError, load, note, say};
use super::global::Global;
use super::status_text::outbox_text;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::{self, Known};
use crate::exit_code;
use crate::record::seen;
use crate::status::VERSION;

/// Commands of `outbox`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum OutboxCommand {
    /// List what waits and what was given up
    List(ListArgs),
    /// Send what was given up again, and what waits at once
    Retry(RetryArgs),
}

/// Arguments of `outbox list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// Arguments of `outbox retry`.
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    /// Messages, as `outbox list` names them [default: all]
    #[arg(value_name = "ID")]
    ids: Vec<String>,
}

/// Runs the command.
pub(super) async fn run(global: &Global, command: &OutboxCommand) -> Result<u8, CommandError> {
    let config = load(global)?;
    match command {
        OutboxCommand::List(args) => list(&config, args).await,
        OutboxCommand::Retry(args) => retry(&config, args).await,
    }
}

async fn list(config: &Config, args: &ListArgs) -> Result<u8, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let known = daemon::known_status(config, &clock).await.map_err(|e| CommandError::Failed(e.text()))?;
    let Known { status, troubles } = known;
    for trouble in troubles {
        note(&trouble);
    }
    let outbox = &status.outbox;
    if args.json {
        let document = json!({
            "version": VERSION,
            "time": status.time,
            "running": status.running,
            "pending": outbox.pending,
            "dead": outbox.dead,
            "delivered": outbox.delivered,
            "given_up": outbox.given_up,
        });
        say(&format!("{document}\n"));
    } else {
        say(&outbox_text(outbox, status.time, &config.timezone, status.running));
    }
    Ok(exit_code::OK)
}

async fn retry(config: &Config, args: &RetryArgs) -> Result<u8, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids = (!args.ids.is_empty()).then(|| args.ids.clone());
    let (retried, running) = daemon::retry(config, &clock, ids).await.map_err(CommandError::Failed)?;
    let when = if running { "now" } else { "when a prober runs" };
    say(&match (retried.revived, retried.hastened) {
        (0, 0) => "nothing to send\n".to_owned(),
        (0, waiting) => format!("nothing was given up; {waiting} of what waits: sent {when}\n"),
        (dead, 0) => format!("{dead} of what was given up: sent again {when}\n"),
        (dead, waiting) => format!("{dead} of what was given up and {waiting} of what waits: sent {when}\n"),
    });
    for id in &retried.unknown {
        note(&format!("there is no message `{}`\n  hint: `vpnprobe outbox list` names those that there are", seen(id)));
    }
    Ok(if retried.unknown.is_empty() { exit_code::OK } else { exit_code::FAILED })
}
