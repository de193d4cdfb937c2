//! `vpnprobe report`: from day files to an SLA report that somebody else can recompute.
//!
//! ```text
//! day files ─▶ input (rows) ─▶ unit (runs, counts, histograms of one date) ─▶ merge ─▶ figures ─▶ model::Report ─▶ render
//! ```
//!
//! The CSV files alone are the truth. All arithmetic is in whole milliseconds and whole microseconds.

pub mod input;
#[cfg(test)]
mod histories;
pub mod model;
#[cfg(test)]
mod reference;
pub mod row;
