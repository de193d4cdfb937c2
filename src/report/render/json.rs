//! `--format json`: the report as it is (`docs/report.schema.json`).

use std::io::{self, Write};

use crate::report::model::Report;

/// Writes the report, and a line feed. That of a year is large: it is never in memory as a whole.
pub fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}
