//! A channel with what goes to it.

use std::sync::Arc;
use std::time::Duration;

use super::{AlertEvent, AlertKind, Channel, Outgoing, SendError};
use crate::config::{Fallback, Route};
use crate::net::BoxFuture;
use crate::record::MalfunctionKind;

/// A channel, and its route.
pub struct RoutedChannel {
    channel: Arc<dyn Channel>,
    route: Route,
}

impl RoutedChannel {
    /// This channel by this route.
    pub fn new(channel: Arc<dyn Channel>, route: Route) -> Self {
        Self { channel, route }
    }
}

/// Whether it is told of every site at once: what they have in common, or the prober's own uplink.
fn is_of_all_sites(event: &AlertEvent) -> bool {
    let is_state =
        matches!(event.kind, AlertKind::Triggered { .. } | AlertKind::Reminder { .. } | AlertKind::Resolved { .. });
    let is_own_outage = event.facts.reason == Some(MalfunctionKind::OwnUplinkDown.into());
    event.facts.sites.is_some() || (is_state && is_own_outage)
}

/// Whether this event goes by this route.
fn takes(route: &Route, event: &AlertEvent) -> bool {
    let is_for_all = matches!(event.kind, AlertKind::Test { .. });
    // Nothing is told of any single site then.
    let takes_site = is_of_all_sites(event) || route.sites.as_ref().is_none_or(|sites| sites.contains(&event.subject));
    is_for_all || (takes_site && event.kind.severity() >= route.severity)
}

impl Channel for RoutedChannel {
    fn name(&self) -> &str {
        self.channel.name()
    }

    fn takes_alerts(&self) -> bool {
        self.channel.takes_alerts()
    }

    fn takes(&self, event: &AlertEvent) -> bool {
        self.channel.takes(event) && takes(&self.route, event)
    }

    fn fallback(&self) -> Option<&Fallback> {
        self.route.fallback.as_ref()
    }

    fn repeat(&self) -> Option<Duration> {
        self.channel.repeat()
    }

    fn refresh<'a>(&'a self, going_on: &'a [Outgoing]) -> BoxFuture<'a, Result<(), SendError>> {
        self.channel.refresh(going_on)
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        self.channel.send(outgoing)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::alert::AlertFacts;
    use crate::config::Severity;

    fn event(subject: &str, kind: AlertKind) -> AlertEvent {
        let (id, at) = ("id".to_owned(), chrono::DateTime::UNIX_EPOCH);
        AlertEvent { thread: id.clone(), id, subject: subject.into(), at, kind, facts: AlertFacts::default() }
    }

    #[test]
    fn a_channel_is_told_of_its_sites_from_its_severity_on() {
        let at = chrono::DateTime::UNIX_EPOCH;
        let down = || AlertKind::Triggered { start: at, downs: 2 };
        let restored = || AlertKind::Restored { start: at, end: at, hour: 1, day: 1 };
        let paris = Route { sites: Some(BTreeSet::from(["paris".to_owned()])), ..Route::default() };
        let pager = Route { severity: Severity::Critical, ..Route::default() };
        for (route, subject, kind, expected) in [
            (&paris, "paris", restored(), true),
            (&paris, "rome", down(), false),
            (&pager, "rome", down(), true),
            (&pager, "rome", AlertKind::Blind { since: at }, false),
            (&pager, "rome", restored(), false),
            (&pager, "edge-1", AlertKind::Test { version: "1".into() }, true),
        ] {
            assert_eq!(takes(route, &event(subject, kind.clone())), expected, "{subject} {kind:?}");
        }
        let of = |kind, facts| AlertEvent { facts, ..event("rome", kind) };
        let no_uplink = || AlertFacts { reason: Some(MalfunctionKind::OwnUplinkDown.into()), ..AlertFacts::default() };
        let all = AlertFacts { sites: Some(vec!["rome".into()]), ..AlertFacts::default() };
        assert!(takes(&paris, &of(down(), no_uplink())) && takes(&paris, &of(down(), all)), "of all sites");
        assert!(
            !takes(&paris, &of(AlertKind::CertificateRenewed { days: 9 }, no_uplink())),
            "of one, whose cycle it was"
        );
    }
}
