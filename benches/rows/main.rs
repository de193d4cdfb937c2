//! Writes a history for `scripts/bench report`: day files as the prober writes them (`docs/csv.md`), with the trouble of
//! a real year. The same arguments make the same bytes.
//!
//! ```text
//! bench-rows --sites 100 --days 365 --interval 300 --seed 1 DIRECTORY
//! ```
//!
//! Days are those of UTC. What was written is told on stdout as one JSON object.

mod history;
mod line;
mod random;
mod site;
mod trouble;

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::Parser;

/// What to write.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Where to; must exist
    directory: PathBuf,
    /// `<file>_<date>.csv`
    #[arg(long, default_value = "results")]
    file: String,
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    sites: u32,
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    days: u32,
    /// Seconds from one cycle of a site to the next
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(100..=86_400))]
    interval: u32,
    /// First day
    #[arg(long, default_value = "2025-01-01")]
    start: NaiveDate,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times as often as in a real year something befalls a site
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=200))]
    trouble: u32,
}

fn main() -> ExitCode {
    use std::io::Write;
    let written = history::write(&Arguments::parse()).and_then(|counts| writeln!(std::io::stdout(), "{counts}"));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "bench-rows: {why}");
            ExitCode::FAILURE
        }
    }
}
