//! From an event to its text: pure. Subject line and body in plain text, for the person paged at 3 a.m.: what failed,
//! since when, what to try, the last values, the last lines of the dialogue.
//!
//! Everything that comes from outside passes [`one_line`]: neither a header nor a line can be injected.

use std::fmt::Write;
use std::time::Duration;

use crate::zone::Zone;
use chrono::{DateTime, Utc};

use super::advice::what_to_try;
use super::html::{Line, page};
use super::policy::length;
use super::text::one_line;
use super::{AlertEvent, AlertFacts, AlertKind, PingFacts};
use crate::record::{DialogueEvent, MalfunctionKind, Reason};

#[path = "message_all.rs"]
mod all;
#[path = "message_flapping.rs"]
mod flapping;
#[path = "message_host.rs"]
mod host;
#[path = "message_tunnel.rs"]
mod tunnel;

/// Longest subject line, in characters: what a mail program shows of it in a list, with room.
const MAX_SUBJECT: usize = 150;
/// Longest name of a subject.
const MAX_NAME: usize = 60;
/// Longest line of detail or dialogue.
const MAX_LINE: usize = 200;

/// A message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// Lines end with `\n`.
    pub body: String,
    /// The same as a page.
    pub html: String,
}

/// Writes the message; times in `zone`.
pub fn render(event: &AlertEvent, zone: &Zone) -> Text {
    let subject = one_line(&format!("[vpnprobe] {}", headline(event)), MAX_SUBJECT);
    let mut body = Body { lines: Vec::new(), zone };
    body.write_event(event);
    let text = body.lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    Text { html: page(&headline(event), &event.kind, &body.lines), subject, body: text }
}

fn headline(event: &AlertEvent) -> String {
    all::headline(event).unwrap_or_else(|| headline_of_one(event))
}

fn headline_of_one(event: &AlertEvent) -> String {
    let name = one_line(&event.subject, MAX_NAME);
    let cause = cause(&event.facts);
    match &event.kind {
        AlertKind::Triggered { .. } => format!("{name} DOWN: {cause}"),
        AlertKind::Reminder { start, .. } => {
            format!("{name} still DOWN after {}: {cause}", words(length(*start, event.at)))
        }
        AlertKind::Resolved { start, end, restored, .. } => {
            let by_whom = if *restored { ", restored" } else { "" };
            format!("{name} is up again after {}{by_whom}", words(length(*start, *end)))
        }
        AlertKind::Restored { start, end, .. } => {
            format!("{name} restored after {}: {cause}", tunnel::brief(length(*start, *end)))
        }
        AlertKind::Unsteady { number: 0, hour, .. } => {
            format!("{name} FALLS again and again, restored {} within an hour: {cause}", tunnel::times(*hour))
        }
        AlertKind::Unsteady { start, .. } => {
            format!("{name} still FALLS again and again after {}: {cause}", words(length(*start, event.at)))
        }
        AlertKind::Steady { start, end, times } => {
            let (times, span) = (tunnel::times(*times), words(length(*start, *end)));
            format!("{name} holds again, restored {times} in {span}")
        }
        AlertKind::Flapping { changes, verdict } => {
            format!("{name} FLAPS: {changes} changes in 21 cycles, {verdict} now")
        }
        AlertKind::FlappingDigest { start, counts, .. } => {
            let lasted = words(length(*start, event.at));
            format!("{name} still FLAPS after {lasted}: {}", flapping::counted(*counts))
        }
        AlertKind::FlappingOver { start, verdict, .. } => {
            format!("{name} no longer flaps after {}: {verdict}", words(length(*start, event.at)))
        }
        AlertKind::Leftovers { kinds } => format!("{name} left something on the host: {}", host::named(kinds)),
        AlertKind::LeftoversGone { .. } => format!("{name}: nothing is left on the host any more"),
        AlertKind::CertificateExpires { days, .. } => format!("{name}: the certificate {}", host::runs_out(*days)),
        AlertKind::CertificateRenewed { days } => {
            format!("{name}: another certificate, which {}", host::runs_out(*days))
        }
        AlertKind::PasswordExpires { days, .. } => {
            format!("{name}: the password of its account {}", host::runs_out(*days))
        }
        AlertKind::PasswordRenewed {} => format!("{name}: the password of its account lasts"),
        AlertKind::Test { .. } => format!("TEST from {name}: nothing is wrong"),
        AlertKind::Blind { since } => format!("{name} UNKNOWN for {}: {cause}", words(length(*since, event.at))),
        AlertKind::BlindOver { since, verdict } => {
            format!("{name} can be probed again after {}: {verdict}", words(length(*since, event.at)))
        }
        AlertKind::Report { title } => title.clone(),
    }
}

/// `login auth-rejected (identity)`.
fn cause(facts: &AlertFacts) -> String {
    let stage = facts.stage.map(|stage| format!("{stage} ")).unwrap_or_default();
    match facts.reason {
        Some(reason) => {
            let next = restart_reason(facts).map(|reason| format!(", then {reason}")).unwrap_or_default();
            format!("{stage}{reason} ({}){next}", reason.fault_domain())
        }
        None => format!("{stage}no reason given"),
    }
}

/// Why it was not brought back, where that is another reason.
fn restart_reason(facts: &AlertFacts) -> Option<Reason> {
    facts.restart.as_ref()?.reason.filter(|&reason| Some(reason) != facts.reason)
}

struct Body<'z> {
    lines: Vec<Line>,
    zone: &'z Zone,
}

impl Body<'_> {
    fn write_event(&mut self, event: &AlertEvent) {
        if !self.write_of_all(event) {
            self.write_of_one(event);
        }
    }

    fn write_of_one(&mut self, event: &AlertEvent) {
        let name = one_line(&event.subject, MAX_NAME);
        let facts = &event.facts;
        match &event.kind {
            AlertKind::Triggered { start, downs } => {
                let cycles = if *downs == 1 { "1 down cycle".into() } else { format!("{downs} down cycles in a row") };
                let start = self.time(*start);
                self.line(&format!("{name} is DOWN since {start} ({cycles})."));
                self.own_outage(facts);
                self.write_failure(&name, facts);
                self.write_values("Last values", facts);
                self.write_dialogue(&facts.dialogue);
            }
            AlertKind::Reminder { start, number } => {
                let (start, lasted) = (self.time(*start), words(length(*start, event.at)));
                self.line(&format!("{name} is still DOWN since {start}, for {lasted} now (reminder {number})."));
                self.own_outage(facts);
                self.write_failure(&name, facts);
                self.write_values("Last values", facts);
                self.write_dialogue(&facts.dialogue);
            }
            AlertKind::Resolved { start, end, failed, restored } => {
                let (from, to, lasted) = (self.time(*start), self.time(*end), words(length(*start, *end)));
                let by_whom = if *restored { ": the prober restored it" } else { "" };
                self.line(&format!("{name} is up again since {to}{by_whom}."));
                self.line("");
                self.field("Down from", &from);
                self.field("Down to", &to);
                self.field("Length", &lasted);
                self.field("What failed", &cause(failed));
                self.detail(failed);
                if *restored {
                    self.restart(facts);
                }
                self.field("Prober", &one_line(&facts.prober, MAX_NAME));
                self.write_values("Values now", facts);
            }
            AlertKind::Restored { start, end, hour, day } => {
                self.write_restored(&name, facts, (*start, *end), (*hour, *day));
            }
            AlertKind::Unsteady { start, number, hour, day } => {
                self.write_unsteady(&name, facts, (*start, event.at), *number, (*hour, *day));
            }
            AlertKind::Flapping { changes, verdict } => self.write_flapping(&name, facts, *changes, *verdict),
            AlertKind::FlappingDigest { start, since, counts, verdict, .. } => {
                self.write_digest(&name, facts, (*start, *since), *counts, *verdict);
            }
            AlertKind::FlappingOver { start, counts, verdict } => {
                self.write_flapping_over(&name, facts, (*start, event.at), *counts, *verdict);
            }
            AlertKind::Leftovers { kinds } => self.write_leftovers(&name, facts, kinds),
            AlertKind::LeftoversGone { start } => self.write_leftovers_gone(&name, facts, *start, event.at),
            AlertKind::CertificateExpires { days, .. } => self.write_certificate(&name, facts, *days),
            AlertKind::CertificateRenewed { days } => self.write_renewed(&name, facts, *days),
            AlertKind::PasswordExpires { days, .. } => self.write_password(&name, facts, *days),
            AlertKind::PasswordRenewed {} => self.write_password_lasts(&name, facts),
            AlertKind::Steady { start, end, times } => self.write_steady(&name, facts, (*start, *end), *times),
            AlertKind::Test { version } => {
                let at = self.time(event.at);
                self.line("This is a test: somebody asked on the prober whether messages arrive. Nothing is wrong.");
                self.line("");
                self.field("Prober", &one_line(&facts.prober, MAX_NAME));
                self.field("Version", &one_line(version, MAX_NAME));
                self.field("Sent", &at);
            }
            AlertKind::Blind { since } => {
                let (since, lasted) = (self.time(*since), words(length(*since, event.at)));
                self.line(&format!(
                    "The prober is blind: it cannot tell since {since}, for {lasted} now, whether {name} is up or down."
                ));
                self.write_failure(&name, facts);
                self.write_values("Last values", facts);
                self.write_dialogue(&facts.dialogue);
            }
            // Its channel has the text.
            AlertKind::Report { title } => self.line(title),
            AlertKind::BlindOver { since, verdict } => {
                let (since, lasted) = (self.time(*since), words(length(*since, event.at)));
                self.line(&format!(
                    "The prober can tell again: {name} is {verdict}. It was blind since {since}, for {lasted}."
                ));
                self.line("");
                self.field("Prober", &one_line(&facts.prober, MAX_NAME));
                self.write_values("Values now", facts);
            }
        }
    }

    /// Said of the prober's own uplink.
    fn own_outage(&mut self, facts: &AlertFacts) {
        if facts.reason == Some(MalfunctionKind::OwnUplinkDown.into()) {
            self.line("Until it is back, every site is unknown, and nobody is told of one.");
        }
    }

    fn write_failure(&mut self, name: &str, facts: &AlertFacts) {
        self.line("");
        self.field("Site", name);
        self.field("Stage", facts.stage.map_or("-", |stage| stage.as_str()));
        self.field("Reason", facts.reason.map_or("-", |reason| reason.as_str()));
        self.field("Fault domain", facts.fault_domain().map_or("-", |domain| domain.as_str()));
        self.detail(facts);
        self.restart(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        if let Some(reason) = facts.reason {
            self.line("");
            self.line("What to try");
            for reason in [Some(reason), restart_reason(facts)].into_iter().flatten() {
                self.line(&format!("  {}", what_to_try(reason)));
            }
        }
    }

    fn write_values(&mut self, title: &str, facts: &AlertFacts) {
        self.line("");
        self.line(title);
        self.field("  External ping", &ping(facts.external));
        if let Some(gateway) = &facts.gateway {
            self.field("  Gateway", &one_line(gateway, MAX_LINE));
        }
        if !tunnel::is_tunnel(facts) {
            self.field("  Login", &milliseconds(facts.login_ms));
        }
        self.field("  Internal ping", &ping(facts.internal));
        if !facts.checks.is_empty() {
            self.field("  Checks", &one_line(&facts.checks, MAX_LINE));
        }
        self.write_tunnel(facts);
        self.field("  Stages", &one_line(&facts.stages, MAX_LINE));
    }

    fn write_dialogue(&mut self, dialogue: &[DialogueEvent]) {
        if dialogue.is_empty() {
            return;
        }
        self.line("");
        self.line("Last lines of the dialogue (seconds since the client's start; > was typed by the prober)");
        for event in dialogue {
            let mark = if event.sent { '>' } else { ' ' };
            let (seconds, millis) = (event.at_ms / 1000, event.at_ms % 1000);
            let line = format!("{seconds:>5}.{millis:03} {mark} {}", one_line(&event.text, MAX_LINE));
            self.lines.push(Line::Code(line.trim_end().to_owned()));
        }
    }

    fn detail(&mut self, facts: &AlertFacts) {
        if let Some(detail) = &facts.detail {
            self.field("Detail", &one_line(detail, MAX_LINE));
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        self.lines.push(Line::Field(name.to_owned(), value.to_owned()));
    }

    fn line(&mut self, line: &str) {
        self.lines.push(Line::Text(line.to_owned()));
    }

    fn time(&self, time: DateTime<Utc>) -> String {
        time.with_timezone(self.zone).format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

fn ping(facts: Option<PingFacts>) -> String {
    let Some(PingFacts { rtt_ms, loss_pct }) = facts else { return "not measured".into() };
    let rtt = rtt_ms.map_or_else(|| "no reply".into(), |rtt| format!("{rtt:.3} ms"));
    format!("{rtt}, {loss_pct:.0} % lost")
}

fn milliseconds(value: Option<f64>) -> String {
    value.map_or_else(|| "not measured".into(), |ms| format!("{:.3} s", ms / 1000.0))
}

/// A length of time as people say it: `45 s`, `25 min`, `2 h 5 min`, `3 d 4 h`; cut off, not rounded.
fn words(length: Duration) -> String {
    let (seconds, minutes, hours, days) =
        (length.as_secs(), length.as_secs() / 60, length.as_secs() / 3600, length.as_secs() / 86_400);
    let (large, small) = match (days, hours, minutes) {
        (0, 0, 0) => (format!("{seconds} s"), (0, "")),
        (0, 0, _) => (format!("{minutes} min"), (0, "")),
        (0, _, _) => (format!("{hours} h"), (minutes % 60, "min")),
        _ => (format!("{days} d"), (hours % 24, "h")),
    };
    let mut words = large;
    if small.0 > 0 {
        // Writing to a String cannot fail.
        let _ = write!(words, " {} {}", small.0, small.1);
    }
    words
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
