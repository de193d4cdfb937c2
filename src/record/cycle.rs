//! The record of one cycle.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};

use super::{
    CheckRecord, GatewayFacts, InForce, LeftoverKind, Outcome, PasswordTerm, Reason, SiteKind, Stage, TunnelFacts,
    Verdict, is_unseen,
};

/// The name of a site, as configured: not empty, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SiteName(String);

/// Why a text is no name of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteNameError {
    /// Nothing but spaces, or nothing at all.
    #[error("a site needs a name")]
    Empty,
    /// A newline, an escape or another control character.
    #[error("a site's name must not contain control characters")]
    ControlCharacter,
}

impl SiteName {
    /// Checks the name.
    pub fn new(name: impl Into<String>) -> Result<Self, SiteNameError> {
        let name = name.into();
        if name.trim().is_empty() {
            return Err(SiteNameError::Empty);
        }
        if name.chars().any(char::is_control) {
            return Err(SiteNameError::ControlCharacter);
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SiteName {
    type Error = SiteNameError;
    fn try_from(name: String) -> Result<Self, SiteNameError> {
        Self::new(name)
    }
}

impl From<SiteName> for String {
    fn from(name: SiteName) -> Self {
        name.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Names one cycle: unique, and sorts by time as text (`20261120T061530.123Z-9f3ab2c1`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CycleId(String);

impl CycleId {
    /// The id of a cycle that starts at `time`; `random` keeps two that start in one millisecond apart.
    pub fn new(time: DateTime<Utc>, random: u32) -> Self {
        Self(format!("{}-{random:08x}", time.format("%Y%m%dT%H%M%S%.3fZ")))
    }

    /// The id as read back from a row or a journal.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CycleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a series of echo requests brought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PingStats {
    /// Requests sent.
    pub sent: u32,
    /// Replies received, each counted once.
    pub received: u32,
    /// Round-trip times of the replies; none without a reply.
    pub rtt: Option<RttStats>,
}

/// Round-trip times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RttStats {
    /// Smallest.
    pub min: Duration,
    /// Mean.
    pub avg: Duration,
    /// Largest.
    pub max: Duration,
    /// Standard deviation of the population, as `ping` prints it (`mdev`).
    pub deviation: Duration,
}

impl PingStats {
    /// The figures of `sent` requests whose replies took `rtts`.
    pub fn from_rtts(sent: u32, rtts: &[Duration]) -> Self {
        let received = u32::try_from(rtts.len()).unwrap_or(u32::MAX);
        let rtt = rtts.iter().min().zip(rtts.iter().max()).map(|(&min, &max)| {
            let count = f64::from(received);
            let avg = rtts.iter().map(Duration::as_secs_f64).sum::<f64>() / count;
            let variance = rtts.iter().map(|r| (r.as_secs_f64() - avg).powi(2)).sum::<f64>() / count;
            let deviation = Duration::from_secs_f64(variance.sqrt());
            RttStats { min, avg: Duration::from_secs_f64(avg), max, deviation }
        });
        Self { sent, received, rtt }
    }

    /// Lost requests in percent, 0 to 100; 0 when none was sent.
    pub fn loss_pct(&self) -> f64 {
        if self.sent == 0 {
            return 0.0;
        }
        f64::from(self.sent.saturating_sub(self.received)) * 100.0 / f64::from(self.sent)
    }
}

/// One stage of a cycle, done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Which.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether a failure makes the site down (`external_required: false` takes that from `external`).
    pub required: bool,
    /// How long it took.
    pub took: Duration,
    /// What a person wants to know beside the reason: one line, no secret, no control character.
    pub detail: Option<String>,
}

/// Text for a record: one line, no control or invisible characters, at most 300 characters.
pub fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> = text.split(|c: char| is_unseen(c) || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// One line of the dialogue with the client, secrets blanked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogueEvent {
    /// Milliseconds since the client was started.
    pub at_ms: u64,
    /// `true`: the prober typed it; `false`: the client printed it.
    pub sent: bool,
    /// The text: one line, escape sequences removed, secrets replaced by their field's name (`<password>`).
    pub text: String,
}

/// What one cycle found. A cycle that ran always has exactly one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CycleRecord {
    /// Unique, sortable by time.
    pub id: CycleId,
    /// Start of the cycle, in the configured time zone.
    pub time: DateTime<FixedOffset>,
    /// The site.
    pub site: SiteName,
    /// Its kind.
    pub kind: SiteKind,
    /// Its group, where it has one.
    pub group: Option<String>,
    /// The prober's name.
    pub prober: String,
    /// The interval in force.
    pub interval: Duration,
    /// The maintenance in which it began.
    #[serde(default)]
    pub maintenance: Option<InForce>,
    /// The stages in their order, skipped ones included.
    pub stages: Vec<StageRecord>,
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// The stage that decided a verdict other than up.
    pub failed_stage: Option<Stage>,
    /// Its reason.
    pub reason: Option<Reason>,
    /// What a person wants to know beside the reason: one line, no secret, no control character.
    pub detail: Option<String>,
    /// Echo requests to the external address.
    pub external: Option<PingStats>,
    /// What the stage `gateway` saw.
    #[serde(default)]
    pub gateway: Option<GatewayFacts>,
    /// From the return of spawn to the client's word that the tunnel is up.
    pub login: Option<Duration>,
    /// Echo requests through the tunnel.
    pub internal: Option<PingStats>,
    /// Checks through the tunnel, in their order.
    #[serde(default)]
    pub checks: Vec<CheckRecord>,
    /// What strongSwan said of the tunnel, where it is one of its.
    #[serde(default)]
    pub tunnel: Option<TunnelFacts>,
    /// How often it was restarted; none where the site is no tunnel that could be.
    #[serde(default)]
    pub restarts: Option<u32>,
    /// From the start of the cycle until a tunnel that was found dead carried traffic again.
    #[serde(default)]
    pub restore: Option<Duration>,
    /// An event began the cycle, not the timetable: it does not count towards `alerts.after`.
    #[serde(default)]
    pub triggered: bool,
    /// What stayed on the host.
    pub leftovers: Vec<LeftoverKind>,
    /// The whole cycle; `None` when it was cut.
    pub took: Option<Duration>,
    /// The dialogue with the client.
    pub dialogue: Vec<DialogueEvent>,
}

impl CycleRecord {
    /// Whole days until the gateway's certificate ends; negative once it has.
    pub fn cert_days_left(&self) -> Option<i64> {
        Some(self.gateway.as_ref()?.certificate.as_ref()?.days_left)
    }

    /// How long the password still is good, by the client's words; none where nobody logged in.
    pub fn password_term(&self) -> Option<PasswordTerm> {
        PasswordTerm::of(self)
    }

    /// Whole days until the password expires, where the client said so.
    pub fn password_days_left(&self) -> Option<i64> {
        match self.password_term()? {
            PasswordTerm::Days(days) => Some(days),
            PasswordTerm::Unsaid => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time() {
        let early = CycleId::new("2026-11-20T06:15:30.999Z".parse().unwrap(), u32::MAX);
        let late = CycleId::new("2026-11-20T06:15:31.000Z".parse().unwrap(), 0);
        assert_eq!(early.as_str(), "20261120T061530.999Z-ffffffff");
        assert!(early < late);
    }

    #[test]
    fn a_detail_is_one_short_line() {
        assert_eq!(one_line(" a\r\n\tb\u{1b}[2J  c "), "a b [2J c");
        assert_eq!(one_line("in\u{202e}ver\u{200b}ted"), "in ver ted");
        assert_eq!(one_line(&"ü".repeat(1000)).chars().count(), 301);
    }

    #[test]
    fn no_reply_has_no_round_trip_time() {
        let stats = PingStats::from_rtts(5, &[]);
        assert_eq!(stats.rtt, None);
        assert!((stats.loss_pct() - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn figures_are_those_of_ping() {
        let ms = Duration::from_millis;
        let rtt = PingStats::from_rtts(4, &[ms(1), ms(2), ms(3), ms(2)]).rtt.unwrap();
        assert_eq!((rtt.min, rtt.avg, rtt.max), (ms(1), ms(2), ms(3)));
        assert_eq!(rtt.deviation.as_micros(), 707);
    }

    #[test]
    fn a_site_needs_a_name_without_control_characters() {
        assert_eq!(SiteName::new("  "), Err(SiteNameError::Empty));
        assert_eq!(SiteName::new("a\nb"), Err(SiteNameError::ControlCharacter));
        assert!(SiteName::new("../x, =cmd()").is_ok());
    }
}
