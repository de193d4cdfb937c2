//! What a message says of a subject that changes between up and down again and again.

use std::fmt::Write;

use chrono::{DateTime, Utc};

use super::{Body, MAX_NAME, cause, length, one_line, words};
use crate::alert::flapping::LASTS;
use crate::alert::{AlertFacts, FlapCounts};
use crate::record::Verdict;

const OF_ONE_THAT_FLAPS: &str = "Look for what comes and goes: load at those times, one of several gateways behind the name, a line that drops packets, an account that others use too.";

impl Body<'_> {
    /// It flaps.
    pub(super) fn write_flapping(&mut self, name: &str, facts: &AlertFacts, changes: u32, verdict: Verdict) {
        self.line(&format!(
            "{name} changes between up and down again and again: {changes} times in the last 21 cycles. It is {verdict} now."
        ));
        self.line(&format!(
            "Until that is over there is a digest now and then; an outage of {LASTS} cycles in a row is told all the same."
        ));
        self.line("");
        self.field("Site", name);
        if verdict == Verdict::Down {
            self.field("What failed", &cause(facts));
            self.detail(facts);
        }
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.line("");
        self.line("What to try");
        self.line(&format!("  {OF_ONE_THAT_FLAPS}"));
        self.write_values("Values now", facts);
        self.write_dialogue(&facts.dialogue);
    }

    /// It still does. `since`: from when it was counted.
    pub(super) fn write_digest(
        &mut self,
        name: &str,
        facts: &AlertFacts,
        (start, since): (DateTime<Utc>, DateTime<Utc>),
        counts: FlapCounts,
        verdict: Verdict,
    ) {
        let (start, since) = (self.time(start), self.time(since));
        self.line(&format!("{name} still changes between up and down, since {start}. It is {verdict} now."));
        self.line("");
        self.field("Since", &since);
        self.field("Cycles", &counted(counts));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.write_values("Values now", facts);
    }

    /// It does no more.
    pub(super) fn write_flapping_over(
        &mut self,
        name: &str,
        facts: &AlertFacts,
        (start, now): (DateTime<Utc>, DateTime<Utc>),
        counts: FlapCounts,
        verdict: Verdict,
    ) {
        let (from, to, lasted) = (self.time(start), self.time(now), words(length(start, now)));
        self.line(&format!("{name} no longer changes between up and down: it stays {verdict}."));
        self.line("");
        self.field("From", &from);
        self.field("To", &to);
        self.field("Length", &lasted);
        self.field("Cycles", &counted(counts));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.write_values("Values now", facts);
    }
}

/// `12 up, 9 down; it went down 7 times`.
pub(super) fn counted(counts: FlapCounts) -> String {
    let FlapCounts { up, down, falls } = counts;
    let mut words = format!("{up} up, {down} down; it went down ");
    let _ = match falls {
        1 => write!(words, "once"),
        falls => write!(words, "{falls} times"),
    };
    words
}
