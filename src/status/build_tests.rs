use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::account::AccountBook;
use crate::alert::{AlertEvent, AlertFacts, AlertKind, Observation};
use crate::config::{AlertRules, Environment, Secret, load_str};
use crate::record::{CycleRecord, FailureKind, InForce, SiteName, Stage, Verdict};
use crate::snapshot::Due;

fn at(text: &str) -> DateTime<Utc> {
    format!("2026-11-20T{text}Z").parse().unwrap()
}

fn config() -> Config {
    let text = "prober: edge-1\ndefaults: { vpn_gw: gw.example.com, username: probe, password: x, client: openconnect }\n\
                sites: { paris: {}, lagos: { realm: staff }, oslo: { kind: ipsec, child_sa: net } }\n\
                maintenance: { name: carrier, sites: oslo, start: 2026-11-20T06:00, end: 2026-11-20T08:00 }\n";
    load_str(text, Path::new("."), "config.yml", &Environment::default()).unwrap().config
}

fn cycle(site: &str, time: &str, verdict: Verdict) -> CycleRecord {
    let json = serde_json::json!({
        "id": "id", "time": at(time), "site": site, "kind": "ssl-vpn", "prober": "edge-1",
        "interval": { "secs": 600, "nanos": 0 }, "stages": [], "verdict": verdict, "leftovers": [], "checks": [], "dialogue": [],
    });
    serde_json::from_value(json).unwrap()
}

fn down(site: &str, time: &str) -> CycleRecord {
    CycleRecord {
        failed_stage: Some(Stage::Login),
        reason: Some(FailureKind::AuthRejected.into()),
        detail: Some("No\u{202e}!\u{1b}[2J".into()),
        ..cycle(site, time, Verdict::Down)
    }
}

/// The alert state after these cycles.
fn alerts_after(cycles: &[CycleRecord]) -> AlertState {
    let mut state = AlertState::default();
    for cycle in cycles {
        let now = cycle.time.to_utc();
        state.observe(&Observation::from_record(cycle), AlertRules::default(), now);
    }
    state
}

#[test]
fn an_alert_names_the_channels_that_have_not_delivered_it() {
    let mut alerts = alerts_after(&[down("paris", "06:00:00")]);
    let second = Observation::from_record(&down("paris", "06:10:00"));
    for event in alerts.observe(&second, AlertRules::default(), at("06:10:05")) {
        alerts.outbox.enqueue("email", event, at("06:10:05"));
    }
    let undelivered = |alerts: &AlertState| {
        let sources = Sources { config: &config(), running: None, alerts, pauses: &Pauses::default() };
        status_of(sources, at("06:11:00")).sites[0].alert.as_ref().unwrap().undelivered.clone()
    };
    assert_eq!(undelivered(&alerts), ["email"]);
    let key = alerts.outbox.pending().next().unwrap().key();
    alerts.outbox.delivered(&key);
    assert_eq!(undelivered(&alerts), [""; 0]);
}

#[test]
fn what_all_sites_have_in_common_is_in_the_document() {
    let cycles = ["06:00:00", "06:10:00"].map(|time| [down("paris", time), down("lagos", time)]).concat();
    let alerts = alerts_after(&cycles);
    let sources = Sources { config: &config(), running: None, alerts: &alerts, pauses: &Pauses::default() };
    let status = status_of(sources, at("06:10:05"));
    let expected = AllSites { state: State::Down, since: at("06:00:00"), stage: Some(Stage::Login) };
    assert_eq!(status.all_sites, Some(expected));
}

fn running(cycles: &[CycleRecord], alerts: &AlertState, pauses: &Pauses, now: &str) -> Status {
    let board = Board::default();
    for cycle in cycles {
        board.note(cycle);
    }
    let paris = SiteName::new("paris").unwrap();
    board.note_due([(&paris, Due::At(Instant::now() + Duration::from_mins(10)))]);
    let running = Some((&board, at("06:00:00")));
    status_of(Sources { config: &config(), running, alerts, pauses }, at(now))
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_down_says_why_since_when_and_what_people_were_told() {
    let cycles = [down("paris", "06:00:00"), down("paris", "06:10:00"), cycle("lagos", "06:05:00", Verdict::Up)];
    let status = running(&cycles, &alerts_after(&cycles), &Pauses::default(), "06:11:00");
    let [paris, lagos, oslo] = status.sites.as_slice() else { panic!("{status:?}") };
    assert_eq!((paris.state, paris.since, paris.last_cycle), (State::Down, Some(at("06:00:00")), Some(at("06:10:00"))));
    assert_eq!((paris.stage, paris.next_cycle), (Some(Stage::Login), Some(at("06:21:00"))));
    assert_eq!(paris.detail.as_deref(), Some("No ! [2J"), "nothing of a gateway moves the cursor");
    let alert = paris.alert.as_ref().unwrap();
    assert_eq!((alert.since, alert.reminders), (at("06:00:00"), 0));
    assert_eq!((lagos.state, lagos.reason, &lagos.alert), (State::Up, None, &None));
    assert_eq!((oslo.state, oslo.last_cycle), (State::NotProbed, None));
    assert_eq!(oslo.maintenance.as_ref().map(InForce::label), Some("carrier"));
}

#[tokio::test(start_paused = true)]
async fn what_was_so_before_a_restart_is_since_then() {
    let before = [down("paris", "05:00:00"), down("paris", "05:10:00")];
    let alerts = alerts_after(&[before.as_slice(), &[down("paris", "05:20:00")]].concat());
    let status = running(&[down("paris", "05:20:00")], &alerts, &Pauses::default(), "05:21:00");
    assert_eq!(status.sites[0].since, Some(at("05:00:00")));
}

#[test]
fn without_a_prober_it_is_what_the_alert_state_remembers() {
    let cycles = [
        down("paris", "06:00:00"),
        down("paris", "06:10:00"),
        cycle("lagos", "06:05:00", Verdict::Up),
        cycle("oslo", "06:06:00", Verdict::Unknown),
    ];
    let alerts = alerts_after(&cycles);
    let config = config();
    let sources = Sources { config: &config, running: None, alerts: &alerts, pauses: &Pauses::default() };
    let status = status_of(sources, at("09:00:00"));
    assert!(!status.running && status.running_since.is_none());
    let seen: Vec<_> = status.sites.iter().map(|site| (site.state, site.since, site.last_cycle)).collect();
    let expected = [
        (State::Down, Some(at("06:00:00")), Some(at("06:10:00"))),
        (State::Up, Some(at("06:05:00")), Some(at("06:05:00"))),
        (State::Unknown, Some(at("06:06:00")), Some(at("06:06:00"))),
    ];
    assert_eq!(seen, expected);
    assert_eq!(status.sites[0].reason, Some(FailureKind::AuthRejected.into()));
    assert!(status.sites.iter().all(|site| site.next_cycle.is_none() && !site.under_way));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_rests_is_told_with_its_site_and_not_with_one_that_got_in_since() {
    let dir = tempfile::tempdir().unwrap();
    let book = AccountBook::new(dir.path());
    let config = config();
    for site in ["paris", "lagos"] {
        let site = config.sites.iter().find(|s| s.name.as_str() == site).unwrap();
        let account = &site.ssl_vpn().unwrap().account;
        book.refused(account, &Secret::new("hunter2"), FailureKind::AuthRejected, at("06:00:10")).unwrap();
    }
    let pauses = book.pauses().unwrap();
    let cycles = [down("paris", "06:00:00"), cycle("lagos", "06:05:00", Verdict::Up)];
    let account = |now| {
        let status = running(&cycles, &AlertState::default(), &pauses, now);
        assert_eq!(status.sites[1].account, None, "another secret than the one that rests");
        status.sites[0].account.clone()
    };
    let rest = account("06:10:00").unwrap();
    assert_eq!((rest.username.as_str(), rest.until), ("probe", Some(at("06:30:10"))));
    assert_eq!(account("06:31:00"), None);
}

#[tokio::test(start_paused = true)]
async fn the_document_goes_over_the_socket_and_back_unchanged() {
    let cycles = [down("paris", "06:00:00"), down("paris", "06:10:00")];
    let mut alerts = alerts_after(&cycles);
    let kind = AlertKind::Blind { since: at("06:00:00") };
    let (id, facts) = ("paris.down".to_owned(), AlertFacts::default());
    let event = AlertEvent { thread: id.clone(), id, subject: "paris".into(), at: at("06:00:00"), kind, facts };
    alerts.outbox.enqueue("email", event, at("06:10:00"));
    let status = running(&cycles, &alerts, &Pauses::default(), "06:11:00");
    assert_eq!((status.outbox.pending.len(), status.outbox.pending[0].age_s), (1, 60));
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["version"], &json["sites"][2]["state"]), (&1.into(), &"not-probed".into()));
}
