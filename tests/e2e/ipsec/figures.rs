//! How soon a tunnel carries traffic again: each fault once, or `VPNPROBE_ROUNDS` times for a table.

use std::time::Duration;

use crate::lab::Ran;

/// From the decision to act until something answers through the tunnel.
const PROMISED: Duration = Duration::from_secs(2);

/// Lets a fault befall a tunnel, as often as wanted; each time the prober's own words say how long its restart took, from
/// the decision to the first answer from inside.
#[track_caller]
pub(crate) fn rounds(mut one: impl FnMut() -> Ran) {
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    measured(&name, PROMISED, || restored_within(&one()));
}

/// Does something that takes time, as often as wanted, and holds it to `limit` where it was measured on purpose.
#[track_caller]
#[expect(clippy::print_stdout, reason = "a table's line, for whoever measures")]
pub(crate) fn measured(what: &str, limit: Duration, one: impl FnMut() -> Duration) {
    let wanted = std::env::var("VPNPROBE_ROUNDS").ok().map(|rounds| rounds.parse::<u32>().unwrap());
    let count = wanted.unwrap_or(1);
    let mut took: Vec<_> = std::iter::repeat_with(one).take(count as usize).collect();
    took.sort();
    let (median, longest) = (took[took.len() / 2], took[took.len() - 1]);
    println!("| {what} | {count} | {} ms | {} ms |", median.as_millis(), longest.as_millis());
    // A machine that does other things beside is no measure.
    assert!(wanted.is_none() || longest <= limit, "{took:?}");
}

/// `restored within 31 ms, attempt 1`.
#[track_caller]
fn restored_within(ran: &Ran) -> Duration {
    let (_, words) = ran.stdout.split_once("restored within ").unwrap_or_else(|| panic!("{}", ran.stdout));
    Duration::from_millis(words.split_once(' ').unwrap().0.parse().unwrap())
}
