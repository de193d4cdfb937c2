//! The measuring half of `scripts/bench login`: runs the product's own code and prints what happened when, one JSON
//! object a line. It judges nothing: `scripts/bench.d` does.
//!
//! - `clock CONFIG STAMPS COUNT`: logins by [`vpnprobe::client::Session`], as the stage `login` makes them.
//! - `floor CONFIG STAMPS COUNT`: the same dialogue by the least that a program can do.
//! - `cycle CONFIG SITE COUNT`: whole cycles by [`vpnprobe::runner::run_cycle`] with a network that notes every call.

mod clock;
mod cycle;
mod floor;
mod watched;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use vpnprobe::config::{Config, Environment, load};
use vpnprobe::error::chain;

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Logins alone
    Clock {
        /// Its first site is logged in at
        config: PathBuf,
        /// Where the clients put their stamps
        stamps: PathBuf,
        /// How many
        count: u32,
    },
    /// Logins without a prober
    Floor {
        /// Its first site's client is started
        config: PathBuf,
        /// Where the clients put their stamps
        stamps: PathBuf,
        /// How many
        count: u32,
    },
    /// Whole cycles
    Cycle {
        /// The configuration
        config: PathBuf,
        /// The site
        site: String,
        /// How many
        count: u32,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments.what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "bench-login: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &What) -> Result<(), String> {
    match what {
        What::Clock { config, stamps, count } => as_the_product(clock::run(&read(config)?, stamps, *count)),
        What::Floor { config, stamps, count } => floor::run(&read(config)?, stamps, *count),
        What::Cycle { config, site, count } => as_the_product(cycle::run(&read(config)?, site, *count)),
    }
}

/// In the product's own runtime (src/cli/args.rs): where its tasks run decides when they wake.
fn as_the_product(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|e| format!("cannot start: {e}"))?.block_on(work)
}

fn read(path: &Path) -> Result<Config, String> {
    Ok(load(path, &Environment::of_process()).map_err(|e| chain(&e))?.config)
}

/// Prints one result.
fn print(result: &serde_json::Value) -> Result<(), String> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{result}").and_then(|()| out.flush()).map_err(|e| format!("cannot write: {e}"))
}
