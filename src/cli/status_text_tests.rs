use super::*;
use crate::record::{FailureKind, SiteKind, SiteName, Stage};
use crate::status::AllSites;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn site(name: &str, state: State) -> SiteStatus {
    SiteStatus {
        site: SiteName::new(name).unwrap(),
        kind: SiteKind::SslVpn,
        group: None,
        state,
        since: Some(at("2026-11-20T06:00:00Z")),
        stage: None,
        reason: None,
        fault_domain: None,
        detail: None,
        last_cycle: Some(at("2026-11-20T07:00:00Z")),
        cycle_id: None,
        next_cycle: Some(at("2026-11-20T07:10:00Z")),
        under_way: false,
        alert: None,
        blind_since: None,
        unsteady: false,
        flapping: false,
        account: None,
        maintenance: None,
        leftovers: Vec::new(),
        login_ms: None,
    }
}

fn some_status() -> Status {
    let lagos = SiteStatus {
        since: Some(at("2026-11-19T22:30:00Z")),
        stage: Some(Stage::Login),
        reason: Some(FailureKind::AuthRejected.into()),
        detail: Some("Access Denied".into()),
        alert: Some(OpenAlert {
            since: at("2026-11-19T22:30:00Z"),
            told: at("2026-11-20T06:31:00Z"),
            reminders: 2,
            id: "lagos.down".into(),
            undelivered: Vec::new(),
        }),
        account: Some(AccountPause {
            username: "probe".into(),
            realm: None,
            reason: FailureKind::AuthRejected,
            until: None,
        }),
        under_way: true,
        next_cycle: None,
        ..site("lagos", State::Down)
    };
    let new = SiteStatus { since: None, last_cycle: None, next_cycle: None, ..site("rome", State::NotProbed) };
    Status {
        version: 1,
        time: at("2026-11-20T07:05:00Z"),
        prober: "edge-1".into(),
        running: true,
        running_since: Some(at("2026-11-01T00:00:00Z")),
        uplink_down_since: None,
        all_sites: None,
        sites: vec![site("paris", State::Up), lagos, new],
        outbox: OutboxStatus::default(),
    }
}

#[test]
fn a_site_is_a_line() {
    let zone = "Europe/Paris".parse().unwrap();
    let expected = "\
edge-1  2026-11-20 08:05:00 CET  running since 2026-11-01 01:00:00

SITE   KIND     STATE           SINCE                LAST      NEXT
paris  ssl-vpn  up              07:00:00             08:00:00  08:10:00
lagos  ssl-vpn  down            2026-11-19 23:30:00  08:00:00  now       login auth-rejected (identity): Access Denied; alert since 2026-11-19 23:30:00, told 07:31:00, 2 reminders; account probe rests until its password changes or `vpnprobe resume`
rome   ssl-vpn  not probed yet  -                    -         -

every message is delivered
";
    assert_eq!(text(&some_status(), &zone, Terminal::PLAIN), expected);
}

#[test]
fn without_a_prober_it_says_so_first() {
    let status = Status { running: false, running_since: None, ..some_status() };
    let text = text(&status, &Zone::utc(), Terminal::PLAIN);
    assert!(text.starts_with("edge-1  2026-11-20 07:05:00 UTC  NO PROBER RUNS: this is"), "{text}");
}

#[test]
fn a_dead_uplink_is_said_above_all_sites_and_flapping_beside_its_site() {
    let mut status = Status { uplink_down_since: Some(at("2026-11-20T06:40:00Z")), ..some_status() };
    status.sites[0].flapping = true;
    let text = text(&status, &Zone::utc(), Terminal::PLAIN);
    let uplink = "\n\nthe prober's own uplink is DOWN since 06:40:00: nothing is known of any site\n\nSITE ";
    assert!(text.contains(uplink), "{text}");
    assert!(text.lines().any(|line| line.starts_with("paris") && line.ends_with("  flapping")), "{text}");
}

#[test]
fn what_all_sites_have_in_common_is_said_above_them() {
    let since = at("2026-11-20T06:40:00Z");
    let down = AllSites { state: State::Down, since, stage: Some(Stage::Login) };
    let blind = AllSites { state: State::Unknown, since, stage: None };
    for (all, words) in [
        (down, "all sites fail at stage login since 06:40:00: told in one message\n\nSITE "),
        (blind, "no site can be told of since 06:40:00: told in one message\n\nSITE "),
    ] {
        let status = Status { all_sites: Some(all), ..some_status() };
        assert!(text(&status, &Zone::utc(), Terminal::PLAIN).contains(words));
    }
}

#[test]
fn an_alert_that_nobody_got_is_not_called_told() {
    let mut status = some_status();
    status.sites[1].alert.as_mut().unwrap().undelivered = vec!["email".into(), "hook".into()];
    let text = text(&status, &Zone::utc(), Terminal::PLAIN);
    assert!(text.contains("alert since 2026-11-19 22:30:00, not delivered by email, hook, 2 reminders"), "{text}");
}

#[test]
fn no_time_makes_it_panic() {
    let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
    for (zone, time) in ["Asia/Tokyo", "America/Lima"].iter().flat_map(|zone| ends.map(|time| (zone, time))) {
        let status = Status { time, running_since: Some(time), ..some_status() };
        assert!(!text(&status, &zone.parse().unwrap(), Terminal::PLAIN).is_empty());
    }
}

#[test]
fn what_is_not_delivered_is_told_with_its_age_and_why() {
    let message = MessageStatus {
        id: "paris.down".into(),
        channel: "email".into(),
        subject: "paris".into(),
        created: at("2026-11-20T04:00:00Z"),
        age_s: 11_100,
        attempts: 1,
        next_attempt: at("2026-11-20T07:10:00Z"),
        last_error: Some("refused\n\u{1b}[2J".into()),
    };
    let dead = MessageStatus { attempts: 300, age_s: 200_000, last_error: None, ..message.clone() };
    let outbox = OutboxStatus { pending: vec![message], dead: vec![dead], delivered: 0, given_up: 1 };
    let text = outbox_text(&outbox, at("2026-11-20T07:05:00Z"), &Zone::utc(), true);
    let expected = "1 message not delivered yet, waiting:\n  \
                    email  paris.down  3 h 05 min old, 1 attempt, next 07:10:00: refused  [2J\n\
                    1 message given up; `vpnprobe outbox retry` sends it again:\n  \
                    email  paris.down  2 d 7 h old, 300 attempts\n";
    assert_eq!(text, expected);
}
