//! `vpnprobe report`: the SLA report over the day files.

use std::io::{self, BufWriter, Write};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::ValueEnum;

use super::begun::Begun;
use super::common::{CommandError, config_path, load, note, say};
use super::global::Global;
use super::progress::progress;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::show_added_windows;
use crate::exit_code;
use crate::record::seen;
use crate::report::model::Report;
use crate::report::period::{Period, PeriodError};
use crate::report::{self, Configured, Detail, Files, MakeError, Request, render};

/// What is written at once.
const BUFFER: usize = 64 * 1024;

/// Days of a report where none are named.
const USUAL_DAYS: u64 = 30;

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// First day, such as 2026-11-01
    #[arg(long, value_name = "DATE", value_parser = parse_date, requires = "to", conflicts_with_all = ["month", "last"])]
    from: Option<NaiveDate>,
    /// Last day, included
    #[arg(long, value_name = "DATE", value_parser = parse_date, requires = "from")]
    to: Option<NaiveDate>,
    /// A calendar month, such as 2026-10
    #[arg(long, value_name = "YYYY-MM", value_parser = parse_month, conflicts_with = "last")]
    month: Option<NaiveDate>,
    /// So many whole days before today [default: 30d]
    #[arg(long, value_name = "DAYS", value_parser = parse_days)]
    last: Option<u64>,
    /// Only this site; may be given several times
    #[arg(long, value_name = "SITE")]
    site: Vec<String>,
    /// Only the sites of this group; may be given several times
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// How it looks
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write it into this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Read day files here [default: `logging.dir`; with --verify and no configuration, where the report lies]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Neither use nor write summaries beside the day files
    #[arg(long)]
    no_summaries: bool,
    /// Recompute this report of `--format json`, and say what differs
    #[arg(long, value_name = "REPORT.json", conflicts_with_all = ["from", "to", "month", "last", "site", "group", "format", "output"])]
    verify: Option<PathBuf>,
}

/// How a report looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Table,
    /// One row a site, for a spreadsheet.
    Csv,
    /// Everything, for programs and for --verify.
    Json,
    /// Markdown.
    Md,
    /// One page with everything in it, to send or to print.
    Html,
}

impl Format {
    /// What it shows of each site.
    const fn detail(self) -> Detail {
        match self {
            Self::Table | Self::Csv => Detail::Longest(render::MOST_OUTAGES),
            Self::Md | Self::Json | Self::Html => Detail::Everything,
        }
    }
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &ReportArgs) -> ExitCode {
    let done = match &args.verify {
        Some(file) => verify(global, args, file),
        None => make(global, args),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        // 1 says that a report differs.
        Err(error) => CommandError::Usage(error.into_text()).report(),
    }
}

fn make(global: &Global, args: &ReportArgs) -> Result<u8, CommandError> {
    let config = config_of(global, args.dir.is_some())?;
    if let Some(Err(why)) = config.as_ref().map(show_added_windows) {
        note(&format!("maintenance windows that were added at run time are not in this report: {why}"));
    }
    let configured = config.as_ref().map_or_else(Configured::default, Configured::of);
    let now = SystemClock.now();
    let today = configured.zone.local(now).map_or_else(|| now.date_naive(), |local| local.date());
    let period = period(args, today).map_err(|e| CommandError::Usage(format!("{e}")))?;
    let begun = args.output.as_deref().map(Begun::new).transpose()?;
    let request = Request {
        period,
        policy: configured.policy(period),
        sites: args.site.iter().cloned().collect(),
        groups: args.group.iter().cloned().collect(),
        now: now.timestamp_millis(),
        compare: true,
        detail: args.format.detail(),
    };
    let files = files(config.as_ref(), args.dir.as_deref(), !args.no_summaries);
    let report = report::make(&files, &request, progress(global).as_ref()).map_err(|e| not_made(&e))?;
    match begun {
        None => write_out(&report, args.format)?,
        Some(begun) => begun.finish(|out| write(&report, args.format, out))?,
    }
    warn_of_nothing(args, &files, &report);
    // The process ends, and that gives back what a hundred thousand texts hold at once.
    let _kept = ManuallyDrop::new(report);
    Ok(exit_code::OK)
}

fn write(report: &Report, format: Format, out: &mut dyn Write) -> io::Result<()> {
    let text = match format {
        Format::Json => return render::json(report, out),
        Format::Table => render::table(report),
        Format::Md => render::markdown(report),
        Format::Html => render::html(report),
        Format::Csv => render::csv(report).map_err(io::Error::other)?,
    };
    out.write_all(text.as_bytes())
}

/// To stdout. A reader that went away (`| head`) is no error; half a report on a full disk is one.
fn write_out(report: &Report, format: Format) -> Result<(), CommandError> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    match write(report, format, &mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::Failed(format!("cannot write the report: {error}")))
        }
        _ => Ok(()),
    }
}

/// A name that no row has is most likely misspelt, and so is a directory without day files.
fn warn_of_nothing(args: &ReportArgs, files: &Files, report: &Report) {
    if report.inputs.is_empty() {
        note(&format!("no day file {}_<date>.csv of this period is in `{}`", files.stem, files.dir.display()));
        return;
    }
    let sites = args.site.iter().filter(|name| !report.sites.iter().any(|site| site.site == **name));
    let groups = args.group.iter().filter(|name| !report.groups.iter().any(|group| group.group == **name));
    for (what, name) in sites.map(|name| ("site", name)).chain(groups.map(|name| ("group", name))) {
        note(&format!("the report has no row of {what} `{name}`"));
    }
}

fn verify(global: &Global, args: &ReportArgs, file: &Path) -> Result<u8, CommandError> {
    let config = config_of(global, true)?;
    let text = std::fs::read_to_string(file)
        .map_err(|e| CommandError::Failed(format!("cannot read `{}`: {e}", file.display())))?;
    let beside = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let dir = args.dir.as_deref().or_else(|| config.is_none().then_some(beside));
    let files = files(config.as_ref(), dir, false);
    let verified = report::verify(&text, &files, progress(global).as_ref())
        .map_err(|e| CommandError::Failed(format!("cannot recompute `{}`: {}", file.display(), seen(&chain(&e)))))?;
    if verified.differences.is_empty() {
        say(&format!(
            "{}: every figure is the same, recomputed from {} in {}\n",
            file.display(),
            render::counted(verified.rows, "row"),
            render::counted(verified.files as u64, "file")
        ));
        return Ok(exit_code::OK);
    }
    let nothing = || "nothing".to_owned();
    for difference in &verified.differences {
        say(&format!(
            "{}: the report says {}, the files say {}\n",
            seen(&difference.path),
            difference.said.as_deref().map_or_else(nothing, seen),
            difference.found.as_deref().map_or_else(nothing, seen)
        ));
    }
    let count = verified.differences.len();
    let differences = if count == 1 { "difference" } else { "differences" };
    say(&format!("{}: {count} {differences}\n", file.display()));
    Ok(exit_code::FAILED)
}

/// The configuration; where one can do without, it need not be there.
fn config_of(global: &Global, optional: bool) -> Result<Option<Config>, CommandError> {
    match config_path(global) {
        Ok(_) => load(global).map(Some),
        Err(_) if optional => Ok(None),
        Err(error) => {
            let found = error.into_text();
            let found = found.lines().next().unwrap_or_default();
            let hint = "name the directory of the day files with --dir DIR, or the configuration with --config FILE";
            Err(CommandError::Usage(format!("{found}\n  hint: {hint}")))
        }
    }
}

fn files(config: Option<&Config>, dir: Option<&Path>, summaries: bool) -> Files {
    let logging = config.map(|config| &config.logging);
    Files {
        dir: dir.map(Path::to_owned).or_else(|| logging.map(|l| l.dir.clone())).unwrap_or_else(|| "results".into()),
        stem: logging.map_or_else(|| "results".to_owned(), |logging| logging.file.clone()),
        summaries,
    }
}

fn period(args: &ReportArgs, today: NaiveDate) -> Result<Period, PeriodError> {
    match (args.from, args.to, args.month) {
        (Some(from), Some(to), _) => Period::days(from, to),
        (_, _, Some(month)) => Period::month(month),
        _ => Period::last(args.last.unwrap_or(USUAL_DAYS), today),
    }
}

/// A directory that can't be listed is most likely another one.
fn not_made(error: &MakeError) -> CommandError {
    let hint = match error {
        MakeError::Find(_) => {
            "\n  hint: `run` and `test --record` write them into `logging.dir`; those elsewhere are named by --dir DIR"
        }
        _ => "",
    };
    CommandError::Failed(format!("{}{hint}", chain(error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    crate::error::chain(error)
}

fn parse_date(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| "is not a date such as 2026-11-01".to_owned())
}

fn parse_month(text: &str) -> Result<NaiveDate, String> {
    let right = text.len() == 7 && text.as_bytes()[4] == b'-';
    let first = right.then(|| format!("{text}-01").parse().ok()).flatten();
    first.ok_or_else(|| "is not a month such as 2026-10".to_owned())
}

fn parse_days(text: &str) -> Result<u64, String> {
    let digits = text.strip_suffix('d').unwrap_or(text);
    let days = digits.parse().ok().filter(|days| (1..=7305).contains(days));
    days.ok_or_else(|| "is not a number of days such as 30d".to_owned())
}
