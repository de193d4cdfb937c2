//! Maintenance windows: which are in force at a moment, and what they change. Pure.
//!
//! They change nothing themselves: whoever alerts, restarts or reports asks [`Windows::at`]. Times are handed in.

mod window;
mod windows;

pub use crate::record::InForce;
pub use window::{Effects, Sites, When, Window};
pub use windows::Windows;
