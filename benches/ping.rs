//! The measuring half of `scripts/bench ping`: echo requests by the product's own network context, one JSON object a
//! line. It judges nothing: `scripts/bench.d` does.
//!
//! - `many COUNT`: as many targets on loopback (127.1.0.0/16 and on), asked once each, all at once.
//! - `rtt TARGET COUNT INTERVAL_MS`: one series, as a stage makes it.

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};
use vpnprobe::net::{Fragments, HostNet, NetContext, PingRequest};

/// The first target on loopback.
const FIRST: u32 = 0x7f01_0000;

/// What the stages send.
const PAYLOAD: usize = 56;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Many targets at once
    Many {
        /// How many
        #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        count: u32,
    },
    /// One series
    Rtt {
        /// Whom
        target: IpAddr,
        /// How many requests
        count: u32,
        /// From one to the next, in milliseconds
        interval: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let measured = runtime.map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(run(&arguments.what)));
    match measured.and_then(|result| print(&result)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "bench-ping: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(what: &What) -> Result<Value, String> {
    let net = HostNet::new("/etc/resolv.conf".into()).map_err(|e| e.to_string())?;
    match *what {
        What::Many { count } => many(&net, count).await,
        What::Rtt { target, count, interval } => {
            let interval = Duration::from_millis(interval);
            let report = net.ping(request(target, count, interval)).await.map_err(|e| e.to_string())?;
            let rtt = report.stats.rtt.ok_or("no reply")?;
            Ok(json!({ "avg_us": micros(rtt.avg), "min_us": micros(rtt.min), "received": report.stats.received }))
        }
    }
}

async fn many(net: &HostNet, count: u32) -> Result<Value, String> {
    let target = |n| IpAddr::V4(Ipv4Addr::from_bits(FIRST + n));
    let requests = (0..count).map(|n| request(target(n), 1, Duration::from_secs(1))).collect();
    let (began, before) = (tokio::time::Instant::now(), processor_time()?);
    let reports = net.ping_all(requests).await;
    let (took, cpu) = (began.elapsed(), processor_time()?.saturating_sub(before));
    let mut rtts: Vec<f64> = reports.iter().filter_map(|r| Some(micros(r.as_ref().ok()?.stats.rtt?.avg))).collect();
    rtts.sort_by(f64::total_cmp);
    let rank = |of: usize| rtts.get(rtts.len() * of / 100).copied();
    Ok(json!({
        "asked": count, "answered": rtts.len(), "median_us": rank(50), "p99_us": rank(99), "max_us": rtts.last(),
        "took_ms": took.as_secs_f64() * 1e3, "cpu_ms": cpu.as_secs_f64() * 1e3,
    }))
}

const fn request(target: IpAddr, count: u32, interval: Duration) -> PingRequest {
    PingRequest {
        target,
        count,
        interval,
        timeout: Duration::from_secs(2),
        payload: PAYLOAD,
        fragments: Fragments::Allowed,
    }
}

/// Of this process, so far.
fn processor_time() -> Result<Duration, String> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).map_err(|e| e.to_string())?;
    let of = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    Ok(of(usage.user_time()) + of(usage.system_time()))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn print(result: &Value) -> Result<(), String> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{result}").map_err(|e| format!("cannot write: {e}"))
}
