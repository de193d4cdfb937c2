//! Stages on the terminal, as they happen.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::config::{Site, SiteTarget};
use crate::record::{CycleRecord, Outcome, SiteName, Stage, StageRecord, Verdict};
use crate::runner::Observer;

/// How the terminal is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terminal {
    colours: bool,
    live: bool,
}

impl Terminal {
    /// Without colours or progress.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { colours: false, live: false };

    /// Colours and progress only on a terminal; `NO_COLOR` is respected.
    pub(super) fn of_stdout() -> Self {
        let live = io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { colours: live && wanted, live }
    }

    /// The text in a colour, where there are any.
    pub(super) fn paint(self, text: &str, colour: Colour) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour.code()) } else { text.to_owned() }
    }

    /// The line that announces a site.
    pub(super) fn headline(self, site: &Site) -> String {
        let name = self.paint(site.name.as_str(), Colour::Bold);
        let target = match &site.target {
            SiteTarget::SslVpn(vpn) => format!("{} through {}", vpn.vpn_gw, vpn.client.name),
            SiteTarget::Ipsec(tunnel) => format!("CHILD_SA {}", tunnel.child_sa),
        };
        format!("{name}  {}  {target}\n", site.kind())
    }

    /// One stage, done.
    pub(super) fn stage_line(self, record: &StageRecord) -> String {
        let word = match record.outcome {
            Outcome::Passed => self.paint("passed", Colour::Green),
            Outcome::Failed(_) => self.paint("failed", Colour::Red),
            Outcome::Inconclusive(_) | Outcome::Left(_) => self.paint("unclear", Colour::Yellow),
            Outcome::Skipped { .. } => self.paint("skipped", Colour::Dim),
        };
        let padding = " ".repeat(8_usize.saturating_sub(visible(record.outcome).len()));
        let took = match record.outcome {
            Outcome::Skipped { .. } => " ".repeat(9),
            _ => format!("{:>9}", short(record.took)),
        };
        let reason = match record.outcome {
            Outcome::Passed => String::new(),
            Outcome::Skipped { because_of } => format!("because of {because_of}"),
            other => other.as_str().to_owned(),
        };
        let words = [reason, record.detail.clone().unwrap_or_default()];
        let words: Vec<_> = words.iter().filter(|w| !w.is_empty()).map(String::as_str).collect();
        format!("  {:<9} {word}{padding}{took}  {}", record.stage, words.join(": ")).trim_end().to_owned() + "\n"
    }

    /// The verdict.
    pub(super) fn verdict_line(self, record: &CycleRecord) -> String {
        let word = match record.verdict {
            Verdict::Up => self.paint("up", Colour::Green),
            Verdict::Down => self.paint("down", Colour::Red),
            Verdict::Unknown => self.paint("unknown", Colour::Yellow),
        };
        let mut facts = Vec::new();
        if let (Some(stage), Some(reason)) = (record.failed_stage, record.reason) {
            facts.push(format!("{stage} {reason} ({})", reason.fault_domain()));
        }
        if let Some(window) = &record.maintenance {
            let name = window.name.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
            facts.push(format!("in maintenance{name}"));
        }
        if let Some(login) = record.login {
            facts.push(format!("login {:.3} ms", login.as_secs_f64() * 1000.0));
        }
        if let Some(restore) = record.restore {
            facts.push(format!("restored after {}", short(restore)));
        }
        if let Some(took) = record.took {
            facts.push(format!("cycle {}", short(took)));
        }
        if !record.leftovers.is_empty() {
            let left: Vec<_> = record.leftovers.iter().map(|l| l.as_str()).collect();
            facts.push(self.paint(&format!("left behind: {}", left.join(", ")), Colour::Yellow));
        }
        format!("  = {word}  {}\n", facts.join(", "))
    }

    /// The dialogue with the client, for a cycle that is not up.
    pub(super) fn dialogue(self, record: &CycleRecord) -> String {
        if record.verdict == Verdict::Up || record.dialogue.is_empty() {
            return String::new();
        }
        let lines = record.dialogue.iter().rev().take(20).rev().map(|event| {
            let arrow = if event.sent { ">" } else { "|" };
            self.paint(&format!("    {:>7} ms {arrow} {}\n", event.at_ms, event.text), Colour::Dim)
        });
        format!("  last lines of the dialogue:\n{}", lines.collect::<String>())
    }
}

impl Observer for Terminal {
    fn begins(&self, _: &SiteName, stage: Stage) {
        if self.live {
            let mut out = io::stdout().lock();
            let _ = write!(out, "  {stage:<9} …").and_then(|()| out.flush());
        }
    }

    fn ended(&self, _: &SiteName, record: &StageRecord) {
        let mut out = io::stdout().lock();
        let back = if self.live { "\r\x1b[K" } else { "" };
        let _ = write!(out, "{back}{}", self.stage_line(record)).and_then(|()| out.flush());
    }
}

/// How a text looks on a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) enum Colour {
    /// Of what it is about.
    Bold,
    /// Of what matters less.
    Dim,
    /// Failed, down.
    Red,
    /// Passed, up.
    Green,
    /// Unclear, unknown.
    Yellow,
}

impl Colour {
    /// ECMA-48 "select graphic rendition".
    const fn code(self) -> u8 {
        match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        }
    }
}

const fn visible(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "failed",
        Outcome::Inconclusive(_) | Outcome::Left(_) => "unclear",
        Outcome::Skipped { .. } => "skipped",
    }
}

/// A duration as short as a person wants it.
fn short(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1000.0;
    if ms < 1000.0 { format!("{ms:.1} ms") } else { format!("{:.2} s", ms / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FailureKind;

    #[test]
    fn a_stage_is_one_line_with_its_reason() {
        let plain = Terminal { colours: false, live: false };
        let record = StageRecord {
            stage: Stage::Login,
            outcome: Outcome::Failed(FailureKind::AuthRejected),
            required: true,
            took: Duration::from_millis(3412),
            detail: Some("Login failed.".into()),
        };
        assert_eq!(plain.stage_line(&record), "  login     failed     3.41 s  auth-rejected: Login failed.\n");
        let skipped = StageRecord {
            stage: Stage::Internal,
            outcome: Outcome::Skipped { because_of: Stage::Login },
            detail: None,
            ..record
        };
        assert_eq!(plain.stage_line(&skipped), "  internal  skipped            because of login\n");
    }
}
