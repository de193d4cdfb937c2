//! How often it is said that rows can't be written: at first, then less and less, and once when it is over. Pure: time is
//! handed in.

use std::time::Duration;

use tokio::time::Instant;

/// After the first word; doubled with each further one.
const SOONEST: Duration = Duration::from_mins(1);
/// A disk that is full for days is said once an hour.
const LATEST: Duration = Duration::from_hours(1);

/// Rows can't be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trouble {
    since: Instant,
    next: Instant,
    wait: Duration,
}

impl Trouble {
    /// It begins; that is said.
    pub(super) fn begins(now: Instant) -> Self {
        Self { since: now, next: now + SOONEST, wait: SOONEST }
    }

    /// It goes on: whether that is to be said again.
    pub(super) fn is_to_be_said(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        self.wait = (self.wait * 2).min(LATEST);
        self.next = now + self.wait;
        true
    }

    /// How long it lasts.
    pub(super) fn lasted(&self, now: Instant) -> Duration {
        now - self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_less_and_less_often_but_never_not_at_all() {
        let start = Instant::now();
        let mut trouble = Trouble::begins(start);
        let said: Vec<u64> =
            (1..=300).filter(|minute| trouble.is_to_be_said(start + Duration::from_mins(*minute))).collect();
        assert_eq!(said, [1, 3, 7, 15, 31, 63, 123, 183, 243]);
        assert_eq!(trouble.lasted(start + Duration::from_mins(7)), Duration::from_mins(7));
    }
}
