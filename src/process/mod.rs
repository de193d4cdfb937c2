//! Processes: which are ours, waiting for their end, and ending them.
//!
//! "Ours" is decided by pure code over a scan of `/proc` ([`ours()`]); nothing that it does not claim is ever signalled.

mod exit;
mod ours;
mod scan;
mod strays;
mod terminate;

pub use exit::{ProcessExit, become_subreaper};
pub use ours::{Claim, MARK, ours};
pub use scan::{Process, ProcessId, scan};
pub use strays::Strays;
pub use terminate::{Endurance, TerminateReport, Tree};
