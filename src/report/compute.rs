//! Reads the units of a span of time, on every core, and merges them in the order of their dates.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use chrono::NaiveDate;

use super::merge::{Agreed, Merger, Names, Overlap};
use super::model::{BadLine, Input};
use super::unit::Unit;
use crate::agreed::Intervals;

/// Where rows come from.
pub(super) trait Source: Sync {
    /// Why they can't be read.
    type Error: Send;

    /// Dates of which there are rows, ascending.
    fn dates(&self) -> Vec<NaiveDate>;

    /// All rows of these dates as one unit; `agreed` says of a site when its cycles count.
    fn read(&self, dates: &[NaiveDate], agreed: &(dyn Fn(&str) -> Arc<Intervals> + Sync)) -> Result<Read, Self::Error>;
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Read {
    pub(super) unit: Unit,
    pub(super) inputs: Vec<Input>,
    pub(super) bad: Vec<BadLine>,
    /// Rows that could not be read; `bad` may be cut.
    pub(super) unreadable: u64,
    pub(super) notes: Vec<String>,
}

/// A span of time, told.
#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) merged: Merger<'a>,
    pub(super) inputs: Vec<Input>,
    pub(super) bad: Vec<BadLine>,
    pub(super) unreadable: u64,
    pub(super) notes: Vec<String>,
    /// The longest interval of any row, milliseconds.
    pub(super) longest_interval_ms: i64,
}

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span<'a> {
    pub(super) start: i64,
    pub(super) end: i64,
    /// With the values of each day.
    pub(super) day_values: bool,
    pub(super) agreed: &'a dyn Agreed,
    /// The fault domain that does not count.
    pub(super) leaves_out: Option<&'static str>,
}

/// More threads than this would only wait for one another's turn.
const MOST_THREADS: usize = 16;

/// Reads the units of these dates and merges them. Units whose rows lie among each other are read as one.
pub(super) fn tell<'a, S: Source>(source: &S, dates: &[NaiveDate], span: Span<'a>) -> Result<Told<'a>, S::Error> {
    let mut units: Vec<Vec<NaiveDate>> = dates.iter().map(|date| vec![*date]).collect();
    loop {
        match tell_units(source, &units, span) {
            Ok(told) => return Ok(told),
            Err(Trouble::Source(error)) => return Err(error),
            Err(Trouble::Overlap(Overlap { earlier, later })) => {
                let among: Vec<NaiveDate> = units.drain(earlier..=later).flatten().collect();
                units.insert(earlier, among);
            }
        }
    }
}

enum Trouble<E> {
    Source(E),
    Overlap(Overlap),
}

fn tell_units<'a, S: Source>(
    source: &S,
    units: &[Vec<NaiveDate>],
    span: Span<'a>,
) -> Result<Told<'a>, Trouble<S::Error>> {
    let mut told = Told {
        merged: Merger::new(span.start, span.end, span.day_values, span.agreed, Names::new(span.leaves_out)),
        inputs: Vec::new(),
        bad: Vec::new(),
        unreadable: 0,
        notes: Vec::new(),
        longest_interval_ms: 0,
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(units.len());
    let agreed = |site: &str| span.agreed.of(site);
    if threads < 2 {
        for (number, dates) in units.iter().enumerate() {
            told.take(number, dates, source.read(dates, &agreed).map_err(Trouble::Source)?)?;
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
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(dates) = units.get(number) else { return };
                    // Nobody listens any more: there was trouble.
                    if sender.send((number, source.read(dates, &|site| span.agreed.of(site)))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (number, read) in receiver {
            waiting.insert(number, read.map_err(Trouble::Source)?);
            while let Some(read) = waiting.remove(&due) {
                told.take(due, &units[due], read)?;
                due += 1;
            }
        }
        Ok(told)
    })
}

impl Told<'_> {
    fn take<E>(&mut self, number: usize, dates: &[NaiveDate], read: Read) -> Result<(), Trouble<E>> {
        let single = match dates {
            [date] => Some(*date),
            _ => None,
        };
        self.merged.take(number, single, &read.unit).map_err(Trouble::Overlap)?;
        let longest = read.unit.sites.iter().map(|site| site.longest_interval_ms).max();
        self.longest_interval_ms = self.longest_interval_ms.max(longest.unwrap_or(0));
        self.inputs.extend(read.inputs);
        self.bad.extend(read.bad);
        self.unreadable += read.unreadable;
        self.notes.extend(read.notes);
        Ok(())
    }
}
