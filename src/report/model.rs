//! The report as data: what every format shows, and what `--format json` writes (version 1, `docs/report.schema.json`).
//!
//! Percentages are cut after the fourth decimal, never rounded up. Lengths are seconds with three decimals, moments are
//! RFC 3339 with milliseconds in the report's zone. What could not be computed is `null` (an availability without any
//! known time), never 0 or 100.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The version of this form; raised when a field changes its meaning or goes. New fields may come at any time.
pub const VERSION: u32 = 1;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`VERSION`].
    pub report_version: u32,
    /// `vpnprobe 0.1.0`.
    pub program: String,
    /// When it was made.
    pub generated: String,
    /// What it is about.
    pub period: Period,
    /// By which rules.
    pub policy: Policy,
    /// Which sites were asked for; empty: all.
    pub selection: Selection,
    /// All sites together: their times added up.
    pub total: Figures,
    /// Each group, by name; sites without a group are in none.
    pub groups: Vec<Group>,
    /// Each site, by name.
    pub sites: Vec<Site>,
    /// Windows that left the agreed time.
    pub excluded: Vec<Excluded>,
    /// From which data.
    pub inputs: Vec<Input>,
    /// Rows that could not be used as they are.
    pub problems: Problems,
    /// What a reader should know beside the figures, a sentence each.
    pub notes: Vec<String>,
}

/// The time that a report is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// First day, `2026-11-01`.
    pub from: String,
    /// Last day, included.
    pub to: String,
    /// The first moment.
    pub start: String,
    /// The first moment after it; where the last day was not over when the report was made, that moment.
    pub end: String,
    /// IANA name of the zone of days, months and agreed hours.
    pub zone: String,
    /// Whether the period before was asked for.
    pub compared: bool,
}

/// The rules, complete enough to recompute the report without the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Promised availability, percent.
    pub target: Option<f64>,
    /// Agreed hours as configured (`Mon-Fri 07:00-19:00`); `None`: always.
    pub hours: Option<String>,
    /// Days without agreed hours, `2026-12-25`: those of the period, of the one before where that was asked for, and the
    /// day before either, whose night may reach into it.
    pub holidays: Vec<String>,
    /// `down`: identity failures count as down; `excluded`: their time is left out.
    pub credentials: String,
    /// Windows that left the agreed time of the period before, where that was asked for.
    pub excluded_before: Vec<Excluded>,
}

/// Which sites.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// By name.
    pub sites: Vec<String>,
    /// By group.
    pub groups: Vec<String>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub group: String,
    /// Its sites.
    pub sites: Vec<String>,
    /// Their figures together.
    #[serde(flatten)]
    pub figures: Figures,
}

/// One site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Its name.
    pub site: String,
    /// Its group, as its last row says.
    pub group: Option<String>,
    /// `ssl-vpn`, `ipsec`, …
    pub kind: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// In the order of time.
    pub outages: Vec<Outage>,
    /// The whole period without gaps or overlaps, in the order of time; empty where it was not asked for.
    pub timeline: Vec<Segment>,
    /// Each day of the period.
    pub days: Vec<Day>,
}

/// The figures of a site, a group, or all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Cycles that began in agreed time.
    pub cycles: Cycles,
    /// Agreed time: hours less holidays less excluded windows (for several sites, the sum).
    pub agreed_s: f64,
    /// Of it known to be up.
    pub up_s: f64,
    /// Of it known to be down.
    pub downtime_s: f64,
    /// Of it unknown.
    pub unknown_s: f64,
    /// Of it left out because the test account was refused (`credentials: excluded`).
    pub left_out_s: f64,
    /// Time-weighted.
    pub availability: Availability,
    /// Cycles up ÷ (up + down), percent.
    pub availability_by_cycles: Option<f64>,
    /// Known time ÷ agreed time, percent.
    pub coverage: Option<f64>,
    /// Whose downtime, where there is any: carrier, gateway, identity, tunnel, inside.
    pub fault_domains: Vec<DomainShare>,
    /// Outages in the period.
    pub outage_count: u64,
    /// Outages that lasted when the period ended.
    pub outages_open: u64,
    /// Mean length of an outage, seconds.
    pub mttr_s: Option<f64>,
    /// Mean known uptime between outages, seconds.
    pub mtbf_s: Option<f64>,
    /// The longest outage, seconds.
    pub longest_outage_s: Option<f64>,
    /// Login time, milliseconds.
    pub login_ms: Quantiles,
    /// Round trip outside, milliseconds.
    pub external_rtt_ms: Quantiles,
    /// Round trip through the tunnel, milliseconds.
    pub internal_rtt_ms: Quantiles,
    /// Loss outside, percent.
    pub external_loss_pct: Quantiles,
    /// Loss through the tunnel, percent.
    pub internal_loss_pct: Quantiles,
    /// Why cycles were down or unknown, the most frequent first.
    pub failures: Vec<Failure>,
    /// Against the target, where there is one.
    pub error_budget: Option<ErrorBudget>,
    /// The period before, of the same kind; `None`: not asked for, or no rows.
    pub before: Option<Before>,
}

/// Cycles by verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cycles {
    /// Up.
    pub up: u64,
    /// Down.
    pub down: u64,
    /// Unknown.
    pub unknown: u64,
    /// Of those down, refused accounts that do not count (`credentials: excluded`).
    pub left_out: u64,
}

/// Availability in percent, three ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// Unknown counts as down, and an outage begins with the last good row before it.
    pub strict: Option<f64>,
    /// Unknown is left out.
    pub default: Option<f64>,
    /// Unknown counts as up.
    pub optimistic: Option<f64>,
}

/// Downtime of one fault domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainShare {
    /// `carrier`, `gateway`, `identity`, `tunnel`, `inside`.
    pub fault_domain: String,
    /// Seconds down.
    pub downtime_s: f64,
    /// Of all downtime, percent.
    pub share_pct: Option<f64>,
    /// Cycles down.
    pub cycles: u64,
    /// Availability if only this domain's downtime counted, percent.
    pub availability: Option<f64>,
}

/// Nearest-rank quantiles; `max` is exact, the others are within 0.05 % of the value at their rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Values.
    pub n: u64,
    /// From one value.
    pub p50: Option<f64>,
    /// From twenty values.
    pub p95: Option<f64>,
    /// From a hundred values.
    pub p99: Option<f64>,
    /// From one value.
    pub max: Option<f64>,
}

/// How often something failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// At which stage; may be empty (`prober-killed`).
    pub stage: String,
    /// Why.
    pub reason: String,
    /// Whose fault.
    pub fault_domain: String,
    /// Cycles.
    pub cycles: u64,
}

/// How much downtime the target allows, of the time that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorBudget {
    /// Percent promised.
    pub target: f64,
    /// Seconds that may be down: (100 − target) % of up and down time together.
    pub allowed_s: f64,
    /// Seconds that were.
    pub used_s: f64,
    /// The rest; negative when overspent.
    pub left_s: f64,
    /// Used of allowed, percent, cut; over 100 when overspent; `None`: nothing is allowed.
    pub used_pct: Option<f64>,
    /// Whether the target was met; `None`: nothing is known.
    pub met: Option<bool>,
}

/// The period before, for comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Default availability, percent.
    pub availability: Option<f64>,
    /// Seconds.
    pub downtime_s: f64,
    /// Outages.
    pub outage_count: u64,
    /// Median login time, milliseconds.
    pub login_p50_ms: Option<f64>,
}

/// One outage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// Its first `down` row, or the start of the period when it had begun before.
    pub start: String,
    /// The next `up` row, or the end of the period.
    pub end: String,
    /// Agreed time between both, seconds.
    pub seconds: f64,
    /// Of it known to be down.
    pub downtime_s: f64,
    /// Stage of its first row.
    pub stage: String,
    /// Reason of its first row.
    pub reason: String,
    /// Fault domain of its first row.
    pub fault_domain: String,
    /// The prober brought the tunnel back.
    pub restored: bool,
    /// It had begun before the period.
    pub began_before: bool,
    /// It lasted when the period ended.
    pub open: bool,
}

/// What is known of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentState {
    /// Up.
    Up,
    /// Down.
    Down,
    /// Nothing.
    Unknown,
    /// Refused accounts that do not count.
    LeftOut,
    /// Not agreed time.
    NotAgreed,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its first moment.
    pub start: String,
    /// The first moment after it.
    pub end: String,
    /// What was known.
    pub state: SegmentState,
    /// Where `down`: whose fault, else empty.
    pub fault_domain: String,
}

/// One day of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// `2026-11-20`.
    pub date: Arc<str>,
    /// Default availability, percent; `None`: nothing known or not agreed.
    pub availability: Option<f64>,
    /// Seconds.
    pub downtime_s: f64,
    /// Seconds.
    pub unknown_s: f64,
    /// What was measured; `None` where it was not asked for.
    #[serde(flatten)]
    pub values: Option<Box<DayValues>>,
}

/// What was measured on one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DayValues {
    /// Milliseconds.
    pub login_ms: Quantiles,
    /// Milliseconds.
    pub external_rtt_ms: Quantiles,
    /// Milliseconds.
    pub internal_rtt_ms: Quantiles,
}

/// A window that left the agreed time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// For which sites; empty: all.
    pub sites: Vec<String>,
    /// Its first moment in the period.
    pub start: String,
    /// The first moment after it.
    pub end: String,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name, without directories.
    pub file: String,
    /// Its size, as it lies there.
    pub bytes: u64,
    /// Rows in it, readable or not.
    pub rows: u64,
    /// Of them those that could not be read.
    pub unreadable: u64,
    /// SHA-256 of the file as it lies there, hexadecimal.
    pub sha256: String,
}

/// Rows that could not be used as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Problems {
    /// Rows that could not be read; they count nowhere.
    pub unreadable: u64,
    /// Rows that stand there twice; one of them counts.
    pub duplicates: u64,
    /// Rows that were not at their place by time; they count.
    pub out_of_order: u64,
    /// Each that could not be read.
    pub lines: Vec<BadLine>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadLine {
    /// Name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}
