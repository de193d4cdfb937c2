//! The rest of a test account after the gateway refused it: a prober that goes on typing a wrong password locks it.
//!
//! An account is a user name and a realm, however many sites share it. After a failure of the fault domain `identity` it
//! rests: 30 min, 2 h, 8 h, then until its secret changes or somebody says `vpnprobe resume`. [`Rest`] decides (pure);
//! the [`AccountBook`] keeps it in `state_dir`, for every prober and command on this state.

mod book;
mod pauses;
mod rest;
mod totp;

pub use book::{AccountBook, BookError};
pub use pauses::{Pause, Pauses};
pub use rest::{Rest, Resting, SecretMark};
pub use totp::{Step, Totp, TotpError};
