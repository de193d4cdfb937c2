//! The wall clock, handed to whoever writes a time down.
//!
//! Durations and deadlines never come from here: they come from [`tokio::time::Instant`], which no administrator and
//! no NTP step can set back, and which tests can pause.

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// What time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The time of day, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that starts at a given time and goes on with the runtime's (pausable) time.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    start: DateTime<Utc>,
    began: Instant,
}

impl SteadyClock {
    /// A clock that says `start` now.
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self { start, began: Instant::now() }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.began.elapsed()
    }
}
