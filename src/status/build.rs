//! From what is known to the document: pure.

use chrono::{DateTime, Utc};

use super::model::{
    AccountPause, AllSites, MessageStatus, OpenAlert, OutboxStatus, SiteStatus, State, Status, VERSION,
};
use crate::account::Pauses;
use crate::alert::{AlertState, Message, Outbox, SubjectState};
use crate::config::{Config, Site};
use crate::record::{Reason, seen};
use crate::snapshot::{Board, Next, SiteSnapshot};

/// What is known.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The configuration, with its maintenance windows.
    pub config: &'a Config,
    /// What a running prober saw, and since when it runs; none where none runs.
    pub running: Option<(&'a Board, DateTime<Utc>)>,
    /// What alerts remember.
    pub alerts: &'a AlertState,
    /// Which accounts rest.
    pub pauses: &'a Pauses,
}

/// The document at `now`.
pub fn status_of(sources: Sources<'_>, now: DateTime<Utc>) -> Status {
    Status {
        version: VERSION,
        time: now,
        prober: sources.config.prober.clone(),
        running: sources.running.is_some(),
        running_since: sources.running.map(|(_, since)| since),
        uplink_down_since: sources.alerts.uplink.open_alert().map(|outage| outage.start),
        all_sites: all_sites(&sources.alerts.all_sites),
        sites: sources.config.sites.iter().map(|site| site_status(sources, site, now)).collect(),
        outbox: outbox_status(&sources.alerts.outbox, now),
    }
}

fn all_sites(story: &SubjectState) -> Option<AllSites> {
    let down =
        story.open_alert().map(|outage| AllSites { state: State::Down, since: outage.start, stage: outage.last.stage });
    down.or_else(|| Some(AllSites { state: State::Unknown, since: story.blind_since()?, stage: None }))
}

fn site_status(sources: Sources<'_>, site: &Site, now: DateTime<Utc>) -> SiteStatus {
    let subject = sources.alerts.subjects.get(site.name.as_str());
    let unprobed = SiteStatus {
        site: site.name.clone(),
        kind: site.kind(),
        group: site.group.clone(),
        state: State::NotProbed,
        since: None,
        stage: None,
        reason: None,
        fault_domain: None,
        detail: None,
        last_cycle: None,
        cycle_id: None,
        next_cycle: None,
        under_way: false,
        alert: subject.and_then(|subject| open_alert(subject, &sources.alerts.outbox)),
        blind_since: subject.and_then(SubjectState::blind_since),
        unsteady: subject.is_some_and(SubjectState::is_unsteady),
        flapping: subject.is_some_and(SubjectState::is_flapping),
        account: None,
        maintenance: sources.config.maintenance.at(now, &site.name),
        leftovers: Vec::new(),
        login_ms: None,
    };
    let known = match sources.running {
        Some((board, _)) => as_seen(unprobed, &board.site(&site.name, now), subject),
        None => as_remembered(unprobed, subject),
    };
    SiteStatus { account: pause(sources.pauses, site, &known, now), ..known }
}

/// As a running prober saw it. It may have been so before this prober was started.
fn as_seen(site: SiteStatus, seen_last: &SiteSnapshot, subject: Option<&SubjectState>) -> SiteStatus {
    let (next_cycle, under_way) = match seen_last.next {
        Some(Next::At(at)) => (Some(at), false),
        Some(Next::UnderWay) => (None, true),
        Some(Next::Waits) | None => (None, false),
    };
    let site = SiteStatus { next_cycle, under_way, ..site };
    let Some(last) = &seen_last.last else { return site };
    let remembered = subject.and_then(|subject| subject.since(last.verdict));
    SiteStatus {
        state: last.verdict.into(),
        since: remembered.into_iter().chain(seen_last.since).min(),
        stage: last.failed_stage,
        reason: last.reason,
        fault_domain: last.reason.map(Reason::fault_domain),
        detail: last.detail.as_deref().map(seen),
        last_cycle: Some(last.time.to_utc()),
        cycle_id: Some(last.id.to_string()),
        leftovers: last.leftovers.iter().map(ToString::to_string).collect(),
        login_ms: last.login.map(|took| took.as_secs_f64() * 1000.0),
        ..site
    }
}

/// As the alert state remembers it.
fn as_remembered(site: SiteStatus, subject: Option<&SubjectState>) -> SiteStatus {
    let Some((subject, verdict)) = subject.and_then(|subject| Some((subject, subject.verdict()?))) else { return site };
    let state = State::from(verdict);
    let facts = subject.outage().map(|outage| &outage.last).filter(|_| state == State::Down);
    let reason = facts.and_then(|facts| facts.reason);
    SiteStatus {
        state,
        since: subject.since(verdict),
        stage: facts.and_then(|facts| facts.stage),
        reason,
        fault_domain: reason.map(Reason::fault_domain),
        detail: facts.and_then(|facts| facts.detail.as_deref()).map(seen),
        last_cycle: subject.last_look(),
        ..site
    }
}

fn open_alert(subject: &SubjectState, outbox: &Outbox) -> Option<OpenAlert> {
    let outage = subject.open_alert()?;
    let told = outage.told.as_ref()?;
    let left = outbox.pending().chain(outbox.dead()).filter(|message| message.event.id == told.thread);
    Some(OpenAlert {
        since: outage.start,
        told: told.at,
        reminders: told.reminders,
        id: told.thread.clone(),
        undelivered: left.map(|message| seen(&message.channel)).collect(),
    })
}

/// The rest of the site's account. Gateways with directories of their own may know one user name with different
/// passwords: a site that was up since is not the one that rests.
fn pause(pauses: &Pauses, site: &Site, known: &SiteStatus, now: DateTime<Utc>) -> Option<AccountPause> {
    let account = &site.ssl_vpn()?.account;
    let rest = pauses.of(account, now)?;
    if known.state == State::Up && known.last_cycle.is_some_and(|last| last > rest.since) {
        return None;
    }
    Some(AccountPause {
        username: account.username.clone(),
        realm: account.realm.clone(),
        reason: rest.resting.reason,
        until: rest.resting.until,
    })
}

fn outbox_status(outbox: &Outbox, now: DateTime<Utc>) -> OutboxStatus {
    let message = |message: &Message| MessageStatus {
        id: seen(&message.event.id),
        channel: seen(&message.channel),
        subject: seen(&message.event.subject),
        created: message.created_at,
        age_s: u64::try_from((now - message.created_at).num_seconds()).unwrap_or(0),
        attempts: message.attempts,
        next_attempt: message.next_attempt,
        last_error: message.last_error.as_deref().map(seen),
    };
    OutboxStatus {
        pending: outbox.pending().map(message).collect(),
        dead: outbox.dead().map(message).collect(),
        delivered: outbox.delivered_total(),
        given_up: outbox.given_up_total(),
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
