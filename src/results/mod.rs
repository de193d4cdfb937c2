//! Results: one CSV file a day, one row a cycle, always, never two.

mod day_file;
mod line;
mod mend;
mod row;
mod sink;
mod trouble;
mod unwritten;
mod written;

pub use day_file::{Appended, DayFiles, ResultsError};
pub use line::Row;
pub use row::{COLUMNS, row_of};
pub use sink::Results;
pub use unwritten::Unwritten;
pub use written::WrittenRow;
