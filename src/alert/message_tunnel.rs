//! What a message says of a tunnel: that it was brought back, what was tried, what it carries.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Body, MAX_LINE, MAX_NAME, cause, length, one_line, words};
use crate::alert::AlertFacts;
use crate::alert::restores::MAX_TIMES;
use crate::record::{SiteKind, TunnelFacts};

/// From one time to another.
type Span = (DateTime<Utc>, DateTime<Utc>);
/// How often it was restored: within the last hour, within the last day.
type Restored = (u32, u32);

const OF_ONE_THAT_FALLS: &str = "Look for what the falls have in common: the line to the peer, lifetimes and proposals of both sides, the peer's log at those times. Users lose their connections each time.";

impl Body<'_> {
    /// It was brought back.
    pub(super) fn write_restored(&mut self, name: &str, facts: &AlertFacts, down: Span, restored: Restored) {
        let (from, to) = (self.time(down.0), self.time(down.1));
        self.line(&format!("{name} had fallen, and the prober brought it back: {} since {to}.", again(facts)));
        self.line("This is a notice: nothing is to be done. The third within an hour is an alert.");
        self.line("");
        self.field("Down from", &from);
        self.field("Down to", &to);
        self.field("Length", &brief(length(down.0, down.1)));
        self.write_fall(facts, restored);
        self.write_values("Values now", facts);
    }

    /// It falls again and again; `number`: the how manieth reminder, 0 for none. `lasts`: from the first to now.
    pub(super) fn write_unsteady(
        &mut self,
        name: &str,
        facts: &AlertFacts,
        lasts: Span,
        number: u32,
        restored: Restored,
    ) {
        let (from, lasted) = (self.time(lasts.0), words(length(lasts.0, lasts.1)));
        self.line(&match number {
            0 => format!("{name} falls again and again, since {from}, and the prober brings it back."),
            _ => format!("{name} still falls again and again, since {from}, for {lasted} now (reminder {number})."),
        });
        self.line(&format!("Now {}. There are no more notices until it has held for an hour.", again(facts)));
        self.line("");
        self.write_fall(facts, restored);
        self.line("");
        self.line("What to try");
        self.line(&format!("  {OF_ONE_THAT_FALLS}"));
        self.write_values("Values now", facts);
    }

    /// It holds. `fell`: from its first fall to the end of its last.
    pub(super) fn write_steady(&mut self, name: &str, facts: &AlertFacts, fell: Span, restored: u32) {
        let (from, to) = (self.time(fell.0), self.time(fell.1));
        self.line(&format!("{name} holds: whenever it was looked at since {to}, it was up."));
        self.line("");
        self.field("Fell from", &from);
        self.field("Fell to", &to);
        self.field("Length", &words(length(fell.0, fell.1)));
        self.field("Restored", &times(restored));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
        self.write_values("Values now", facts);
    }

    /// The latest fall and how often there was one.
    fn write_fall(&mut self, facts: &AlertFacts, (hour, day): Restored) {
        self.field("What failed", &cause(facts));
        self.detail(facts);
        self.restart(facts);
        self.field("Restored", &format!("{} in the last hour, {} in the last day", times(hour), times(day)));
        self.field("Prober", &one_line(&facts.prober, MAX_NAME));
    }

    /// What was done to bring it back, or why nothing was.
    pub(super) fn restart(&mut self, facts: &AlertFacts) {
        if let Some(restart) = &facts.restart {
            self.field("Restart", &one_line(&restart.words, MAX_LINE));
        }
    }

    /// What strongSwan says that it carried.
    pub(super) fn write_tunnel(&mut self, facts: &AlertFacts) {
        if let Some(tunnel) = &facts.tunnel {
            self.field("  Tunnel", &carried(tunnel));
        }
    }
}

/// Whether this is a tunnel, in which nobody logs in.
pub(super) fn is_tunnel(facts: &AlertFacts) -> bool {
    facts.kind == Some(SiteKind::Ipsec)
}

fn carried(tunnel: &TunnelFacts) -> String {
    let TunnelFacts { installed, bytes_in, bytes_out, packets_in, packets_out } = tunnel;
    let mut words =
        format!("in {bytes_in} bytes ({packets_in} packets), out {bytes_out} bytes ({packets_out} packets)");
    if *installed > 1 {
        // Writing to a String cannot fail.
        let _ = write!(words, "; {installed} CHILD_SAs are up: duplicates");
    }
    words
}

/// What was seen of it at the end of the cycle.
fn again(facts: &AlertFacts) -> &'static str {
    let was_asked = facts.internal.is_some() || !facts.checks.is_empty();
    if was_asked { "it carries traffic again" } else { "it is up again" }
}

pub(super) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        // More are not remembered.
        many if usize::try_from(many).is_ok_and(|many| many >= MAX_TIMES) => format!("{MAX_TIMES} times or more"),
        many => format!("{many} times"),
    }
}

/// A length of time, to the tenth of a second where it is short.
pub(super) fn brief(length: Duration) -> String {
    if length < Duration::from_mins(1) { format!("{:.1} s", length.as_secs_f64()) } else { words(length) }
}
