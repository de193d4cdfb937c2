//! How long a daemon that is being restarted is waited for. Pure but for the waiting itself.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::ViciError;

/// Between a daemon's end and its successor's socket lies its start; charon takes about a tenth of a second, on a small
/// machine a second. Longer than this, and nobody is there.
const RESTART: Duration = Duration::from_secs(2);

/// First and longest wait between two tries of a request.
const TRIES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// Waits that double.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        wait
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// The patience of one request.
#[derive(Debug)]
pub(super) struct Patience {
    deadline: Instant,
    until: Instant,
    backoff: Backoff,
    restarted: bool,
}

impl Patience {
    pub(super) fn new(deadline: Instant) -> Self {
        let until = Instant::now() + RESTART;
        Self { deadline, until, backoff: Backoff::new(TRIES.0, TRIES.1), restarted: false }
    }

    /// Whether the daemon was seen to end or to be away.
    pub(super) fn saw_restart(&self) -> bool {
        self.restarted
    }

    /// Waits before the next try; gives the error back where there is none.
    pub(super) async fn wait_after(&mut self, error: ViciError) -> Result<(), ViciError> {
        let until = match &error {
            // It was there a moment ago.
            ViciError::ConnectionLost { .. } => {
                self.until = Instant::now() + RESTART;
                self.deadline
            }
            ViciError::Unreachable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe => self.until,
                _ => return Err(error),
            },
            ViciError::TimedOut { .. } | ViciError::Refused { .. } | ViciError::Malformed { .. } => return Err(error),
        };
        let busy =
            matches!(&error, ViciError::Unreachable { source, .. } if source.kind() == io::ErrorKind::WouldBlock);
        self.restarted |= !busy;
        if self.wait(until).await { Ok(()) } else { Err(error) }
    }

    /// Waits for a restarted daemon to read its configuration; whether there is time for another look.
    pub(super) async fn wait_for_configuration(&mut self) -> bool {
        self.wait(self.until).await
    }

    async fn wait(&mut self, until: Instant) -> bool {
        let next = Instant::now() + self.backoff.next();
        if next >= until.min(self.deadline) {
            return false;
        }
        sleep_until(next).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(kind: io::ErrorKind) -> ViciError {
        ViciError::Unreachable { endpoint: "/run/x".into(), source: kind.into() }
    }

    fn lost() -> ViciError {
        ViciError::ConnectionLost { command: "list-sas".into() }
    }

    /// How long and how often tries go on that end like this.
    async fn tried(within: Duration, error: impl Fn() -> ViciError) -> (Duration, usize) {
        let began = Instant::now();
        let mut patience = Patience::new(began + within);
        let mut tries = 1;
        while patience.wait_after(error()).await.is_ok() {
            tries += 1;
        }
        (began.elapsed(), tries)
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_is_away_is_waited_for_as_long_as_a_restart_takes() {
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused] {
            let (took, tries) = tried(Duration::from_mins(1), || unreachable(kind)).await;
            assert!((Duration::from_millis(1_700)..=RESTART).contains(&took), "{took:?}");
            assert!((8..=16).contains(&tries), "{tries}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_that_hangs_up_is_tried_until_the_deadline_and_never_in_a_spin() {
        let (took, tries) = tried(Duration::from_secs(10), lost).await;
        assert!((Duration::from_millis(9_700)..Duration::from_secs(10)).contains(&took), "{took:?}");
        assert!((45..=60).contains(&tries), "{tries}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_try_can_not_mend_is_not_tried_again() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::HostUnreachable] {
            assert_eq!(tried(Duration::from_secs(10), || unreachable(kind)).await, (Duration::ZERO, 1));
        }
        let malformed = || ViciError::Malformed { endpoint: "/run/x".into(), what: "it is cut short".into() };
        assert_eq!(tried(Duration::from_secs(10), malformed).await, (Duration::ZERO, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_is_nearer_than_the_end_of_a_restart_is_kept() {
        let (took, _) = tried(Duration::from_millis(300), || unreachable(io::ErrorKind::NotFound)).await;
        assert!(took < Duration::from_millis(300), "{took:?}");
    }
}
