//! Agreed time: the hours in which a service is promised, as moments. Pure.
//!
//! [`Hours`] are what a contract says (`Mon-Fri 07:00-19:00`), [`agreed()`] turns them into [`Intervals`] of moments, less
//! holidays and excluded maintenance. Nothing here knows rows, sites or percentages. Moments are milliseconds since
//! 1970-01-01T00:00:00Z. The rules for days on which clocks are set: `docs/decisions/0038`.

mod hours;
mod intervals;
mod time;

pub use hours::{Hours, HoursError, HoursFault};
pub use intervals::Intervals;
pub use time::{agreed, day_bounds};
