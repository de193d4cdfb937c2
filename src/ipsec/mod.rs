//! IPsec tunnels of strongSwan: is one up, may it be restarted, and how. What is said over VICI is in `vici`.
//!
//! ```text
//! look ─▶ View ─▶ assess ─▶ Assessment ─┬▶ guard::decide ─▶ Decision ─▶ restart ─▶ Restored, NotRestored
//!                    what the inside said ┤        ▲                    permit, then sequence
//!                       Ledger::observe ──┴────────┘
//! ```
//!
//! `assess`, `guard` and `plan` are pure. `ledger` and `permit` own files of `state_dir`. `sequence` is the only place
//! that asks the daemon to change anything.

mod assess;
mod guard;
mod ledger;
mod look;
mod note;
mod pass;
mod permit;
mod plan;
mod progress;
mod restart;
mod restore;
mod sequence;
mod sight;

#[cfg(test)]
pub(crate) mod fake;

pub use assess::{
    Assessment, Moving, NotInstalled, Recovering, Settling, Unresolved, Up, assess, resolve, restarts_itself,
};
pub use guard::{
    Decision, History, Inside, JUST_FALLEN, LOOK_AGAIN, Refusal, RestartPolicy, Situation, Wait, decide, is_well,
};
pub use ledger::{Ledger, Seen};
pub use look::{look, look_all, watch_recovery};
pub use note::Note;
pub use pass::{Ended, Mode, Pass, Passed};
pub use permit::Permit;
pub use plan::{Cause, Plan, plan};
pub use progress::{Flow, NoProbe, Observer, Probe, Step};
pub use restart::{NotRestored, Restart, restart};
pub use restore::{By, Failed, Fault, Restore, Restored};
