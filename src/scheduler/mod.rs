//! When which site is due.

mod run;
mod timetable;

pub use run::Schedule;
pub use timetable::{Interval, Timetable};
