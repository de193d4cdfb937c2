//! Cycles of a tunnel of strongSwan.

use super::*;
use crate::ipsec::fake::{FakeDaemon, child, config as tunnel, ike, ike_in, target};
use crate::ipsec::{Inside, Seen, assess};
use crate::vici::{IkeState, View};

fn one_tunnel(story: &Story, more: &str) -> config::Config {
    let dir = story.dir.path().display();
    let text = format!("state_dir: {dir}/state\nsites: {{ tunnel: {{ kind: ipsec, child_sa: net, {more} }} }}");
    config::load_str(&text, story.dir.path(), "test.yml", &Environment::default()).unwrap().config
}

/// The tunnel is up.
fn up(story: &Story, config: &config::Config) -> Surroundings {
    let daemon = FakeDaemon::new(vec![tunnel("gw", "net")], vec![ike("gw", 1, vec![child("net", 7)])]);
    Surroundings { ike: Arc::new(daemon), ..story.around(config) }
}

/// A mail server that hangs.
#[derive(Debug)]
struct NeverQuiet;

impl crate::stage::HoldRoutes for NeverQuiet {
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_tunnels_cycle_holds_no_mail_back_and_waits_for_none() {
    let story = Story::of(GOOD);
    let config = one_tunnel(&story, "");
    let around = Surroundings { hold: Arc::new(NeverQuiet), ..up(&story, &config) };
    let told = tokio::time::timeout(Duration::from_mins(1), story.tell_with(&config, &around)).await;
    assert_eq!(stages(&told.expect("it waits for the mail").0), "sa=passed restart=skipped");
}

#[tokio::test]
async fn a_tunnel_that_carries_traffic_is_not_restarted_for_a_host_behind_it() {
    let story = Story::of(GOOD);
    std::fs::write(story.dir.path().join("interfaces/tun0"), "10.88.0.15").unwrap();
    let probes = "internal_ip: 10.1.0.1, checks: { tcp: \"10.1.0.9:1\", timeout: 100ms }, \
                  ping: { count: 2, interval: 10ms, timeout: 50ms }";
    let config = one_tunnel(&story, probes);
    let (record, _) = story.tell_with(&config, &up(&story, &config)).await;
    let restart = record.stages.iter().find(|record| record.stage == Stage::Restart).unwrap();
    assert_eq!(restart.outcome, Outcome::Skipped { because_of: Stage::Internal }, "{record:?}");
    assert!(restart.detail.as_deref().unwrap().contains("carries traffic"), "{record:?}");
    assert_eq!(record.restarts, Some(0));
}

#[tokio::test]
async fn a_tunnel_that_came_back_by_itself_has_its_whole_grace_at_its_next_fall() {
    let story = Story::of(GOOD);
    let config = one_tunnel(&story, "");
    let configured = vec![tunnel("gw", "net")];
    let up = vec![ike("gw", 1, vec![child("net", 7)])];
    let around = Surroundings { ike: Arc::new(FakeDaemon::new(configured.clone(), up)), ..story.around(&config) };
    let falling = View { configured, installed: vec![ike_in(IkeState::Connecting, ike("gw", 2, vec![]))] };
    let recovering_since = |at: &str| {
        let target = target("net");
        let seen = Seen { target: &target, assessment: &assess(&falling, &target), inside: Inside::NotAsked };
        around.ledger.observe(&falling, seen, at.parse().unwrap()).recovering_since.unwrap().to_rfc3339()
    };
    recovering_since("2026-11-20T06:00:00Z");
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(stages(&record), "sa=passed restart=skipped");
    assert_eq!(recovering_since("2026-11-20T09:00:00Z"), "2026-11-20T09:00:00+00:00");
}
