//! `vpnprobe report`: from day files to an SLA report that somebody else can recompute.
//!
//! ```text
//! day files ─▶ input (rows) ─▶ unit (runs, counts, values of one date) ─▶ merge ─▶ tally, sum ─▶ model::Report ─▶ render
//! ```
//!
//! The CSV files alone are the truth. All arithmetic is in whole milliseconds and whole microseconds.

pub mod input;
pub mod letter;
pub mod model;
pub mod period;
pub mod policy;
pub mod render;
pub mod row;
pub mod schedule;

mod build;
mod compute;
mod configured;
mod cores;
mod day_files;
#[cfg(test)]
mod fake;
mod histogram;
#[cfg(test)]
mod histories;
mod make;
mod merge;
mod moment;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod reference;
mod runs;
mod site;
mod sum;
mod summary;
#[cfg(test)]
mod summary_tests;
mod tally;
mod unit;
mod unit_builder;
mod verify;

pub use build::Request;
pub use configured::Configured;
pub use day_files::{Files, Progress, Silent};
pub use make::{MakeError, Verified, make, verify, windows};
pub use site::Detail;
pub use verify::{Difference, VerifyError};
