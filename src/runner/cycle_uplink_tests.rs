//! Cycles that can't be told from an outage of the prober's own, unless its uplink is looked at.

use super::*;
use crate::ipsec::fake::{FakeDaemon, config as tunnel};
use crate::record::{FailureKind, Verdict};
use crate::runner::own_uplink::look;

#[tokio::test]
async fn without_a_way_out_no_gateway_is_blamed_and_nobody_logs_in() {
    let story = Story::of("touch DIR/started; sleep 30").wrong(Wrong::NoWayOut);
    let (record, _) = story.tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=own-uplink-down login=skipped internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::External)));
    assert_eq!(record.reason, Some(MalfunctionKind::OwnUplinkDown.into()));
    assert_eq!(record.detail.as_deref(), Some("no route to 203.0.113.10"));
    assert!(!story.dir.path().join("started").exists());
}

#[tokio::test]
async fn a_silent_carrier_is_to_blame_unless_no_other_site_answers_either() {
    let told = async |rome: &str, of: &str| {
        let story = Story::of(GOOD).wrong(Wrong::SilentOutside);
        story.witnesses.note(&SiteName::new(of).unwrap(), Witness::Ping(rome.parse().unwrap()));
        let (record, _) = story.tell().await;
        (record.verdict, record.reason.unwrap(), record.detail.unwrap_or_default())
    };
    let (verdict, reason, words) = told("203.0.113.99", "rome").await;
    assert_eq!((verdict, reason), (Verdict::Unknown, MalfunctionKind::OwnUplinkDown.into()));
    assert_eq!(words, "no other site answers either: 203.0.113.99");
    // One that answers; itself; another site behind the same address.
    for (address, site) in [("203.0.113.200", "rome"), ("203.0.113.99", "paris"), ("203.0.113.10", "rome")] {
        let (verdict, reason, _) = told(address, site).await;
        assert_eq!((verdict, reason), (Verdict::Down, FailureKind::NoReply.into()), "{address} of {site}");
    }
}

#[tokio::test]
async fn a_site_that_was_reached_is_a_witness_for_the_others() {
    let story = Story::of(GOOD);
    story.tell().await;
    let silent = Story { witnesses: story.witnesses.clone(), ..Story::of(GOOD) }
        .wrong(Wrong::SilentOutside)
        .site_key("external_ip: 203.0.113.20");
    let config = silent.config();
    let around = silent.around(&config);
    // Another site: the first one's address is asked.
    let site = Site { name: SiteName::new("rome").unwrap(), ..(*config.sites[0]).clone() };
    let order = Order::new(Duration::from_mins(10), false);
    let record = run_cycle(&site, order, &around, &NoObserver).await.record;
    assert_eq!(record.reason, Some(MalfunctionKind::OwnUplinkDown.into()), "{record:?}");
    assert_eq!(record.detail.as_deref(), Some("no other site answers either: 203.0.113.10"));
}

/// The client's words at a gateway that does not answer.
const NOBODY: &str = "echo Nobody answers; sleep 30";

/// A site with a login alone: no stage before it would notice a dead uplink.
fn login_only(client: &str, wrong: Wrong) -> Story {
    Story::of(client).without("external_ip").wrong(wrong)
}

fn reason(record: &CycleRecord) -> (Verdict, Option<Stage>, &'static str) {
    (record.verdict, record.failed_stage, record.reason.map_or("", |reason| reason.as_str()))
}

const ROME: Witness = Witness::Ping(ALWAYS_SILENT);

fn rome() -> SiteName {
    SiteName::new("rome").unwrap()
}

#[tokio::test]
async fn a_login_that_had_no_way_out_blames_no_gateway() {
    let (record, _) = login_only(NOBODY, Wrong::NoWayOut).tell().await;
    assert_eq!(stages(&record), "prepare=passed login=own-uplink-down internal=skipped teardown=passed cleanup=passed");
    assert_eq!(reason(&record), (Verdict::Unknown, Some(Stage::Login), "own-uplink-down"));
    let words = record.detail.unwrap();
    assert_eq!(words, "no route to 203.0.113.10; it looked like connect-timeout: Nobody answers");
}

#[tokio::test]
async fn what_a_gateway_answered_is_its_own_although_the_uplink_died_since() {
    let refused = "printf 'Password: '; read p; echo Login failed; sleep 30";
    let (record, _) = login_only(refused, Wrong::NoWayOut).tell().await;
    assert_eq!(reason(&record), (Verdict::Down, Some(Stage::Login), "auth-rejected"));
}

#[tokio::test]
async fn a_login_is_the_gateways_fault_where_nobody_else_can_be_asked_or_the_gateway_answers() {
    let dead = login_only(NOBODY, Wrong::DeadOutside);
    assert_eq!(reason(&dead.tell().await.0), (Verdict::Down, Some(Stage::Login), "connect-timeout"));
    dead.witnesses.note(&rome(), ROME);
    assert_eq!(reason(&dead.tell().await.0), (Verdict::Unknown, Some(Stage::Login), "own-uplink-down"));
    // Its port is open; the client waits for something else.
    let open = login_only(NOBODY, Wrong::Nothing);
    open.witnesses.note(&rome(), ROME);
    assert_eq!(reason(&open.tell().await.0), (Verdict::Down, Some(Stage::Login), "connect-timeout"));
}

#[tokio::test]
async fn two_sites_with_a_login_alone_vouch_for_each_other_and_are_looked_up_once() {
    let up = login_only(GOOD, Wrong::Nothing);
    assert_eq!(up.tell().await.0.verdict, Verdict::Up);
    assert_eq!(up.tell().await.0.verdict, Verdict::Up);
    assert_eq!(up.connections.load(Ordering::Relaxed), 1);

    let silent = Story { witnesses: up.witnesses.clone(), ..login_only(NOBODY, Wrong::DeadOutside) }
        .site_key("vpn_gw: 203.0.113.20");
    let config = silent.config();
    let around = silent.around(&config);
    let site = Site { name: rome(), ..(*config.sites[0]).clone() };
    let order = Order::new(Duration::from_mins(10), false);
    let record = run_cycle(&site, order, &around, &NoObserver).await.record;
    assert_eq!(reason(&record), (Verdict::Unknown, Some(Stage::Login), "own-uplink-down"));
    assert!(record.detail.unwrap().starts_with("no other site answers either: 203.0.113.10; "));
}

#[tokio::test]
async fn a_tunnel_whose_uplink_dies_under_it_is_not_to_blame() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::NoWayOutInUse).tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=passed internal=own-uplink-down teardown=passed cleanup=passed"
    );
    let words = record.detail.unwrap();
    assert!(
        words.starts_with("no route to 203.0.113.10; it looked like internal-unreachable: 10.1.0.1 is "),
        "{words}"
    );
}

/// Asks the prober to stop when the inside was asked.
struct Stops(CancellationToken);

impl Observer for Stops {
    fn begins(&self, _: &SiteName, _: Stage) {}
    fn ended(&self, _: &SiteName, record: &StageRecord) {
        if record.stage == Stage::Internal {
            self.0.cancel();
        }
    }
}

#[tokio::test]
async fn a_prober_that_is_asked_to_stop_looks_at_nothing_more() {
    let story = Story::of(GOOD).wrong(Wrong::NoWayOutInUse);
    let config = story.config();
    let around = story.around(&config);
    let order = Order::new(Duration::from_mins(10), false);
    let record = run_cycle(&config.sites[0], order, &around, &Stops(around.cancel.clone())).await.record;
    assert_eq!(reason(&record), (Verdict::Down, Some(Stage::Internal), "internal-unreachable"));
}

#[tokio::test]
async fn a_silent_inside_is_not_the_uplinks_while_the_gateway_answers_whoever_else_is_dead() {
    let inside = |story: Story| story.site_key("internal_ip: 10.1.0.66");
    for story in [inside(Story::of(GOOD)), inside(login_only(GOOD, Wrong::Nothing))] {
        story.witnesses.note(&rome(), ROME);
        let (record, _) = story.tell().await;
        assert_eq!(reason(&record), (Verdict::Down, Some(Stage::Internal), "internal-unreachable"));
    }
}

#[tokio::test]
async fn a_site_that_was_reached_by_a_way_that_nobody_can_ask_is_not_outvoted() {
    let udp_only = login_only(GOOD, Wrong::DeadOutside).site_key("internal_ip: 10.1.0.66");
    udp_only.witnesses.note(&rome(), ROME);
    let (record, _) = udp_only.tell().await;
    assert_eq!(reason(&record), (Verdict::Down, Some(Stage::Internal), "internal-unreachable"));
}

#[tokio::test]
async fn a_tunnel_of_strongswan_without_a_way_to_its_peer_is_not_to_blame() {
    let story = Story::of(GOOD).wrong(Wrong::NoWayOut);
    let dir = story.dir.path().display();
    let text = format!(
        "state_dir: {dir}/state\nsites: {{ tunnel: {{ kind: ipsec, child_sa: net, restart: {{ enabled: false }} }} }}"
    );
    let config = config::load_str(&text, story.dir.path(), "test.yml", &Environment::default()).unwrap().config;
    let daemon = FakeDaemon::new(vec![tunnel("gw", "net")], Vec::new());
    let around = Surroundings { ike: Arc::new(daemon), ..story.around(&config) };
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(stages(&record), "sa=own-uplink-down");
    assert!(record.detail.unwrap().starts_with("no route to 192.0.2.1; it looked like sa-missing: "));
}

#[tokio::test]
async fn a_gateway_of_more_sites_is_no_witness_against_itself() {
    // By its name: no address of it is configured.
    let dead = login_only(NOBODY, Wrong::DeadOutside).site_key("gateway: { speaks: tls, timeout: 1s }");
    dead.witnesses.note(&rome(), Witness::Tcp("203.0.113.10:443".parse().unwrap()));
    assert_eq!(reason(&dead.tell().await.0), (Verdict::Down, Some(Stage::Gateway), "connect-timeout"));
}

#[tokio::test(start_paused = true)]
async fn the_look_after_a_cycle_takes_two_seconds_at_most_and_none_where_the_gateway_answers() {
    let outcome = Outcome::Failed(FailureKind::LoginTimeout);
    let failed = [StageRecord { stage: Stage::Login, outcome, required: true, took: Duration::ZERO, detail: None }];
    for (wrong, to_blame, longest) in [(Wrong::DeadOutside, true, 2000), (Wrong::Nothing, false, 50)] {
        let story = login_only(NOBODY, wrong);
        story.witnesses.note(&SiteName::new("paris").unwrap(), Witness::Ping([203, 0, 113, 10].into()));
        story.witnesses.note(&rome(), ROME);
        let config = story.config();
        let began = Instant::now();
        let told = look(&config.sites[0], &story.around(&config), &failed, None).await;
        assert_eq!(told.is_some(), to_blame, "{told:?}");
        assert!(began.elapsed() <= Duration::from_millis(longest), "{wrong:?}: {:?}", began.elapsed());
    }
}
