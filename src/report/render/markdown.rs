//! `--format md`: for a ticket or a wiki.

use std::fmt::Write as _;

use super::definitions::DEFINITIONS;
use super::words::{counted, length, length_of, local, measures, percent};
use crate::report::model::{Figures, Quantiles, Report, Site};

/// Outages of one site that are shown; CSV rows and JSON have all.
const MOST_OUTAGES: usize = 100;

/// The report as Markdown (tables as GitHub and GitLab read them).
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let period = &report.period;
    let _ = writeln!(out, "# SLA report, {} to {}\n", period.from, period.to);
    let hours = report.policy.hours.as_deref().unwrap_or("always");
    let _ = writeln!(out, "Zone {}, agreed hours: {}.", text(&period.zone), text(hours));
    figures(&mut out, &report.total);
    sites(&mut out, report);
    values(&mut out, report);
    for site in report.sites.iter().filter(|site| !site.outages.is_empty()) {
        outages(&mut out, site);
    }
    foot(&mut out, report);
    out
}

fn figures(out: &mut String, figures: &Figures) {
    let mut rows = vec![
        ("Availability", percent(figures.availability.default)),
        ("strict", percent(figures.availability.strict)),
        ("optimistic", percent(figures.availability.optimistic)),
        ("by cycles", percent(figures.availability_by_cycles)),
        ("Coverage", percent(figures.coverage)),
        ("Downtime", length(figures.downtime_s)),
        ("Outages", figures.outage_count.to_string()),
        ("Longest outage", length_of(figures.longest_outage_s)),
        ("MTTR", length_of(figures.mttr_s)),
        ("MTBF", length_of(figures.mtbf_s)),
    ];
    if let Some(budget) = &figures.error_budget {
        let met = match budget.met {
            Some(true) => "met",
            Some(false) => "missed",
            None => "not known",
        };
        rows.push(("Target", format!("{} %, {met}", budget.target)));
        let used = format!("{} of {} used", length(budget.used_s), length(budget.allowed_s));
        rows.push(("Error budget", format!("{used}, {} left", length(budget.left_s))));
    }
    if let Some(before) = &figures.before {
        let what = format!("{}, {}", percent(before.availability), counted(before.outage_count, "outage"));
        rows.push(("Period before", format!("{} to {}: {what}", before.from, before.to)));
    }
    for share in &figures.fault_domains {
        let what = format!("{} ({})", length(share.downtime_s), percent(share.share_pct));
        rows.push(("Down by", format!("{}: {what}", text(&share.fault_domain))));
    }
    out.push_str("\n| | |\n|---|---|\n");
    for (name, value) in rows {
        let _ = writeln!(out, "| {name} | {value} |");
    }
}

fn sites(out: &mut String, report: &Report) {
    out.push_str("\n## Sites\n\n");
    out.push_str("| site | group | availability | strict | by cycles | coverage | downtime | outages | MTTR |\n");
    out.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|\n");
    let mut row = |name: &str, group: &str, figures: &Figures| {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            text(name),
            text(group),
            percent(figures.availability.default),
            percent(figures.availability.strict),
            percent(figures.availability_by_cycles),
            percent(figures.coverage),
            length(figures.downtime_s),
            figures.outage_count,
            length_of(figures.mttr_s)
        );
    };
    for site in &report.sites {
        row(&site.site, site.group.as_deref().unwrap_or_default(), &site.figures);
    }
    for group in &report.groups {
        row(&format!("all of {}", group.group), &group.group, &group.figures);
    }
}

fn values(out: &mut String, report: &Report) {
    out.push_str("\n## Measured\n\n| site | what | n | p50 | p95 | p99 | max |\n|---|---|---:|---:|---:|---:|---:|\n");
    for site in &report.sites {
        let all = measures(&site.figures).into_iter().filter(|(_, values, _)| values.n > 0);
        for (what, Quantiles { n, p50, p95, p99, max }, show) in all {
            let cells = [p50, p95, p99, max].map(|value| show(*value)).join(" | ");
            let _ = writeln!(out, "| {} | {what} | {n} | {cells} |", text(&site.site));
        }
    }
}

fn outages(out: &mut String, site: &Site) {
    let _ = writeln!(out, "\n## Outages of {}\n", text(&site.site));
    out.push_str("| start | end | length | stage | reason | fault domain | |\n|---|---|---:|---|---|---|---|\n");
    for outage in site.outages.iter().take(MOST_OUTAGES) {
        let mut remarks = Vec::new();
        for (is_so, remark) in
            [(outage.began_before, "began before"), (outage.restored, "restored"), (outage.open, "goes on")]
        {
            if is_so {
                remarks.push(remark);
            }
        }
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            local(&outage.start),
            local(&outage.end),
            length(outage.seconds),
            text(&outage.stage),
            text(&outage.reason),
            text(&outage.fault_domain),
            remarks.join(", ")
        );
    }
    let more = site.outages.len().saturating_sub(MOST_OUTAGES);
    if more > 0 {
        let _ = writeln!(out, "\nand {more} more: `--format json` has them all.");
    }
}

fn foot(out: &mut String, report: &Report) {
    out.push_str("\n## From which data\n\n");
    for window in &report.excluded {
        let name = window.name.as_deref().unwrap_or("maintenance");
        let sites = if window.sites.is_empty() { "all sites".to_owned() } else { window.sites.join(", ") };
        let span = format!("{} to {}", local(&window.start), local(&window.end));
        let _ = writeln!(out, "- excluded: {}, {span} ({})", text(name), text(&sites));
    }
    for note in &report.notes {
        let _ = writeln!(out, "- {}", text(note));
    }
    for bad in &report.problems.lines {
        let _ = writeln!(out, "- could not be read: {} line {}: {}", text(&bad.file), bad.line, text(&bad.why));
    }
    if report.problems.duplicates > 0 {
        let _ = writeln!(out, "- rows that stood there twice and count once: {}", report.problems.duplicates);
    }
    out.push_str("\n| file | rows | SHA-256 |\n|---|---:|---|\n");
    for input in &report.inputs {
        let _ = writeln!(out, "| {} | {} | `{}` |", text(&input.file), input.rows, input.sha256);
    }
    out.push_str("\n## Definitions\n\n");
    for (term, meaning) in DEFINITIONS {
        let _ = writeln!(out, "- **{term}**: {meaning}");
    }
    let _ = writeln!(out, "\nMade by {} at {}.", report.program, local(&report.generated));
}

/// Text that is text, whatever it looks like.
fn text(given: &str) -> String {
    let mut out = String::with_capacity(given.len());
    for c in given.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
