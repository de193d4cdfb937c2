//! From units, in the order of their dates, to one history a site.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::histogram::{Histogram, Sparse};
use super::runs::{Cause, CauseId, Run, State};
use super::tally::{Causes, Tally, Teller};
use super::unit::{Agreed, Days, Measure, SiteUnit, Unit};
use crate::agreed::Intervals;
use crate::record::Verdict;

/// The causes of all units, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    causes: Vec<Cause>,
    known: HashMap<Cause, CauseId>,
    /// A number for the fault domain of each.
    domains: Vec<usize>,
    left_out: Vec<bool>,
    /// Fault domains whose downtime does not count.
    leaves_out: Option<&'static str>,
}

impl Names {
    /// `leaves_out`: the fault domain that does not count.
    pub(super) fn new(leaves_out: Option<&'static str>) -> Self {
        Self { leaves_out, ..Self::default() }
    }

    fn number(&mut self, cause: &Cause) -> CauseId {
        if let Some(known) = self.known.get(cause) {
            return *known;
        }
        let number = CauseId::try_from(self.causes.len()).unwrap_or(CauseId::MAX);
        let same = self.causes.iter().position(|known| known.fault_domain == cause.fault_domain);
        self.domains.push(same.map_or(self.causes.len(), |at| self.domains[at]));
        self.left_out.push(self.is_left_out_domain(cause));
        self.causes.push(cause.clone());
        self.known.insert(cause.clone(), number);
        number
    }

    pub(super) fn is_left_out_domain(&self, cause: &Cause) -> bool {
        self.leaves_out.is_some_and(|domain| domain == &*cause.fault_domain)
    }

    pub(super) fn causes(&self) -> &[Cause] {
        &self.causes
    }
}

impl Causes for Names {
    fn same_domain(&self, a: CauseId, b: CauseId) -> bool {
        a == b || self.domains.get(a as usize) == self.domains.get(b as usize)
    }

    fn is_left_out(&self, cause: CauseId) -> bool {
        self.left_out.get(cause as usize).copied().unwrap_or(false)
    }
}

/// Two units that hold rows of the same time of a site: they must be read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    pub(super) earlier: usize,
    pub(super) later: usize,
}

/// For one span of time.
#[derive(Debug)]
pub(super) struct Merger<'a> {
    start: i64,
    end: i64,
    agreed: &'a dyn Agreed,
    pub(super) names: Names,
    pub(super) sites: BTreeMap<Box<str>, SiteHistory>,
    pub(super) duplicates: u64,
    pub(super) out_of_order: u64,
    pub(super) probers: Vec<Box<str>>,
    pub(super) windows: Vec<Box<str>>,
}

/// What is known of a site up to some unit.
#[derive(Debug)]
pub(super) struct SiteHistory {
    pub(super) group: Box<str>,
    pub(super) kind: Box<str>,
    /// Of its first row in the period.
    pub(super) first: Option<i64>,
    /// Its last row, and in which unit that was.
    last: (i64, usize),
    teller: Teller,
    pub(super) up: u64,
    /// By cause and verdict.
    pub(super) cycles: BTreeMap<(CauseId, Verdict), u64>,
    /// What came, until there is enough of it or somebody asks: whoever asks does it for many sites at once.
    waiting: Vec<Waiting>,
    values: [Histogram; Measure::ALL.len()],
    /// Values of single dates.
    pub(super) days: Days,
}

/// Units of a site that wait to be added up: a year of months, and some days.
const MOST_WAITING: usize = 20;

/// What a unit brought of a site, and takes time.
#[derive(Debug)]
struct Waiting {
    /// With the causes of all units.
    runs: Vec<Run>,
    /// None of a unit that lies outside the period.
    values: Option<[Sparse; Measure::ALL.len()]>,
}

impl SiteHistory {
    fn new(teller: Teller) -> Self {
        Self {
            group: Box::default(),
            kind: Box::default(),
            first: None,
            last: (i64::MIN, 0),
            teller,
            up: 0,
            cycles: BTreeMap::new(),
            waiting: Vec::new(),
            values: std::array::from_fn(|_| Histogram::default()),
            days: Days::default(),
        }
    }

    fn wait(&mut self, waiting: Waiting, names: &Names) {
        self.waiting.push(waiting);
        if self.waiting.len() >= MOST_WAITING {
            self.add_up(names);
        }
    }

    fn add_up(&mut self, names: &Names) {
        for Waiting { runs, values } in std::mem::take(&mut self.waiting) {
            self.teller.take(runs.into_iter(), names);
            for (all, values) in self.values.iter_mut().zip(values.iter().flatten()) {
                all.add(values);
            }
        }
    }

    /// Its times and outages, and all its values.
    pub(super) fn finish(&mut self, names: &Names) -> (Tally, [Histogram; Measure::ALL.len()]) {
        self.add_up(names);
        let empty = Teller::new(0, 0, Arc::new(Intervals::none()));
        (std::mem::replace(&mut self.teller, empty).finish(names), std::mem::take(&mut self.values))
    }
}

impl<'a> Merger<'a> {
    pub(super) fn new(start: i64, end: i64, agreed: &'a dyn Agreed, names: Names) -> Self {
        Self {
            start,
            end,
            agreed,
            names,
            sites: BTreeMap::new(),
            duplicates: 0,
            out_of_order: 0,
            probers: Vec::new(),
            windows: Vec::new(),
        }
    }

    /// Takes the next unit.
    pub(super) fn take(&mut self, number: usize, unit: Unit) -> Result<(), Overlap> {
        let numbers: Vec<CauseId> = unit.causes.iter().map(|cause| self.names.number(cause)).collect();
        // What lies wholly outside the period counts elsewhere.
        let counts = unit.last >= self.start && unit.first < self.end;
        for site in unit.sites {
            self.take_site(number, counts, site, &numbers)?;
        }
        self.duplicates += unit.duplicates;
        self.out_of_order += unit.out_of_order;
        add_names(&mut self.probers, &unit.probers);
        add_names(&mut self.windows, &unit.windows);
        Ok(())
    }

    fn take_site(&mut self, number: usize, counts: bool, unit: SiteUnit, numbers: &[CauseId]) -> Result<(), Overlap> {
        if !self.sites.contains_key(&unit.site) {
            let history = SiteHistory::new(Teller::new(self.start, self.end, self.agreed.of(&unit.site)));
            self.sites.insert(unit.site.clone(), history);
        }
        let Some(history) = self.sites.get_mut(&unit.site) else { return Ok(()) };
        if history.last.0 >= unit.first {
            return Err(Overlap { earlier: history.last.1, later: number });
        }
        history.last = (unit.last, number);
        if unit.first < self.end && (history.group.is_empty() || unit.last >= self.start) {
            history.group = unit.group;
            history.kind = unit.kind;
        }
        if history.first.is_none() && unit.last >= self.start && unit.first < self.end {
            history.first = Some(unit.first.max(self.start));
        }
        let cause = |id: CauseId| numbers.get(id as usize).copied().unwrap_or(CauseId::MAX);
        let mut runs = unit.runs;
        for run in &mut runs {
            if let State::Down(id) = &mut run.state {
                *id = cause(*id);
            }
        }
        history.wait(Waiting { runs, values: counts.then_some(unit.values) }, &self.names);
        if !counts {
            return Ok(());
        }
        history.up += unit.up;
        for count in &unit.causes {
            *history.cycles.entry((cause(count.cause), count.verdict)).or_default() += count.cycles;
        }
        history.days.append(&unit.days);
        Ok(())
    }
}

fn add_names(all: &mut Vec<Box<str>>, names: &[Box<str>]) {
    for name in names {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
}
