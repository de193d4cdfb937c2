//! When which site is due.

mod run;
mod timetable;

pub use run::schedule;
pub use timetable::{Interval, Timetable};
