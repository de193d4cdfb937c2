//! A clock that only goes when somebody moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use vpnprobe::clock::Clock;

/// Milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    /// One that says this.
    pub(crate) fn at(time: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(time.timestamp_millis())))
    }

    /// From now on it says this.
    pub(crate) fn set(&self, time: DateTime<Utc>) {
        self.0.store(time.timestamp_millis(), Ordering::SeqCst);
    }

    /// It goes on.
    pub(crate) fn forward(&self, by: Duration) {
        self.set(self.now() + TimeDelta::from_std(by).unwrap());
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).unwrap()
    }
}
