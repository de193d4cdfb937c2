//! Results: one CSV file a day, one row a cycle, always, never two.

mod day_file;
mod row;
mod sink;

pub use day_file::{DayFiles, ResultsError};
pub use row::{COLUMNS, row_of};
pub use sink::Results;
