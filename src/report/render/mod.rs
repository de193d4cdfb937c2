//! A report as text: pure. Every format shows the same [`Report`](crate::report::model::Report).

mod csv;
mod definitions;
mod headline;
mod html;
mod json;
mod markdown;
mod table;
mod words;

pub use csv::csv;
pub use headline::headline;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use table::{MOST_OUTAGES, table};
pub(crate) use words::counted;
