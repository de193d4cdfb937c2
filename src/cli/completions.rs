//! `vpnprobe completions`: what a shell needs to complete commands and options.

use clap_complete::{Shell, generate};

use super::common::say;
use crate::exit_code;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub(super) fn run(program: &clap::Command, args: &CompletionsArgs) -> u8 {
    // Not every shell's script leaves out what is hidden.
    let mut program = clap::Command::new("vpnprobe")
        .version(env!("CARGO_PKG_VERSION"))
        .args(program.get_arguments().cloned())
        .subcommands(program.get_subcommands().filter(|command| !command.is_hide_set()).cloned());
    let mut script = Vec::new();
    generate(args.shell, &mut program, "vpnprobe", &mut script);
    say(&String::from_utf8_lossy(&script));
    exit_code::OK
}
