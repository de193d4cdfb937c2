//! From a request to a report.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::thread;

use chrono::{Days, NaiveDate};

use super::compute::{Source, Span, Told, tell};
use super::cores::on_every_core;
use super::day_files::DayFiles;
use super::input::ReadError;
use super::model;
use super::moment::moment;
use super::period::Period;
use super::policy::{AgreedTimes, Policy};
use super::runs::{Cause, HOLDS};
use super::site::{Bounds, Computed, Detail, as_seen, site_of};
use super::sum::Sum;
use super::unit::{Agreed, Counting};
use crate::record::{Verdict, seen};

const DAY_MS: i64 = 86_400_000;
/// A state holds for two intervals; an interval is a month at most.
const MOST_DAYS_BACK: u64 = 62;
/// Rows that are read lie so close to the period.
const MOST_DAYS_AROUND: i64 = 64;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which days.
    pub period: Period,
    /// By which rules.
    pub policy: Policy,
    /// Of which sites; empty: all.
    pub sites: BTreeSet<String>,
    /// Of which groups; empty: all.
    pub groups: BTreeSet<String>,
    /// Milliseconds since 1970: what lies behind is not unknown, but not yet.
    pub now: i64,
    /// With the period before.
    pub compare: bool,
    /// How much of each site.
    pub detail: Detail,
}

impl Request {
    /// From the first day of the period that is compared with to the last one.
    pub(super) fn all_days(&self) -> Period {
        let before = self.period.before().filter(|_| self.compare).unwrap_or(self.period);
        Period { from: before.from, to: self.period.to }
    }
}

/// All sites of a span, computed.
#[derive(Debug)]
struct Part {
    sites: Vec<Computed>,
    causes: Vec<Cause>,
    duplicates: u64,
    out_of_order: u64,
    probers: Vec<Box<str>>,
    windows: Vec<Box<str>>,
    inputs: Vec<model::Input>,
    bad: Vec<model::BadLine>,
    notes: Vec<String>,
}

/// Computes a report.
pub(super) fn build<S: Source>(source: &S, request: &Request) -> Result<model::Report, S::Error> {
    let zone = &request.policy.zone;
    let (start, whole_end) = request.period.bounds(zone);
    let end = whole_end.min(request.now.max(start));
    let mut part = compute(source, request, request.period, (start, end))?;
    let before = match request.period.before().filter(|_| request.compare) {
        Some(period) => Some((period, compute(source, request, period, period.bounds(zone))?)),
        None => None,
    };
    let earlier = before.as_ref().map(|(period, part)| (*period, part));
    let (inputs, problems) = read_of(&mut part, earlier.map(|(_, part)| part));
    let target = request.policy.target;
    let with_before = |mut figures: model::Figures, wanted: &dyn Fn(&Computed) -> bool| {
        figures.before = earlier.and_then(|(period, part)| before_of(period, part, wanted, target));
        figures
    };
    let together = |wanted: &dyn Fn(&Computed) -> bool| {
        with_before(sum_of(&part.sites, wanted).unwrap_or_default().figures(target), wanted)
    };
    let names: BTreeSet<&str> = part.sites.iter().map(|site| &*site.group).filter(|group| !group.is_empty()).collect();
    let group = |name: &str| model::Group {
        group: seen(name),
        sites: part.sites.iter().filter(|site| &*site.group == name).map(|site| seen(&site.site)).collect(),
        figures: together(&|site| &*site.group == name),
    };
    let (total, groups) = thread::scope(|scope| {
        let total = scope.spawn(|| together(&|_| true));
        let groups = names.into_iter().map(group).collect();
        (total.join().unwrap_or_else(|panic| resume_unwind(panic)), groups)
    });
    let notes = notes(&part, request, (start, end), end < whole_end);
    // What was computed of a site goes when its part of the report is there.
    let causes: Vec<Cause> = part.causes.iter().map(as_seen).collect();
    let days: Vec<Bounds> = request.period.each_day().map(|date| Bounds::of(zone, date)).collect();
    let sites = on_every_core(std::mem::take(&mut part.sites), |site| {
        let figures = with_before(site.sum.figures(target), &|other| other.site == site.site);
        site_of(&site, figures, &causes, (zone, &days, end), request.detail)
    });
    Ok(model::Report {
        report_version: model::VERSION,
        program: format!("vpnprobe {}", env!("CARGO_PKG_VERSION")),
        generated: moment(zone, request.now),
        period: model::Period {
            from: request.period.from.to_string(),
            to: request.period.to.to_string(),
            start: moment(zone, start),
            end: moment(zone, end),
            zone: zone.to_string(),
            compared: request.compare,
        },
        policy: policy(request),
        selection: model::Selection {
            sites: request.sites.iter().cloned().collect(),
            groups: request.groups.iter().cloned().collect(),
        },
        total,
        groups,
        sites,
        excluded: excluded(&request.policy, (start, end)),
        notes,
        inputs,
        problems,
    })
}

/// What was read for both periods. Files around their border were read for either, and are listed once.
fn read_of(part: &mut Part, earlier: Option<&Part>) -> (Vec<model::Input>, model::Problems) {
    let mut inputs = std::mem::take(&mut part.inputs);
    let mut lines = std::mem::take(&mut part.bad);
    if let Some(earlier) = earlier {
        let of_inputs = inputs.iter().map(|input| &input.file);
        let known: BTreeSet<String> = of_inputs.chain(lines.iter().map(|line| &line.file)).cloned().collect();
        inputs.extend(earlier.inputs.iter().filter(|input| !known.contains(&input.file)).cloned());
        lines.extend(earlier.bad.iter().filter(|line| !known.contains(&line.file)).cloned());
    }
    inputs.sort_by(|a, b| a.file.cmp(&b.file));
    inputs.dedup_by(|a, b| a.file == b.file);
    let unreadable = inputs.iter().map(|input| input.unreadable).sum();
    lines.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let (duplicates, out_of_order) = (part.duplicates, part.out_of_order);
    (inputs, model::Problems { unreadable, duplicates, out_of_order, lines })
}

/// Keeps what the next report can use.
pub(super) fn summarise(source: &DayFiles<'_>, request: &Request) -> Result<(), ReadError> {
    let (start, end) = request.period.bounds(&request.policy.zone);
    let agreed = around(&request.policy, start, end);
    source.summarise(request.period, Counting { agreed: &agreed, start, end })
}

/// Agreed time of a span and of what lies around it.
fn around(policy: &Policy, start: i64, end: i64) -> AgreedTimes<'_> {
    let around = MOST_DAYS_AROUND * DAY_MS;
    AgreedTimes::new(policy, start.saturating_sub(around), end.saturating_add(around))
}

fn compute<S: Source>(
    source: &S,
    request: &Request,
    period: Period,
    (start, end): (i64, i64),
) -> Result<Part, S::Error> {
    let agreed = around(&request.policy, start, end);
    let span = Span { start, end, agreed: &agreed, leaves_out: request.policy.leaves_out() };
    let dates = source.dates();
    let mut days_back = 1;
    let mut told = loop {
        let first = period.from.checked_sub_days(Days::new(days_back)).unwrap_or(period.from);
        // In another zone than that of the files, the last rows may lie in the file of the next day.
        let last = period.to.succ_opt().unwrap_or(period.to);
        let mut wanted = Vec::new();
        for date in dates.iter().filter(|date| (first..=last).contains(date)) {
            if *date <= period.to || source.reaches_before(*date, end)? {
                wanted.push(*date);
            }
        }
        let told = tell(source, &wanted, |month| period.has_month(month.year, month.month), span)?;
        let needed = told.longest_interval_ms.saturating_mul(HOLDS) / DAY_MS + 1;
        let needed = u64::try_from(needed).unwrap_or(1).min(MOST_DAYS_BACK);
        if needed <= days_back || first <= dates.first().copied().unwrap_or(first) {
            break told;
        }
        days_back = needed;
    };
    Ok(part_of(&mut told, request, &agreed))
}

fn part_of(told: &mut Told<'_>, request: &Request, agreed: &AgreedTimes<'_>) -> Part {
    let merged = &mut told.merged;
    let causes = merged.names.causes().to_vec();
    let names = &merged.names;
    let sites: Vec<_> = std::mem::take(&mut merged.sites).into_iter().collect();
    let sites = on_every_core(sites, |(name, mut history)| {
        let wanted = (request.sites.is_empty() || request.sites.contains(&*name))
            && (request.groups.is_empty() || request.groups.contains(&*history.group));
        let first = history.first.filter(|_| wanted)?;
        let (tally, values) = history.finish(names);
        let cause = |id: u32| causes.get(id as usize).cloned();
        let cycles: Vec<(Cause, Verdict, u64)> = history
            .cycles
            .iter()
            .filter_map(|((id, verdict), cycles)| Some((cause(*id)?, *verdict, *cycles)))
            .collect();
        let is_left_out = |cause: &Cause| names.is_left_out_domain(cause);
        let sum = Sum::of(&tally, &cycles, history.up, values, &causes, is_left_out);
        Some(Computed {
            agreed: agreed.of(&name),
            site: name,
            group: history.group,
            kind: history.kind,
            first,
            sum,
            tally,
            days: history.days,
        })
    });
    Part {
        sites: sites.into_iter().flatten().collect(),
        duplicates: merged.duplicates,
        out_of_order: merged.out_of_order,
        probers: std::mem::take(&mut merged.probers),
        windows: std::mem::take(&mut merged.windows),
        inputs: std::mem::take(&mut told.inputs),
        bad: std::mem::take(&mut told.bad),
        notes: std::mem::take(&mut told.notes),
        causes,
    }
}

fn sum_of(sites: &[Computed], wanted: &dyn Fn(&Computed) -> bool) -> Option<Sum> {
    sites.iter().filter(|site| wanted(site)).fold(None, |sum: Option<Sum>, site| match sum {
        Some(mut sum) => {
            sum.add(&site.sum);
            Some(sum)
        }
        None => Some(site.sum.clone()),
    })
}

fn before_of(
    period: Period,
    part: &Part,
    wanted: &dyn Fn(&Computed) -> bool,
    target: Option<u32>,
) -> Option<model::Before> {
    let figures = sum_of(&part.sites, wanted)?.figures(target);
    Some(model::Before {
        from: period.from.to_string(),
        to: period.to.to_string(),
        availability: figures.availability.default,
        downtime_s: figures.downtime_s,
        outage_count: figures.outage_count,
        login_p50_ms: figures.login_ms.p50,
    })
}

fn policy(request: &Request) -> model::Policy {
    let policy = &request.policy;
    let before = request.period.before().filter(|_| request.compare);
    let first = before.unwrap_or(request.period).from;
    // The hours of a night are those of the day on which they begin.
    let first = first.pred_opt().unwrap_or(first);
    model::Policy {
        target: policy.target.map(|target| f64::from(target) / 10_000.0),
        hours: Some(policy.hours.to_string()).filter(|_| !policy.hours.is_always()),
        holidays: policy.holidays.range(first..=request.period.to).map(NaiveDate::to_string).collect(),
        credentials: if policy.leaves_out_identity { "excluded" } else { "down" }.to_owned(),
        excluded_before: before.map(|before| excluded(policy, before.bounds(&policy.zone))).unwrap_or_default(),
    }
}

/// Windows that left the agreed time of a span.
fn excluded(policy: &Policy, (start, end): (i64, i64)) -> Vec<model::Excluded> {
    let within = policy.windows.iter().filter(|window| window.start < end && window.end > start);
    within
        .map(|window| model::Excluded {
            name: window.name.clone(),
            sites: window.sites.iter().cloned().collect(),
            start: moment(&policy.zone, window.start.max(start)),
            end: moment(&policy.zone, window.end.min(end)),
        })
        .collect()
}

fn notes(part: &Part, request: &Request, (start, end): (i64, i64), unfinished: bool) -> Vec<String> {
    let zone = &request.policy.zone;
    let mut notes = part.notes.clone();
    if part.sites.is_empty() {
        notes.push("there are no rows of this period: nothing is known of it".to_owned());
    }
    if unfinished {
        notes.push(format!("the period is not over: this is what was known at {}", moment(zone, end)));
    }
    if part.probers.len() > 1 {
        let names = part.probers.iter().map(|name| format!("`{}`", seen(name))).collect::<Vec<_>>().join(", ");
        notes.push(format!("several probers wrote these rows, which are taken as one history: {names}"));
    }
    for name in &part.windows {
        let known = request.policy.windows.iter().any(|w| w.name.as_deref().unwrap_or("yes") == &**name);
        if !known {
            notes.push(format!(
                "rows name the maintenance window `{}`, which no rule leaves out: its time counts",
                seen(name)
            ));
        }
    }
    for site in &part.sites {
        let late = site.agreed.overlap(start, site.first);
        if late > DAY_MS {
            let first = moment(zone, site.first);
            notes.push(format!("the first row of `{}` is of {first}: what was before is unknown", seen(&site.site)));
        }
    }
    notes
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
