//! Reads the units of a span of time, on every core, and merges them in the order of their dates.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use chrono::{Datelike, NaiveDate};

use super::cores::threads_for;
use super::merge::{Merger, Names, Overlap};
use super::model::{BadLine, Input};
use super::unit::{Agreed, Counting, Unit};

/// Where rows come from.
pub(super) trait Source: Sync {
    /// Why they can't be read.
    type Error: Send;

    /// Dates of which there are rows, ascending.
    fn dates(&self) -> Vec<NaiveDate>;

    /// All rows of these dates as one unit.
    fn read(&self, dates: &[NaiveDate], counting: Counting<'_>) -> Result<Read, Self::Error>;

    /// Whether a date has a row from before this moment.
    fn reaches_before(&self, _date: NaiveDate, _moment: i64) -> Result<bool, Self::Error> {
        Ok(true)
    }

    /// Whether the dates of a month can be had at once.
    fn has_month(&self, _month: Month) -> bool {
        false
    }

    /// The units of these dates, which are those of one month, appended to each other; `None`: they can't be.
    fn read_month(&self, _dates: &[NaiveDate], _counting: Counting<'_>) -> Result<Option<Read>, Self::Error> {
        Ok(None)
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Month {
    pub(super) year: i32,
    /// From 1.
    pub(super) month: u32,
}

impl Month {
    pub(super) fn of(date: NaiveDate) -> Self {
        Self { year: date.year(), month: date.month() }
    }
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Read {
    pub(super) unit: Unit,
    pub(super) inputs: Vec<Input>,
    /// What could not be read; of each file the first lines only.
    pub(super) bad: Vec<BadLine>,
    pub(super) notes: Vec<String>,
}

/// A span of time, told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) merged: Merger<'a>,
    pub(super) inputs: Vec<Input>,
    pub(super) bad: Vec<BadLine>,
    pub(super) notes: Vec<String>,
    /// The longest interval of any row, milliseconds.
    pub(super) longest_interval_ms: i64,
}

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) agreed: &'a dyn Agreed,
    /// The fault domain that does not count.
    pub(super) leaves_out: Option<&'static str>,
}

/// What is read as one unit.
#[derive(Debug, Clone)]
enum Plan {
    /// These dates; more than one where rows lie among each other.
    Dates(Vec<NaiveDate>),
    /// All dates of a month of which there are rows.
    Month(Vec<NaiveDate>),
}

impl Plan {
    fn dates(self) -> Vec<NaiveDate> {
        match self {
            Self::Dates(dates) | Self::Month(dates) => dates,
        }
    }
}

/// Reads the units of these dates and merges them. Units whose rows lie among each other are read as one.
/// `whole`: which months lie in the period as a whole.
pub(super) fn tell<'a, S: Source>(
    source: &S,
    dates: &[NaiveDate],
    whole: impl Fn(Month) -> bool,
    span: Span<'a>,
) -> Result<Told<'a>, S::Error> {
    let months = dates.chunk_by(|a, b| Month::of(*a) == Month::of(*b));
    let mut plans: Vec<Plan> = months
        .flat_map(|dates| {
            let month = Month::of(dates[0]);
            if whole(month) && source.has_month(month) {
                vec![Plan::Month(dates.to_vec())]
            } else {
                dates.iter().map(|date| Plan::Dates(vec![*date])).collect()
            }
        })
        .collect();
    loop {
        match tell_units(source, &plans, span) {
            Ok(told) => return Ok(told),
            Err(Trouble::Source(error)) => return Err(error),
            Err(Trouble::NoMonth(number)) => apart(&mut plans, number..=number),
            Err(Trouble::Overlap(Overlap { earlier, later })) => {
                if plans[earlier..=later].iter().any(|plan| matches!(plan, Plan::Month(_))) {
                    apart(&mut plans, earlier..=later);
                } else {
                    let among = plans.drain(earlier..=later).flat_map(Plan::dates).collect();
                    plans.insert(earlier, Plan::Dates(among));
                }
            }
        }
    }
}

/// Replaces months by their single dates.
fn apart(plans: &mut Vec<Plan>, which: RangeInclusive<usize>) {
    let single = |plan: Plan| match plan {
        Plan::Month(dates) => dates.into_iter().map(|date| Plan::Dates(vec![date])).collect(),
        dates @ Plan::Dates(_) => vec![dates],
    };
    let singles: Vec<Plan> = plans[which.clone()].iter().cloned().flat_map(single).collect();
    plans.splice(which, singles);
}

fn read<S: Source>(source: &S, plan: &Plan, number: usize, span: Span<'_>) -> Result<Read, Trouble<S::Error>> {
    let counting = Counting { agreed: span.agreed, start: span.start, end: span.end };
    match plan {
        Plan::Dates(dates) => source.read(dates, counting).map_err(Trouble::Source),
        Plan::Month(dates) => {
            source.read_month(dates, counting).map_err(Trouble::Source)?.ok_or(Trouble::NoMonth(number))
        }
    }
}

enum Trouble<E> {
    Source(E),
    /// This plan's month can't be had at once.
    NoMonth(usize),
    Overlap(Overlap),
}

fn tell_units<'a, S: Source>(source: &S, units: &[Plan], span: Span<'a>) -> Result<Told<'a>, Trouble<S::Error>> {
    let mut told = Told {
        merged: Merger::new(span.start, span.end, span.agreed, Names::new(span.leaves_out)),
        inputs: Vec::new(),
        bad: Vec::new(),
        notes: Vec::new(),
        longest_interval_ms: 0,
    };
    let threads = threads_for(units.len());
    if threads < 2 {
        for (number, plan) in units.iter().enumerate() {
            told.take(number, read(source, plan, number, span)?)?;
        }
        return Ok(told);
    }
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(threads);
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = turn(units, next.fetch_add(1, Ordering::Relaxed));
                    let Some(plan) = units.get(number) else { return };
                    // Nobody listens any more: there was trouble.
                    if sender.send((number, read(source, plan, number, span))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (number, read) in receiver {
            waiting.insert(number, read?);
            while let Some(read) = waiting.remove(&due) {
                told.take(due, read)?;
                due += 1;
            }
        }
        Ok(told)
    })
}

/// Which unit is read in this turn: in the order of their dates, but the last one first where there are months. It is
/// the file that is still written, of which there is no summary: begun last, all would wait for it.
fn turn(units: &[Plan], turn: usize) -> usize {
    let has_months = units.iter().any(|plan| matches!(plan, Plan::Month(_)));
    let last_is_days = matches!(units.last(), Some(Plan::Dates(_)));
    if has_months && last_is_days && turn < units.len() { (turn + units.len() - 1) % units.len() } else { turn }
}

impl Told<'_> {
    fn take<E>(&mut self, number: usize, read: Read) -> Result<(), Trouble<E>> {
        let longest = read.unit.sites.iter().map(|site| site.longest_interval_ms).max();
        self.merged.take(number, read.unit).map_err(Trouble::Overlap)?;
        self.longest_interval_ms = self.longest_interval_ms.max(longest.unwrap_or(0));
        self.inputs.extend(read.inputs);
        self.bad.extend(read.bad);
        self.notes.extend(read.notes);
        Ok(())
    }
}
