//! `--format csv`: one row for all, for each group and for each site, for a spreadsheet.

use crate::record::no_formula;
use crate::report::model::{Figures, Quantiles, Report};

/// The columns.
const COLUMNS: &[&str] = &[
    "scope",
    "name",
    "group",
    "kind",
    "from",
    "to",
    "zone",
    "cycles_up",
    "cycles_down",
    "cycles_unknown",
    "agreed_s",
    "up_s",
    "downtime_s",
    "unknown_s",
    "left_out_s",
    "availability_pct",
    "availability_strict_pct",
    "availability_optimistic_pct",
    "availability_by_cycles_pct",
    "coverage_pct",
    "downtime_carrier_s",
    "downtime_gateway_s",
    "downtime_identity_s",
    "downtime_tunnel_s",
    "downtime_inside_s",
    "outages",
    "outages_open",
    "mttr_s",
    "mtbf_s",
    "longest_outage_s",
    "login_n",
    "login_p50_ms",
    "login_p95_ms",
    "login_p99_ms",
    "login_max_ms",
    "external_rtt_n",
    "external_rtt_p50_ms",
    "external_rtt_p95_ms",
    "external_rtt_p99_ms",
    "external_rtt_max_ms",
    "internal_rtt_n",
    "internal_rtt_p50_ms",
    "internal_rtt_p95_ms",
    "internal_rtt_p99_ms",
    "internal_rtt_max_ms",
    "target_pct",
    "budget_allowed_s",
    "budget_left_s",
    "target_met",
];

/// The rows, led by a header. What is not known is an empty cell.
pub fn csv(report: &Report) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    writer.write_record(row(report, ["total", "", "", ""], &report.total))?;
    for group in &report.groups {
        writer.write_record(row(report, ["group", &group.group, &group.group, ""], &group.figures))?;
    }
    for site in &report.sites {
        let group = site.group.as_deref().unwrap_or_default();
        writer.write_record(row(report, ["site", &site.site, group, &site.kind], &site.figures))?;
    }
    let bytes = writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn row(report: &Report, names: [&str; 4], figures: &Figures) -> Vec<String> {
    let seconds = |value: f64| format!("{value:.3}");
    let maybe_seconds = |value: Option<f64>| value.map(seconds).unwrap_or_default();
    let percent = |value: Option<f64>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
    let domain = |name: &str| {
        let found = figures.fault_domains.iter().find(|share| share.fault_domain == name);
        seconds(found.map_or(0.0, |share| share.downtime_s))
    };
    let budget = figures.error_budget.as_ref();
    let mut cells: Vec<String> = names.iter().map(|name| no_formula(name)).collect();
    cells.extend([report.period.from.clone(), report.period.to.clone(), report.period.zone.clone()]);
    cells.extend([figures.cycles.up, figures.cycles.down, figures.cycles.unknown].map(|n| n.to_string()));
    cells.extend(
        [figures.agreed_s, figures.up_s, figures.downtime_s, figures.unknown_s, figures.left_out_s].map(seconds),
    );
    let availability = &figures.availability;
    cells.extend(
        [
            availability.default,
            availability.strict,
            availability.optimistic,
            figures.availability_by_cycles,
            figures.coverage,
        ]
        .map(percent),
    );
    cells.extend(["carrier", "gateway", "identity", "tunnel", "inside"].map(domain));
    cells.extend([figures.outage_count, figures.outages_open].map(|n| n.to_string()));
    cells.extend([figures.mttr_s, figures.mtbf_s, figures.longest_outage_s].map(maybe_seconds));
    for values in [&figures.login_ms, &figures.external_rtt_ms, &figures.internal_rtt_ms] {
        cells.extend(quantiles(values));
    }
    cells.push(percent(budget.map(|budget| budget.target)));
    cells.push(maybe_seconds(budget.map(|budget| budget.allowed_s)));
    cells.push(maybe_seconds(budget.map(|budget| budget.left_s)));
    cells.push(budget.and_then(|budget| budget.met).map(|met| met.to_string()).unwrap_or_default());
    cells
}

fn quantiles(values: &Quantiles) -> [String; 5] {
    let cell = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
    [values.n.to_string(), cell(values.p50), cell(values.p95), cell(values.p99), cell(values.max)]
}
