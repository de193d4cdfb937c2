//! One site of a report: its outages, timeline and days, as they are shown.

use std::sync::Arc;

use chrono::NaiveDate;

use super::model;
use super::moment::moment;
use super::runs::Cause;
use super::sum::{Sum, percent, quantiles, seconds};
use super::tally::{Counts, Outage, Tally};
use super::unit::{DayValues, Days};
use crate::agreed::{Intervals, day_bounds};
use crate::record::seen;
use crate::zone::Zone;

/// One site, computed.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) site: Box<str>,
    pub(super) group: Box<str>,
    pub(super) kind: Box<str>,
    pub(super) first: i64,
    pub(super) sum: Sum,
    pub(super) tally: Tally,
    pub(super) agreed: Arc<Intervals>,
    pub(super) days: Days,
}

/// A cause as it is shown.
pub(super) fn as_seen(cause: &Cause) -> Cause {
    let seen = |text: &str| seen(text).into_boxed_str();
    Cause { fault_domain: seen(&cause.fault_domain), stage: seen(&cause.stage), reason: seen(&cause.reason) }
}

/// How much is told of each site beside its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What a terminal has room for: the longest outages, so many of each site, and how available each day was.
    Longest(usize),
    /// All outages, the timeline, and the values of each day: by far the largest part of a report.
    Everything,
}

/// `causes` are as they are shown.
pub(super) fn site_of(
    site: &Computed,
    figures: model::Figures,
    causes: &[Cause],
    (zone, all_days, end): (&Zone, &[Bounds], i64),
    detail: Detail,
) -> model::Site {
    let mut timeline = Vec::new();
    if detail == Detail::Everything {
        let domain = |cause: u32| causes.get(cause as usize).map(|c| c.fault_domain.to_string()).unwrap_or_default();
        let segments = segments(&site.tally, &site.agreed, &domain).into_iter();
        timeline.extend(segments.map(|(start, end, state, fault_domain)| model::Segment {
            start: moment(zone, start),
            end: moment(zone, end),
            state,
            fault_domain,
        }));
    }
    model::Site {
        site: seen(&site.site),
        group: Some(seen(&site.group)).filter(|group| !group.is_empty()),
        kind: seen(&site.kind),
        figures,
        outages: told(&site.tally.outages, detail).map(|outage| outage_of(zone, outage, causes)).collect(),
        days: days(site, all_days, end, detail),
        timeline,
    }
}

/// The outages that are told, in the order of time; of equally long ones the first.
fn told(all: &[Outage], detail: Detail) -> impl Iterator<Item = &Outage> {
    let mut numbers: Vec<usize> = (0..all.len()).collect();
    if let Detail::Longest(most) = detail {
        numbers.sort_by_key(|number| std::cmp::Reverse(all[*number].agreed_ms));
        numbers.truncate(most);
        numbers.sort_unstable();
    }
    numbers.into_iter().map(|number| &all[number])
}

fn outage_of(zone: &Zone, outage: &Outage, causes: &[Cause]) -> model::Outage {
    let cause = causes.get(outage.cause as usize);
    let text = |part: fn(&Cause) -> &str| cause.map(part).unwrap_or_default().to_owned();
    model::Outage {
        start: moment(zone, outage.start),
        end: moment(zone, outage.end),
        seconds: seconds(outage.agreed_ms),
        downtime_s: seconds(outage.down_ms),
        stage: text(|cause| &cause.stage),
        reason: text(|cause| &cause.reason),
        fault_domain: text(|cause| &cause.fault_domain),
        restored: outage.restored,
        began_before: outage.began_before,
        open: outage.open,
    }
}

type SegmentParts = (i64, i64, model::SegmentState, String);

/// The whole timeline, with what is not agreed time apart.
fn segments(tally: &Tally, agreed: &Intervals, domain: &dyn Fn(u32) -> String) -> Vec<SegmentParts> {
    use model::SegmentState as State;
    let mut all: Vec<SegmentParts> = Vec::new();
    let mut push = |start: i64, end: i64, state: State, fault_domain: String| {
        if start >= end {
            return;
        }
        match all.last_mut() {
            Some(last) if last.2 == state && last.3 == fault_domain => last.1 = end,
            _ => all.push((start, end, state, fault_domain)),
        }
    };
    for (start, end, what) in &tally.timeline {
        let (state, fault_domain) = match what {
            Counts::Up => (State::Up, String::new()),
            Counts::Unknown => (State::Unknown, String::new()),
            Counts::LeftOut => (State::LeftOut, String::new()),
            Counts::Down(cause) => (State::Down, domain(*cause)),
        };
        let mut at = *start;
        for (from, to) in agreed.clipped(*start, *end).spans() {
            push(at, *from, State::NotAgreed, String::new());
            push(*from, *to, state, fault_domain.clone());
            at = *to;
        }
        push(at, *end, State::NotAgreed, String::new());
    }
    all
}

/// A day of the period.
#[derive(Debug)]
pub(super) struct Bounds {
    date: NaiveDate,
    text: Arc<str>,
    /// Its first moment, and that of the next one.
    first: i64,
    next: i64,
}

impl Bounds {
    pub(super) fn of(zone: &Zone, date: NaiveDate) -> Self {
        let (first, next) = day_bounds(zone, date);
        Self { date, text: date.to_string().into(), first, next }
    }
}

fn days(site: &Computed, all: &[Bounds], end: i64, detail: Detail) -> Vec<model::Day> {
    let mut segments = site.tally.timeline.iter().peekable();
    let measured: Option<Vec<DayValues>> = match detail {
        Detail::Longest(_) => None,
        Detail::Everything => Some(site.days.unpack().collect()),
    };
    let mut days = Vec::with_capacity(all.len());
    for Bounds { date, text, first, next } in all.iter().take_while(|day| day.first < end) {
        let (first, next) = (*first, *next);
        let (mut up, mut down, mut unknown) = (0, 0, 0);
        while let Some((start, until, what)) = segments.peek() {
            let ms = site.agreed.overlap((*start).max(first), (*until).min(next));
            match what {
                Counts::Up => up += ms,
                Counts::Down(_) => down += ms,
                Counts::Unknown => unknown += ms,
                Counts::LeftOut => {}
            }
            if *until > next {
                break;
            }
            segments.next();
        }
        days.push(model::Day {
            date: Arc::clone(text),
            availability: percent(up, up + down),
            downtime_s: seconds(down),
            unknown_s: seconds(unknown),
            values: measured.as_ref().map(|all| Box::new(values_of(all, date.to_epoch_days()))),
        });
    }
    days
}

/// Those of this day; they come in the order of their dates.
fn values_of(all: &[DayValues], date: i32) -> model::DayValues {
    let found = all.binary_search_by_key(&date, |day| day.date);
    let ranks = found.ok().and_then(|at| all.get(at)).map(|day| day.ranks).unwrap_or_default();
    let [login_ms, external_rtt_ms, internal_rtt_ms] = ranks.map(quantiles);
    model::DayValues { login_ms, external_rtt_ms, internal_rtt_ms }
}
