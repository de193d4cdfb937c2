//! The HTML page: one file without a script or anything to fetch, for a screen, a phone, a printer and a screen reader.
//!
//! ```text
//! page ─▶ summary (title, the figure) ─▶ overview (sites, groups, whose downtime) ─▶ site (strip, outages, plots) ─▶ basis
//! ```
//!
//! Every text of the report goes through [`text::Text`]: a site's name is input like any other. Nothing here computes a
//! figure. The page's size is bounded by the number of sites, days and files, whatever happened in them.

mod basis;
mod budget;
mod label;
mod overview;
mod page;
mod plot;
mod scale;
mod site;
mod strip;
mod summary;
mod table;
mod text;
mod ticks;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

#[cfg(test)]
use crate::report::model;

pub use page::html;
