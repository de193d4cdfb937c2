//! A report in a few words, for a subject line.

use super::words::{counted, percent};
use crate::report::model::Report;

/// `99.9823 %, 3 outages`.
pub fn headline(report: &Report) -> String {
    let figures = &report.total;
    let outages = counted(figures.outage_count, "outage");
    match figures.availability.default {
        None => format!("availability not known, {outages}"),
        known => format!("{}, {outages}", percent(known)),
    }
}
