//! What the page says of one site. With many sites only the strips are open; on paper all of it is.

use super::label::Moments;
use super::plot::{self, KINDS};
use super::scale::Scale;
use super::strip::{self, strip};
use super::table::{Column, begin, end, number, text};
use super::text::{Text, about, count, counted, duration, duration_or_nothing, loss, milliseconds, percent_whole, put};
use crate::report::model::{Figures, Outage, Quantiles, Report, Site};

/// Up to so many sites everything is open from the beginning.
const OPEN: usize = 6;
/// Outages in the table of a site.
const OUTAGES: usize = 100;
/// Reasons in the table of a site.
const REASONS: usize = 30;

/// Every site.
pub(super) fn sites(out: &mut String, report: &Report, scale: &Scale) {
    if report.sites.is_empty() {
        return;
    }
    out.push_str("<section aria-labelledby=\"each\"><h2 id=\"each\">Each site</h2>");
    out.push_str(&strip::key());
    let open = if report.sites.len() <= OPEN { " open" } else { "" };
    let moments = Moments::of(report);
    for (index, site) in report.sites.iter().enumerate() {
        put!(out, "<details class=\"site\" id=\"site-{}\"{open}>", index + 1);
        head(out, site, scale);
        facts(out, &site.figures);
        outages(out, site, moments);
        plots(out, site, scale);
        measured(out, &site.figures);
        reasons(out, &site.figures);
        out.push_str("</details>");
    }
    out.push_str("</section>");
}

/// Name, figure and strip: what is seen of a closed site.
fn head(out: &mut String, site: &Site, scale: &Scale) {
    let figures = &site.figures;
    put!(out, "<summary><h3><bdi>{}</bdi></h3> <span class=\"kind\">{}", Text(&site.site), Text(&site.kind));
    if let Some(group) = &site.group {
        put!(out, " · <bdi>{}</bdi>", Text(group));
    }
    put!(out, "</span> <span class=\"brief\">{}</span>", brief(figures));
    let class = if figures.error_budget.is_some_and(|budget| budget.met == Some(false)) { "missed" } else { "met" };
    put!(out, "<span class=\"value {class}\">{}</span>", percent_whole(figures.availability.default));
    let described = format!("Available {}; {}.", percent_whole(figures.availability.default), brief(figures));
    out.push_str(&strip(scale, site, &described));
    out.push_str("</summary>");
}

/// Outages and downtime in a few words.
fn brief(figures: &Figures) -> String {
    if figures.outage_count == 0 {
        return "no outage".to_owned();
    }
    format!("{}, {} down", counted(figures.outage_count, "outage", "outages"), about(figures.downtime_s))
}

fn facts(out: &mut String, figures: &Figures) {
    let availability = &figures.availability;
    let cycles = &figures.cycles;
    let mut facts = vec![
        ("Strict", percent_whole(availability.strict)),
        ("Optimistic", percent_whole(availability.optimistic)),
        ("By cycles", percent_whole(figures.availability_by_cycles)),
        ("Coverage", percent_whole(figures.coverage)),
        ("Downtime", duration(figures.downtime_s)),
        ("Longest outage", duration_or_nothing(figures.longest_outage_s)),
        ("MTTR", duration_or_nothing(figures.mttr_s)),
        ("MTBF", duration_or_nothing(figures.mtbf_s)),
        (
            "Cycles",
            format!(
                "{}\u{a0}up, {}\u{a0}down, {}\u{a0}unknown",
                count(cycles.up),
                count(cycles.down),
                count(cycles.unknown)
            ),
        ),
    ];
    if let Some(budget) = &figures.error_budget {
        let left = duration(budget.left_s.abs());
        let words = if budget.left_s < 0.0 { format!("overspent by {left}") } else { format!("{left} left") };
        facts.push(("Error budget", words));
    }
    if figures.left_out_s > 0.0 {
        facts.push(("Left out", duration(figures.left_out_s)));
    }
    if let Some(before) = &figures.before {
        let outages = counted(before.outage_count, "outage", "outages");
        facts.push(("Period before", format!("{}, {outages}", percent_whole(before.availability))));
    }
    out.push_str("<dl class=\"facts\">");
    for (name, value) in facts {
        put!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>");
}

fn outages(out: &mut String, site: &Site, moments: Moments) {
    if site.outages.is_empty() {
        out.push_str("<p class=\"none\">No outage in this period.</p>");
        return;
    }
    let shown = longest(&site.outages);
    let columns = [
        Column::Text("Start"),
        Column::Text("End"),
        Column::Number("Length"),
        Column::Text("Stage"),
        Column::Text("Reason"),
        Column::Text("Fault domain"),
        Column::Text("Remarks"),
    ];
    let caption = match site.outages.len() {
        all if all > shown.len() => format!(
            "The {} longest of {} outages. All of them are in this report as CSV and as JSON (<code>--format</code>).",
            shown.len(),
            count(all as u64)
        ),
        all => format!("{} in the order of time.", counted(all as u64, "outage", "outages")),
    };
    begin(out, "outages", &caption, &columns);
    for outage in shown {
        put!(out, "<tr><td>{}</td><td>{}</td>", moments.show(&outage.start), moments.show(&outage.end));
        number(out, &duration(outage.seconds));
        for cell in [&outage.stage, &outage.reason, &outage.fault_domain] {
            text(out, &Text(cell).to_string());
        }
        text(out, &remarks(outage));
        out.push_str("</tr>");
    }
    end(out);
}

/// The longest ones, in the order of time.
fn longest(outages: &[Outage]) -> Vec<&Outage> {
    let mut places: Vec<usize> = (0..outages.len()).collect();
    places.sort_by(|&a, &b| outages[b].seconds.total_cmp(&outages[a].seconds));
    places.truncate(OUTAGES);
    places.sort_unstable();
    places.into_iter().map(|place| &outages[place]).collect()
}

fn remarks(outage: &Outage) -> String {
    let remarks = [
        (outage.began_before, "had begun before the period"),
        (outage.restored, "restored by the prober"),
        (outage.open, "not over at the end"),
    ];
    let remarks: Vec<&str> = remarks.into_iter().filter(|(so, _)| *so).map(|(_, words)| words).collect();
    remarks.join("; ")
}

fn plots(out: &mut String, site: &Site, scale: &Scale) {
    let figures = &site.figures;
    for (kind, whole) in KINDS.into_iter().zip([&figures.login_ms, &figures.external_rtt_ms, &figures.internal_rtt_ms])
    {
        if let Some(drawn) = plot::plot(scale, &site.days, kind, whole) {
            out.push_str(&drawn);
        }
    }
}

fn measured(out: &mut String, figures: &Figures) {
    let times = [
        ("Login time", &figures.login_ms),
        ("Round trip outside the tunnel", &figures.external_rtt_ms),
        ("Round trip through the tunnel", &figures.internal_rtt_ms),
    ];
    let losses = [
        ("Loss outside the tunnel", &figures.external_loss_pct),
        ("Loss through the tunnel", &figures.internal_loss_pct),
    ];
    if times.iter().chain(&losses).all(|(_, quantiles)| quantiles.n == 0) {
        return;
    }
    let columns = [
        Column::Text("Measured"),
        Column::Number("Values"),
        Column::Number("Median"),
        Column::Number("p95"),
        Column::Number("p99"),
        Column::Number("Highest"),
    ];
    begin(out, "wide", "What was measured in the period.", &columns);
    for (name, quantiles) in times {
        row(out, name, quantiles, milliseconds);
    }
    for (name, quantiles) in losses {
        row(out, name, quantiles, loss);
    }
    end(out);
}

fn row(out: &mut String, name: &str, quantiles: &Quantiles, shown: impl Fn(Option<f64>) -> String) {
    if quantiles.n == 0 {
        return;
    }
    put!(out, "<tr><th scope=\"row\">{name}</th>");
    number(out, &count(quantiles.n));
    for value in [quantiles.p50, quantiles.p95, quantiles.p99, quantiles.max] {
        number(out, &shown(value));
    }
    out.push_str("</tr>");
}

fn reasons(out: &mut String, figures: &Figures) {
    if figures.failures.is_empty() {
        return;
    }
    let columns =
        [Column::Text("Reason"), Column::Text("Stage"), Column::Text("Fault domain"), Column::Number("Cycles")];
    let left = figures.failures.len().saturating_sub(REASONS);
    let more = if left > 0 { format!(" {left} more are in this report as JSON.") } else { String::new() };
    begin(out, "wide", &format!("Why cycles were down or unknown, the most frequent first.{more}"), &columns);
    for failure in figures.failures.iter().take(REASONS) {
        put!(out, "<tr><th scope=\"row\">{}</th>", Text(&failure.reason));
        text(out, &Text(&failure.stage).to_string());
        let domain = &failure.fault_domain;
        text(out, &if domain == "own" { "own (the prober's)".to_owned() } else { Text(domain).to_string() });
        number(out, &count(failure.cycles));
        out.push_str("</tr>");
    }
    end(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_outages_stay_in_the_order_of_time() {
        let outage = |seconds: u32| Outage {
            start: String::new(),
            end: String::new(),
            seconds: f64::from(seconds),
            downtime_s: 0.0,
            stage: String::new(),
            reason: String::new(),
            fault_domain: String::new(),
            restored: false,
            began_before: false,
            open: false,
        };
        let outages: Vec<Outage> = (0..150).map(|number| outage(number * 7 % 150)).collect();
        let shown = longest(&outages);
        assert!(shown.len() == OUTAGES && shown.iter().all(|outage| outage.seconds >= 50.0));
        let order = |outage: &Outage| outages.iter().position(|other| std::ptr::eq(other, outage));
        assert!(shown.is_sorted_by_key(|outage| order(outage)));
    }
}
