//! From files to rows: which day files there are, and what stands in them.
//!
//! Nothing is judged here and nothing is kept: every row is handed on as it stands, every line that is no row is told.

mod begins;
mod bytes;
mod cells;
mod ep_monitoring;
mod files;
mod number;
mod own;
mod pass;
mod read;
mod schema;
mod source;
mod time;

pub(super) use begins::begins_at;
pub use files::{DayFile, FindError, Found, Packing, Stamp, find};
pub use read::{FileSummary, MOST_BAD_LINES, ReadError, Reader, Reading, read_file};
pub use schema::Form;
pub(super) use source::hexadecimal;

#[cfg(test)]
mod fixtures_tests;
