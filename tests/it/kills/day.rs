//! The day that the prober is killed in: pure, and the same for the same seed. When which site is down, and when the prober
//! is killed.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use vpnprobe::record::Verdict;

pub(super) const SITES: [&str; 4] = ["lima", "oslo", "paris", "rome"];
pub(super) const OUTAGES: usize = 20;
/// In minutes.
const DAY: i64 = 24 * 60;
/// Each site has one outage in each such part of the day.
const PART: i64 = DAY / 5;

pub(super) fn begin() -> DateTime<Utc> {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

pub(super) fn end() -> DateTime<Utc> {
    begin() + TimeDelta::minutes(DAY)
}

/// Splitmix64: enough to spread things by.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// At least `from`, below `to`.
    pub(super) fn between(&mut self, from: i64, to: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        from + i64::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap() % (to - from)
    }

    pub(super) fn millis(&mut self, to: i64) -> Duration {
        Duration::from_micros(self.between(0, to * 1000).unsigned_abs())
    }
}

/// Which site is down when.
#[derive(Debug)]
pub(super) struct Day(Vec<(&'static str, DateTime<Utc>, DateTime<Utc>)>);

impl Day {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let minutes = |count| begin() + TimeDelta::minutes(count);
        let parts = (0..DAY / PART).flat_map(|part| SITES.map(|site| (site, part * PART)));
        let outage = |(site, part)| {
            let from = part + dice.between(20, 120);
            (site, minutes(from), minutes(from + dice.between(30, 110)))
        };
        Self(parts.map(outage).collect())
    }

    pub(super) fn verdict(&self, site: &str, at: DateTime<Utc>) -> Verdict {
        let is_down = self.0.iter().any(|(down, from, to)| *down == site && *from <= at && at < *to);
        if is_down { Verdict::Down } else { Verdict::Up }
    }
}

/// When the prober is killed: half of the kills at instants that are spread over the day, half while a message is on its way.
#[derive(Debug)]
pub(super) struct Plan {
    dice: Dice,
    instants: VecDeque<DateTime<Utc>>,
    /// While a message is on its way.
    in_sends: usize,
    in_sends_done: usize,
}

impl Plan {
    pub(super) fn new(seed: u64, kills: usize) -> Self {
        let mut dice = Dice::new(seed.wrapping_add(1));
        let mut instants: Vec<_> =
            (0..kills - kills / 2).map(|_| begin() + TimeDelta::seconds(dice.between(0, DAY * 60))).collect();
        instants.sort();
        Self { dice, instants: instants.into(), in_sends: kills / 2, in_sends_done: 0 }
    }

    pub(super) fn left(&self) -> usize {
        self.instants.len() + self.in_sends - self.in_sends_done
    }

    /// How long it takes until the prober is started again.
    pub(super) fn pause(&mut self) -> TimeDelta {
        TimeDelta::seconds(self.dice.between(5, 60))
    }

    /// Whether the prober is killed now, so much later. `pending`: messages on their way.
    pub(super) fn strikes(&mut self, now: DateTime<Utc>, pending: usize) -> Option<Duration> {
        if self.instants.pop_front_if(|instant| *instant <= now).is_some() {
            return Some(self.dice.millis(60));
        }
        let is_over = now >= end();
        // As many until now as of the day is over, so that they are spread too.
        let share = (now - begin()).num_seconds().unsigned_abs() * self.in_sends as u64 / (DAY * 60).unsigned_abs();
        let may = self.in_sends_done < self.in_sends && (self.in_sends_done as u64 <= share || is_over);
        if may && (is_over || (pending > 0 && self.dice.between(0, 4) > 0)) {
            self.in_sends_done += 1;
            return Some(self.dice.millis(40));
        }
        None
    }
}
