use std::time::Duration;

use super::*;
use crate::clock::SteadyClock;
use crate::ipsec::fake::{FakeDaemon, FakeProbe, Peer, child, config, ike, target};
use crate::ipsec::{Decision, Inside, Seen, Situation, Step, assess, decide};
use crate::vici::ChildRef;

/// A prober with its state, and what it has logged.
struct Prober {
    dir: tempfile::TempDir,
    clock: SteadyClock,
    policy: RestartPolicy,
}

impl Prober {
    fn new() -> Self {
        let clock = SteadyClock::starting_at("2026-11-20T06:00:00Z".parse().unwrap());
        Self { dir: tempfile::tempdir().unwrap(), clock, policy: RestartPolicy::default() }
    }

    fn ledger(&self) -> Ledger {
        Ledger::new(self.dir.path(), "/run/charon.vici")
    }

    /// One cycle's decision, as a stage makes it; each time by another program.
    fn decide(&self, daemon: &FakeDaemon, target: &ChildRef, inside: Inside) -> Decision {
        let (ledger, view, now) = (self.ledger(), daemon.now(), self.clock.now());
        let assessment = assess(&view, target);
        let history = ledger.observe(&view, Seen { target, assessment: &assessment, inside }, now);
        decide(&Situation {
            target,
            view: &view,
            assessment: &assessment,
            inside,
            policy: &self.policy,
            history: &history,
            stale: &ledger.stale(&view, now),
            uplink_down: false,
            maintenance: false,
            now,
        })
    }

    async fn restart(&self, daemon: &FakeDaemon, plan: &Plan) -> Result<Restored, NotRestored> {
        restart(&Restart {
            control: daemon,
            ledger: &self.ledger(),
            clock: &self.clock,
            plan,
            policy: &self.policy,
            probe: &FakeProbe(daemon, plan.tunnel.clone()),
            observer: &|_: &Step| {},
            deadline: Instant::now() + Duration::from_mins(2),
        })
        .await
    }
}

fn daemon() -> FakeDaemon {
    FakeDaemon::new(vec![config("gw", "net"), config("gw", "voice")], vec![])
}

fn act(decision: Decision) -> Box<Plan> {
    match decision {
        Decision::Act(plan) => plan,
        other => panic!("{other:?}"),
    }
}

const SILENT: Inside = Inside::Silent { asked: Duration::from_secs(5) };

#[tokio::test(start_paused = true)]
async fn a_tunnel_that_falls_again_and_again_is_restarted_three_times_an_hour() {
    let (prober, daemon, net) = (Prober::new(), daemon(), target("net"));
    for _ in 0..3 {
        let plan = act(prober.decide(&daemon, &net, Inside::NotAsked));
        prober.restart(&daemon, &plan).await.unwrap();
        assert_eq!(prober.decide(&daemon, &net, Inside::Reached), Decision::Nothing);
        tokio::time::advance(Duration::from_mins(10)).await;
        daemon.falls();
    }
    let Decision::Refused(Refusal::Limit { restarts: 3, free_at: Some(free_at) }) =
        prober.decide(&daemon, &net, Inside::NotAsked)
    else {
        panic!("the limit is reached")
    };
    tokio::time::advance(Duration::from_mins(30) - Duration::from_secs(1)).await;
    assert!(matches!(prober.decide(&daemon, &net, Inside::NotAsked), Decision::Refused(_)));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(prober.clock.now() >= free_at);
    act(prober.decide(&daemon, &net, Inside::NotAsked));
}

#[tokio::test(start_paused = true)]
async fn what_came_up_by_itself_counts_as_no_restart_whether_it_carries_traffic_or_not() {
    let (prober, daemon, net) = (Prober::new(), daemon(), target("net"));
    let plan = act(prober.decide(&daemon, &net, Inside::NotAsked));
    let daemon = daemon.with(|world| world.install("gw", "net"));
    assert_eq!(prober.restart(&daemon, &plan).await.unwrap().by, By::Itself);
    let daemon = daemon.with(|world| world.inside_dead = true);
    let silent = prober.restart(&daemon, &plan).await.unwrap_err();
    assert_eq!(silent.to_string(), "not restored: its SAs are new, and the inside does not answer as before");
    daemon.falls();
    let view = daemon.now();
    let seen = Seen { target: &net, assessment: &assess(&view, &net), inside: Inside::NotAsked };
    assert!(prober.ledger().observe(&view, seen, prober.clock.now()).restarts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_cut_counts_and_lets_go_of_the_lock() {
    let (prober, daemon, net) = (Prober::new(), daemon().with(|world| world.peer = Peer::Gone), target("net"));
    let plan = act(prober.decide(&daemon, &net, Inside::NotAsked));
    let cut = tokio::time::timeout(Duration::from_secs(5), prober.restart(&daemon, &plan)).await;
    assert!(cut.is_err());
    let ledger = prober.ledger();
    let permit = ledger.begin(&plan.tunnel, &prober.policy, prober.clock.now());
    assert!(permit.is_ok(), "the lock is free again");
    let view = daemon.now();
    let seen = Seen { target: &net, assessment: &assess(&view, &net), inside: Inside::NotAsked };
    assert_eq!(ledger.observe(&view, seen, prober.clock.now()).restarts.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_strongswan_while_another_instance_is_at_it() {
    let (prober, daemon, net) = (Prober::new(), daemon(), target("net"));
    let plan = act(prober.decide(&daemon, &net, Inside::NotAsked));
    let theirs = prober.ledger();
    let _permit = theirs.begin(&plan.tunnel, &prober.policy, prober.clock.now()).unwrap();
    let refused = prober.restart(&daemon, &plan).await.unwrap_err();
    let pid = std::process::id();
    assert_eq!(
        refused.to_string(),
        format!("not restarted: another instance (process {pid}) is restarting a tunnel of this connection")
    );
    assert!(daemon.diary().is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_tunnels_that_share_a_dead_ike_sa_are_both_back_when_both_were_found_silent() {
    let installed = vec![ike("gw", 1, vec![child("net", 7), child("voice", 8)])];
    let daemon = FakeDaemon::new(vec![config("gw", "net"), config("gw", "voice")], installed).with(|world| {
        world.dead.extend([1]);
        world.black.extend([7, 8]);
    });
    let (prober, net, voice) = (Prober::new(), target("net"), target("voice"));
    // The first is found silent while nothing is known of the other.
    let plan = act(prober.decide(&daemon, &net, SILENT));
    assert!(matches!(prober.restart(&daemon, &plan).await, Err(NotRestored::Failed(_))));
    assert_eq!(daemon.diary(), ["terminate child 7"]);
    tokio::time::advance(Duration::from_secs(20)).await;
    // Then the other.
    let plan = act(prober.decide(&daemon, &voice, SILENT));
    let restored = prober.restart(&daemon, &plan).await.unwrap();
    assert!(restored.after < Duration::from_secs(2), "{:?}", restored.after);
    for tunnel in [&net, &voice] {
        assert!(assess(&daemon.now(), tunnel).is_up(), "{:?} {:#?}", daemon.diary(), daemon.now().installed);
        assert_eq!(prober.decide(&daemon, tunnel, Inside::Reached), Decision::Nothing);
    }
}
