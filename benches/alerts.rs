//! The measuring half of `scripts/bench alerts`, one JSON object on stdout.
//!
//! - `policy`: thirty days of a thousand sites every ten minutes, through the policy.
//! - `handed DIRECTORY`: from a record's observation to the message in a channel's hands, with a thousand sites in the state
//!   and the disk in between; `DIRECTORY` is where the state lies.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Parser, Subcommand};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use vpnprobe::alert::{
    AlertFacts, Channel, FileStore, Notifier, Observation, Outgoing, Policy, RouteGate, SendError, SubjectState,
};
use vpnprobe::clock::SystemClock;
use vpnprobe::config::AlertRules;
use vpnprobe::net::BoxFuture;
use vpnprobe::record::Verdict;
use vpnprobe::zone::Zone;

const SITES: u32 = 1000;
const DAYS: u32 = 30;
const INTERVAL: Duration = Duration::from_mins(10);
const LOOKS: u32 = DAYS * 24 * 6;
/// Messages that are timed.
const MESSAGES: u32 = 200;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Thirty days of a thousand sites
    Policy,
    /// From the observation to the channel
    Handed {
        /// Where the state lies; must exist
        directory: PathBuf,
    },
}

fn main() -> ExitCode {
    use std::io::Write;
    let measured = match Arguments::parse().what {
        What::Policy => Ok(policy()),
        What::Handed { directory } => handed(&directory),
    };
    match measured.and_then(|result| writeln!(std::io::stdout(), "{result}").map_err(|e| e.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "bench-alerts: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What befalls a site at its n-th look: hours of an outage now and then, single failures, and a few that flap.
fn verdict(site: u32, look: u32) -> Verdict {
    let dice = site.wrapping_mul(2_654_435_761).wrapping_add(look / 36).wrapping_mul(2_246_822_519) >> 16;
    match dice % 200 {
        0 => Verdict::Down,
        1 if look.is_multiple_of(2) => Verdict::Down,
        2 if look.is_multiple_of(36) => Verdict::Down,
        3 => Verdict::Unknown,
        _ => Verdict::Up,
    }
}

fn at(look: u32, site: u32) -> DateTime<Utc> {
    let since = TimeDelta::seconds(i64::from(look) * 600 + i64::from(site % 600));
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000) + since
}

fn observation(site: u32, look: u32) -> Observation {
    let facts = AlertFacts { prober: "edge-1".to_owned(), ..AlertFacts::default() };
    let verdict = verdict(site, look);
    let reached = (verdict == Verdict::Up).then_some(true);
    let seen = Observation::of(format!("site-{site:04}"), verdict, at(look, site), INTERVAL);
    Observation { facts, uplink: reached, cert_days_left: Some(60), leftovers: Some(Vec::new()), ..seen }
}

fn policy() -> Value {
    let policy = Policy::new(AlertRules::default());
    let mut states = vec![SubjectState::default(); SITES as usize];
    let (mut took, mut events) = (Duration::ZERO, 0);
    for look in 0..LOOKS {
        // What a record becomes is made beforehand: the policy is measured.
        let seen: Vec<_> = (0..SITES).map(|site| observation(site, look)).collect();
        let began = Instant::now();
        for (state, seen) in states.iter_mut().zip(&seen) {
            events += policy.observe(state, seen, seen.at).len();
        }
        took += began.elapsed();
    }
    json!({ "looks": u64::from(LOOKS) * u64::from(SITES), "events": events, "seconds": took.as_secs_f64() })
}

/// Says when it is handed a message.
struct Stamps(mpsc::UnboundedSender<Instant>);

impl Channel for Stamps {
    fn name(&self) -> &'static str {
        "stamps"
    }

    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        let _ = self.0.send(Instant::now());
        Box::pin(async { Ok(()) })
    }
}

fn handed(directory: &std::path::Path) -> Result<Value, String> {
    // As the program has it: one thread beside the main one.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(|e| e.to_string())?.block_on(hand_over(directory))
}

async fn hand_over(directory: &std::path::Path) -> Result<Value, String> {
    let clock = Arc::new(SystemClock);
    let (stamps, mut handed) = mpsc::unbounded_channel();
    let store = Arc::new(FileStore::new(directory, Arc::clone(&clock) as _));
    let channel = Arc::new(Stamps(stamps)) as Arc<dyn Channel>;
    let (notifier, task) =
        Notifier::new(store, vec![channel], &RouteGate::new(), clock, Zone::utc()).map_err(|e| e.to_string())?;
    let task = tokio::spawn(task.run());
    let rules = AlertRules { after: 1, ..AlertRules::default() };
    let observe = async |seen| notifier.observe(seen, rules).await.map_err(|e| e.to_string());
    // A state of a thousand sites; the first two looks of each are up.
    for site in 0..SITES {
        observe(Observation::of(format!("site-{site:04}"), Verdict::Up, at(0, site), INTERVAL)).await?;
    }
    let mut took = Vec::new();
    for number in 0..MESSAGES {
        let seen = Observation::of(format!("site-{number:04}"), Verdict::Down, at(1, number), INTERVAL);
        let began = Instant::now();
        observe(seen).await?;
        let handed = handed.recv().await.ok_or("the channel is gone")?;
        took.push(handed.duration_since(began).as_secs_f64() * 1000.0);
    }
    task.abort();
    let bytes = std::fs::metadata(directory.join("alerts.json")).map_or(0, |file| file.len());
    took.sort_by(f64::total_cmp);
    Ok(json!({ "messages": MESSAGES, "sites": SITES, "state_bytes": bytes, "ms": took }))
}
