//! The tables over all sites: sites, groups, whose downtime, the period before.

use super::budget::{class, domain_bar, meaning, met};
use super::label;
use super::table::{self, Column, begin, end, number, prose, text};
use super::text::{NOTHING, Text, about, count, duration, milliseconds, percent, percent_sign, percent_whole, put};
use crate::report::model::{Before, Figures, Report};

/// Everything that is about more than one site.
pub(super) fn overview(out: &mut String, report: &Report) {
    out.push_str("<section aria-labelledby=\"overview\"><h2 id=\"overview\">Sites</h2>");
    if report.sites.is_empty() {
        out.push_str("<p>There is no row of any site in this period.</p></section>");
        return;
    }
    sites(out, report);
    groups(out, report);
    out.push_str("</section>");
    if !report.total.fault_domains.is_empty() {
        out.push_str("<section class=\"whole\" aria-labelledby=\"domains\"><h2 id=\"domains\">Whose downtime</h2>");
        domains(out, &report.total);
        out.push_str("</section>");
    }
    if let Some(before) = &report.total.before {
        out.push_str("<section class=\"whole\" aria-labelledby=\"before\"><h2 id=\"before\">Compared with the period before</h2>");
        compared(out, report, before);
        out.push_str("</section>");
    }
}

fn sites(out: &mut String, report: &Report) {
    table::open(out, "sites", "Every site, by name. Availability and coverage in percent, cut after four decimals.");
    let grouped = report.sites.iter().any(|site| site.group.is_some());
    head(out, report, if grouped { &["Site", "Group"] } else { &["Site"] });
    for (index, site) in report.sites.iter().enumerate() {
        put!(out, "<tr><th scope=\"row\"><a href=\"#site-{}\"><bdi>{}</bdi></a></th>", index + 1, Text(&site.site));
        if grouped {
            let group = site.group.as_deref().map_or_else(String::new, |group| format!("<bdi>{}</bdi>", Text(group)));
            text(out, &group);
        }
        verdict(out, report, &site.figures);
        figures(out, &site.figures);
        out.push_str("</tr>");
    }
    if report.sites.len() > 1 {
        put!(
            out,
            "</tbody><tbody class=\"total\"><tr><th scope=\"row\"{}>All sites</th>",
            if grouped { " colspan=\"2\"" } else { "" }
        );
        verdict(out, report, &report.total);
        figures(out, &report.total);
        out.push_str("</tr>");
    }
    end(out);
}

fn groups(out: &mut String, report: &Report) {
    if report.groups.is_empty() || report.sites.len() < 2 {
        return;
    }
    table::open(out, "sites groups", "Every group: the times of its sites added up.");
    head(out, report, &["Group", "Sites"]);
    for group in &report.groups {
        put!(out, "<tr><th scope=\"row\"><bdi>{}</bdi></th>", Text(&group.group));
        number(out, &count(group.sites.len() as u64));
        verdict(out, report, &group.figures);
        figures(out, &group.figures);
        out.push_str("</tr>");
    }
    end(out);
}

/// The head of a table of figures, in two rows: four kinds of availability belong together.
fn head(out: &mut String, report: &Report, names: &[&str]) {
    out.push_str("<thead><tr>");
    for name in names {
        put!(out, "<th scope=\"col\" rowspan=\"2\">{name}</th>");
    }
    if report.policy.target.is_some() {
        put!(out, "<th scope=\"col\" rowspan=\"2\">Target {}</th>", percent_sign(report.policy.target));
    }
    out.push_str("<th scope=\"colgroup\" colspan=\"4\" class=\"span\">Availability</th>");
    for name in ["Coverage", "Downtime", "Outages", "MTTR", "Login p95"] {
        put!(out, "<th scope=\"col\" rowspan=\"2\" class=\"n\">{name}</th>");
    }
    out.push_str("</tr><tr>");
    for name in ["by time", "strict", "optimistic", "by cycles"] {
        table::heading(out, Column::Number(name));
    }
    out.push_str("</tr></thead><tbody>");
}

/// Whether the target was met, where there is one: in words, beside the colour.
fn verdict(out: &mut String, report: &Report, figures: &Figures) {
    if report.policy.target.is_some() {
        let (class, words) = figures.error_budget.as_ref().map_or(("open", NOTHING), met);
        put!(out, "<td class=\"target {class}\">{words}</td>");
    }
}

/// The cells under [`head`].
fn figures(out: &mut String, figures: &Figures) {
    let availability = &figures.availability;
    let class = if figures.error_budget.is_some_and(|budget| budget.met == Some(false)) { " missed" } else { "" };
    put!(out, "<td class=\"n main{class}\">{}</td>", percent(availability.default));
    number(out, &percent(availability.strict));
    number(out, &percent(availability.optimistic));
    number(out, &percent(figures.availability_by_cycles));
    number(out, &percent(figures.coverage));
    number(out, &duration(figures.downtime_s));
    number(out, &count(figures.outage_count));
    number(out, &figures.mttr_s.map_or_else(|| NOTHING.to_owned(), about));
    number(out, &milliseconds(figures.login_ms.p95));
}

fn domains(out: &mut String, total: &Figures) {
    domain_bar(out, &total.fault_domains);
    let columns = [
        Column::Text("Fault domain"),
        Column::Text("Which is"),
        Column::Number("Downtime"),
        Column::Number("Share"),
        Column::Number("Cycles down"),
        Column::Number("Availability, if only this counted"),
    ];
    begin(out, "wide", "Downtime by the part that failed first.", &columns);
    for domain in &total.fault_domains {
        let name = &domain.fault_domain;
        put!(out, "<tr><th scope=\"row\"><i class=\"swatch {}\"></i>{}</th>", class(name), Text(name));
        prose(out, meaning(name));
        number(out, &duration(domain.downtime_s));
        number(out, &percent_whole(domain.share_pct));
        number(out, &count(domain.cycles));
        number(out, &percent(domain.availability));
        out.push_str("</tr>");
    }
    end(out);
}

fn compared(out: &mut String, report: &Report, before: &Before) {
    let total = &report.total;
    let columns =
        [Column::Text("Figure"), Column::Number("This period"), Column::Number("Before"), Column::Number("Change")];
    let caption = format!(
        "{}, and the period before: {}.",
        label::both_days(&report.period.from, &report.period.to),
        label::both_days(&before.from, &before.to)
    );
    begin(out, "wide", &caption, &columns);
    let points = |now: f64, then: f64| {
        let change = ((now - then) * 1e4).round() / 1e4;
        format!("{}{:.4}\u{a0}points", sign(change), change.abs())
    };
    let change = total.availability.default.zip(before.availability).map(|(now, then)| points(now, then));
    row(out, "Availability", percent_whole(total.availability.default), percent_whole(before.availability), change);
    let downtime = total.downtime_s - before.downtime_s;
    let change = format!("{}{}", sign(downtime), duration(downtime.abs()));
    row(out, "Downtime", duration(total.downtime_s), duration(before.downtime_s), Some(change));
    let change = i128::from(total.outage_count) - i128::from(before.outage_count);
    let sign_of_count = match change {
        0 => "±",
        1.. => "+",
        _ => "−",
    };
    let change = format!("{sign_of_count}{}", count(total.outage_count.abs_diff(before.outage_count)));
    row(out, "Outages", count(total.outage_count), count(before.outage_count), Some(change));
    let change = total
        .login_ms
        .p50
        .zip(before.login_p50_ms)
        .map(|(now, then)| format!("{}{}", sign(now - then), milliseconds(Some((now - then).abs()))));
    row(out, "Median login time", milliseconds(total.login_ms.p50), milliseconds(before.login_p50_ms), change);
    end(out);
}

fn row(out: &mut String, name: &str, now: String, then: String, change: Option<String>) {
    put!(out, "<tr><th scope=\"row\">{name}</th>");
    for cell in [now, then, change.unwrap_or_else(|| NOTHING.to_owned())] {
        number(out, &cell);
    }
    out.push_str("</tr>");
}

fn sign(change: f64) -> &'static str {
    match change {
        _ if change > 0.0 => "+",
        _ if change < 0.0 => "−",
        _ => "±",
    }
}
