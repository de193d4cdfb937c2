//! Two clocks at one moment, and the round-trip time that they agree on.
//!
//! The kernel stamps a received packet with the wall clock only. So the request is stamped with the wall clock too,
//! and with the monotonic one beside it, which shows whether the wall clock was set in between.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Disagreement of the two clocks that is taken for slewing and for the time between reading one and the other; beyond
/// it the wall clock was set. NTP slews by at most 500 ppm, so the tenth of a percent covers any wait.
const TOLERANCE: Duration = Duration::from_micros(500);

/// One moment on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Since 1970, as the kernel stamps packets (`CLOCK_REALTIME`).
    pub(super) wall: Duration,
    /// Since some fixed moment (`CLOCK_MONOTONIC`).
    pub(super) steady: Duration,
}

impl Stamp {
    /// Now.
    pub(super) fn now() -> Self {
        // Before the wall clock, so that nothing lies between the wall clock and a send that follows.
        let steady = read(ClockId::CLOCK_MONOTONIC);
        Self { wall: read(ClockId::CLOCK_REALTIME), steady }
    }
}

fn read(clock: ClockId) -> Duration {
    // Both clocks exist on every Linux; a wall clock before 1970 reads as 1970 and fails the cross-check.
    clock_gettime(clock).ok().map_or(Duration::ZERO, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        let nanoseconds = u32::try_from(time.tv_nsec()).unwrap_or(0);
        Duration::new(seconds, nanoseconds)
    })
}

/// From a request sent at `sent` to its reply, which the kernel stamped `arrived` and we read at `read`.
///
/// Without the kernel's stamp, or when the wall clock was set meanwhile, it is the time until we read it: a little too
/// long, never absurd.
pub(super) fn round_trip(sent: Stamp, arrived: Option<Duration>, read: Stamp) -> Duration {
    let until_read = read.steady.saturating_sub(sent.steady);
    let tolerance = TOLERANCE + until_read / 1000;
    let by_wall_clock = read.wall.checked_sub(sent.wall);
    let agrees = by_wall_clock.is_some_and(|wall| wall.abs_diff(until_read) <= tolerance);
    match arrived.and_then(|arrived| arrived.checked_sub(sent.wall)) {
        Some(by_kernel) if agrees && by_kernel <= until_read + tolerance => by_kernel.min(until_read),
        _ => until_read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(wall_us: u64, steady_us: u64) -> Stamp {
        Stamp { wall: Duration::from_micros(wall_us), steady: Duration::from_micros(steady_us) }
    }

    #[test]
    fn the_kernels_stamp_counts_unless_the_wall_clock_was_set() {
        const DAY: u64 = 86_400_000_000;
        let sent = at(DAY, 1_000_000);
        for (case, arrived, read, expected) in [
            ("read at once", Some(DAY + 900), at(DAY + 910, 1_000_910), 900),
            ("read late by a busy host", Some(DAY + 900), at(DAY + 300_000, 1_300_000), 900),
            ("no stamp", None, at(DAY + 910, 1_000_910), 910),
            ("set back by an hour", Some(DAY - 3_600_000_000), at(DAY - 3_599_999_990, 1_000_950), 950),
            ("set forward by an hour", Some(DAY + 3_600_000_900), at(DAY + 3_600_000_910, 1_000_910), 910),
            ("set back by 5 ms of 10", Some(DAY + 5000), at(DAY + 5010, 1_010_010), 10_010),
            ("slewed by 500 ppm for 2 s", Some(DAY + 2_001_000), at(DAY + 2_001_010, 3_000_010), 2_000_010),
            ("stamped just before it was sent", Some(DAY - 3), at(DAY + 5, 1_000_005), 5),
        ] {
            assert_eq!(round_trip(sent, arrived.map(Duration::from_micros), read).as_micros(), expected, "{case}");
        }
    }

    #[test]
    fn both_clocks_go_forward() {
        let (first, second) = (Stamp::now(), Stamp::now());
        assert!(first.wall > Duration::ZERO);
        assert!(second.steady >= first.steady);
    }
}
