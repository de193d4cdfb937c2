//! All rows of one date, site by site: their runs, counts and values. What a summary holds.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::histogram::{Ranks, Sparse};
use super::runs::{Cause, CauseId, Run, State, push};
use crate::agreed::Intervals;
use crate::record::Verdict;

/// Values of a site that have quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Login,
    ExternalRtt,
    InternalRtt,
    ExternalLoss,
    InternalLoss,
}

impl Measure {
    pub(super) const ALL: [Self; 5] =
        [Self::Login, Self::ExternalRtt, Self::InternalRtt, Self::ExternalLoss, Self::InternalLoss];
}

/// One cause, and in how many cycles it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CauseCount {
    pub(super) cause: CauseId,
    pub(super) verdict: Verdict,
    pub(super) cycles: u64,
}

/// What the rows of one site in one unit come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SiteUnit {
    pub(super) site: Box<str>,
    /// Of its last row.
    pub(super) group: Box<str>,
    /// Of its last row.
    pub(super) kind: Box<str>,
    /// Times of its first and last row.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) longest_interval_ms: i64,
    pub(super) runs: Vec<Run>,
    /// Cycles that began in agreed time and were up, whatever was wrong at first.
    pub(super) up: u64,
    /// Cycles in agreed time that were down or unknown, or restored; ascending.
    pub(super) causes: Vec<CauseCount>,
    /// In the order of [`Measure::ALL`]; of cycles in agreed time.
    pub(super) values: [Sparse; Measure::ALL.len()],
    /// Of single dates.
    pub(super) days: Days,
}

/// Login time and round trips of one date, of cycles in agreed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayValues {
    /// Days since 1970-01-01.
    pub(super) date: i32,
    /// The first three of [`Measure::ALL`].
    pub(super) ranks: [Ranks; 3],
}

/// Values of single dates, in the order of their dates, as they lie in a summary: only reports that show them read them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Days(#[serde(with = "serde_bytes")] Vec<u8>);

impl Days {
    pub(super) fn add(&mut self, values: &DayValues) {
        // Into memory, which does not fail.
        if let Ok(bytes) = postcard::to_allocvec(values) {
            self.0.extend(bytes);
        }
    }

    /// Those that follow.
    pub(super) fn append(&mut self, next: &Self) {
        self.0.extend_from_slice(&next.0);
    }

    /// Bytes that make no sense end it.
    pub(super) fn unpack(&self) -> impl Iterator<Item = DayValues> {
        let mut bytes = self.0.as_slice();
        std::iter::from_fn(move || {
            let (values, rest) = postcard::take_from_bytes(bytes).ok()?;
            bytes = rest;
            Some(values)
        })
    }
}

impl FromIterator<DayValues> for Days {
    fn from_iter<I: IntoIterator<Item = DayValues>>(all: I) -> Self {
        let mut days = Self::default();
        all.into_iter().for_each(|values| days.add(&values));
        days
    }
}

/// When cycles of a unit count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counting<'a> {
    /// Agreed time, also around the period.
    pub(super) agreed: &'a dyn Agreed,
    /// The period.
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Which time counts for which site.
pub(super) trait Agreed: Sync + std::fmt::Debug {
    fn of(&self, site: &str) -> Arc<Intervals>;
}

/// What all rows of one date come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Unit {
    /// In the order in which they came.
    pub(super) sites: Vec<SiteUnit>,
    /// What [`CauseId`] means in it.
    pub(super) causes: Vec<Cause>,
    /// Rows that stood there twice.
    pub(super) duplicates: u64,
    /// Rows that were not at their place by time.
    pub(super) out_of_order: u64,
    /// Probers that wrote the rows, and the windows that rows name.
    pub(super) probers: Vec<Box<str>>,
    pub(super) windows: Vec<Box<str>>,
    /// Times of its first and last row.
    pub(super) first: i64,
    pub(super) last: i64,
    /// Some of its rows lie in the period and some do not.
    pub(super) straddles: bool,
}

impl DayValues {
    pub(super) fn of(date: i32, values: &[Sparse; Measure::ALL.len()]) -> Self {
        let [login, external, internal, ..] = values;
        Self { date, ranks: [login, external, internal].map(Sparse::quantiles) }
    }
}

impl Unit {
    /// Adds the unit that follows; fails, and adds nothing, where rows of a site lie among each other.
    pub(super) fn append(&mut self, next: Self) -> Result<(), Overlapping> {
        let mut numbers: HashMap<Box<str>, usize> =
            self.sites.iter().enumerate().map(|(number, site)| (site.site.clone(), number)).collect();
        let is_among = |site: &SiteUnit| numbers.get(&site.site).is_some_and(|n| self.sites[*n].last >= site.first);
        if next.sites.iter().any(is_among) {
            return Err(Overlapping);
        }
        let causes: Vec<CauseId> = next.causes.iter().map(|cause| self.cause(cause)).collect();
        let cause = |id: CauseId| causes.get(id as usize).copied().unwrap_or(CauseId::MAX);
        // A day without rows has no times.
        let (empty, rows) = (self.sites.is_empty(), !next.sites.is_empty());
        for site in next.sites {
            let renamed = site.with_causes(cause);
            if let Some(number) = numbers.get(&renamed.site) {
                self.sites[*number].append(renamed, &self.causes);
            } else {
                numbers.insert(renamed.site.clone(), self.sites.len());
                self.sites.push(renamed);
            }
        }
        self.duplicates += next.duplicates;
        self.out_of_order += next.out_of_order;
        next.probers.iter().for_each(|name| remember(&mut self.probers, name));
        next.windows.iter().for_each(|name| remember(&mut self.windows, name));
        if rows && empty {
            (self.first, self.last) = (next.first, next.last);
        } else if rows {
            (self.first, self.last) = (self.first.min(next.first), self.last.max(next.last));
        }
        self.straddles |= next.straddles;
        Ok(())
    }

    /// Whether it has a row from before this moment.
    pub(super) fn reaches_before(&self, moment: i64) -> bool {
        !self.sites.is_empty() && self.first < moment
    }

    fn cause(&mut self, cause: &Cause) -> CauseId {
        let known = self.causes.iter().position(|known| known == cause);
        let number = known.unwrap_or_else(|| {
            self.causes.push(cause.clone());
            self.causes.len() - 1
        });
        CauseId::try_from(number).unwrap_or(CauseId::MAX)
    }
}

/// Rows of a site lie among each other in two units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlapping;

impl SiteUnit {
    fn with_causes(mut self, cause: impl Fn(CauseId) -> CauseId) -> Self {
        for run in &mut self.runs {
            if let State::Down(id) = &mut run.state {
                *id = cause(*id);
            }
        }
        for count in &mut self.causes {
            count.cause = cause(count.cause);
        }
        self
    }

    fn append(&mut self, next: Self, causes: &[Cause]) {
        let domain = |id: CauseId| causes.get(id as usize).map(|cause| &cause.fault_domain);
        for run in next.runs {
            push(&mut self.runs, run, |a, b| domain(a) == domain(b));
        }
        for count in next.causes {
            match self.causes.iter_mut().find(|own| (own.cause, own.verdict) == (count.cause, count.verdict)) {
                Some(own) => own.cycles += count.cycles,
                None => self.causes.push(count),
            }
        }
        for (own, values) in self.values.iter_mut().zip(&next.values) {
            own.add(values);
        }
        self.group = next.group;
        self.kind = next.kind;
        self.last = next.last;
        self.longest_interval_ms = self.longest_interval_ms.max(next.longest_interval_ms);
        self.up += next.up;
        self.days.append(&next.days);
    }
}

/// Adds a name that is not known yet.
pub(super) fn remember(names: &mut Vec<Box<str>>, name: &str) {
    if !names.iter().any(|known| **known == *name) {
        names.push(name.into());
    }
}
