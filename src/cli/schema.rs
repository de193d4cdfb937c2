//! `vpnprobe schema`: the JSON Schema of the configuration, for editors.

use super::common::say;
use crate::config;
use crate::exit_code;

/// Runs the command.
pub(super) fn run() -> u8 {
    say(&format!("{:#}\n", config::schema()));
    exit_code::OK
}
