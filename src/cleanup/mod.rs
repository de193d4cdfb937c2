//! Leaving the host as it was found: what stood there before a login, what differs after it, and putting it right.
//!
//! The same code serves the stages `prepare` and `cleanup`, the start after a kill -9, and `vpnprobe cleanup`.

mod baseline;
mod diff;
mod journal;
mod owed;
mod resolv_conf;
mod tidy;

pub use baseline::Baseline;
pub use diff::{NetDiff, net_diff};
pub(crate) use journal::boot_id;
pub use journal::{Journal, JournalFile, Started};
pub use owed::OwedRow;
pub use resolv_conf::{Difference, Judgement, KnownGood, Owner, ResolvConf, ResolvState, Witness};
pub use tidy::{Mode, Tidy, TidyReport};
