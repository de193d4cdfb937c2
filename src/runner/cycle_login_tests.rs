//! Cycles with a login: order, skip rules, what always runs.

use chrono::{NaiveTime, Weekday};

use super::*;
use crate::config::SiteTarget;
use crate::maintenance::{Effects, Sites, When, Window, Windows};
use crate::record::{FailureKind, Verdict};
use crate::zone::Zone;

#[tokio::test]
async fn a_cycle_in_a_maintenance_window_says_so() {
    let story = Story::of(GOOD);
    let config = story.config();
    let mut around = story.around(&config);
    let when = When::Weekly { day: Weekday::Mon, time: NaiveTime::MIN, length: Duration::from_hours(7 * 24) };
    let window = Window { name: Some("carrier".into()), sites: Sites::All, when, effects: Effects::default() };
    around.maintenance = Arc::new(Windows::new(Zone::utc(), vec![window]));
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(record.maintenance.unwrap().label(), "carrier");
    assert_eq!(story.tell().await.0.maintenance, None);
}

#[tokio::test]
async fn the_stages_run_in_their_order() {
    let (record, diary) = Story::of(GOOD).tell().await;
    assert_eq!(record.verdict, Verdict::Up, "{record:?}");
    let expected = ["prepare", "external", "login", "internal", "teardown", "cleanup"]
        .map(|stage| [format!("{stage} begins"), format!("{stage}=passed")])
        .concat();
    assert_eq!(diary, expected);
    assert!(record.login.is_some() && record.external.is_some() && record.internal.is_some());
    assert_eq!(record.leftovers, []);
}

#[tokio::test]
async fn a_gateway_that_drops_pings_is_still_logged_in_at() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::SilentOutside).tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=no-reply login=passed internal=passed teardown=passed cleanup=passed"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Down, Some(Stage::External)));
    let relaxed = Story::of(GOOD).wrong(Wrong::SilentOutside).site_key("external_required: false");
    let (record, _) = relaxed.tell().await;
    assert_eq!((record.verdict, record.reason), (Verdict::Up, None));
    assert!(record.detail.unwrap().contains("external"), "the failure is still reported");
}

#[tokio::test]
async fn a_rejected_login_skips_the_inside_and_takes_the_client_down() {
    let (record, _) = Story::of("printf 'Password: '; read p; echo Login failed; sleep 30").tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=auth-rejected internal=skipped teardown=passed cleanup=passed"
    );
    assert_eq!(record.reason, Some(FailureKind::AuthRejected.into()));
    assert_eq!(record.login, None);
    assert!(record.took.unwrap() < Duration::from_secs(10), "the client was made to leave");
}

#[tokio::test]
async fn a_refused_account_rests_until_its_password_changes_or_somebody_insists() {
    let refusing = "echo x >> DIR/logins; printf 'Password: '; read p; echo Login failed; sleep 30";
    let mut story = Story::of(refusing);
    let logins = |story: &Story| std::fs::read_to_string(story.dir.path().join("logins")).unwrap().lines().count();
    let first = story.tell().await.0;
    assert_eq!((first.verdict, logins(&story)), (Verdict::Down, 1));
    let (second, _) = story.tell().await;
    assert_eq!(
        stages(&second),
        "prepare=passed external=passed login=account-paused internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!((second.verdict, logins(&story)), (Verdict::Unknown, 1), "nobody was logged in");
    let detail = second.detail.unwrap();
    assert!(detail.contains("rests after auth-rejected until 20"), "{detail}");
    story.force = true;
    assert_eq!((story.tell().await.0.verdict, logins(&story)), (Verdict::Down, 2));
    story.force = false;
    assert_eq!((story.tell().await.0.verdict, logins(&story)), (Verdict::Unknown, 2));
    let changed = story.site_key("password: correct-horse");
    assert_eq!((changed.tell().await.0.verdict, logins(&changed)), (Verdict::Down, 3));
}

#[tokio::test]
async fn an_accepted_account_does_not_rest_any_more() {
    let mut story = Story::of("printf 'Password: '; read p; echo Login failed; sleep 30");
    story.tell().await;
    story.client = GOOD.to_owned();
    story.force = true;
    assert_eq!(story.tell().await.0.verdict, Verdict::Up);
    story.force = false;
    assert_eq!(story.tell().await.0.verdict, Verdict::Up);
}

#[tokio::test]
async fn a_client_that_is_not_installed_is_our_own_trouble() {
    let mut story = Story::of(GOOD);
    story.client = "unused".into();
    let mut config = story.config();
    let site = Arc::make_mut(&mut config.sites[0]);
    let SiteTarget::SslVpn(vpn) = &mut site.target else { unreachable!() };
    Arc::make_mut(&mut vpn.client).command = "/no/such/client".into();
    let around = story.around(&config);
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=client-missing internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!(record.verdict, Verdict::Unknown);
    assert!(record.detail.unwrap().contains("/no/such/client"));
}

#[tokio::test]
async fn a_claim_without_an_interface_is_no_tunnel() {
    let claims = "printf 'Password: '; read p; echo Connected; read q";
    let (record, _) = Story::of(claims).site_key("timeout: 1").tell().await;
    assert_eq!(record.reason, Some(FailureKind::NoInterface.into()));
    assert!(record.login.is_some(), "the claim was timed all the same");
}

#[tokio::test]
async fn a_way_past_the_tunnel_is_told() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::RoutesPastTheTunnel).tell().await;
    assert_eq!(record.reason, Some(FailureKind::NotThroughTunnel.into()));
    assert_eq!(record.internal, None, "no ping went out to prove nothing");
}

#[tokio::test]
async fn a_client_that_dies_under_the_ping_is_a_lost_tunnel() {
    let dies = "printf 'Password: '; read p; printf 10.88.0.15 > DIR/interfaces/tun0; echo Connected; sleep 0.2; \
                rm DIR/interfaces/tun0; kill -9 $$";
    let (record, _) = Story::of(dies)
        .site_key("internal_ip: 10.1.0.66")
        .site_key("ping: { count: 500, interval: 10ms, timeout: 1s }")
        .tell()
        .await;
    assert_eq!((record.failed_stage, record.reason), (Some(Stage::Internal), Some(FailureKind::Disconnected.into())));
}

#[tokio::test]
async fn what_a_dying_client_leaves_is_removed() {
    let leaves = "printf 'Password: '; read p; printf 10.88.0.15 > DIR/interfaces/tun0; \
                  echo '# SonicWall' > DIR/resolv.conf; echo Connected; read q; exit 1";
    let story = Story::of(leaves);
    let (record, _) = story.tell().await;
    assert_eq!((record.verdict, record.leftovers.as_slice()), (Verdict::Up, [].as_slice()));
    let resolv_conf = std::fs::read_to_string(story.dir.path().join("resolv.conf")).unwrap();
    assert_eq!(resolv_conf, "nameserver 192.0.2.53\n");
    let cleanup = record.stages.last().unwrap().detail.clone().unwrap();
    assert!(cleanup.contains("removed interface tun0"), "{cleanup}");
}

#[tokio::test]
async fn resolv_conf_is_compared_before_each_login() {
    let client = GOOD.replace("echo Connected;", "echo '# SonicWall' > DIR/resolv.conf; echo Connected;");
    let story = Story::of(&format!("{client}; echo nameserver 192.0.2.53 > DIR/resolv.conf"));
    let (first, _) = story.tell().await;
    assert_eq!(first.stages[5].detail, None, "the client took it back itself");
    // Something that outlived the check writes the client's content once more.
    let resolv_conf = story.dir.path().join("resolv.conf");
    std::fs::write(&resolv_conf, "# SonicWall\n").unwrap();
    let (second, _) = story.tell().await;
    assert!(second.stages[0].detail.as_deref().unwrap().contains("wrote the former content"), "{second:?}");
    // The administrator's own change is kept.
    std::fs::write(&resolv_conf, "nameserver 198.51.100.53\n").unwrap();
    let (third, _) = story.tell().await;
    assert_eq!(third.stages[0].detail, None);
    assert_eq!(std::fs::read_to_string(&resolv_conf).unwrap(), "nameserver 198.51.100.53\n");
}

#[tokio::test]
async fn a_prober_that_can_not_look_for_the_interface_does_not_blame_the_tunnel() {
    let story = Story::of(GOOD).wrong(Wrong::CannotWatch);
    let config = story.config();
    let order = Order::new(Duration::from_mins(10), false);
    let finished = run_cycle(&config.sites[0], order, &story.around(&config), &NoObserver).await;
    let record = finished.record;
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Login)), "{record:?}");
    assert_eq!(record.reason, Some(MalfunctionKind::PrepareFailed.into()));
    assert!(record.detail.unwrap().contains("too many open files"));
}

#[tokio::test]
async fn a_prober_that_can_not_tell_the_way_does_not_blame_the_tunnel() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::CannotTellTheWay).tell().await;
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Internal)), "{record:?}");
    assert_eq!(record.reason, Some(MalfunctionKind::PrepareFailed.into()));
    assert!(record.detail.unwrap().contains("too many open files"));
}

#[tokio::test]
async fn after_a_panic_the_tunnel_is_still_taken_down() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::PanicsInside).tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=passed internal=panicked teardown=passed cleanup=passed"
    );
    assert_eq!(record.verdict, Verdict::Unknown);
    assert_eq!(record.detail.as_deref(), Some("no such thing"));
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_login_takes_the_client_down() {
    let hangs = "printf 'Password: '; read p; echo waiting > DIR/waits; sleep 30";
    let story = Story::of(hangs);
    let config = story.config();
    let around = story.around(&config);
    let waits = story.dir.path().join("waits");
    let stop = async {
        while !waits.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        around.cancel.cancel();
        std::future::pending::<()>().await;
    };
    let (record, _) = tokio::select! {
        told = story.tell_with(&config, &around) => told,
        () = stop => unreachable!("it waits for ever"),
    };
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=cancelled internal=skipped teardown=passed cleanup=passed"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Login)));
}

#[tokio::test]
async fn without_a_place_for_the_journal_no_client_is_started() {
    let story = Story::of("touch DIR/started; sleep 30");
    let config = story.config();
    let mut around = story.around(&config);
    around.state_dir = story.dir.path().join("resolv.conf/not-a-directory");
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(
        stages(&record),
        "prepare=prepare-failed external=skipped login=skipped internal=skipped teardown=skipped cleanup=skipped"
    );
    assert!(!story.dir.path().join("started").exists());
}
