use super::*;
use crate::record::{FailureKind, LeftoverKind, SiteKind, Stage};

/// Fields that may be absent are left out.
fn record(site: &str, verdict: Verdict) -> CycleRecord {
    let json = serde_json::json!({
        "id": "id", "time": "2026-11-20T07:15:30Z", "site": site, "kind": "ssl-vpn", "prober": "edge-1",
        "interval": { "secs": 600, "nanos": 0 }, "stages": [], "verdict": verdict, "leftovers": [], "dialogue": [], "checks": [],
    });
    serde_json::from_value(json).unwrap()
}

fn up(site: &str) -> CycleRecord {
    CycleRecord {
        login: Some(Duration::from_millis(3512)),
        internal: Some(PingStats::from_rtts(5, &[Duration::from_micros(1500); 5])),
        took: Some(Duration::from_secs(9)),
        ..record(site, Verdict::Up)
    }
}

fn down(site: &str, detail: &str) -> CycleRecord {
    CycleRecord {
        failed_stage: Some(Stage::Login),
        reason: Some(FailureKind::AuthRejected.into()),
        detail: Some(detail.into()),
        external: Some(PingStats::from_rtts(5, &[])),
        ..record(site, Verdict::Down)
    }
}

#[test]
fn one_site_is_one_line_with_its_figures() {
    let figures = "login=3.512s;;;0 rta=1.500ms;;;0 pl=0%;;;0;100 cycle=9.000s;;;0\n";
    assert_eq!(report(&[up("paris")], &[]), (State::Ok, format!("VPN OK - paris up, login 3.512 s | {figures}")));
    let (state, line) = report(&[down("paris", "Access Denied")], &[]);
    assert_eq!(state.status(), 2);
    let words = "VPN CRITICAL - paris down: login auth-rejected (identity): Access Denied | external_pl=100%;;;0;100\n";
    assert_eq!(line, words);
    let left = CycleRecord { leftovers: vec![LeftoverKind::RouteLeft], ..record("paris", Verdict::Up) };
    assert_eq!(report(&[left], &[]), (State::Warning, "VPN WARNING - paris up, left behind: route-left\n".to_owned()));
}

/// A tunnel that was found dead and is up at the end; `restarts` 0: nobody restarted it.
fn came_back(site: &str, restarts: u32) -> CycleRecord {
    CycleRecord {
        kind: SiteKind::Ipsec,
        failed_stage: Some(Stage::Sa),
        reason: Some(FailureKind::SaMissing.into()),
        detail: Some("nothing of its connection".into()),
        restarts: Some(restarts),
        restore: Some(Duration::from_millis(1250)),
        login: None,
        ..up(site)
    }
}

#[test]
fn a_restored_tunnel_is_well_and_the_line_says_that_it_was_restored() {
    let figures = |restarts| {
        format!("rta=1.500ms;;;0 pl=0%;;;0;100 restarts={restarts};;;0 restore=1.250s;;;0 cycle=9.000s;;;0\n")
    };
    let words = "VPN OK - oslo up, restored after 1.250 s: sa sa-missing (tunnel) | ";
    assert_eq!(report(&[came_back("oslo", 1)], &[]), (State::Ok, format!("{words}{}", figures(1))));
    let words = "VPN OK - oslo up, back by itself after 1.250 s: sa sa-missing (tunnel) | ";
    assert_eq!(report(&[came_back("oslo", 0)], &[]), (State::Ok, format!("{words}{}", figures(0))));
    let left_alone = CycleRecord { restarts: Some(0), ..record("oslo", Verdict::Up) };
    assert_eq!(report(&[left_alone], &[]), (State::Ok, "VPN OK - oslo up | restarts=0;;;0\n".to_owned()));
    let (_, several) = report(&[up("paris"), came_back("oslo", 1)], &[]);
    let words = "VPN OK - 2 sites up; oslo up, restored after 1.250 s: sa sa-missing (tunnel) | ";
    assert!(several.starts_with(words) && several.contains(" 'oslo restarts'=1;;;0 "), "{several}");
}

#[test]
fn several_sites_are_one_line_the_worst_first_and_their_labels_are_quoted() {
    let (state, line) =
        report(&[up("oslo"), down("it's =x", "no"), record("rome", Verdict::Unknown)], &["bern".to_owned()]);
    assert_eq!(state, State::Critical);
    let words = "VPN CRITICAL - 1 of 4 sites down, 2 unknown; it's =x down: login auth-rejected (identity): no; rome unknown; \
                 bern not probed | 'oslo login'=3.512s;;;0 'oslo rta'=1.500ms;;;0 'oslo pl'=0%;;;0;100 'oslo cycle'=9.000s;;;0 \
                 'it_s _x external_pl'=100%;;;0;100\n";
    assert_eq!(line, words);
    let (state, line) = report(&[up("a"), up("b")], &[]);
    assert_eq!((state, line.split(" | ").next()), (State::Ok, Some("VPN OK - 2 sites up")));
    assert_eq!(report(&[up("a")], &["b".to_owned()]).0, State::Unknown);
}

#[test]
fn nothing_that_a_gateway_says_makes_a_second_line_or_figures() {
    let (_, line) = report(&[down("paris", "a|b=1\nsecond\u{2028}third | x=1")], &[]);
    assert_eq!((line.matches('\n').count(), line.matches('|').count()), (1, 1), "{line}");
    assert_eq!(failure("error: bad | thing\nUsage: x\n"), "VPN UNKNOWN - error: bad / thing\n");
    assert_eq!(failure(" \n"), "VPN UNKNOWN - failed\n");
}

#[test]
fn a_line_never_exceeds_what_a_monitoring_system_takes_and_no_figure_is_torn() {
    let records: Vec<_> = (0..500)
        .map(|n| CycleRecord { login: Some(Duration::from_secs(1)), ..down(&format!("site-{n}"), &"ü".repeat(500)) })
        .collect();
    let (_, line) = report(&records, &[]);
    assert!(line.len() <= LONGEST + 1 && line.len() > 3_500, "{}", line.len());
    assert!(line.ends_with(";;;0\n") || line.ends_with(";;;0;100\n"), "{line}");
}

/// What a prober knows of two sites, the second of which looks like this.
fn known(state: SiteState) -> Status {
    let site = |name: &str, state: SiteState| {
        let json = serde_json::json!({
            "site": name, "kind": "ssl-vpn", "state": state, "since": "2026-11-20T06:00:00Z", "under_way": false,
            "unsteady": false, "leftovers": [], "login_ms": 34.5,
        });
        serde_json::from_value::<SiteStatus>(json).unwrap()
    };
    let json = serde_json::json!({
        "version": 1, "time": "2026-11-20T07:00:00Z", "prober": "edge-1", "running": true, "sites": [],
        "outbox": { "pending": [], "dead": [], "delivered": 0, "given_up": 0 },
    });
    let status: Status = serde_json::from_value(json).unwrap();
    Status { sites: vec![site("a", SiteState::Up), site("b", state)], ..status }
}

#[test]
fn what_a_prober_knows_is_a_line_with_counts() {
    let (state, line) = report_status(&known(SiteState::Down));
    let expected = "VPN CRITICAL - 1 of 2 sites down; b down, since 2026-11-20T06:00:00Z | up=1;;;0;2 down=1;;;0;2 unknown=0;;;0;2 \
                    outbox_pending=0;;;0 dead_letters=0;;;0 'a login'=0.035s;;;0 'b login'=0.035s;;;0\n";
    assert_eq!((state, line.as_str()), (State::Critical, expected));
    let word = |site| report_status(&known(site)).0;
    assert_eq!(
        [SiteState::Up, SiteState::Unknown, SiteState::NotProbed].map(word),
        [State::Ok, State::Unknown, State::Unknown]
    );
    let idle = Status { running: false, ..known(SiteState::Up) };
    assert_eq!(report_status(&idle), (State::Unknown, "VPN UNKNOWN - no prober runs\n".to_owned()));
}

#[test]
fn a_message_that_people_do_not_get_is_a_warning_and_an_old_dead_letter_none() {
    let message = |attempts: u32, age_s: u64, next: &str| {
        let json = serde_json::json!({
            "id": "i", "channel": "email", "subject": "a", "created": "2026-11-20T06:00:00Z", "age_s": age_s,
            "attempts": attempts, "next_attempt": next,
        });
        serde_json::from_value::<crate::status::MessageStatus>(json).unwrap()
    };
    let soon = "2026-11-20T07:01:00Z";
    for (pending, dead, expected) in [
        (Some(message(0, 400, soon)), None, State::Ok),
        (Some(message(3, 20, soon)), None, State::Ok),
        (Some(message(9, 400, soon)), None, State::Warning),
        (None, Some(message(300, 90_000, "2026-11-20T06:00:00Z")), State::Warning),
        (None, Some(message(300, 900_000, "2026-11-18T06:00:00Z")), State::Ok),
    ] {
        let mut status = known(SiteState::Up);
        status.outbox.pending.extend(pending);
        status.outbox.dead.extend(dead);
        assert_eq!(report_status(&status).0, expected, "{status:?}");
    }
}
