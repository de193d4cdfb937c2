//! Maintenance windows: which are in force at a moment, and what they change. Pure, but for the file of those that were
//! added at run time.
//!
//! They change nothing themselves: whoever alerts, restarts or reports asks [`Windows::at`], or for a whole
//! period [`Windows::excluded`]. Times are handed in.

mod added;
mod book;
mod occurrence;
mod window;
mod windows;

pub use crate::record::InForce;
pub use added::{Added, Ended, NewWindow};
pub use book::{MaintenanceBook, MaintenanceError};
pub use occurrence::Occurrence;
pub use window::{Effects, Sites, When, Window};
pub use windows::Windows;
