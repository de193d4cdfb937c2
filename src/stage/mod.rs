//! The stages: one file each, all of the same shape: the state of the cycle in, how it ended out.
//!
//! A failed probe is a value and never an `Err`: whatever goes wrong on our side becomes `Inconclusive` at this border.

mod cleanup;
mod end;
mod external;
mod gateway;
mod internal;
mod keepalive;
mod login;
mod login_account;
mod login_wait;
mod mtu;
mod ping;
mod prepare;
mod restart;
mod sa;
mod state;
mod surroundings;
mod teardown;
mod tunnel;
mod vpn;

pub use end::StageEnd;
pub use state::{CycleState, Findings, Lock, Measured, Order};
pub use surroundings::{HoldRoutes, Quiet, Surroundings};
pub use tunnel::TunnelCycle;
pub use vpn::{Client, VpnCycle};
