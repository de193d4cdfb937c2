//! `--format table`: for a terminal, 100 columns wide where names allow it.

use std::fmt::Write as _;

use super::definitions::DEFINITIONS;
use super::words::{NOTHING, counted, length, length_of, local, measures, pair, percent};
use crate::report::model::{Day, Figures, Outage, Report, Site};

/// Outages that are shown; the other formats have all.
pub const MOST_OUTAGES: usize = 20;
/// Reasons that are shown.
const MOST_REASONS: usize = 10;
/// Lines that could not be read and are shown.
const MOST_BAD_LINES: usize = 10;
/// Steps of the sparkline.
const MOST_STEPS: usize = 31;

/// The report as tables.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    head(&mut out, report);
    if !report.sites.is_empty() {
        sites(&mut out, report);
        domains(&mut out, &report.total);
        values(&mut out, &report.total);
        outages(&mut out, report);
        reasons(&mut out, &report.total);
    }
    foot(&mut out, report);
    out
}

fn head(out: &mut String, report: &Report) {
    let period = &report.period;
    let hours = report.policy.hours.as_deref().unwrap_or("always");
    let _ = writeln!(out, "SLA report, {} to {} ({}), agreed hours: {hours}", period.from, period.to, period.zone);
    let figures = &report.total;
    let _ = write!(out, "\navailability  {}", percent(figures.availability.default));
    if let Some(budget) = &figures.error_budget {
        let word = match budget.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not known",
        };
        let _ = write!(out, "   target {} % {word}", budget.target);
    }
    let _ = writeln!(
        out,
        "\n              strict {}, optimistic {}, by cycles {}",
        percent(figures.availability.strict),
        percent(figures.availability.optimistic),
        percent(figures.availability_by_cycles)
    );
    let _ = writeln!(
        out,
        "coverage      {}   {} up, {} down, {} unknown",
        percent(figures.coverage),
        counted(figures.cycles.up, "cycle"),
        figures.cycles.down,
        figures.cycles.unknown
    );
    let _ = writeln!(
        out,
        "downtime      {} in {}, longest {}, MTTR {}, MTBF {}",
        length(figures.downtime_s),
        counted(figures.outage_count, "outage"),
        length_of(figures.longest_outage_s),
        length_of(figures.mttr_s),
        length_of(figures.mtbf_s)
    );
    if let Some(budget) = &figures.error_budget {
        let _ = writeln!(
            out,
            "error budget  {} of {} used, {} left",
            length(budget.used_s),
            length(budget.allowed_s),
            length(budget.left_s)
        );
    }
    if let Some(before) = &figures.before {
        let _ = writeln!(
            out,
            "before        {} to {}: {}, {} in {}",
            before.from,
            before.to,
            percent(before.availability),
            length(before.downtime_s),
            counted(before.outage_count, "outage")
        );
    }
}

fn sites(out: &mut String, report: &Report) {
    let mut rows = vec![
        ["SITE", "AVAILABILITY", "STRICT", "COVERAGE", "DOWNTIME", "OUTAGES", "LOGIN p50/p95 ms", "DAYS"]
            .map(str::to_owned),
    ];
    let row = |name: String, figures: &Figures, days: String| {
        [
            name,
            percent(figures.availability.default),
            percent(figures.availability.strict),
            percent(figures.coverage),
            length(figures.downtime_s),
            figures.outage_count.to_string(),
            pair(&figures.login_ms),
            days,
        ]
    };
    for site in &report.sites {
        rows.push(row(site.site.clone(), &site.figures, sparkline(&site.days)));
    }
    for group in &report.groups {
        let name = format!("group {} ({})", group.group, counted(group.sites.len() as u64, "site"));
        rows.push(row(name, &group.figures, String::new()));
    }
    out.push('\n');
    columns(out, &rows, &[1, 2, 3, 4, 5, 6]);
}

/// Columns as wide as their widest cell; those of `right` are set to the right.
fn columns<const N: usize>(out: &mut String, rows: &[[String; N]], right: &[usize]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            if column > 0 {
                line.push_str("  ");
            }
            if right.contains(&column) {
                line.push_str(&gap);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&gap);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A step a day, or several days: full, the lower the worse, `·` where nothing is known.
fn sparkline(days: &[Day]) -> String {
    let per_step = days.len().div_ceil(MOST_STEPS).max(1);
    let step = |days: &[Day]| {
        let worst = days.iter().filter_map(|day| day.availability).reduce(f64::min);
        match worst {
            None => '·',
            Some(value) if value >= 100.0 => '█',
            Some(value) if value >= 99.9 => '▇',
            Some(value) if value >= 99.0 => '▆',
            Some(value) if value >= 95.0 => '▅',
            Some(value) if value >= 90.0 => '▄',
            Some(value) if value >= 75.0 => '▃',
            Some(value) if value >= 50.0 => '▂',
            Some(_) => '▁',
        }
    };
    days.chunks(per_step).map(step).collect()
}

fn domains(out: &mut String, figures: &Figures) {
    if figures.fault_domains.is_empty() {
        return;
    }
    let mut rows = vec![["WHOSE DOWNTIME", "DOWN", "SHARE", "CYCLES"].map(str::to_owned)];
    rows.extend(figures.fault_domains.iter().map(|share| {
        [share.fault_domain.clone(), length(share.downtime_s), percent(share.share_pct), share.cycles.to_string()]
    }));
    out.push('\n');
    columns(out, &rows, &[1, 2, 3]);
}

fn values(out: &mut String, figures: &Figures) {
    let mut rows = vec![["MEASURED", "N", "P50", "P95", "P99", "MAX"].map(str::to_owned)];
    let measured = measures(figures).into_iter().filter(|(_, values, _)| values.n > 0);
    rows.extend(measured.map(|(what, values, show)| {
        let [p50, p95, p99, max] = [values.p50, values.p95, values.p99, values.max].map(show);
        [what.to_owned(), values.n.to_string(), p50, p95, p99, max]
    }));
    if rows.len() > 1 {
        out.push('\n');
        columns(out, &rows, &[1, 2, 3, 4, 5]);
    }
}

fn outages(out: &mut String, report: &Report) {
    let mut all: Vec<(&Site, &Outage)> =
        report.sites.iter().flat_map(|site| site.outages.iter().map(move |outage| (site, outage))).collect();
    if all.is_empty() {
        return;
    }
    all.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    all.truncate(MOST_OUTAGES);
    // A report for a terminal need not have all of them.
    let more = report.total.outage_count.saturating_sub(all.len() as u64);
    let mut rows = vec![["LONGEST OUTAGES", "START", "END", "LENGTH", "WHY", ""].map(str::to_owned)];
    rows.extend(all.iter().map(|(site, outage)| {
        let state = match (outage.restored, outage.open, outage.began_before) {
            (true, ..) => "restored",
            (_, true, _) => "goes on",
            (_, _, true) => "began before",
            _ => "",
        };
        [
            site.site.clone(),
            local(&outage.start),
            local(&outage.end),
            length(outage.seconds),
            format!("{} {} ({})", outage.stage, outage.reason, outage.fault_domain).trim_start().to_owned(),
            state.to_owned(),
        ]
    }));
    out.push('\n');
    columns(out, &rows, &[3]);
    if more > 0 {
        let _ = writeln!(out, "and {more} shorter ones: --format json has them all");
    }
}

fn reasons(out: &mut String, figures: &Figures) {
    if figures.failures.is_empty() {
        return;
    }
    let mut rows = vec![["REASON", "STAGE", "FAULT DOMAIN", "CYCLES"].map(str::to_owned)];
    rows.extend(figures.failures.iter().take(MOST_REASONS).map(|failure| {
        let stage = if failure.stage.is_empty() { NOTHING } else { &failure.stage };
        [failure.reason.clone(), stage.to_owned(), failure.fault_domain.clone(), failure.cycles.to_string()]
    }));
    out.push('\n');
    columns(out, &rows, &[3]);
    let more = figures.failures.len().saturating_sub(MOST_REASONS);
    if more > 0 {
        let _ = writeln!(out, "and {more} rarer ones: --format json has them all");
    }
}

fn foot(out: &mut String, report: &Report) {
    out.push('\n');
    for window in &report.excluded {
        let name = window.name.as_deref().unwrap_or("maintenance");
        let sites = if window.sites.is_empty() { "all sites".to_owned() } else { window.sites.join(", ") };
        let _ = writeln!(out, "excluded: {name}, {} to {} ({sites})", local(&window.start), local(&window.end));
    }
    for note in &report.notes {
        let _ = writeln!(out, "note: {note}");
    }
    let problems = &report.problems;
    if problems.unreadable > 0 {
        let _ = writeln!(out, "{} could not be read and count nowhere:", counted(problems.unreadable, "row"));
        for bad in problems.lines.iter().take(MOST_BAD_LINES) {
            let _ = writeln!(out, "  {} line {}: {}", bad.file, bad.line, bad.why);
        }
        let more = problems.lines.len().saturating_sub(MOST_BAD_LINES);
        if more > 0 {
            let _ = writeln!(out, "  and {more} more: --format json has them all");
        }
    }
    if problems.duplicates > 0 {
        let _ = writeln!(out, "{} stood there twice and counted once", counted(problems.duplicates, "row"));
    }
    let rows: u64 = report.inputs.iter().map(|input| input.rows).sum();
    let (rows, files) = (counted(rows, "row"), counted(report.inputs.len() as u64, "file"));
    let _ = writeln!(out, "from {rows} in {files}, by {} at {}", report.program, local(&report.generated));
    out.push_str("\nHow the figures are defined:\n");
    for (term, meaning) in DEFINITIONS {
        let _ = writeln!(out, "  {term}: {meaning}");
    }
}
