//! The figures of one site, computed so plainly that they can be believed: what the fast ones are compared with.
//!
//! The definitions:
//!
//! - **Rows** are taken in the order of (`time`, `cycle_id`); where both are equal, one of them counts. Of several rows of
//!   one millisecond each is a cycle, but only the last says what was so from then on.
//! - **State**: a row tells what is so from its `time` until the next row, but for two of its intervals at most. After
//!   that, and before the first row, the state is *unknown*; so it is while a row that is unknown holds. A row that is
//!   down is *down* by its fault domain.
//! - **Restored**: a row that is up and has a restart and a `restore_ms` tells of a tunnel that was found dead and brought
//!   back. It is down from `time` for `restore_ms` (rounded up to whole milliseconds), be that longer than two
//!   intervals, and up for what then remains of them, if only for that moment; the next row ends either.
//! - **Refused accounts**: with `sla.credentials: excluded` time that is down by identity is *left out*: neither up nor
//!   down nor unknown.
//! - **Period**: half-open, from its first moment until before its end. The state at its first moment is that of the row
//!   before it, where that still holds. So periods that follow each other add up.
//! - **Times**: how long of the agreed time in the period the state was up, down (by fault domain), unknown, left out.
//!   They add up to the agreed time.
//! - **Cycles**: rows whose `time` lies in agreed time in the period, by their verdict; those down by identity under
//!   `excluded` are counted as left out.
//! - **Outage**: begins when the state becomes down and no outage is open, or with the period when it is down then (it
//!   *began before* when it was down right before, too), and ends when the state is next up. Unknown and left-out time
//!   does not end it. Where the period ends first, it ends there, and is *open*. Agreed time decides neither; it decides
//!   how long an outage counts.
//! - **Strict**: down is also what is unknown, and what was up before an outage that began in the period: from the last
//!   row that was up until the outage begins, since it may have begun right after that row. No more than the period.
//!
//! Every moment at which anything can change cuts the period into pieces; for each piece all rows are asked. That takes
//! time with the square of the rows, and has nothing in it that could go wrong quietly.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::Verdict;

/// What counts of a row. Milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleRow {
    /// Since 1970.
    pub(crate) time: i64,
    pub(crate) cycle_id: String,
    pub(crate) verdict: Verdict,
    /// Whose fault; of a row that is up all along, empty.
    pub(crate) fault_domain: &'static str,
    pub(crate) interval: i64,
    /// Of a restored row alone.
    pub(crate) restore: Option<i64>,
}

/// What to compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// First moment of the period.
    pub(crate) start: i64,
    /// First moment after it.
    pub(crate) end: i64,
    /// Disjoint stretches `[from, to)`.
    pub(crate) agreed: Vec<(i64, i64)>,
    /// Whether time down by identity is left out.
    pub(crate) identity_left_out: bool,
}

/// The figures. Milliseconds, but for the cycles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Answer {
    pub(crate) agreed: i64,
    pub(crate) up: i64,
    pub(crate) down: i64,
    pub(crate) unknown: i64,
    pub(crate) left_out: i64,
    /// Down, by fault domain; those that have any.
    pub(crate) by_domain: BTreeMap<&'static str, i64>,
    /// Down as the strict figure has it.
    pub(crate) strict_down: i64,
    pub(crate) cycles_up: u64,
    pub(crate) cycles_down: u64,
    pub(crate) cycles_unknown: u64,
    pub(crate) cycles_left_out: u64,
    pub(crate) outages: Vec<SimpleOutage>,
}

/// An outage, clipped to the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleOutage {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) began_before: bool,
    pub(crate) open: bool,
    /// Of the row with which it began, or that held when the period did.
    pub(crate) fault_domain: &'static str,
    /// Agreed time from its start to its end.
    pub(crate) agreed: i64,
    /// Of it down.
    pub(crate) down: i64,
}

/// What is so at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Up,
    Down(&'static str),
    Unknown,
    LeftOut,
}

/// A stretch of time in which nothing changes.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: i64,
    to: i64,
    state: State,
    agreed: bool,
}

impl Piece {
    const fn length(self) -> i64 {
        self.to - self.from
    }
}

/// The figures of a site with these rows, in whatever order they are.
pub(crate) fn answer(rows: &[SimpleRow], question: &Question) -> Answer {
    let rows = in_order(rows);
    let telling: Vec<_> = rows
        .iter()
        .copied()
        .filter(|row| !rows.iter().any(|r| r.time == row.time && r.cycle_id > row.cycle_id))
        .collect();
    let pieces = pieces(&telling, question);
    let mut answer = Answer::default();
    for piece in pieces.iter().filter(|piece| piece.agreed) {
        answer.agreed += piece.length();
        match piece.state {
            State::Up => answer.up += piece.length(),
            State::Unknown => answer.unknown += piece.length(),
            State::LeftOut => answer.left_out += piece.length(),
            State::Down(domain) => {
                answer.down += piece.length();
                *answer.by_domain.entry(domain).or_default() += piece.length();
            }
        }
    }
    answer.outages = outages(&telling, &pieces, question);
    answer.strict_down = strict_down(&telling, &pieces, &answer.outages);
    count_cycles(&rows, question, &mut answer);
    answer
}

fn in_order(rows: &[SimpleRow]) -> Vec<&SimpleRow> {
    let by_key: BTreeMap<_, _> = rows.iter().map(|row| ((row.time, &row.cycle_id), row)).collect();
    by_key.into_values().collect()
}

fn pieces(rows: &[&SimpleRow], question: &Question) -> Vec<Piece> {
    let mut cuts: BTreeSet<i64> = [question.start, question.end].into();
    cuts.extend(question.agreed.iter().flat_map(|(from, to)| [from, to]));
    for row in rows {
        cuts.extend([row.time, row.time + 2 * row.interval, row.time + row.restore.unwrap_or(0)]);
    }
    let cuts: Vec<_> = cuts.into_iter().filter(|cut| (question.start..=question.end).contains(cut)).collect();
    let piece = |cut: &[i64]| Piece {
        from: cut[0],
        to: cut[1],
        state: state_at(rows, cut[0], question.identity_left_out),
        agreed: is_agreed(question, cut[0]),
    };
    cuts.windows(2).map(piece).collect()
}

fn is_agreed(question: &Question, moment: i64) -> bool {
    question.agreed.iter().any(|(from, to)| (*from..*to).contains(&moment))
}

fn state_at(rows: &[&SimpleRow], moment: i64, identity_left_out: bool) -> State {
    let Some(row) = rows.iter().rev().find(|row| row.time <= moment) else { return State::Unknown };
    let since = moment - row.time;
    let dead = row.restore.is_some_and(|restore| since < restore);
    let holds = since < 2 * row.interval;
    if dead || (holds && row.verdict == Verdict::Down) {
        return if is_left_out(row, identity_left_out) { State::LeftOut } else { State::Down(row.fault_domain) };
    }
    if holds && row.verdict == Verdict::Up { State::Up } else { State::Unknown }
}

fn is_left_out(row: &SimpleRow, identity_left_out: bool) -> bool {
    identity_left_out && row.fault_domain == "identity"
}

fn outages(rows: &[&SimpleRow], pieces: &[Piece], question: &Question) -> Vec<SimpleOutage> {
    let mut outages: Vec<SimpleOutage> = Vec::new();
    let before = state_at(rows, question.start - 1, question.identity_left_out);
    let was_down_before = matches!(before, State::Down(_));
    for piece in pieces {
        let open = outages.last_mut().filter(|outage| outage.open);
        match (piece.state, open) {
            (State::Down(fault_domain), None) => outages.push(SimpleOutage {
                start: piece.from,
                end: question.end,
                began_before: piece.from == question.start && was_down_before,
                open: true,
                fault_domain,
                agreed: 0,
                down: 0,
            }),
            (state, Some(outage)) if state == State::Up || is_restored(rows, piece.from) => {
                outage.end = piece.from;
                outage.open = false;
            }
            _ => {}
        }
    }
    for outage in &mut outages {
        let of_it = |piece: &&Piece| piece.agreed && outage.start <= piece.from && piece.to <= outage.end;
        outage.agreed = pieces.iter().filter(of_it).map(|piece| piece.length()).sum();
        let down = pieces.iter().filter(of_it).filter(|piece| matches!(piece.state, State::Down(_)));
        outage.down = down.map(|piece| piece.length()).sum();
    }
    outages
}

/// Whether a tunnel carried traffic again at that moment.
fn is_restored(rows: &[&SimpleRow], moment: i64) -> bool {
    let told = rows.iter().rev().find(|row| row.time <= moment);
    told.is_some_and(|row| row.restore.is_some_and(|restore| row.time + restore == moment))
}

fn strict_down(rows: &[&SimpleRow], pieces: &[Piece], outages: &[SimpleOutage]) -> i64 {
    // From the last row that was up until the outage.
    let leads: Vec<_> = outages
        .iter()
        .filter(|outage| !outage.began_before)
        .filter_map(|outage| {
            let good = rows.iter().rev().find(|row| row.time < outage.start && row.verdict == Verdict::Up)?;
            Some(good.time..outage.start)
        })
        .collect();
    let counts = |piece: &&Piece| match piece.state {
        State::Down(_) | State::Unknown => piece.agreed,
        State::Up => piece.agreed && leads.iter().any(|lead| lead.contains(&piece.from)),
        State::LeftOut => false,
    };
    pieces.iter().filter(counts).map(|piece| piece.length()).sum()
}

fn count_cycles(rows: &[&SimpleRow], question: &Question, answer: &mut Answer) {
    let within =
        |row: &&&SimpleRow| (question.start..question.end).contains(&row.time) && is_agreed(question, row.time);
    for row in rows.iter().filter(within) {
        match row.verdict {
            Verdict::Up => answer.cycles_up += 1,
            Verdict::Unknown => answer.cycles_unknown += 1,
            Verdict::Down if is_left_out(row, question.identity_left_out) => answer.cycles_left_out += 1,
            Verdict::Down => answer.cycles_down += 1,
        }
    }
}

#[path = "reference_tests.rs"]
mod tests;
