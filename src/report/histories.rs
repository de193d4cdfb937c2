//! Random histories of one site for property tests, with what a year has and a test forgets: several intervals, gaps, rows
//! of one millisecond, rows twice, runs of unknown, restored tunnels, refused accounts, rows at no place by time.

use proptest::prelude::*;

use crate::record::Verdict;
use crate::report::reference::{Question, SimpleRow};
use crate::report::row::Row;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// 2026-11-20T00:00:00Z: the first rows are around here.
pub(crate) const MIDNIGHT: i64 = 1_795_132_800_000;

/// Intervals in milliseconds: whole minutes, and one with a fraction of a second.
const INTERVALS: [i64; 4] = [MINUTE, 5 * MINUTE, 10 * MINUTE, 90_500];

/// What a cycle found.
#[derive(Debug, Clone, Copy)]
enum Found {
    Up,
    Down(&'static str),
    Unknown,
    /// In so many milliseconds.
    Restored(i64),
}

/// How long after the row before.
#[derive(Debug, Clone, Copy)]
enum Distance {
    /// An interval and so much.
    Interval(i64),
    /// So many intervals to the millisecond: two are still held, or just not.
    Exactly(i64),
    /// Any.
    Any(i64),
    /// The same millisecond.
    None,
}

fn found() -> impl Strategy<Value = Found> {
    prop_oneof![
        6 => Just(Found::Up),
        4 => prop::sample::select(vec!["carrier", "gateway", "identity", "tunnel", "inside"]).prop_map(Found::Down),
        2 => Just(Found::Unknown),
        2 => prop_oneof![0..5_000_i64, 0..2_000_000_i64].prop_map(Found::Restored),
    ]
}

fn distance() -> impl Strategy<Value = Distance> {
    prop_oneof![
        12 => (0..5_000_i64).prop_map(Distance::Interval),
        2 => (1..4_i64).prop_map(Distance::Exactly),
        2 => (1..2 * DAY).prop_map(Distance::Any),
        1 => Just(Distance::None),
    ]
}

/// Up to `most` cycles in stretches of one finding, in no order, some of them twice. They begin within two days around
/// [`MIDNIGHT`] and mostly end within the three days after it.
pub(crate) fn history(most: usize) -> impl Strategy<Value = Vec<SimpleRow>> {
    let stretch = (found(), 1..6_usize, prop::sample::select(INTERVALS.to_vec()));
    let steps = prop::collection::vec((stretch, distance()), 0..most.div_ceil(3));
    let again = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (steps, -DAY..DAY, again)
        .prop_map(move |(steps, first, again)| {
            let mut rows = Vec::new();
            let mut time = MIDNIGHT + first;
            for ((found, count, interval), distance) in steps {
                for n in 0..count {
                    time += match distance {
                        Distance::Interval(late) => interval + late,
                        Distance::Exactly(times) => times * interval,
                        // One such gap a stretch is enough.
                        Distance::Any(gap) if n == 0 => gap,
                        Distance::Any(_) => interval,
                        Distance::None => 0,
                    };
                    rows.push(row(time, rows.len(), found, interval));
                }
            }
            rows.truncate(most);
            if !rows.is_empty() {
                rows.extend(again.iter().map(|index| index.get(&rows).clone()).collect::<Vec<_>>());
            }
            rows
        })
        .prop_shuffle()
}

fn row(time: i64, number: usize, found: Found, interval: i64) -> SimpleRow {
    let (verdict, fault_domain, restore) = match found {
        Found::Up => (Verdict::Up, "", None),
        Found::Down(domain) => (Verdict::Down, domain, None),
        Found::Unknown => (Verdict::Unknown, "own", None),
        Found::Restored(restore) => (Verdict::Up, "tunnel", Some(restore)),
    };
    // Backwards in a millisecond, so that the order of the file is not that of the ids.
    let cycle_id = format!("{time}-{:04}", 9999 - number);
    SimpleRow { time, cycle_id, verdict, fault_domain, interval, restore }
}

/// A period of up to three days around [`MIDNIGHT`], with agreed time that may be all of it, stretches of it, or none.
pub(crate) fn question() -> impl Strategy<Value = Question> {
    let stretches = prop_oneof![
        2 => Just(vec![(i64::MIN / 4, i64::MAX / 4)]),
        3 => prop::collection::vec((MINUTE..DAY, MINUTE..DAY), 0..6).prop_map(|stretches| {
            let mut from = MIDNIGHT - 2 * DAY;
            let each = stretches.into_iter().map(|(gap, length)| {
                let start = from + gap;
                from = start + length;
                (start, from)
            });
            each.collect()
        }),
    ];
    let period = (-DAY..DAY, prop_oneof![Just(DAY), 0..3 * DAY]);
    (period, stretches, any::<bool>()).prop_map(|((start, length), agreed, identity_left_out)| {
        let start = MIDNIGHT + start;
        Question { start, end: start + length, agreed, identity_left_out }
    })
}

impl SimpleRow {
    /// The row as the reader hands it on, of site `paris`.
    pub(crate) fn as_read(&self) -> Row<'_> {
        let (failed_stage, reason) = match self.fault_domain {
            "" => ("", ""),
            "carrier" => ("external", "no-reply"),
            "gateway" => ("gateway", "connect-refused"),
            "identity" => ("login", "auth-rejected"),
            "inside" => ("internal", "internal-unreachable"),
            "own" => ("prepare", "client-busy"),
            _ => ("sa", "sa-missing"),
        };
        Row {
            time: self.time,
            site: "paris",
            kind: "ipsec",
            verdict: self.verdict,
            failed_stage,
            reason,
            fault_domain: self.fault_domain,
            external_rtt_us: None,
            external_loss: None,
            login_us: None,
            internal_rtt_us: None,
            internal_loss: None,
            restarts: Some(u32::from(self.restore.is_some())),
            restore_ms: self.restore,
            interval_ms: Some(self.interval),
            maintenance: "",
            group: "",
            prober: "edge-1",
            cycle_id: &self.cycle_id,
        }
    }
}
