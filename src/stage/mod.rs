//! The stages: one file each, all of the same shape: the state of the cycle in, how it ended out.
//!
//! A failed probe is a value and never an `Err`: whatever goes wrong on our side becomes `Inconclusive` at this border.

mod cleanup;
mod external;
mod gateway;
mod internal;
mod login;
mod login_account;
mod login_wait;
mod mtu;
mod ping;
mod prepare;
mod state;
mod surroundings;
mod teardown;

pub use state::{Client, CycleState, StageEnd, run};
pub use surroundings::{HoldRoutes, Quiet, Surroundings};
