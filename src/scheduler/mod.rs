//! When which site is due.

mod run;
mod timetable;

pub use run::{Queues, Schedule, Wake};
pub use timetable::{Expected, Interval, Timetable, Woken};
