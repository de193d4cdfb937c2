//! Reports as they could be, for the tests: made of numbers that look measured, the same at every run.
//!
//! The tests of the whole page (`tests/it/report_page.rs`) use it too, so it names nothing of this crate but the model.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::model::{
    Availability, BadLine, Before, Cycles, Day, DayValues, DomainShare, ErrorBudget, Excluded, Failure, Figures, Group,
    Input, Outage, Period, Policy, Problems, Quantiles, Report, Segment, SegmentState, Selection, Site, VERSION,
};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const CAUSES: [(&str, &str, &str); 6] = [
    ("login", "login-timeout", "gateway"),
    ("external", "no-reply", "carrier"),
    ("internal", "internal-unreachable", "inside"),
    ("login", "disconnected", "tunnel"),
    ("login", "auth-rejected", "identity"),
    ("gateway", "tls-failed", "gateway"),
];
const NAMES: [&str; 10] =
    ["berlin", "casablanca", "dar-es-salaam", "lisbon", "nairobi", "oslo", "paris", "singapore", "tokyo", "zurich"];
const GROUPS: [&str; 3] = ["africa", "apac", "emea"];

/// What kind of report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) sites: usize,
    pub(crate) from: &'static str,
    pub(crate) days: i64,
    pub(crate) zone: &'static str,
    /// Days between two outages of a site, about; 0: none at all.
    pub(crate) outage_every: i64,
    /// `Mon-Fri 07:00-19:00` rather than always.
    pub(crate) office_hours: bool,
}

/// Numbers that look random (the generator of Numerical Recipes, 1992).
#[derive(Debug)]
struct Dice(u32);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (i64::from(self.0 >> 8) * limit.max(1)) >> 24
    }
}

/// A stretch of a site's history.
#[derive(Debug, Clone, Copy)]
struct Event {
    start: i64,
    end: i64,
    state: SegmentState,
    cause: usize,
}

impl Sample {
    /// A report of a day, a month or a year.
    pub(crate) fn report(self) -> Report {
        let sites: Vec<Site> = (0..self.sites).map(|number| self.site(number)).collect();
        let from = self.first();
        let last = from.checked_add((self.days - 1).days()).unwrap();
        let groups = if self.sites > 3 { groups(&sites) } else { Vec::new() };
        let excluded = Excluded {
            name: Some("gateway upgrade".to_owned()),
            sites: sites.iter().take(2).map(|site| site.site.clone()).collect(),
            start: self.text(self.start() + 2 * HOUR),
            end: self.text(self.start() + 4 * HOUR),
        };
        let lines = (0..3).map(|number| BadLine {
            file: format!("results_{from}.csv"),
            line: 40 + number,
            why: "cell `verdict`: `dwon` is none of up, down, unknown".to_owned(),
        });
        Report {
            report_version: VERSION,
            program: "vpnprobe 0.1.0".to_owned(),
            generated: self.text(self.end() + 6 * HOUR),
            period: Period {
                from: from.to_string(),
                to: last.to_string(),
                start: self.text(self.start()),
                end: self.text(self.end()),
                zone: self.zone.to_owned(),
                compared: true,
            },
            policy: Policy {
                target: Some(99.9),
                hours: self.office_hours.then(|| "Mon-Fri 07:00-19:00".to_owned()),
                holidays: if self.days > 200 {
                    vec!["2026-01-01".to_owned(), "2026-12-25".to_owned()]
                } else {
                    Vec::new()
                },
                credentials: "down".to_owned(),
                excluded_before: Vec::new(),
            },
            selection: Selection::default(),
            total: together(&sites),
            groups,
            sites,
            excluded: vec![excluded],
            inputs: (0..self.days).map(|day| input(from.checked_add(day.days()).unwrap(), self.sites)).collect(),
            problems: Problems { unreadable: 3, duplicates: 2, out_of_order: 7, lines: lines.collect() },
            notes: Vec::new(),
        }
    }

    fn first(self) -> Date {
        self.from.parse().unwrap()
    }

    fn midnight(self, day: Date) -> i64 {
        let zone = TimeZone::get(self.zone).unwrap();
        day.to_zoned(zone).unwrap().timestamp().as_millisecond()
    }

    fn start(self) -> i64 {
        self.midnight(self.first())
    }

    fn end(self) -> i64 {
        self.midnight(self.first().checked_add(self.days.days()).unwrap())
    }

    fn local(self, moment: i64) -> Zoned {
        Timestamp::from_millisecond(moment).unwrap().to_zoned(TimeZone::get(self.zone).unwrap())
    }

    fn text(self, moment: i64) -> String {
        self.local(moment).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
    }

    fn site(self, number: usize) -> Site {
        let mut dice = Dice(u32::try_from(number).unwrap() * 77 + 5);
        let events = self.events(&mut dice);
        let timeline = self.timeline(&events);
        let outages: Vec<Outage> =
            events.iter().filter(|event| event.state == SegmentState::Down).map(|event| self.outage(event)).collect();
        let days: Vec<Day> = (0..self.days).map(|day| self.day(day, number, &events, &mut dice)).collect();
        let name = match number / NAMES.len() {
            0 => NAMES[number].to_owned(),
            again => format!("{}-{}", NAMES[number % NAMES.len()], again + 1),
        };
        let figures = figures(&timeline, &outages, &days);
        let group = (self.sites > 3).then(|| GROUPS[number % GROUPS.len()].to_owned());
        let kind = if number % 4 == 2 { "ipsec" } else { "ssl-vpn" }.to_owned();
        Site { site: name, group, kind, figures, outages, timeline, days }
    }

    /// Outages, time without knowledge, and, where asked for, time that is not agreed: without overlaps.
    fn events(self, dice: &mut Dice) -> Vec<Event> {
        let mut events = Vec::new();
        if self.outage_every == 0 {
            return events;
        }
        let mut at = self.start() + dice.below(self.outage_every * DAY);
        while at < self.end() {
            let length = match dice.below(10) {
                0 => 2 * HOUR + dice.below(6 * HOUR),
                1 => 4 * HOUR + dice.below(30 * HOUR),
                _ => 5 * MINUTE + dice.below(25 * MINUTE),
            };
            let state = match dice.below(9) {
                0 | 1 => SegmentState::Unknown,
                2 => SegmentState::LeftOut,
                _ => SegmentState::Down,
            };
            let length = if state == SegmentState::Down { length / 3 } else { length };
            let cause = usize::try_from(dice.below(6)).unwrap();
            events.push(Event { start: at, end: (at + length).min(self.end()), state, cause });
            at += length + HOUR + dice.below(2 * self.outage_every * DAY);
        }
        events
    }

    fn timeline(self, events: &[Event]) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut at = self.start();
        for event in events {
            self.calm(&mut segments, at, event.start);
            segments.push(self.segment(event.start, event.end, event.state, CAUSES[event.cause].2));
            at = event.end;
        }
        self.calm(&mut segments, at, self.end());
        segments
    }

    /// Up, but for what is not agreed.
    fn calm(self, segments: &mut Vec<Segment>, from: i64, to: i64) {
        if !self.office_hours {
            segments.push(self.segment(from, to, SegmentState::Up, ""));
            return;
        }
        let mut at = from;
        while at < to {
            let local = self.local(at);
            let hour = local.hour();
            let works = local.weekday().to_monday_one_offset() < 6 && (7..19).contains(&hour);
            let until_hour = match hour {
                0..7 => 7,
                7..19 => 19,
                _ => 24,
            };
            let next = self.midnight(local.date()) + i64::from(until_hour) * HOUR;
            // On the day of a change of the clock that is an hour off, which is good enough here.
            let next = next.max(at + MINUTE).min(to);
            segments.push(self.segment(at, next, if works { SegmentState::Up } else { SegmentState::NotAgreed }, ""));
            at = next;
        }
    }

    fn segment(self, start: i64, end: i64, state: SegmentState, domain: &str) -> Segment {
        let fault_domain = if state == SegmentState::Down { domain.to_owned() } else { String::new() };
        Segment { start: self.text(start), end: self.text(end), state, fault_domain }
    }

    fn outage(self, event: &Event) -> Outage {
        let (stage, reason, fault_domain) = CAUSES[event.cause];
        Outage {
            start: self.text(event.start),
            end: self.text(event.end),
            seconds: seconds(event.end - event.start),
            downtime_s: seconds(event.end - event.start),
            stage: stage.to_owned(),
            reason: reason.to_owned(),
            fault_domain: fault_domain.to_owned(),
            restored: fault_domain == "tunnel",
            began_before: event.start == self.start(),
            open: event.end == self.end(),
        }
    }

    fn day(self, day: i64, number: usize, events: &[Event], dice: &mut Dice) -> Day {
        let date = self.first().checked_add(day.days()).unwrap();
        let (start, end) = (self.midnight(date), self.midnight(date.tomorrow().unwrap()));
        let lost: i64 = events.iter().map(|event| (event.end.min(end) - event.start.max(start)).max(0)).sum();
        let quiet = lost * 2 > end - start;
        let slow = 1_600 + i64::try_from(number * 137 % 900).unwrap();
        // A working day is a little slower than a Sunday.
        let busy = if date.weekday().to_sunday_zero_offset() == 0 { 0 } else { 250 };
        Day {
            date: date.to_string().into(),
            availability: (!quiet).then(|| 100.0 - seconds(lost) / seconds(end - start) * 100.0),
            downtime_s: seconds(lost),
            unknown_s: 0.0,
            values: Some(Box::new(DayValues {
                login_ms: quantiles(quiet, slow + busy + dice.below(180), slow / 4 + dice.below(900)),
                external_rtt_ms: quantiles(quiet, 18 + dice.below(4), 6 + dice.below(9)),
                internal_rtt_ms: quantiles(quiet, 24 + dice.below(5), 9 + dice.below(12)),
            })),
        }
    }
}

fn quantiles(quiet: bool, median: i64, spread: i64) -> Quantiles {
    let value = |number: i64| (!quiet).then(|| seconds(number * 1_000 + 137));
    Quantiles {
        n: if quiet { 0 } else { 142 },
        p50: value(median),
        p95: value(median + spread),
        p99: value(median + spread * 2),
        max: value(median + spread * 3),
    }
}

fn seconds(milliseconds: i64) -> f64 {
    f64::from(u32::try_from(milliseconds / 1_000).unwrap())
        + f64::from(u32::try_from(milliseconds % 1_000).unwrap()) / 1e3
}

fn whole(number: f64) -> u64 {
    format!("{:.0}", number + 0.0).parse().unwrap()
}

fn cut(percent: f64) -> f64 {
    (percent * 1e4).floor() / 1e4
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| cut(part / whole * 100.0))
}

/// Figures that fit to what is drawn.
fn figures(timeline: &[Segment], outages: &[Outage], days: &[Day]) -> Figures {
    let of = |state: SegmentState| -> f64 {
        let length = |segment: &Segment| {
            let [start, end] =
                [&segment.start, &segment.end].map(|text| text.parse::<Timestamp>().unwrap().as_millisecond());
            seconds(end - start)
        };
        timeline.iter().filter(|segment| segment.state == state).map(length).sum()
    };
    let mut login: Vec<f64> = days.iter().filter_map(|day| day.values.as_ref()?.login_ms.p50).collect();
    login.sort_by(f64::total_cmp);
    let middle = |share: usize| login.get(login.len() * share / 100).copied();
    let values = u64::try_from(days.len()).unwrap() * 142;
    let login_ms =
        Quantiles { n: values, p50: middle(50), p95: middle(95), p99: middle(99), max: login.last().map(|v| v * 2.2) };
    let rtt = Quantiles { n: values, p50: Some(20.137), p95: Some(31.2), p99: Some(44.7), max: Some(210.6) };
    let loss = Quantiles { n: values, p50: Some(0.0), p95: Some(0.0), p99: Some(20.0), max: Some(60.0) };
    with_ratios(Figures {
        cycles: Cycles { up: 0, down: 0, unknown: 0, left_out: 0 },
        agreed_s: 0.0,
        up_s: of(SegmentState::Up),
        downtime_s: outages.iter().map(|outage| outage.downtime_s).sum(),
        unknown_s: of(SegmentState::Unknown),
        left_out_s: of(SegmentState::LeftOut),
        availability: Availability { strict: None, default: None, optimistic: None },
        availability_by_cycles: None,
        coverage: None,
        fault_domains: domains(outages),
        outage_count: u64::try_from(outages.len()).unwrap(),
        outages_open: u64::from(outages.last().is_some_and(|outage| outage.open)),
        mttr_s: None,
        mtbf_s: None,
        longest_outage_s: outages.iter().map(|outage| outage.seconds).max_by(f64::total_cmp),
        login_ms,
        external_rtt_ms: rtt,
        internal_rtt_ms: rtt,
        external_loss_pct: loss,
        internal_loss_pct: loss,
        failures: failures(outages),
        error_budget: None,
        before: None,
    })
}

fn with_ratios(mut figures: Figures) -> Figures {
    let known = figures.up_s + figures.downtime_s;
    figures.agreed_s = known + figures.unknown_s + figures.left_out_s;
    let agreed = known + figures.unknown_s;
    figures.availability = Availability {
        strict: ratio(figures.up_s, agreed),
        default: ratio(figures.up_s, known),
        optimistic: ratio(figures.up_s + figures.unknown_s, agreed),
    };
    let [up, down, unknown, left_out] =
        [figures.up_s, figures.downtime_s, figures.unknown_s, figures.left_out_s].map(|time| whole(time / 600.0));
    figures.cycles = Cycles { up, down, unknown, left_out };
    figures.availability_by_cycles = ratio(figures.up_s, known);
    figures.coverage = ratio(known, figures.agreed_s);
    let outages = u32::try_from(figures.outage_count).unwrap();
    figures.mttr_s = (outages > 0).then(|| figures.downtime_s / f64::from(outages));
    figures.mtbf_s = (outages > 0).then(|| figures.up_s / f64::from(outages));
    let allowed_s = known * 0.001;
    figures.error_budget = Some(ErrorBudget {
        target: 99.9,
        allowed_s,
        used_s: figures.downtime_s,
        left_s: allowed_s - figures.downtime_s,
        used_pct: ratio(figures.downtime_s, allowed_s),
        met: figures.availability.default.map(|availability| availability >= 99.9),
    });
    let whole: f64 = figures.fault_domains.iter().map(|domain| domain.downtime_s).sum();
    for domain in &mut figures.fault_domains {
        domain.share_pct = ratio(domain.downtime_s, whole);
        domain.availability = ratio(figures.up_s, figures.up_s + domain.downtime_s);
    }
    figures.before = Some(Before {
        from: "2026-08-01".to_owned(),
        to: "2026-08-31".to_owned(),
        availability: Some(99.9412),
        downtime_s: 4_210.0,
        outage_count: 6,
        login_p50_ms: Some(1_931.4),
    });
    figures
}

fn domains(outages: &[Outage]) -> Vec<DomainShare> {
    let share = |name: &str| {
        let of = || outages.iter().filter(|outage| outage.fault_domain == name);
        let downtime_s: f64 = of().map(|outage| outage.downtime_s).sum();
        let cycles = whole(downtime_s / 600.0);
        let fault_domain = name.to_owned();
        of().next().map(|_| DomainShare { fault_domain, downtime_s, share_pct: None, cycles, availability: None })
    };
    ["carrier", "gateway", "identity", "tunnel", "inside"].into_iter().filter_map(share).collect()
}

fn failures(outages: &[Outage]) -> Vec<Failure> {
    let of = |(stage, reason, domain): (&str, &str, &str)| {
        let count = outages.iter().filter(|outage| outage.reason == reason).count();
        let [stage, reason, fault_domain] = [stage, reason, domain].map(str::to_owned);
        (count > 0).then(|| Failure { stage, reason, fault_domain, cycles: u64::try_from(count).unwrap() * 3 })
    };
    let mut failures: Vec<Failure> = CAUSES.into_iter().filter_map(of).collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.cycles));
    failures
}

/// The figures of several sites.
fn together(sites: &[Site]) -> Figures {
    let outages: Vec<Outage> = sites.iter().flat_map(|site| site.outages.clone()).collect();
    let mut total = figures(&[], &outages, sites.first().map_or(&[], |site| &site.days));
    for site in sites {
        total.up_s += site.figures.up_s;
        total.unknown_s += site.figures.unknown_s;
        total.left_out_s += site.figures.left_out_s;
    }
    with_ratios(total)
}

fn groups(sites: &[Site]) -> Vec<Group> {
    let group = |name: &&str| {
        let of: Vec<Site> = sites.iter().filter(|site| site.group.as_deref() == Some(name)).cloned().collect();
        Group {
            group: (*name).to_owned(),
            sites: of.iter().map(|site| site.site.clone()).collect(),
            figures: together(&of),
        }
    };
    GROUPS.iter().map(group).collect()
}

fn input(day: Date, sites: usize) -> Input {
    let digest: String = (0..64)
        .map(|place| char::from_digit((place * 7 + u32::from(day.day().unsigned_abs())) % 16, 16).unwrap())
        .collect();
    let rows = u64::try_from(sites).unwrap() * 144;
    Input { file: format!("results_{day}.csv"), bytes: rows * 210, rows, unreadable: 0, sha256: digest }
}
