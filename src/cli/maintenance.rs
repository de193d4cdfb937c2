//! `vpnprobe maintenance`: windows that are added while the prober runs.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::common::{CommandError, chosen, load, note, say};
use super::global::Global;
use super::maintenance_list::{json, text};
use super::status_text::dated;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, parse_duration, start_of_window};
use crate::daemon;
use crate::error::chain;
use crate::exit_code;
use crate::maintenance::{Added, Ended, MaintenanceBook, NewWindow};
use crate::record::is_unseen;

/// Longest window: whoever needs a longer one writes it into the configuration.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// Longest name: it stands in every row of the window.
const LONGEST_NAME: usize = 100;

/// Commands of `maintenance`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum MaintenanceCommand {
    /// Add a window, which counts at once
    Add(AddArgs),
    /// List windows that are not over, those of the configuration included
    List(ListArgs),
    /// End a window that was added, now
    End(EndArgs),
}

/// Arguments of `maintenance add`.
#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// Sites [default: all]
    #[arg(value_name = "SITE")]
    sites: Vec<String>,
    /// How long, such as 2h or 1h30m
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_length)]
    length: Duration,
    /// When it begins, in the configured time zone or with an offset, such as 2026-11-22T02:00 [default: now]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// What the rows of cycles in it say [default: yes]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    name: Option<String>,
    /// People are told all the same
    #[arg(long)]
    keep_alerts: bool,
    /// Leave its time out of the agreed time of reports
    #[arg(long)]
    exclude_from_sla: bool,
    /// IPsec tunnels are restarted all the same
    #[arg(long)]
    keep_restarts: bool,
}

/// Arguments of `maintenance list`.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Also those that are over
    #[arg(long)]
    all: bool,
    /// One JSON document
    #[arg(long)]
    json: bool,
}

/// Arguments of `maintenance end`.
#[derive(Debug, clap::Args)]
pub(super) struct EndArgs {
    /// Its id, or the name of one or several
    #[arg(value_name = "NAME|ID")]
    which: String,
}

/// Runs the command.
pub(super) async fn run(global: &Global, command: &MaintenanceCommand) -> Result<u8, CommandError> {
    let config = load(global)?;
    let now = SystemClock.now();
    match command {
        MaintenanceCommand::Add(args) => add(&config, args, now).await?,
        MaintenanceCommand::List(args) => list(&config, args, now)?,
        MaintenanceCommand::End(args) => end(&config, args, now).await?,
    }
    Ok(exit_code::OK)
}

async fn add(config: &Config, args: &AddArgs, now: DateTime<Utc>) -> Result<(), CommandError> {
    let window = window_of(config, args, now)?;
    let added = daemon::add_window(config, window, now).await.map_err(CommandError::Failed)?;
    say(&format!("{}: {}\n", said_name(&added), span(&added, config)));
    Ok(())
}

fn window_of(config: &Config, args: &AddArgs, now: DateTime<Utc>) -> Result<NewWindow, CommandError> {
    // Of no site or `all`: also of those that a later configuration has.
    let is_for_all = args.sites.is_empty() || args.sites.iter().any(|site| site == "all");
    let sites = if is_for_all { Vec::new() } else { chosen(config, &args.sites)? };
    let start = match &args.start {
        None => now,
        Some(text) => {
            let (start, warning) = start_of_window(text, &config.timezone)
                .map_err(|why| CommandError::Usage(format!("--start: {why}")))?;
            if let Some(warning) = warning {
                note(&format!("--start: {warning}\n  hint: write it with its offset"));
            }
            start
        }
    };
    let end = TimeDelta::from_std(args.length).ok().and_then(|length| start.checked_add_signed(length));
    let Some(end) = end.filter(|end| *end > now) else {
        let text =
            "the window is over already\n  hint: one that is past is written into `maintenance` of the configuration";
        return Err(CommandError::Usage(text.to_owned()));
    };
    Ok(NewWindow {
        name: args.name.clone(),
        sites: sites.iter().map(|site| site.name.clone()).collect(),
        start,
        end,
        suppress_alerts: !args.keep_alerts,
        exclude_from_sla: args.exclude_from_sla,
        pause_restarts: !args.keep_restarts,
    })
}

async fn end(config: &Config, args: &EndArgs, now: DateTime<Utc>) -> Result<(), CommandError> {
    for Ended { window, had_begun } in
        daemon::end_window(config, &args.which, now).await.map_err(CommandError::Failed)?
    {
        let what = if had_begun { "ended" } else { "had not begun, and is forgotten" };
        say(&format!("{}: {what}\n", said_name(&window)));
    }
    Ok(())
}

fn list(config: &Config, args: &ListArgs, now: DateTime<Utc>) -> Result<(), CommandError> {
    let added = MaintenanceBook::new(&config.state_dir).peek().map_err(|e| CommandError::Failed(chain(&e)))?;
    let shown: Vec<Added> = added.into_iter().filter(|added| args.all || added.window.end > now).collect();
    let configured = config.maintenance.configured();
    let listed = if args.json {
        format!("{}\n", json(&shown, configured, &config.timezone, now, args.all))
    } else {
        text(&shown, configured, &config.timezone, now, args.all)
    };
    say(&listed);
    Ok(())
}

fn said_name(added: &Added) -> String {
    added.window.name.as_ref().map_or_else(|| added.id.clone(), |name| format!("{} ({name})", added.id))
}

fn span(added: &Added, config: &Config) -> String {
    let zone = &config.timezone;
    format!("from {} to {}", dated(added.window.start, zone), dated(added.window.end, zone))
}

fn parse_length(text: &str) -> Result<Duration, String> {
    let length = parse_duration(text).filter(|length| (Duration::from_secs(1)..=LONGEST).contains(length));
    length.ok_or_else(|| "is not a duration from 1s to 366d, such as 2h".to_owned())
}

fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let is_good = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(is_unseen);
    if is_good { Ok(name.to_owned()) } else { Err(format!("is not a name of 1 to {LONGEST_NAME} visible characters")) }
}
