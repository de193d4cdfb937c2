//! From rows to runs: stretches of time with one state.
//!
//! A state holds from its row until the next row of the site, at most for two of its intervals. So a run says when it
//! began, when its last row was, and until when that holds; what comes next may cut it short. Runs know nothing of
//! periods or agreed time.

use serde::{Deserialize, Serialize};

use crate::record::Verdict;

/// Where causes are listed.
pub(super) type CauseId = u32;

/// Why a row was not `up`, or had to be restored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Cause {
    pub(super) fault_domain: Box<str>,
    pub(super) stage: Box<str>,
    pub(super) reason: Box<str>,
}

/// What is so during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Up,
    Unknown,
    /// With the cause of its first row.
    Down(CauseId),
}

/// A stretch of time with one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    /// Milliseconds since 1970, as all of them.
    pub(super) start: i64,
    /// When that was last seen.
    pub(super) last: i64,
    /// Until when that holds, where nothing comes before.
    pub(super) hold_end: i64,
    pub(super) state: State,
    /// The prober itself ended it: what follows is `up`.
    pub(super) restored: bool,
}

impl Run {
    /// Takes `next` as its continuation, where it is one. `same` says whether two causes are of one fault domain.
    pub(super) fn takes(&mut self, next: &Self, same: impl FnOnce(CauseId, CauseId) -> bool) -> bool {
        let continues = match (self.state, next.state) {
            (State::Up, State::Up) | (State::Unknown, State::Unknown) => true,
            (State::Down(a), State::Down(b)) => same(a, b),
            _ => false,
        };
        let taken = continues && !self.restored && next.start <= self.hold_end;
        if taken {
            self.last = next.last;
            self.hold_end = next.hold_end;
            self.restored = next.restored;
        }
        taken
    }
}

/// A row, as far as states go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) time: i64,
    pub(super) verdict: Verdict,
    pub(super) cause: CauseId,
    /// Found dead, and so many milliseconds later up again.
    pub(super) restored_after: Option<i64>,
    pub(super) interval_ms: i64,
}

/// How many intervals a state holds.
pub(super) const HOLDS: i64 = 2;

/// The runs of rows that come in the order of time.
pub(super) fn runs_of(rows: impl Iterator<Item = Seen>, same: impl Fn(CauseId, CauseId) -> bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut rows = rows.peekable();
    while let Some(row) = rows.next() {
        // Of one millisecond, the last row says what was so from then on.
        if rows.peek().is_some_and(|next| next.time == row.time) {
            continue;
        }
        let held = row.time.saturating_add(row.interval_ms.saturating_mul(HOLDS));
        let run = |start: i64, hold_end: i64, state| Run { start, last: start, hold_end, state, restored: false };
        match (row.verdict, row.restored_after) {
            (Verdict::Up, Some(after @ 1..)) => {
                let back = row.time.saturating_add(after);
                let dead = Run { restored: true, ..run(row.time, back, State::Down(row.cause)) };
                push(&mut runs, dead, &same);
                push(&mut runs, run(back, held.max(back), State::Up), &same);
            }
            (Verdict::Up, _) => push(&mut runs, run(row.time, held, State::Up), &same),
            (Verdict::Unknown, _) => push(&mut runs, run(row.time, held, State::Unknown), &same),
            (Verdict::Down, _) => push(&mut runs, run(row.time, held, State::Down(row.cause)), &same),
        }
    }
    runs
}

/// Appends a run, as part of the last one where it continues it.
pub(super) fn push(runs: &mut Vec<Run>, run: Run, same: impl FnOnce(CauseId, CauseId) -> bool) {
    // Up again after a restoring: the next row came before that.
    while runs.len() > 1 && runs[runs.len() - 1].start > run.start {
        runs.pop();
    }
    if !runs.last_mut().is_some_and(|last| last.takes(&run, same)) {
        runs.push(run);
    }
}
