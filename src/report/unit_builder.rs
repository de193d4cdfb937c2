//! From the rows of one date to its unit.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::histogram::{Sparse, bucket_of};
use super::row::Row;
use super::runs::{Cause, CauseId, Seen, runs_of};
use super::unit::{CauseCount, Counting, DayValues, Measure, SiteUnit, Unit, remember};
use crate::agreed::Intervals;
use crate::record::Verdict;

/// The interval of a row whose schema has none, where no other row of its site tells.
const USUAL_INTERVAL_MS: i64 = 600_000;

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
    /// How many rows a site may have: room is made for them at once.
    rows_expected: usize,
}

impl UnitBuilder {
    /// With room for so many rows of each site; more of them are taken, too.
    pub(super) fn expecting(rows_a_site: usize) -> Self {
        Self { rows_expected: rows_a_site, ..Self::default() }
    }

    /// A little more than what a site has had so far, on average.
    pub(super) fn usual_rows(&self) -> usize {
        let rows: usize = self.sites.iter().map(|rows| rows.cycles.len()).sum();
        rows / self.sites.len().max(1) * 9 / 8
    }

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
                cycles: Vec::with_capacity(self.rows_expected),
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
        let mut buckets = Vec::new();
        let sites = self.sites.into_iter().map(|rows| {
            let mut agreed = counting.agreed.of(&rows.site);
            if !inside && !outside {
                agreed = Arc::new(agreed.clipped(counting.start, counting.end));
            }
            let (site, twice) = rows.finish(&agreed, &same_domain, &self.strange_ids, date, &mut buckets);
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
        buckets: &mut Vec<u32>,
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
        let first = self.cycles.first().map_or(0, |cycle| cycle.time);
        let last = self.cycles.last().map_or(0, |cycle| cycle.time);
        let longest_interval_ms = self.cycles.iter().map(|cycle| cycle.interval_ms).max().unwrap_or(usual);
        // From here on, those that count.
        self.cycles.retain(|cycle| agreed.contains(cycle.time));
        let values = std::array::from_fn(|measure| values_of(&self.cycles, measure, buckets));
        let up = self.cycles.iter().filter(|cycle| cycle.verdict == Verdict::Up).count();
        let unit = SiteUnit {
            first,
            last,
            longest_interval_ms,
            runs,
            up: up as u64,
            causes: causes_of(&self.cycles),
            days: date.map(|date| DayValues::of(date, &values)).into_iter().collect(),
            values,
            site: self.site,
            group: self.group,
            kind: self.kind,
        };
        (unit, twice as u64)
    }
}

fn causes_of(cycles: &[Cycle]) -> Vec<CauseCount> {
    let mut causes: Vec<CauseCount> = Vec::new();
    for cycle in cycles.iter().filter(|cycle| cycle.verdict != Verdict::Up || cycle.restored_after >= 0) {
        match causes.iter_mut().find(|known| known.cause == cycle.cause && known.verdict == cycle.verdict) {
            Some(known) => known.cycles += 1,
            None => causes.push(CauseCount { cause: cycle.cause, verdict: cycle.verdict, cycles: 1 }),
        }
    }
    causes
}

/// `buckets` is only room for them.
fn values_of(cycles: &[Cycle], measure: usize, buckets: &mut Vec<u32>) -> Sparse {
    buckets.clear();
    let mut max = 0;
    for value in cycles.iter().filter_map(|cycle| cycle.values.get(measure)) {
        if *value != NOTHING {
            max = max.max(*value);
            buckets.push(bucket_of(*value));
        }
    }
    Sparse::of(buckets, max)
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
