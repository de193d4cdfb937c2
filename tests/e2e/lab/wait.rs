//! Waiting for what can be seen, with a deadline.

use std::thread;
use std::time::Duration;

use tokio::time::Instant;

/// Longer than anything here takes on a loaded machine; only a fault takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks.
const PACE: Duration = Duration::from_millis(10);

/// Looks until there is something, and gives it; `what` says what is missing when it does not come.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "the pace of looking at other processes, which send no event")]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not seen within {} s: {what}", PATIENCE.as_secs());
        thread::sleep(PACE);
    }
}
