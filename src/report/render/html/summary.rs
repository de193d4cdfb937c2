//! The top of the page: what it is about, the figure, and by which rules it came to be.

use super::budget::{budget_bar, met};
use super::label::{self, moment_with_offset};
use super::text::{NOTHING, Text, about, count, counted, duration, percent_sign, percent_whole, put};
use crate::report::model::{Figures, Policy, Report};

/// The page's title; markup.
pub(super) fn title(report: &Report) -> String {
    format!("VPN availability, {}", label::period(&report.period))
}

/// Title, figure, error budget, rules, notes.
pub(super) fn summary(out: &mut String, report: &Report) {
    put!(out, "<header><p class=\"over\">VPN availability</p><h1>{}</h1>", label::period(&report.period));
    put!(out, "<p class=\"sub\">{}</p></header>", about_what(report));
    figure(out, report);
    put!(out, "<section class=\"rules\" aria-label=\"Rules\"><p>{}</p>", rules(&report.policy, report.excluded.len()));
    for note in &report.notes {
        put!(out, "<p class=\"note\">{}</p>", Text(note));
    }
    out.push_str("</section>");
}

/// Days, zone, sites.
fn about_what(report: &Report) -> String {
    let period = &report.period;
    let mut parts = Vec::new();
    let days = label::both_days(&period.from, &period.to);
    if days != label::period(period) {
        parts.push(days);
    }
    parts.push(format!("time zone {}", Text(&period.zone)));
    if is_cut(report) {
        parts.push(format!("until {}, when the report was made", moment_with_offset(&period.end)));
    }
    parts.push(match &report.sites[..] {
        [site] => format!("site <bdi>{}</bdi>", Text(&site.site)),
        sites => format!("{} sites", sites.len()),
    });
    for (word, names) in [("sites", &report.selection.sites), ("groups", &report.selection.groups)] {
        // One site is named already.
        if !names.is_empty() && (word != "sites" || report.sites.len() != 1) {
            let names: Vec<String> = names.iter().map(|name| format!("<bdi>{}</bdi>", Text(name))).collect();
            parts.push(format!("only the {word} {}", names.join(", ")));
        }
    }
    parts.join(" · ")
}

/// Whether the last day was not over.
fn is_cut(report: &Report) -> bool {
    report.period.end.get(11..19).is_some_and(|time| time != "00:00:00")
}

/// The availability, large, with what belongs to it.
fn figure(out: &mut String, report: &Report) {
    let total = &report.total;
    let (class, words) = match &total.error_budget {
        Some(budget) => {
            let (class, met) = met(budget);
            (class, format!("Target {} {met}", percent_sign(Some(budget.target))))
        }
        None => ("open", "No target is set".to_owned()),
    };
    put!(out, "<section class=\"hero\" aria-label=\"Availability\"><div class=\"figure {class}\">");
    let shown = percent_sign(total.availability.default);
    let (number, sign) = shown.strip_suffix("\u{a0}%").map_or((shown.as_str(), ""), |number| (number, "\u{a0}%"));
    put!(out, "<p class=\"big\">{number}<span>{sign}</span></p>");
    put!(out, "<p class=\"verdict\"><strong>{words}</strong></p></div>");
    facts(out, report, total);
    out.push_str("</section>");
    if let Some(budget) = &total.error_budget {
        budget_bar(out, budget);
    }
}

fn facts(out: &mut String, report: &Report, total: &Figures) {
    out.push_str("<dl class=\"facts\">");
    let open =
        if total.outages_open > 0 { format!("{} not over yet", count(total.outages_open)) } else { String::new() };
    let longest = total.longest_outage_s.map_or_else(String::new, |longest| format!("longest {}", duration(longest)));
    let unknown = if total.unknown_s > 0.0 { format!("{} unknown", about(total.unknown_s)) } else { String::new() };
    let cycles = total.cycles.up + total.cycles.down + total.cycles.unknown;
    fact(out, "Downtime", &duration(total.downtime_s), &longest);
    fact(out, "Outages", &count(total.outage_count), &open);
    fact(out, "Coverage", &percent_whole(total.coverage), &unknown);
    if report.sites.len() > 1
        && let Some((met, judged)) = sites_that_met(report)
    {
        fact(out, "Sites that met the target", &format!("{met} of {judged}"), "");
    }
    fact(out, "Looked at", &counted(cycles, "time", "times"), &format!("in {} of agreed time", about(total.agreed_s)));
    if let Some(before) = &total.before {
        let words = format!(
            "{}, {}",
            label::both_days(&before.from, &before.to),
            counted(before.outage_count, "outage", "outages")
        );
        fact(out, "Period before", &percent_whole(before.availability), &words);
    }
    out.push_str("</dl>");
}

fn fact(out: &mut String, name: &str, value: &str, beside: &str) {
    put!(out, "<div><dt>{name}</dt><dd>{value}");
    if !beside.is_empty() {
        put!(out, " <small>{beside}</small>");
    }
    out.push_str("</dd></div>");
}

/// How many sites met the target, of those of which that is known.
fn sites_that_met(report: &Report) -> Option<(usize, usize)> {
    let judged: Vec<bool> = report
        .sites
        .iter()
        .filter_map(|site| site.figures.error_budget.as_ref().and_then(|budget| budget.met))
        .collect();
    (!judged.is_empty()).then(|| (judged.iter().filter(|met| **met).count(), judged.len()))
}

/// The policy in words.
fn rules(policy: &Policy, windows: usize) -> String {
    let mut words =
        String::from("Availability is the time up, divided by the time up and down, within the agreed time: ");
    words.push_str(&label::hours(policy.hours.as_deref()));
    if !policy.holidays.is_empty() {
        let days: Vec<String> = policy.holidays.iter().map(|day| Text(day).to_string()).collect();
        put!(&mut words, ", not on the {} {}", counted(days.len() as u64, "holiday", "holidays"), days.join(", "));
    }
    if windows > 0 {
        put!(&mut words, ", less {}", counted(windows as u64, "maintenance window", "maintenance windows"));
        words.push_str(" (<a href=\"#excluded\">listed below</a>)");
    }
    words.push_str(". Where the gateway refused the test account, the time ");
    words.push_str(match policy.credentials.as_str() {
        "excluded" => "is left out",
        "down" => "counts as down",
        _ => NOTHING,
    });
    words.push_str(". What every figure means is said under <a href=\"#definitions\">Definitions</a>.");
    words
}
