//! Options of every command.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::telemetry::LogFormat;

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Configuration file [default: config.yml here, else /etc/vpnprobe/config.yml]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Log more (twice: everything)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Log warnings and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How log lines on stderr look
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) log_format: LogFormat,
}

impl Global {
    /// How much is logged: -1 errors and warnings alone, 0 the usual, more with each `-v`.
    pub(super) fn verbosity(&self) -> i8 {
        if self.quiet { -1 } else { i8::try_from(self.verbose).unwrap_or(i8::MAX) }
    }
}
