//! `vpnprobe completions`: what a shell needs to complete commands and options.

use std::fmt::Write;

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
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if args.shell == Shell::Fish {
        script.push_str(&words_for_fish(&program));
    }
    say(&script);
    exit_code::OK
}

/// What else fish has to know: the script that is made for it leaves out which words a command takes.
fn words_for_fish(program: &clap::Command) -> String {
    let mut lines = String::new();
    for command in program.get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let words: Vec<_> = values
                .iter()
                .filter(|value| !value.is_hide_set())
                .map(clap::builder::PossibleValue::get_name)
                .collect();
            if !words.is_empty() {
                let (name, words) = (command.get_name(), words.join(" "));
                // Writing to a String cannot fail.
                let _ = writeln!(
                    lines,
                    "complete -c vpnprobe -n \"__fish_vpnprobe_using_subcommand {name}\" -f -a \"{words}\""
                );
            }
        }
    }
    lines
}
