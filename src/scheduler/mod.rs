//! When which site is due.

mod timetable;

pub use timetable::{Interval, Timetable};
