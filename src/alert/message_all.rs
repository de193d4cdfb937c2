//! What a message says of all sites at once, when they have a failure in common.

use chrono::{DateTime, Utc};

use super::{Body, MAX_LINE, MAX_NAME, cause, length, one_line, what_to_try, words};
use crate::alert::{AlertEvent, AlertFacts, AlertKind};

const WHAT_THEY_SHARE: &str = "Look first at what they share: the directory or identity provider, the accounts, a licence, the network behind the gateways, this host and its VPN client.";
const TOLD_SINGLY: &str = "Each that still is so at its next cycle is told of singly.";

/// The headline; none for a message of one site.
pub(super) fn headline(event: &AlertEvent) -> Option<String> {
    let count = event.facts.sites.as_ref()?.len();
    let (name, cause) = (one_line(&event.subject, MAX_NAME), cause(&event.facts));
    let lasted = |start: DateTime<Utc>| words(length(start, event.at));
    Some(match event.kind {
        AlertKind::Triggered { .. } => format!("{name} DOWN ({count}): {cause}"),
        AlertKind::Reminder { start, .. } => format!("{name} still DOWN after {} ({count}): {cause}", lasted(start)),
        AlertKind::Resolved { start, end, .. } => {
            format!("{name}: no longer all DOWN after {}", words(length(start, end)))
        }
        AlertKind::Blind { since } => format!("{name} UNKNOWN for {} ({count}): {cause}", lasted(since)),
        AlertKind::BlindOver { since, .. } => format!("{name}: no longer all UNKNOWN after {}", lasted(since)),
        _ => return None,
    })
}

impl Body<'_> {
    /// Writes it; `false`: it is of one site.
    pub(super) fn write_of_all(&mut self, event: &AlertEvent) -> bool {
        let facts = &event.facts;
        let Some(sites) = &facts.sites else { return false };
        let count = sites.len();
        let decided_by = one_line(facts.decided_by.as_deref().unwrap_or_default(), MAX_NAME);
        let where_ = facts.stage.map_or_else(String::new, |stage| format!(" at stage {stage}"));
        match &event.kind {
            AlertKind::Triggered { start, .. } => {
                let start = self.time(*start);
                self.line(&format!("All {count} sites fail{where_} since {start}."));
                self.write_what_is_common(sites, &decided_by, facts);
            }
            AlertKind::Reminder { start, number } => {
                let (start, lasted) = (self.time(*start), words(length(*start, event.at)));
                self.line(&format!(
                    "All {count} sites still fail{where_} since {start}, for {lasted} now (reminder {number})."
                ));
                self.write_what_is_common(sites, &decided_by, facts);
            }
            AlertKind::Blind { since } => {
                let (since, lasted) = (self.time(*since), words(length(*since, event.at)));
                self.line(&format!(
                    "The prober is blind: it cannot tell since {since}, for {lasted} now, whether any of {count} sites is up or down."
                ));
                self.write_what_is_common(sites, &decided_by, facts);
            }
            AlertKind::Resolved { start, end, failed, .. } => {
                let (from, to, lasted) = (self.time(*start), self.time(*end), words(length(*start, *end)));
                let now = facts.reason.map_or_else(|| "is up".to_owned(), |_| format!("fails: {}", cause(facts)));
                self.line(&format!("Not all sites fail alike any more: {decided_by} {now}."));
                self.write_rest(sites, (&from, &to, &lasted), facts);
                self.field("What failed", &cause(failed));
            }
            AlertKind::BlindOver { since, .. } => {
                let (from, to, lasted) = (self.time(*since), self.time(event.at), words(length(*since, event.at)));
                self.line(&format!("The prober can tell again, of {decided_by} first."));
                self.write_rest(sites, (&from, &to, &lasted), facts);
            }
            _ => return false,
        }
        true
    }

    fn write_what_is_common(&mut self, sites: &[String], decided_by: &str, facts: &AlertFacts) {
        self.line(
            "That points to something they share. Until one of them is otherwise, nobody is told of a single site.",
        );
        self.line("");
        self.field("Sites", &listed(sites));
        self.field("Looked at last", decided_by);
        self.field("Stage", facts.stage.map_or("-", |stage| stage.as_str()));
        self.field("Reason", facts.reason.map_or("-", |reason| reason.as_str()));
        self.field("Fault domain", facts.fault_domain().map_or("-", |domain| domain.as_str()));
        self.detail(facts);
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.line("");
        self.line("What to try");
        self.line(&format!("  {WHAT_THEY_SHARE}"));
        if let Some(reason) = facts.reason {
            self.line(&format!("  {}", what_to_try(reason)));
        }
        self.write_values(&format!("Last values of {decided_by}"), facts);
        self.write_dialogue(&facts.dialogue);
    }

    fn write_rest(&mut self, sites: &[String], (from, to, lasted): (&str, &str, &str), facts: &AlertFacts) {
        if !sites.is_empty() {
            self.line(TOLD_SINGLY);
        }
        self.line("");
        self.field("From", from);
        self.field("To", to);
        self.field("Length", lasted);
        self.field("Still so", &listed(sites));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
    }
}

/// `3: paris, rome, tokyo`, as many names as a line has room for.
fn listed(sites: &[String]) -> String {
    let mut names = String::new();
    for (number, site) in sites.iter().enumerate() {
        let name = one_line(site, MAX_NAME);
        if names.chars().count() + name.chars().count() > MAX_LINE {
            return format!("{}: {names} and {} more", sites.len(), sites.len() - number);
        }
        if number > 0 {
            names.push_str(", ");
        }
        names.push_str(&name);
    }
    if sites.is_empty() { "none".to_owned() } else { format!("{}: {names}", sites.len()) }
}
