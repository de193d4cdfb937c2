//! What one cycle found: one [`CycleRecord`] per cycle, which every sink reads and none asks for more.
//!
//! Imports nothing else of the crate. Names of stages, outcomes and reasons are the public interface: they stand in
//! the CSV, in mails, in metrics and in `--json`, and never change.

mod check;
mod cycle;
mod gateway;
mod json;
mod maintenance;
mod outcome;
mod password;
mod tunnel;
mod unseen;
mod verdict;

pub use check::CheckRecord;
pub use cycle::{
    CycleId, CycleRecord, DialogueEvent, PingStats, RttStats, SiteName, SiteNameError, StageRecord, one_line,
};
pub use gateway::{CertificateFacts, GatewayFacts};
pub use json::json_of;
pub use maintenance::InForce;
pub use outcome::{FailureKind, FaultDomain, LeftoverKind, MalfunctionKind, Outcome, Reason, SiteKind, Stage, Verdict};
pub use password::PasswordTerm;
pub use tunnel::TunnelFacts;
pub use unseen::{is_unseen, no_formula, seen};
pub use verdict::{Judgement, judge};
