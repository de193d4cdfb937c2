//! `vpnprobe man`: manual pages from the command line's own definition.

use std::io;
use std::path::PathBuf;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::common::{CommandError, say};
use crate::exit_code;

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write all pages, one a command, into this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(program: clap::Command, args: &ManArgs) -> Result<u8, CommandError> {
    let Some(dir) = &args.dir else {
        let page = page(&program).map_err(|e| CommandError::Failed(format!("cannot write the page: {e}")))?;
        say(&String::from_utf8_lossy(&page));
        return Ok(exit_code::OK);
    };
    let failed = |e: io::Error| CommandError::Failed(format!("cannot write the pages into `{}`: {e}", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut count = 0;
    for command in commands(program) {
        let page = page(&command).map_err(failed)?;
        std::fs::write(dir.join(Man::new(command).get_filename()), page).map_err(failed)?;
        count += 1;
    }
    say(&format!("{count} pages in {}\n", dir.display()));
    Ok(exit_code::OK)
}

/// The program and its commands; built, they know under which name they are called.
fn commands(mut program: clap::Command) -> Vec<clap::Command> {
    program.build();
    let shown = |command: &&clap::Command| !command.is_hide_set() && command.get_name() != "help";
    let mut commands: Vec<_> = program.get_subcommands().filter(shown).cloned().collect();
    commands.push(program);
    commands
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let command = command.clone().disable_help_subcommand(true);
    let is_program = command.get_name() == "vpnprobe";
    let name = Man::new(command.clone()).get_filename();
    let title = name.trim_end_matches(".1").to_uppercase();
    let source = concat!("vpnprobe ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).title(title).date(DATE).source(source).manual("vpnprobe");
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if is_program {
        man.render_subcommands_section(&mut out)?;
    }
    tables(is_program).to_writer(&mut out)?;
    Ok(without_doubled_breaks(&String::from_utf8_lossy(&out)).into_bytes())
}

/// A line break beside a paragraph's space is none, and readers warn about it.
fn without_doubled_breaks(page: &str) -> String {
    let lines: Vec<&str> = page.lines().map(|line| if line.is_empty() { ".sp" } else { line }).collect();
    let is_space = |at: Option<usize>| at.and_then(|at| lines.get(at)).is_some_and(|line| *line == ".sp");
    let kept = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| **line != ".br" || !(is_space(at.checked_sub(1)) || is_space(Some(at + 1))));
    kept.flat_map(|(_, line)| [*line, "\n"]).collect()
}

/// When what the pages say was last gone through: fixed, so that two builds of one version are the same.
const DATE: &str = "2026-11-20";

const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "Done; test: all sites are up; cleanup: nothing remains; run: ended by SIGTERM or SIGINT."),
    (
        "1",
        "test, status: one or more sites are down; cleanup: something remains; notify-test: a message was not delivered; else a failure.",
    ),
    ("2", "Wrong usage or configuration."),
    (
        "3",
        "test: no site is down, one or more are unknown; status: no prober runs. With --nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.",
    ),
];
const FILES: [(&str, &str); 6] = [
    ("config.yml", "The configuration, here; else /etc/vpnprobe/config.yml. JSON and TOML by their ending."),
    ("results/results_YYYY-MM-DD.csv", "The rows of a day; place and name by logging."),
    ("state/alerts.json", "Open alerts and messages that wait; in state_dir, as the following."),
    ("state/accounts.json", "Accounts that rest."),
    ("state/maintenance.json", "Maintenance windows that were added at run time."),
    ("state/cycle-host.json", "The cycle under way: what a start needs after a kill."),
];
const ENVIRONMENT: [(&str, &str); 4] = [
    ("STATE_DIRECTORY", "Where state lies when state_dir says nothing (systemd sets it)."),
    ("CREDENTIALS_DIRECTORY", "Where systemd credentials lie."),
    ("NO_COLOR", "No colours, on a terminal either."),
    ("PATH", "Where clients are searched."),
];

/// What the definition of the command line does not know.
fn tables(is_program: bool) -> Roff {
    let mut roff = Roff::new();
    let mut table = |heading: &str, rows: &[(&str, &str)]| {
        roff.control("SH", [heading]);
        for (name, words) in rows {
            roff.control("TP", []);
            roff.text([bold(*name)]);
            roff.text([roman(*words)]);
        }
    };
    table("EXIT STATUS", &EXIT_STATUS);
    if is_program {
        table("FILES", &FILES);
        table("ENVIRONMENT", &ENVIRONMENT);
    }
    roff
}
