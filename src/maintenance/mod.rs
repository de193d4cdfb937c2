//! Maintenance windows: which are in force at a moment, and what they change. Pure.
//!
//! They change nothing themselves: whoever alerts, restarts or reports asks [`Windows::at`], or for a whole
//! period [`Windows::excluded`]. Times are handed in.

mod occurrence;
mod window;
mod windows;

pub use crate::record::InForce;
pub use occurrence::Occurrence;
pub use window::{Effects, Sites, When, Window};
pub use windows::Windows;
