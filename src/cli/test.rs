//! `vpnprobe test`: one cycle now, stage by stage.

use std::sync::Arc;

use super::common::{CommandError, chosen, load, need_sites, say, surroundings};
use super::global::Global;
use super::nagios;
use super::show::Terminal;
use crate::alert::RouteGate;
use crate::daemon::{Recording, clear_up, show_added_windows};
use crate::exit_code;
use crate::record::{CycleRecord, Verdict, json_of};
use crate::runner::{NoObserver, Observer, Order, run_cycle};
use crate::shutdown::{Hangup, Shutdown};

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(super) struct TestArgs {
    /// Sites to probe [default: all]
    #[arg(value_name = "SITE")]
    sites: Vec<String>,
    /// One JSON object per site and line
    #[arg(long)]
    json: bool,
    /// One plugin line with perfdata for a monitoring system; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, conflicts_with = "json")]
    pub(super) nagios: bool,
    /// Also write the CSV row and feed the alert state
    #[arg(long)]
    record: bool,
    /// Log in although the account rests after it was refused
    #[arg(long)]
    force: bool,
    /// Say what would be done to bring a fallen IPsec tunnel back, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub(super) async fn run(global: &Global, args: &TestArgs) -> Result<u8, CommandError> {
    let config = load(global)?;
    need_sites(&config)?;
    let sites = chosen(&config, &args.sites)?;
    let shutdown =
        Shutdown::listen(Hangup::Stops).map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let gate = RouteGate::new();
    let around = surroundings(&config, Arc::new(gate.clone()), &shutdown)?;
    if let Err(why) = show_added_windows(&config) {
        tracing::warn!("maintenance windows that were added at run time do not count here: {why}");
    }
    let recording =
        if args.record { Some(Recording::open(&config, &around, &gate).map_err(CommandError::Failed)?) } else { None };
    // A cycle that a kill cut gets its row at the next start, whoever starts.
    clear_up(&around, &config).await.map_err(CommandError::Failed)?;

    let terminal = Terminal::of_stdout();
    // Nobody watches where a program reads.
    let watched = !args.json && !args.nagios;
    let observer: &dyn Observer = if watched { &terminal } else { &NoObserver };
    let (mut records, mut unreached, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
    for site in sites {
        if shutdown.cancel.is_cancelled() {
            unreached.push(site.name.to_string());
            continue;
        }
        if watched {
            let apart = if records.is_empty() { "" } else { "\n" };
            say(&format!("{apart}{}", terminal.headline(&site)));
        }
        let order = Order { force: args.force, dry_run: args.dry_run, ..Order::new(site.interval, args.record) };
        let finished = run_cycle(&site, order, &around, observer).await;
        let taken = match &recording {
            Some(recording) => recording.take(&finished.record, &site).await,
            None => Ok(()),
        };
        let closed = finished.closing.close();
        if !args.nagios {
            show(&finished.record, args.json, terminal);
        }
        troubles.extend(taken.err().map(|why| format!("{}: {why}", site.name)));
        troubles.extend(closed.err().map(|e| format!("{}: cannot close the cycle's journal: {e}", site.name)));
        records.push(finished.record);
    }
    if let Some(recording) = recording {
        troubles.extend(recording.close().await.err());
    }
    if !unreached.is_empty() {
        tracing::warn!("not probed, because asked to stop: {}", unreached.join(", "));
    }
    if !troubles.is_empty() {
        return Err(CommandError::Failed(troubles.join("\n")));
    }
    if args.nagios {
        let (state, line) = nagios::report(&records, &unreached);
        say(&line);
        return Ok(state.status());
    }
    Ok(status(&records, unreached.is_empty()))
}

fn show(record: &CycleRecord, as_json: bool, terminal: Terminal) {
    if as_json {
        say(&format!("{}\n", json_of(record)));
    } else {
        say(&format!("{}{}", terminal.dialogue(record), terminal.verdict_line(record)));
    }
}

/// 0 all up · 1 one or more down · 3 none down, one or more unknown (or not reached).
fn status(records: &[CycleRecord], all_reached: bool) -> u8 {
    let any = |verdict| records.iter().any(|r| r.verdict == verdict);
    if any(Verdict::Down) {
        exit_code::FAILED
    } else if any(Verdict::Unknown) || !all_reached {
        exit_code::UNKNOWN
    } else {
        exit_code::OK
    }
}
