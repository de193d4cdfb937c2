//! `--format json`: the report as it is (`docs/report.schema.json`).

use crate::report::model::Report;

/// The report, and a line feed.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
