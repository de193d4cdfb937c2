//! What machines are told of an event: its fields by name, and the prober's own JSON document. Pure.
//!
//! Both are public interface: a field is only ever added (docs/alerts.md).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::policy::length;
use super::severity::Part;
use super::{AlertEvent, AlertFacts, AlertKind, Outgoing, PingFacts};
use crate::record::{SiteKind, Verdict, one_line};

/// Version of the document.
const VERSION: u32 = 1;

/// Every name that [`Outgoing::field`] knows.
pub(super) use crate::config::MESSAGE_FIELDS;

impl AlertKind {
    /// Its name in documents.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Triggered { .. } => "triggered",
            Self::Reminder { .. } => "reminder",
            Self::Resolved { .. } => "resolved",
            Self::Restored { .. } => "restored",
            Self::Unsteady { .. } => "unsteady",
            Self::Steady { .. } => "steady",
            Self::Flapping { .. } => "flapping",
            Self::FlappingDigest { .. } => "flapping-digest",
            Self::FlappingOver { .. } => "flapping-over",
            Self::Leftovers { .. } => "leftovers",
            Self::LeftoversGone { .. } => "leftovers-gone",
            Self::CertificateExpires { .. } => "certificate-expires",
            Self::CertificateRenewed { .. } => "certificate-renewed",
            Self::PasswordExpires { .. } => "password-expires",
            Self::PasswordRenewed {} => "password-renewed",
            Self::Blind { .. } => "blind",
            Self::Test { .. } => "test",
            Self::BlindOver { .. } => "blind-over",
            Self::Report { .. } => "report",
        }
    }

    /// What it says that the site is.
    const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Triggered { .. } | Self::Reminder { .. } => Some(Verdict::Down),
            Self::Resolved { .. } | Self::Restored { .. } | Self::Unsteady { .. } | Self::Steady { .. } => {
                Some(Verdict::Up)
            }
            Self::Blind { .. } => Some(Verdict::Unknown),
            Self::BlindOver { verdict, .. }
            | Self::Flapping { verdict, .. }
            | Self::FlappingDigest { verdict, .. }
            | Self::FlappingOver { verdict, .. } => Some(*verdict),
            Self::Leftovers { .. }
            | Self::LeftoversGone { .. }
            | Self::CertificateExpires { .. }
            | Self::CertificateRenewed { .. }
            | Self::PasswordExpires { .. }
            | Self::PasswordRenewed {}
            | Self::Test { .. }
            | Self::Report { .. } => None,
        }
    }
}

impl AlertEvent {
    /// When what it tells of began, and when it was over.
    pub(super) const fn span(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        match self.kind {
            AlertKind::Triggered { start, .. }
            | AlertKind::Reminder { start, .. }
            | AlertKind::Unsteady { start, .. }
            | AlertKind::FlappingDigest { start, .. } => (Some(start), None),
            AlertKind::Flapping { .. }
            | AlertKind::Leftovers { .. }
            | AlertKind::CertificateExpires { .. }
            | AlertKind::PasswordExpires { .. } => (Some(self.at), None),
            AlertKind::FlappingOver { start, .. } | AlertKind::LeftoversGone { start } => (Some(start), Some(self.at)),
            AlertKind::CertificateRenewed { .. } | AlertKind::PasswordRenewed {} => (None, Some(self.at)),
            AlertKind::Resolved { start, end, .. }
            | AlertKind::Restored { start, end, .. }
            | AlertKind::Steady { start, end, .. } => (Some(start), Some(end)),
            AlertKind::Blind { since } => (Some(since), None),
            AlertKind::BlindOver { since, .. } => (Some(since), Some(self.at)),
            AlertKind::Test { .. } | AlertKind::Report { .. } => (None, None),
        }
    }
}

impl Outgoing {
    /// What its story is about: what had failed when people were told first.
    pub(super) fn cause(&self) -> &AlertFacts {
        match (&self.first, &self.event.kind) {
            (Some(first), _) => &first.facts,
            (None, AlertKind::Resolved { failed, .. }) => failed,
            (None, _) => &self.event.facts,
        }
    }

    /// Whether it still goes on, is over, or is a notice.
    pub(super) const fn status(&self) -> &'static str {
        match self.event.kind.part() {
            Part::Beginning | Part::Middle => "firing",
            Part::End => "resolved",
            Part::Alone => "notice",
        }
    }

    /// A field of a template; none: there is no such field, empty: it has no value.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let (event, cause) = (&self.event, self.cause());
        let (start, end) = event.span();
        let moment = |time: Option<DateTime<Utc>>| time.map(rfc3339).unwrap_or_default();
        Some(match name {
            "id" => event.id.clone(),
            "thread" => event.thread.clone(),
            "kind" => event.kind.as_str().to_owned(),
            "status" => self.status().to_owned(),
            "severity" => event.kind.severity().as_str().to_owned(),
            "site" => one_line(&event.subject),
            "site_kind" => cause.kind.map(SiteKind::as_str).unwrap_or_default().to_owned(),
            "group" => one_line(cause.group.as_deref().unwrap_or_default()),
            "prober" => one_line(&event.facts.prober),
            "at" => rfc3339(event.at),
            "start" => moment(start),
            "end" => moment(end),
            "seconds" => self.seconds().map(|seconds| seconds.to_string()).unwrap_or_default(),
            "verdict" => event.kind.verdict().map(Verdict::as_str).unwrap_or_default().to_owned(),
            "stage" => cause.stage.map(|stage| stage.as_str().to_owned()).unwrap_or_default(),
            "reason" => cause.reason.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
            "fault_domain" => cause.fault_domain().map(|domain| domain.as_str().to_owned()).unwrap_or_default(),
            "sites" => event.facts.sites.iter().flatten().map(|site| one_line(site)).collect::<Vec<_>>().join(" "),
            "detail" => one_line(cause.detail.as_deref().unwrap_or_default()),
            "subject" => self.subject.clone(),
            "text" => self.body.clone(),
            _ => return None,
        })
    }

    /// How long it lasted, or lasts until now.
    fn seconds(&self) -> Option<u64> {
        let (start, end) = self.event.span();
        start.map(|start| length(start, end.unwrap_or(self.event.at)).as_secs())
    }

    /// The prober's own document. What is not known is null.
    pub(super) fn document(&self) -> Value {
        let text = |name: &str| self.field(name).filter(|value| !value.is_empty());
        let facts = &self.event.facts;
        let loss = |ping: Option<PingFacts>| ping.map(|ping| ping.loss_pct);
        let rtt = |ping: Option<PingFacts>| ping.and_then(|ping| ping.rtt_ms);
        json!({
            "version": VERSION,
            "id": text("id"),
            "thread": text("thread"),
            "kind": text("kind"),
            "status": text("status"),
            "severity": text("severity"),
            "site": text("site"),
            "site_kind": text("site_kind"),
            "group": text("group"),
            "prober": text("prober"),
            "at": text("at"),
            "start": text("start"),
            "end": text("end"),
            "seconds": self.seconds(),
            "verdict": text("verdict"),
            "stage": text("stage"),
            "reason": text("reason"),
            "fault_domain": text("fault_domain"),
            "detail": text("detail"),
            "sites": facts.sites,
            "values": {
                "external_rtt_ms": rtt(facts.external),
                "external_loss_pct": loss(facts.external),
                "login_ms": facts.login_ms,
                "internal_rtt_ms": rtt(facts.internal),
                "internal_loss_pct": loss(facts.internal),
                "checks": Some(one_line(&facts.checks)).filter(|checks| !checks.is_empty()),
                "stages": Some(one_line(&facts.stages)).filter(|stages| !stages.is_empty()),
            },
            "subject": text("subject"),
            "text": text("text"),
        })
    }
}

/// As rows have it, in UTC.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
#[path = "document_tests.rs"]
pub(super) mod tests;
