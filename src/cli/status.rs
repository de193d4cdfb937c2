//! `vpnprobe status`: what the running prober knows.

use std::sync::Arc;

use super::common::{CommandError, chosen, load, note, say};
use super::global::Global;
use super::nagios;
use super::show::Terminal;
use super::status_text::text;
use crate::clock::{Clock, SystemClock};
use crate::daemon::{Known, known_status};
use crate::exit_code;
use crate::status::{State, Status};

/// Arguments of `status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    /// Sites to show [default: all]
    #[arg(value_name = "SITE")]
    sites: Vec<String>,
    /// One JSON document
    #[arg(long)]
    json: bool,
    /// One plugin line with perfdata for a monitoring system, without a login; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, conflicts_with = "json")]
    pub(super) nagios: bool,
}

/// Runs the command.
pub(super) async fn run(global: &Global, args: &StatusArgs) -> Result<u8, CommandError> {
    let config = load(global)?;
    let sites = chosen(&config, &args.sites)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let Known { mut status, troubles } = match known_status(&config, &clock).await {
        Ok(known) => known,
        Err(error) if args.nagios => return Err(CommandError::Failed(error.text())),
        Err(error) => {
            // 1 says that a site is down.
            note(&error.text());
            return Ok(exit_code::UNKNOWN);
        }
    };
    status.sites.retain(|known| sites.iter().any(|site| site.name == known.site));
    for trouble in troubles.iter().filter(|_| !args.nagios) {
        note(trouble);
    }
    if args.nagios {
        let (state, line) = nagios::report_status(&status);
        say(&line);
        return Ok(state.status());
    }
    if args.json {
        let json = serde_json::to_string(&status).map_err(|e| CommandError::Failed(e.to_string()))?;
        say(&format!("{json}\n"));
    } else {
        say(&text(&status, &config.timezone, Terminal::of_stdout()));
    }
    Ok(exit_status(&status))
}

/// 0 no site down · 1 one or more down · 3 no prober runs.
fn exit_status(status: &Status) -> u8 {
    if !status.running {
        exit_code::UNKNOWN
    } else if status.sites.iter().any(|site| site.state == State::Down) {
        exit_code::FAILED
    } else {
        exit_code::OK
    }
}
