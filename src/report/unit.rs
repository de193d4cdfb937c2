//! All rows of one date, site by site: their runs, counts and values. What a summary holds.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::histogram::{Ranks, Sparse, bucket_of};
use super::row::Row;
use super::runs::{Cause, CauseId, Run, Seen, State, push, runs_of};
use crate::agreed::Intervals;
use crate::record::Verdict;

/// The interval of a row whose schema has none, where no other row of its site tells.
const USUAL_INTERVAL_MS: i64 = 600_000;

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
    pub(super) days: Vec<DayValues>,
}

/// Login time and round trips of one date, of cycles in agreed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DayValues {
    /// Days since 1970-01-01.
    pub(super) date: i32,
    /// The first three of [`Measure::ALL`].
    pub(super) ranks: [Ranks; 3],
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
    fn of(date: i32, values: &[Sparse; Measure::ALL.len()]) -> Self {
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
        self.days.extend(next.days);
    }
}

/// A row without its texts.
#[derive(Debug, Clone, Copy)]
struct Cycle {
    time: i64,
    id: IdKey,
    /// Not positive: unknown.
    interval_ms: i64,
    /// Negative: not restored.
    restored_after: i64,
    cause: CauseId,
    verdict: Verdict,
    values: [u64; Measure::ALL.len()],
}

/// No value was measured.
const NOTHING: u64 = u64::MAX;

#[derive(Debug)]
struct SiteRows {
    site: Box<str>,
    group: Box<str>,
    kind: Box<str>,
    cycles: Vec<Cycle>,
    /// Which site's row came after this one's: most often the same again.
    follower: usize,
    in_order: bool,
}

/// Takes rows in the order of their files.
#[derive(Debug, Default)]
pub(super) struct UnitBuilder {
    sites: Vec<SiteRows>,
    numbers: HashMap<Box<str>, usize>,
    /// Of the row before.
    current: usize,
    causes: Vec<Cause>,
    latest_cause: usize,
    probers: Vec<Box<str>>,
    windows: Vec<Box<str>>,
    out_of_order: u64,
    /// Ids of another form than ours.
    strange_ids: Vec<Box<str>>,
}

impl UnitBuilder {
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let cause = self.cause(row);
        let id = self.id_key(row.cycle_id);
        remember(&mut self.probers, row.prober);
        if !row.maintenance.is_empty() {
            remember(&mut self.windows, row.maintenance);
        }
        let restored = row.verdict == Verdict::Up && row.restarts.is_some_and(|n| n > 0);
        let cycle = Cycle {
            time: row.time,
            id,
            interval_ms: row.interval_ms.unwrap_or(0),
            restored_after: if restored { row.restore_ms.unwrap_or(-1) } else { -1 },
            cause,
            verdict: row.verdict,
            values: [row.login_us, row.external_rtt_us, row.internal_rtt_us, row.external_loss, row.internal_loss]
                .map(|value| value.unwrap_or(NOTHING)),
        };
        let number = self.number_of(row.site);
        let rows = &mut self.sites[number];
        if !same(&rows.group, row.group) {
            rows.group = row.group.into();
        }
        if !same(&rows.kind, row.kind) {
            rows.kind = row.kind.into();
        }
        if let Some(last) = rows.cycles.last()
            && last.compare(&cycle, &self.strange_ids).is_ge()
        {
            rows.in_order = false;
            self.out_of_order += u64::from(last.time > cycle.time);
        }
        rows.cycles.push(cycle);
    }

    /// Rows of sites come in turn: the one that came after this one's last time is asked first.
    fn number_of(&mut self, site: &str) -> usize {
        if let Some(current) = self.sites.get(self.current) {
            let guess = current.follower;
            if self.sites.get(guess).is_some_and(|rows| *rows.site == *site) {
                self.current = guess;
                return guess;
            }
        }
        let number = self.numbers.get(site).copied().unwrap_or_else(|| {
            let number = self.sites.len();
            self.numbers.insert(site.into(), number);
            self.sites.push(SiteRows {
                site: site.into(),
                group: Box::default(),
                kind: Box::default(),
                cycles: Vec::new(),
                follower: number,
                in_order: true,
            });
            number
        });
        if let Some(current) = self.sites.get_mut(self.current) {
            current.follower = number;
        }
        self.current = number;
        number
    }

    fn cause(&mut self, row: &Row<'_>) -> CauseId {
        let is = |cause: &Cause| {
            same(&cause.reason, row.reason)
                && same(&cause.stage, row.failed_stage)
                && same(&cause.fault_domain, row.fault_domain)
        };
        if !self.causes.get(self.latest_cause).is_some_and(is) {
            self.latest_cause = self.causes.iter().position(is).unwrap_or_else(|| {
                self.causes.push(Cause {
                    fault_domain: row.fault_domain.into(),
                    stage: row.failed_stage.into(),
                    reason: row.reason.into(),
                });
                self.causes.len() - 1
            });
        }
        CauseId::try_from(self.latest_cause).unwrap_or(CauseId::MAX)
    }

    /// `date`, where all rows are of one. Of rows around the border of the period those count that lie in it; rows that all
    /// lie outside it count as if it were theirs, and nobody asks.
    pub(super) fn finish(self, counting: Counting<'_>, date: Option<i32>) -> Unit {
        let times = || self.sites.iter().flat_map(|rows| &rows.cycles).map(|cycle| cycle.time);
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let inside = counting.start <= first && last < counting.end;
        let outside = last < counting.start || counting.end <= first;
        let causes = self.causes;
        let same_domain = |a: CauseId, b: CauseId| {
            a == b || causes.get(a as usize).map(|c| &c.fault_domain) == causes.get(b as usize).map(|c| &c.fault_domain)
        };
        let mut duplicates = 0;
        let sites = self.sites.into_iter().map(|rows| {
            let mut agreed = counting.agreed.of(&rows.site);
            if !inside && !outside {
                agreed = Arc::new(agreed.clipped(counting.start, counting.end));
            }
            let (site, twice) = rows.finish(&agreed, &same_domain, &self.strange_ids, date);
            duplicates += twice;
            site
        });
        let sites = sites.collect();
        Unit {
            sites,
            causes,
            duplicates,
            out_of_order: self.out_of_order,
            probers: self.probers,
            windows: self.windows,
            first,
            last,
            straddles: !inside && !outside,
        }
    }
}

impl SiteRows {
    fn finish(
        mut self,
        agreed: &Intervals,
        same_domain: &impl Fn(CauseId, CauseId) -> bool,
        strange_ids: &[Box<str>],
        date: Option<i32>,
    ) -> (SiteUnit, u64) {
        if !self.in_order {
            // Of equal ones the first in the file stays first.
            self.cycles.sort_by(|a, b| a.compare(b, strange_ids));
        }
        let rows = self.cycles.len();
        self.cycles.dedup_by(|a, b| a.compare(b, strange_ids).is_eq());
        let twice = rows - self.cycles.len();
        let usual = usual_interval(&self.cycles);
        for cycle in &mut self.cycles {
            if cycle.interval_ms <= 0 {
                cycle.interval_ms = usual;
            }
        }
        let seen = |cycle: &Cycle| Seen {
            time: cycle.time,
            verdict: cycle.verdict,
            cause: cycle.cause,
            restored_after: (cycle.restored_after >= 0).then_some(cycle.restored_after),
            interval_ms: cycle.interval_ms,
        };
        let runs = runs_of(self.cycles.iter().map(seen), same_domain);
        let counting: Vec<&Cycle> = self.cycles.iter().filter(|cycle| agreed.contains(cycle.time)).collect();
        let values = std::array::from_fn(|measure| values_of(&counting, measure));
        let up = counting.iter().filter(|cycle| cycle.verdict == Verdict::Up).count();
        let unit = SiteUnit {
            first: self.cycles.first().map_or(0, |cycle| cycle.time),
            last: self.cycles.last().map_or(0, |cycle| cycle.time),
            longest_interval_ms: self.cycles.iter().map(|cycle| cycle.interval_ms).max().unwrap_or(usual),
            runs,
            up: up as u64,
            causes: causes_of(&counting),
            days: date.map(|date| DayValues::of(date, &values)).into_iter().collect(),
            values,
            site: self.site,
            group: self.group,
            kind: self.kind,
        };
        (unit, twice as u64)
    }
}

fn causes_of(cycles: &[&Cycle]) -> Vec<CauseCount> {
    let mut causes: Vec<CauseCount> = Vec::new();
    for cycle in cycles.iter().filter(|cycle| cycle.verdict != Verdict::Up || cycle.restored_after >= 0) {
        match causes.iter_mut().find(|known| known.cause == cycle.cause && known.verdict == cycle.verdict) {
            Some(known) => known.cycles += 1,
            None => causes.push(CauseCount { cause: cycle.cause, verdict: cycle.verdict, cycles: 1 }),
        }
    }
    causes
}

fn values_of(cycles: &[&Cycle], measure: usize) -> Sparse {
    let values = || cycles.iter().filter_map(|cycle| cycle.values.get(measure)).filter(|value| **value != NOTHING);
    let mut buckets: Vec<u32> = values().map(|value| bucket_of(*value)).collect();
    Sparse::of(&mut buckets, values().max().copied().unwrap_or(0))
}

/// The distance at which most rows of a site follow one another (the median), for schemas without `interval_s`.
fn usual_interval(cycles: &[Cycle]) -> i64 {
    if cycles.iter().all(|cycle| cycle.interval_ms > 0) {
        return USUAL_INTERVAL_MS;
    }
    let mut distances: Vec<i64> = cycles.windows(2).map(|pair| pair[1].time - pair[0].time).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().filter(|distance| *distance > 0).unwrap_or(USUAL_INTERVAL_MS)
}

/// Whether both are the same; without a look where both are empty, as they nearly always are. An empty text of ours lies
/// nowhere (its address is 1), and libc's `memcmp` for AVX-512 looks there all the same, masked: the processor takes
/// hundreds of cycles to find that it need not fault. It was a third of the time of a report.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && (a.is_empty() || a == b)
}

fn remember(names: &mut Vec<Box<str>>, name: &str) {
    if !names.iter().any(|known| **known == *name) {
        names.push(name.into());
    }
}

/// A cycle's id without what its time says already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdKey {
    /// The schema has none.
    None,
    /// Our own: eight hexadecimal digits after the last hyphen.
    Random(u32),
    /// Another: where it is listed.
    Strange(u32),
}

impl Cycle {
    /// By time, of one time by id.
    fn compare(&self, other: &Self, strange_ids: &[Box<str>]) -> Ordering {
        let text = |id: u32| strange_ids.get(id as usize);
        self.time.cmp(&other.time).then_with(|| match (self.id, other.id) {
            (IdKey::Random(a), IdKey::Random(b)) => a.cmp(&b),
            (IdKey::Strange(a), IdKey::Strange(b)) => text(a).cmp(&text(b)),
            (a, b) => a.rank().cmp(&b.rank()),
        })
    }
}

impl IdKey {
    const fn rank(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Random(_) => 1,
            Self::Strange(_) => 2,
        }
    }
}

impl UnitBuilder {
    fn id_key(&mut self, id: &str) -> IdKey {
        if id.is_empty() {
            return IdKey::None;
        }
        if let Some((_, digits)) = id.rsplit_once('-')
            && digits.len() == 8
            && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
            && let Ok(random) = u32::from_str_radix(digits, 16)
        {
            return IdKey::Random(random);
        }
        self.strange_ids.push(id.into());
        u32::try_from(self.strange_ids.len() - 1).map_or(IdKey::None, IdKey::Strange)
    }
}
