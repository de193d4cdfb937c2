//! One row of a day file, as the report needs it: read from any released schema, nothing rounded.

use crate::record::Verdict;

/// A row; its texts are those of the reader's buffer.
///
/// A cell that is empty, or that the schema does not have, is `None` or the empty text. The apostrophe that leads in a
/// text which a spreadsheet would take for a formula is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// Start of the cycle, milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The site's name.
    pub site: &'a str,
    /// `ssl-vpn`, `ipsec`, …; as it is written.
    pub kind: &'a str,
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// The stage that decided.
    pub failed_stage: &'a str,
    /// Its reason.
    pub reason: &'a str,
    /// Whose fault; for a schema that lacks it, that of the reason.
    pub fault_domain: &'a str,
    /// Microseconds.
    pub external_rtt_us: Option<u64>,
    /// Thousandths of a percent.
    pub external_loss: Option<u64>,
    /// Microseconds.
    pub login_us: Option<u64>,
    /// Microseconds.
    pub internal_rtt_us: Option<u64>,
    /// Thousandths of a percent.
    pub internal_loss: Option<u64>,
    /// Restarts of the tunnel in this cycle.
    pub restarts: Option<u32>,
    /// From `time` until the tunnel carried traffic again; milliseconds, rounded up from the cell's microseconds.
    pub restore_ms: Option<i64>,
    /// The interval in force, milliseconds; `None`: the schema has none, it is taken from the distances of the rows.
    pub interval_ms: Option<i64>,
    /// The window's name or `yes`.
    pub maintenance: &'a str,
    /// The site's group.
    pub group: &'a str,
    /// Who wrote it.
    pub prober: &'a str,
    /// Unique and sorted by time; empty where the schema has none.
    pub cycle_id: &'a str,
}
