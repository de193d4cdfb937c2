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
