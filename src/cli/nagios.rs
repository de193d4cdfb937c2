//! One line for a monitoring system, after the Monitoring Plugins Development Guidelines: state, words, figures. Pure.

use std::time::Duration;

use chrono::TimeDelta;

use crate::record::{CycleRecord, PingStats, Verdict};
use crate::status::{SiteStatus, State as SiteState, Status};

/// Longest line: NRPE and older Nagios cut at 4 kB.
const LONGEST: usize = 4_000;
/// Of it, the words at most; figures are left out as a whole where they have no room.
const LONGEST_WORDS: usize = 1_500;
/// Longest words about one site.
const LONGEST_SITE: usize = 300;

/// State of a plugin: its exit status and its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// All sites are up.
    Ok,
    /// All are up, and a client left something behind.
    Warning,
    /// One or more are down.
    Critical,
    /// None is down, and one or more can't be told; wrong usage.
    Unknown,
}

impl State {
    /// The plugin's exit status.
    pub(super) const fn status(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The line about these cycles, and the state. `unreached`: sites that were not probed.
pub(super) fn report(records: &[CycleRecord], unreached: &[String]) -> (State, String) {
    let count = |verdict| records.iter().filter(|record| record.verdict == verdict).count();
    let (down, unknown) = (count(Verdict::Down), count(Verdict::Unknown) + unreached.len());
    let left = records.iter().filter(|record| !record.leftovers.is_empty()).count();
    let state = match (down, unknown, left) {
        (1.., _, _) => State::Critical,
        (0, 1.., _) => State::Unknown,
        (0, 0, 1..) => State::Warning,
        (0, 0, 0) => State::Ok,
    };
    let all = records.len() + unreached.len();
    let mut words = Vec::new();
    if all > 1 {
        words.push(match (down, unknown) {
            (0, 0) => format!("{all} sites up"),
            (0, _) => format!("{unknown} of {all} sites unknown"),
            (_, 0) => format!("{down} of {all} sites down"),
            _ => format!("{down} of {all} sites down, {unknown} unknown"),
        });
    }
    // The worst first: what is cut off is what matters least.
    for verdict in [Verdict::Down, Verdict::Unknown, Verdict::Up] {
        let told = records.iter().filter(|record| record.verdict == verdict);
        let worth_a_word = |record: &CycleRecord| !record.leftovers.is_empty() || record.restore.is_some();
        let told = told.filter(|record| all == 1 || verdict != Verdict::Up || worth_a_word(record));
        words.extend(told.map(about));
    }
    words.extend(unreached.iter().map(|site| format!("{site} not probed")));
    let figures = records.iter().flat_map(|record| figures(record, all > 1));
    (state, line(state, &words.join("; "), figures))
}

/// A message that could not be delivered for so long is worth a warning; one that was given up, for a day.
const UNDELIVERED_S: u64 = 300;
const DAY: TimeDelta = TimeDelta::days(1);

/// The line about what a prober knows, and the state: no login is made for it.
pub(super) fn report_status(status: &Status) -> (State, String) {
    if !status.running {
        return (State::Unknown, failure("no prober runs"));
    }
    let count = |state| status.sites.iter().filter(|site| site.state == state).count();
    let (down, up, all) = (count(SiteState::Down), count(SiteState::Up), status.sites.len());
    let unknown = all - down - up;
    let undelivered = status.outbox.pending.iter().filter(|m| m.attempts > 0 && m.age_s >= UNDELIVERED_S).count();
    let dead = status.outbox.dead.iter().filter(|m| status.time - m.next_attempt < DAY).count();
    let left = status.sites.iter().filter(|site| !site.leftovers.is_empty()).count();
    let state = match (down, unknown, undelivered + dead + left) {
        (1.., _, _) => State::Critical,
        (0, 1.., _) => State::Unknown,
        (0, 0, 1..) => State::Warning,
        (0, 0, 0) => State::Ok,
    };
    let counted = match (down, unknown) {
        (0, 0) => format!("{all} sites up"),
        (0, _) => format!("{unknown} of {all} sites unknown"),
        (_, 0) => format!("{down} of {all} sites down"),
        _ => format!("{down} of {all} sites down, {unknown} unknown"),
    };
    let mut words = if all == 1 { Vec::new() } else { vec![counted] };
    for wanted in [SiteState::Down, SiteState::Unknown, SiteState::NotProbed, SiteState::Up] {
        let told = status.sites.iter().filter(|site| site.state == wanted);
        words.extend(told.filter(|s| all == 1 || wanted != SiteState::Up || !s.leftovers.is_empty()).map(about_site));
    }
    let told = |count: usize, what: &str| (count > 0).then(|| format!("{what}: {count}"));
    words.extend(told(undelivered, "messages not delivered"));
    words.extend(told(dead, "messages given up within a day"));
    let counts = [("up", up), ("down", down), ("unknown", unknown)].map(|(name, n)| format!("{name}={n};;;0;{all}"));
    let outbox = [("outbox_pending", status.outbox.pending.len()), ("dead_letters", status.outbox.dead.len())];
    let figures = counts.into_iter().chain(outbox.map(|(name, n)| format!("{name}={n};;;0")));
    (state, line(state, &words.join("; "), figures.chain(status.sites.iter().filter_map(login_figure))))
}

/// How a site is.
fn about_site(site: &SiteStatus) -> String {
    let why = site.stage.zip(site.reason);
    let maintenance = site.maintenance.as_ref().map(|window| format!(", in maintenance ({})", window.label()));
    let words = [
        Some(format!("{} {}", site.site, site.state.as_str())),
        why.map(|(stage, reason)| format!(": {stage} {reason} ({})", reason.fault_domain())),
        site.detail.as_deref().map(|detail| format!(": {detail}")),
        site.since.map(|since| format!(", since {}", since.format("%FT%TZ"))),
        maintenance,
        (!site.leftovers.is_empty()).then(|| format!(", left behind: {}", site.leftovers.join(" "))),
    ];
    plain(&words.into_iter().flatten().collect::<String>(), LONGEST_SITE)
}

fn login_figure(site: &SiteStatus) -> Option<String> {
    let name = plain(site.site.as_str(), LONGEST_SITE).replace(['=', '\''], "_");
    site.login_ms.map(|ms| format!("'{name} login'={:.3}s;;;0", ms / 1000.0))
}

/// The line of a failure: nothing could be told.
pub(super) fn failure(text: &str) -> String {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("failed");
    line(State::Unknown, first, std::iter::empty())
}

fn line(state: State, words: &str, figures: impl Iterator<Item = String>) -> String {
    let mut line = format!("VPN {} - {}", state.word(), plain(words, LONGEST_WORDS));
    let mut separator = " | ";
    for figure in figures {
        if line.len() + separator.len() + figure.len() > LONGEST {
            break;
        }
        line.push_str(separator);
        line.push_str(&figure);
        separator = " ";
    }
    line.push('\n');
    line
}

/// What happened at one site.
fn about(record: &CycleRecord) -> String {
    let is_up = record.verdict == Verdict::Up;
    let why = record.failed_stage.zip(record.reason);
    let left: Vec<_> = record.leftovers.iter().map(|kind| kind.as_str()).collect();
    let words = [
        Some(format!("{} {}", record.site, record.verdict)),
        record.restore.filter(|_| is_up).map(|after| back(record, after)),
        why.map(|(stage, reason)| format!(": {stage} {reason} ({})", reason.fault_domain())),
        record.detail.as_deref().filter(|_| !is_up).map(|detail| format!(": {detail}")),
        record.login.map(|login| format!(", login {:.3} s", login.as_secs_f64())),
        (!left.is_empty()).then(|| format!(", left behind: {}", left.join(" "))),
    ];
    plain(&words.into_iter().flatten().collect::<String>(), LONGEST_SITE)
}

/// How a tunnel that was found dead came back: that is no warning, it carries traffic.
fn back(record: &CycleRecord, after: Duration) -> String {
    let restored = record.restarts.is_some_and(|restarts| restarts > 0);
    let how = if restored { "restored" } else { "back by itself" };
    format!(", {how} after {:.3} s", after.as_secs_f64())
}

/// Label, value with unit, no thresholds, the least (and the most). What was not measured is left out.
fn figures(record: &CycleRecord, several: bool) -> Vec<String> {
    let label = |name: &str| {
        // A label may hold neither `=` nor a quote.
        let site = plain(record.site.as_str(), LONGEST_SITE).replace(['=', '\''], "_");
        if several { format!("'{site} {name}'") } else { name.to_owned() }
    };
    let seconds = |name: &str, took: Duration| format!("{}={:.3}s;;;0", label(name), took.as_secs_f64());
    let ping = |prefix: &str, stats: &PingStats| {
        let rtt = stats
            .rtt
            .map(|rtt| format!("{}={:.3}ms;;;0", label(&format!("{prefix}rta")), rtt.avg.as_secs_f64() * 1000.0));
        rtt.into_iter()
            .chain([format!("{}={:.0}%;;;0;100", label(&format!("{prefix}pl")), stats.loss_pct())])
            .collect::<Vec<_>>()
    };
    let mut figures = Vec::new();
    figures.extend(record.login.map(|took| seconds("login", took)));
    figures.extend(record.internal.iter().flat_map(|stats| ping("", stats)));
    figures.extend(record.external.iter().flat_map(|stats| ping("external_", stats)));
    figures.extend(record.restarts.map(|count| format!("{}={count};;;0", label("restarts"))));
    figures.extend(record.restore.map(|took| seconds("restore", took)));
    figures.extend(record.took.map(|took| seconds("cycle", took)));
    figures
}

/// One line without `|`, which begins the figures, and of bounded length.
fn plain(text: &str, longest: usize) -> String {
    let safe = |c: char| match c {
        '|' => '/',
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => ' ',
        c => c,
    };
    let mut plain = String::new();
    for c in text.chars().map(safe) {
        if plain.len() + c.len_utf8() + '…'.len_utf8() > longest {
            plain.push('…');
            break;
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
#[path = "nagios_tests.rs"]
mod tests;
