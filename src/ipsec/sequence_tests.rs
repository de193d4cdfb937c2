use std::sync::Mutex;

use proptest::prelude::*;
use tokio::time::sleep;

use super::*;
use crate::ipsec::fake::{FakeDaemon, FakeProbe, Peer, RTT, busy, child, child_in, config, ike, ike_in};
use crate::ipsec::plan::{Plan, plan};
use crate::ipsec::{NoProbe, Probe, RestartPolicy};
use crate::vici::{ChildSa, ChildState, IkeSa, IkeState, View};

const DOWN: Cause = Cause::Down { tried_in_vain: None };

fn silent(ids: &[u32]) -> Cause {
    Cause::Silent(ids.iter().copied().collect())
}

fn daemon(installed: Vec<IkeSa>) -> FakeDaemon {
    FakeDaemon::new(vec![config("gw", "net"), config("gw", "voice")], installed)
}

fn net() -> ChildRef {
    ChildRef { ike: Some("gw".into()), child: "net".into() }
}

fn voice() -> ChildRef {
    ChildRef { ike: Some("gw".into()), child: "voice".into() }
}

/// What a restart came to, and what it said.
struct Story {
    ended: Result<Restored, Failed>,
    steps: Vec<String>,
    took: Duration,
}

impl Story {
    fn fault(&self) -> String {
        self.ended.as_ref().map(|restored| format!("{restored:?}")).unwrap_err().to_string()
    }

    fn restored(&self) -> &Restored {
        self.ended.as_ref().unwrap_or_else(|failed| panic!("{failed}: {:#?}", self.steps))
    }
}

async fn restore(daemon: &FakeDaemon, cause: Cause) -> Story {
    restore_knowing(daemon, cause, &[], &FakeProbe(daemon, net())).await
}

async fn restore_knowing(daemon: &FakeDaemon, cause: Cause, stale: &[u32], probe: &dyn Probe) -> Story {
    let view = daemon.now();
    let stale: BTreeSet<u32> = stale.iter().copied().collect();
    let plan = plan(&view, &view.configured[0], &cause, &stale);
    let steps = Mutex::new(Vec::new());
    let observer = |step: &Step| steps.lock().unwrap().push(step.to_string());
    let began = Instant::now();
    let ended = Restore {
        control: daemon,
        plan: &plan,
        stale: &|_: &View| stale.clone(),
        policy: &RestartPolicy::default(),
        probe,
        observer: &observer,
        deadline: began + Duration::from_mins(2),
    }
    .run()
    .await;
    let took = began.elapsed();
    Story { ended, steps: steps.into_inner().unwrap(), took }
}

/// The figure that operators are promised.
const PROMISED: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn whatever_can_be_restored_carries_traffic_within_two_seconds() {
    let half_open = |ids: &[u32]| {
        let children = ids.iter().map(|id| child("net", *id)).collect();
        daemon(vec![ike("gw", 1, children)]).with(|world| world.dead.extend([1]))
    };
    let black = |daemon: FakeDaemon| daemon.with(|world| world.black.extend([7]));
    for (what, daemon, cause, expected) in [
        ("nothing there", daemon(vec![]), DOWN, vec!["initiate net"]),
        ("an IKE_SA without it", daemon(vec![ike("gw", 1, vec![])]), DOWN, vec!["initiate net"]),
        ("another beside it", daemon(vec![ike("gw", 1, vec![child("voice", 8)])]), DOWN, vec!["initiate net"]),
        (
            "traffic vanishes",
            black(daemon(vec![ike("gw", 1, vec![child("net", 7), child("voice", 8)])])),
            silent(&[7]),
            vec!["terminate child 7", "initiate net"],
        ),
        (
            "the peer has lost the IKE_SA",
            black(half_open(&[7])),
            silent(&[7]),
            vec!["terminate child 7", "terminate ike 1", "initiate net"],
        ),
        (
            "the peer has lost the IKE_SA, and it was deleted here",
            half_open(&[]),
            DOWN,
            vec!["initiate net", "terminate ike 1", "initiate net"],
        ),
        (
            "its end was asked for earlier and never answered",
            daemon(vec![ike("gw", 1, vec![child_in(ChildState::Deleting, "net", 7)])])
                .with(|world| world.dead.extend([1])),
            DOWN,
            vec!["terminate ike 1", "initiate net"],
        ),
        (
            "strongSwan connects in vain",
            daemon(vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))]).with(|world| world.dead.extend([1])),
            Cause::Down { tried_in_vain: Some(1) },
            vec!["terminate ike 1", "initiate net"],
        ),
        (
            "an IKE_SA is on its way out",
            daemon(vec![ike_in(IkeState::Deleting, ike("gw", 1, vec![child("net", 7)]))]),
            DOWN,
            vec!["initiate net"],
        ),
        (
            "a trap",
            daemon(vec![ike("gw", 1, vec![child_in(ChildState::Routed, "net", 3)])]),
            DOWN,
            vec!["initiate net"],
        ),
    ] {
        let story = restore(&daemon, cause).await;
        assert_eq!(daemon.diary(), expected, "{what}: {:#?}", story.steps);
        assert!(story.restored().after < PROMISED, "{what}: {:?}", story.restored().after);
        assert_eq!((story.restored().by, story.restored().up.duplicates), (By::Us, 0), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_tells_what_it_does_in_the_words_of_the_field() {
    let daemon = daemon(vec![ike("gw", 1, vec![child("net", 7)])]).with(|world| {
        world.dead.insert(1);
        world.black.insert(7);
    });
    let story = restore(&daemon, silent(&[7])).await;
    assert_eq!(
        story.steps,
        [
            "Tunnel net is UP but the inside does not answer (stale)",
            "terminating CHILD_SA net{7}",
            "CHILD_SA {7} not terminated: SA not terminated after 700ms",
            "terminating IKE_SA gw[1]",
            "initiating CHILD_SA net",
            "CHILD_SA net is INSTALLED",
            "Tunnel net is UP and reachable",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn where_nothing_inside_is_known_the_sa_is_enough() {
    let daemon = daemon(vec![]).with(|world| world.inside_dead = true);
    let story = restore_knowing(&daemon, DOWN, &[], &NoProbe).await;
    assert!(story.restored().up.child.unique_id > 0);
    assert_eq!(story.steps.last().unwrap(), "Tunnel net is UP");
}

#[tokio::test(start_paused = true)]
async fn what_came_up_by_itself_is_not_touched() {
    let came = daemon(vec![]).after(Duration::ZERO, |world| world.install("gw", "net"));
    // Decided before: the view of the decision showed nothing.
    let view = View { configured: vec![config("gw", "net")], installed: vec![] };
    let plan = plan(&view, &view.configured[0], &DOWN, &BTreeSet::new());
    let restore = Restore {
        control: &came,
        plan: &plan,
        stale: &|_: &View| BTreeSet::new(),
        policy: &RestartPolicy::default(),
        probe: &FakeProbe(&came, net()),
        observer: &|_: &Step| {},
        deadline: Instant::now() + PROMISED,
    };
    let restored = restore.run().await.unwrap();
    assert_eq!((restored.by, came.diary().len()), (By::Itself, 0));
}

#[tokio::test(start_paused = true)]
async fn strongswan_that_has_just_set_to_work_is_waited_for() {
    let connecting = vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))];
    let daemon = daemon(connecting).after(Duration::from_secs(3), |world| world.install("gw", "net"));
    let story = restore(&daemon, DOWN).await;
    assert_eq!((story.restored().by, daemon.diary().len()), (By::Itself, 0));
    assert_eq!(story.steps[1], "Tunnel net: strongSwan is at work on it, waiting: IKE_SA #1 is CONNECTING");
}

#[tokio::test(start_paused = true)]
async fn strongswan_that_sets_to_work_and_gets_nowhere_is_replaced() {
    let connecting = vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))];
    let daemon = daemon(connecting).with(|world| world.dead.extend([1]));
    let story = restore(&daemon, DOWN).await;
    assert_eq!(daemon.diary(), ["terminate ike 1", "initiate net"]);
    assert!(story.restored().after >= LONG_LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_makes_closed_tunnels_anew_is_let_go_first() {
    let daemon = daemon(vec![ike("gw", 1, vec![child("net", 7)])])
        .with(|world| {
            world.black.insert(7);
            world.view.configured[0].close_action = Action::Start;
        })
        .after(RTT + Duration::from_millis(80), |world| world.install("gw", "net"));
    let story = restore(&daemon, silent(&[7])).await;
    assert_eq!(daemon.diary(), ["terminate child 7"]);
    assert_eq!(story.restored().up.duplicates, 0);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_gone_is_tried_three_times_with_doubling_pauses() {
    let daemon = daemon(vec![]).with(|world| world.peer = Peer::Gone);
    let story = restore(&daemon, DOWN).await;
    assert_eq!(story.fault(), "CHILD_SA 'net' not established after 12000ms");
    let initiated = daemon.diary().iter().filter(|line| *line == "initiate net").count();
    assert_eq!((initiated, story.ended.as_ref().unwrap_err().attempts), (3, 3));
    let pauses: Vec<_> = story.steps.iter().filter(|step| step.contains("attempt") && step.contains(" in ")).collect();
    assert_eq!(pauses, ["Tunnel net: attempt 2 of 3 in 2 s", "Tunnel net: attempt 3 of 3 in 4 s"]);
    // One IKE_SA at a time: what an attempt leaves behind is taken down before the next.
    assert_eq!(daemon.now().installed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_comes_back_between_two_attempts_is_reached_by_the_next() {
    let daemon = daemon(vec![])
        .with(|world| world.peer = Peer::Gone)
        .after(Duration::from_secs(13), |world| world.peer = Peer::Answers);
    let story = restore(&daemon, DOWN).await;
    assert_eq!((story.restored().attempts, story.restored().up.duplicates), (2, 0));
    assert_eq!(daemon.now().installed.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_peer_brings_up_during_a_pause_ends_it() {
    let daemon = daemon(vec![])
        .with(|world| world.peer = Peer::RefusesUs)
        .after(Duration::from_secs(1), |world| world.install("gw", "net"));
    let story = restore(&daemon, DOWN).await;
    assert!(story.took < PROMISED, "{:?}", story.took);
    assert_eq!(daemon.diary(), ["initiate net"]);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_refuses_costs_one_ike_sa_and_no_more() {
    let daemon = daemon(vec![ike("gw", 1, vec![])]).with(|world| world.peer = Peer::RefusesTheChild);
    let story = restore(&daemon, DOWN).await;
    assert_eq!(story.fault(), "establishing CHILD_SA 'net' failed");
    let ended: Vec<_> = daemon.diary().into_iter().filter(|line| line.starts_with("terminate")).collect();
    assert_eq!(ended, ["terminate ike 1"]);
}

#[tokio::test(start_paused = true)]
async fn an_inside_that_stays_silent_through_new_sas_is_not_the_tunnels_fault() {
    for (others, stale, expected) in [
        // Nothing else lives on the IKE_SA: that is renewed as well, once.
        (vec![], vec![], vec!["terminate child 7", "initiate net", "terminate ike 1", "initiate net"]),
        (vec![child("voice", 8)], vec![], vec!["terminate child 7", "initiate net"]),
    ] {
        let daemon =
            daemon(vec![ike("gw", 1, [vec![child("net", 7)], others].concat())]).with(|world| world.inside_dead = true);
        let story = restore_knowing(&daemon, silent(&[7]), &stale, &FakeProbe(&daemon, net())).await;
        assert_eq!(story.fault(), "its SAs are new, and the inside does not answer as before");
        assert_eq!(daemon.diary(), expected);
        assert!(assess(&daemon.now(), &net()).is_up(), "what is up stays up");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_ike_sa_on_which_another_may_live_is_left_to_strongswan() {
    let dead = |installed| {
        daemon(installed).with(|world| {
            world.dead.insert(1);
            world.black.extend([7, 8]);
        })
    };
    let both = vec![ike("gw", 1, vec![child("net", 7), child("voice", 8)])];
    let first = dead(both.clone());
    let story = restore(&first, silent(&[7])).await;
    assert_eq!(story.fault(), "the peer does not answer on its IKE_SA, which was left because voice may live on it");
    assert_eq!(first.diary(), ["terminate child 7"]);
    assert!(story.took < PROMISED);
    // The other is found silent too: now nothing lives on it, and both are brought back.
    let second = dead(both);
    let story = restore_knowing(&second, silent(&[7]), &[8], &FakeProbe(&second, net())).await;
    assert_eq!(second.diary(), ["terminate child 7", "terminate ike 1", "initiate net", "initiate voice"]);
    assert!(story.restored().after < PROMISED);
    assert!(assess(&second.now(), &voice()).is_up());
}

#[tokio::test(start_paused = true)]
async fn a_second_child_sa_is_never_asked_for_while_the_first_waits_on_a_shared_ike_sa() {
    let daemon = daemon(vec![ike("gw", 1, vec![child("voice", 8)])]).with(|world| world.dead.extend([1]));
    let story = restore(&daemon, DOWN).await;
    let silent = "the peer does not answer on its IKE_SA, which was left because voice may live on it";
    assert_eq!((story.fault().as_str(), story.ended.as_ref().unwrap_err().attempts), (silent, 2));
    assert_eq!(daemon.diary(), ["initiate net"]);
    // The next cycle finds it waiting, and when the grace is over it still waits.
    let story = restore(&daemon, Cause::Down { tried_in_vain: Some(1) }).await;
    assert_eq!((story.fault().as_str(), story.ended.as_ref().unwrap_err().attempts), (silent, 0));
    assert_eq!(daemon.diary(), ["initiate net"]);
    assert!(assess(&daemon.now(), &voice()).is_up());
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_restarted_in_the_middle_is_waited_for() {
    for installed in [vec![], vec![ike("gw", 1, vec![child("net", 7)])]] {
        let cause = if installed.is_empty() { DOWN } else { silent(&[7]) };
        let daemon = daemon(installed).with(|world| {
            world.black.insert(7);
            world.dies_for = Some(Duration::from_secs(3));
        });
        let story = restore(&daemon, cause).await;
        assert_eq!((story.restored().attempts, story.restored().up.duplicates), (1, 0));
        assert!(story.took < Duration::from_secs(4), "{:?}", story.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_starts_its_tunnels_by_itself_is_left_to_it() {
    let daemon = daemon(vec![])
        .with(|world| world.dies_for = Some(Duration::from_secs(1)))
        .after(Duration::from_millis(500), |world| {
            world.view.installed.push(ike_in(IkeState::Connecting, ike("gw", 1, vec![])));
        })
        .after(Duration::from_secs(2), |world| world.install("gw", "net"));
    let story = restore(&daemon, DOWN).await;
    assert_eq!(story.restored().up.duplicates, 0);
    assert_eq!(daemon.diary(), ["initiate net"], "once, before it died");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_stays_away_ends_it() {
    let daemon = daemon(vec![]).with(|world| world.dies_for = Some(Duration::from_hours(1)));
    let story = restore(&daemon, DOWN).await;
    assert_eq!(story.fault(), "no strongSwan answers at `/run/fake.vici`");
    assert!(story.took < Duration::from_secs(12), "{:?}", story.took);
    let told = story.steps.iter().filter(|step| step.contains("waiting for strongSwan")).count();
    assert!(told <= 2, "{:#?}", story.steps);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_gone_ends_it() {
    let daemon = daemon(vec![]).after(Duration::from_millis(1), |world| world.view.configured.clear());
    assert_eq!(restore(&daemon, DOWN).await.fault(), "strongSwan does not know it any more");
}

#[tokio::test(start_paused = true)]
async fn numbers_that_a_restarted_daemon_gives_anew_are_not_taken_for_those_given_up() {
    let daemon = daemon(vec![]);
    let plan =
        Plan { given_up: [2].into(), ..plan(&daemon.now(), &config("gw", "net"), &silent(&[2]), &BTreeSet::new()) };
    let restore = Restore {
        control: &daemon,
        plan: &plan,
        stale: &|_: &View| BTreeSet::new(),
        policy: &RestartPolicy::default(),
        probe: &NoProbe,
        observer: &|_: &Step| {},
        deadline: Instant::now() + PROMISED,
    };
    let run = Run::new(&restore);
    tokio::time::advance(Duration::from_secs(10)).await;
    let aged = |seconds| ChildSa { installed: Some(Duration::from_secs(seconds)), ..child("net", 2) };
    assert!(run.is_given_up(&aged(60)) && run.is_given_up(&aged(9)));
    assert!(!run.is_given_up(&aged(8)) && !run.is_given_up(&aged(0)));
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_nothing_is_begun() {
    let daemon = daemon(vec![]).with(|world| world.peer = Peer::Gone);
    let view = daemon.now();
    let plan = plan(&view, &view.configured[0], &DOWN, &BTreeSet::new());
    for (limit, expected) in [(0, 0), (5, 1)] {
        let restore = Restore {
            control: &daemon,
            plan: &plan,
            stale: &|_: &View| BTreeSet::new(),
            policy: &RestartPolicy::default(),
            probe: &NoProbe,
            observer: &|_: &Step| {},
            deadline: Instant::now() + Duration::from_secs(limit),
        };
        let began = Instant::now();
        assert_eq!(restore.run().await.unwrap_err().why, Fault::OutOfTime);
        assert_eq!(daemon.diary().len(), expected);
        assert!(began.elapsed() <= Duration::from_secs(limit + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_is_dropped_asks_for_nothing_more() {
    let daemon = daemon(vec![]).with(|world| world.peer = Peer::Gone);
    let cut = timeout(Duration::from_secs(5), restore(&daemon, DOWN)).await;
    assert!(cut.is_err());
    sleep(Duration::from_mins(1)).await;
    assert_eq!(daemon.diary(), ["initiate net"]);
}

#[tokio::test(start_paused = true)]
async fn anothers_word_that_is_taken_for_the_answer_ends_nothing() {
    // A failure is reported at once; the CHILD_SA is still being made.
    let daemon = daemon(vec![ike("gw", 1, vec![])])
        .with(|world| world.peer = Peer::RefusesTheChild)
        .after(RTT / 2, |world| world.view.installed[0].tasks.push("CHILD_CREATE".to_owned()))
        .after(Duration::from_millis(400), |world| world.install("gw", "net"));
    let story = restore(&daemon, DOWN).await;
    assert_eq!(daemon.diary(), ["initiate net"]);
    assert!(story.restored().after < Duration::from_millis(500), "{:?}", story.restored().after);
}

#[tokio::test(start_paused = true)]
async fn a_child_sa_that_is_busy_being_rekeyed_is_not_initiated_again() {
    let moving = vec![busy("CHILD_REKEY", ike("gw", 1, vec![]))];
    let daemon = daemon(moving)
        .with(|world| world.view.installed[0].children.push(child_in(ChildState::Updating, "net", 9)))
        .after(Duration::from_millis(700), |world| {
            world.view.installed[0].children = vec![child("net", 10)];
        });
    let story = restore(&daemon, DOWN).await;
    assert_eq!((story.restored().by, daemon.diary().len()), (By::Itself, 0));
}

fn any_ike_sas() -> impl Strategy<Value = Vec<IkeSa>> {
    use ChildState::{Created, Deleted, Deleting, Installed, Rekeyed, Rekeying, Routed};
    let state = prop::sample::select(vec![Installed, Installed, Rekeying, Rekeyed, Deleting, Deleted, Created, Routed]);
    let child = (prop::sample::select(vec!["net", "voice"]), state);
    let children = prop::collection::vec(child, 0..4);
    let ike_state = prop::sample::select(vec![
        IkeState::Established,
        IkeState::Established,
        IkeState::Connecting,
        IkeState::Rekeying,
        IkeState::Deleting,
    ]);
    let task = prop::option::of(prop::sample::select(vec!["CHILD_CREATE", "IKE_DPD"]));
    prop::collection::vec((ike_state, task, children), 0..4).prop_map(|ikes| {
        let mut number = 0;
        let made = (1..).zip(ikes).map(|(id, (state, task, children))| {
            let children = children.into_iter().map(|(name, state)| {
                number += 1;
                child_in(state, name, number)
            });
            let made = ike_in(state, ike("gw", id, children.collect()));
            task.map_or(made.clone(), |task| busy(task, made))
        });
        made.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn whatever_the_daemon_has_and_does_nothing_that_carries_traffic_is_taken_down(
        installed in any_ike_sas(),
        dead in prop::collection::btree_set(1_u32..4, 0..3),
        black in prop::collection::btree_set(1_u32..12, 0..6),
        peer in prop::sample::select(vec![Peer::Answers, Peer::Gone, Peer::RefusesUs, Peer::RefusesTheChild]),
        dies in prop::bool::weighted(0.2),
        known_stale in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (victims, story) = runtime.block_on(async {
            let daemon = daemon(installed).with(|world| {
                world.dead.extend(dead);
                world.black.extend(black.iter());
                world.peer = peer;
                world.dies_for = dies.then_some(Duration::from_secs(2));
            });
            // As the guard is told: silent where nothing of the tunnel carries anything.
            let view = daemon.now();
            let probe = FakeProbe(&daemon, net());
            let cause = match assess(&view, &net()).settled() {
                Assessment::Up(_) if probe.ask().await == Flow::Silent => {
                    let live = children_of(&view, &view.configured[0]).filter(|(ike, child)| is_live(ike, child));
                    Cause::Silent(live.map(|(_, child)| child.unique_id).collect())
                }
                Assessment::Up(_) => return (vec![], None),
                Assessment::Recovering(work) => Cause::Down { tried_in_vain: Some(work.ike_id()) },
                _ => DOWN,
            };
            let stale: Vec<u32> = if known_stale { black.into_iter().collect() } else { vec![] };
            let story = restore_knowing(&daemon, cause, &stale, &probe).await;
            // What is called restored is there, and carries traffic.
            let carries = probe.ask().await == Flow::Answered;
            assert!(story.ended.is_err() || carries, "called restored: {:#?}", story.steps);
            (daemon.victims(), Some(story))
        });
        let steps = story.map(|story| story.steps).unwrap_or_default();
        prop_assert!(!victims.iter().any(|name| name == "voice"), "{victims:?} {steps:#?}");
    }
}
