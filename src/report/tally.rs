//! Times and outages of one site over a period: a pure function of its runs and of the agreed time.
//!
//! - A run holds until its `hold_end`, the next run or the end of the period, whatever comes first. Time that no run
//!   holds is unknown.
//! - An outage begins with the first `down` after `up`, or with the period, and ends with the next `up`. Unknown does not
//!   end it. What a restored cycle found is an outage from its row until the tunnel carried traffic again.
//! - The strict figure counts unknown as down, and lets an outage begin with the last good row before it.

use std::sync::Arc;

use super::runs::{CauseId, Run, State, push};
use crate::agreed::Intervals;

/// What a stretch of time counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Up,
    Unknown,
    /// By this cause.
    Down(CauseId),
    /// Refused accounts, where they don't count.
    LeftOut,
}

/// One outage; milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Of its first row.
    pub(super) cause: CauseId,
    /// Agreed time in it.
    pub(super) agreed_ms: i64,
    /// Agreed time in it that is known to be down.
    pub(super) down_ms: i64,
    pub(super) restored: bool,
    pub(super) began_before: bool,
    pub(super) open: bool,
}

/// Times of a site, in milliseconds of agreed time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) agreed_ms: i64,
    pub(super) up_ms: i64,
    pub(super) left_out_ms: i64,
    /// Down, by the first cause of each stretch; ascending by cause.
    pub(super) down_ms: Vec<(CauseId, i64)>,
    /// Up, but between the last good row and the first one of an outage.
    pub(super) doubtful_ms: i64,
    pub(super) outages: Vec<Outage>,
    /// What counted when, without gaps, whether or not it is agreed time.
    pub(super) timeline: Vec<(i64, i64, Counts)>,
}

impl Tally {
    pub(super) fn all_down_ms(&self) -> i64 {
        self.down_ms.iter().map(|(_, ms)| ms).sum()
    }

    pub(super) fn unknown_ms(&self) -> i64 {
        self.agreed_ms - self.up_ms - self.left_out_ms - self.all_down_ms()
    }
}

/// Takes the runs of one site in the order of time.
#[derive(Debug)]
pub(super) struct Teller {
    start: i64,
    end: i64,
    agreed: Arc<Intervals>,
    /// The last two runs: what comes next may take back that a tunnel was restored.
    tail: Vec<Run>,
    /// Until here all is told.
    told: i64,
    /// Last good row, and until when that held.
    good: Option<(i64, i64)>,
    outage: Option<Outage>,
    /// It was down right up to the start of the period.
    down_before: bool,
    tally: Tally,
}

/// What a cause means where it counts.
pub(super) trait Causes {
    /// Whether both are of one fault domain.
    fn same_domain(&self, a: CauseId, b: CauseId) -> bool;
    /// Whether it is a refused account, and that does not count.
    fn is_left_out(&self, cause: CauseId) -> bool;
}

impl Teller {
    /// For the time from `start` to `end`.
    pub(super) fn new(start: i64, end: i64, agreed: Arc<Intervals>) -> Self {
        let tally = Tally { agreed_ms: agreed.overlap(start, end), ..Tally::default() };
        Self { start, end, agreed, tail: Vec::new(), told: start, good: None, outage: None, down_before: false, tally }
    }

    /// Takes more runs; they begin after those that were taken before.
    pub(super) fn take(&mut self, runs: impl Iterator<Item = Run>, causes: &impl Causes) {
        for run in runs {
            push(&mut self.tail, run, |a, b| causes.same_domain(a, b));
            if self.tail.len() > 2 {
                let first = self.tail.remove(0);
                self.tell(&first, self.tail[0].start, causes);
            }
        }
    }

    /// The end of the period is reached.
    pub(super) fn finish(mut self, causes: &impl Causes) -> Tally {
        let tail = std::mem::take(&mut self.tail);
        for (number, run) in tail.iter().enumerate() {
            self.tell(run, tail.get(number + 1).map_or(i64::MAX, |next| next.start), causes);
        }
        self.unknown_until(self.end);
        if let Some(outage) = self.outage.take() {
            self.end_outage(Outage { open: true, ..outage }, self.end);
        }
        self.tally
    }

    /// A run that the next one, at `next`, cuts short.
    fn tell(&mut self, run: &Run, next: i64, causes: &impl Causes) {
        let end = run.hold_end.min(next);
        let (from, to) = (run.start.max(self.start), end.min(self.end));
        if run.start >= self.end {
            return;
        }
        if end <= self.start && run.start < self.start {
            let is_down = matches!(run.state, State::Down(cause) if !causes.is_left_out(cause));
            self.down_before = end == self.start && is_down;
            return;
        }
        self.unknown_until(from);
        let to = to.max(from);
        match run.state {
            State::Up => {
                if let Some(outage) = self.outage.take() {
                    self.end_outage(outage, from);
                }
                self.good = Some((run.last.min(self.end), to));
                self.count(from, to, Counts::Up);
            }
            State::Unknown => self.count(from, to, Counts::Unknown),
            State::Down(cause) if causes.is_left_out(cause) => self.count(from, to, Counts::LeftOut),
            State::Down(cause) => {
                self.begin_outage(run.start, from, cause);
                self.count(from, to, Counts::Down(cause));
                if run.restored
                    && end == run.hold_end
                    && end <= self.end
                    && let Some(outage) = self.outage.take()
                {
                    self.end_outage(Outage { restored: true, ..outage }, to);
                }
            }
        }
    }

    fn begin_outage(&mut self, start: i64, from: i64, cause: CauseId) {
        if self.outage.is_some() {
            return;
        }
        let began_before = start < self.start || (self.down_before && start == self.start);
        if let (false, Some((last, until))) = (began_before, self.good) {
            self.tally.doubtful_ms += self.agreed.overlap(last.max(self.start), until);
        }
        self.outage = Some(Outage {
            start: from,
            end: from,
            cause,
            agreed_ms: 0,
            down_ms: 0,
            restored: false,
            began_before,
            open: false,
        });
    }

    /// An outage wholly outside agreed time is none.
    fn end_outage(&mut self, outage: Outage, end: i64) {
        let agreed_ms = self.agreed.overlap(outage.start, end);
        if agreed_ms > 0 || (outage.start == end && self.agreed.contains(end)) {
            self.tally.outages.push(Outage { end, agreed_ms, ..outage });
        }
    }

    fn unknown_until(&mut self, end: i64) {
        if end > self.told {
            self.count(self.told, end, Counts::Unknown);
        }
    }

    fn count(&mut self, start: i64, end: i64, what: Counts) {
        self.told = self.told.max(end);
        let ms = self.agreed.overlap(start, end);
        match what {
            Counts::Up => self.tally.up_ms += ms,
            Counts::Unknown => {}
            Counts::LeftOut => self.tally.left_out_ms += ms,
            Counts::Down(cause) => {
                if let Some(outage) = &mut self.outage {
                    outage.down_ms += ms;
                }
                match self.tally.down_ms.iter_mut().find(|(known, _)| *known == cause) {
                    Some((_, sum)) => *sum += ms,
                    None => self.tally.down_ms.push((cause, ms)),
                }
            }
        }
        if end > start {
            self.tally.timeline.push((start, end, what));
        }
    }
}
