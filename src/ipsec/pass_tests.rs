use super::*;
use crate::clock::SteadyClock;
use crate::ipsec::fake::{FakeDaemon, Peer, child, config, ike, ike_in};
use crate::net::HostNet;
use crate::vici::ChildConfig;

/// A tunnel whose peer this host has a way to.
fn here(ike: &str, child: &str) -> ChildConfig {
    ChildConfig { remote_addrs: vec!["127.0.0.1".to_owned()], ..config(ike, child) }
}

/// Passes of one program after the other, on the same state.
struct Runs {
    dir: tempfile::TempDir,
    clock: SteadyClock,
    policy: RestartPolicy,
    said: std::sync::Mutex<Vec<String>>,
}

impl Runs {
    fn new() -> Self {
        let clock = SteadyClock::starting_at("2026-11-20T06:00:00Z".parse().unwrap());
        let policy = RestartPolicy { max_per_hour: 1, ..RestartPolicy::default() };
        Self { dir: tempfile::tempdir().unwrap(), clock, policy, said: std::sync::Mutex::default() }
    }

    async fn pass(&self, daemon: &FakeDaemon, mode: Mode, names: &[&str]) -> Passed {
        let net = HostNet::new("/etc/resolv.conf".into()).unwrap();
        let pass = Pass {
            control: daemon,
            net: &net,
            ledger: &Ledger::new(self.dir.path(), "/run/charon.vici"),
            clock: &self.clock,
            policy: &self.policy,
            mode,
            tell: &|note: &Note<'_>| self.said.lock().unwrap().push(note.to_string()),
        };
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        pass.run(&names).await.unwrap()
    }

    fn said(&self, words: &str) -> bool {
        self.said.lock().unwrap().iter().any(|said| said.contains(words))
    }
}

#[tokio::test(start_paused = true)]
async fn what_strongswan_is_at_work_on_is_waited_for_or_left_to_the_next_pass() {
    let connecting = || vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))];
    let (runs, daemon) = (Runs::new(), FakeDaemon::new(vec![here("gw", "a")], connecting()));
    let began = runs.clock.now();
    let passed = runs.pass(&daemon, Mode::Return, &["a"]).await;
    assert_eq!(passed.tunnels, [Ended::Down]);
    let again = passed.again.unwrap() - began;
    assert!((44..=46).contains(&again.num_seconds()), "{again}");

    let daemon = FakeDaemon::new(vec![here("gw", "a")], connecting()).after(Duration::from_secs(10), |world| {
        world.view.installed.clear();
        world.install("gw", "a");
    });
    let passed = Runs::new().pass(&daemon, Mode::Wait, &["a"]).await;
    assert_eq!(passed, Passed { tunnels: vec![Ended::Restored], again: None });
    assert!(!daemon.diary().iter().any(|asked| asked.contains("initiate")), "{:?}", daemon.diary());
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_lasts_too_long_is_ended_after_the_grace() {
    let stuck = vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))];
    let (runs, daemon) = (Runs::new(), FakeDaemon::new(vec![here("gw", "a")], stuck));
    let began = Instant::now();
    let passed = runs.pass(&daemon, Mode::Wait, &["a"]).await;
    assert_eq!(passed.tunnels, [Ended::Restored]);
    assert!((45..60).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_away_is_tried_once_a_pass_and_never_counted() {
    let both = vec![here("gw", "a"), here("gw", "b")];
    let (mut runs, daemon) = (Runs::new(), FakeDaemon::new(both.clone(), vec![]).with(|world| world.peer = Peer::Gone));
    runs.policy.grace = Duration::ZERO;
    for _ in 0..3 {
        assert_eq!(runs.pass(&daemon, Mode::Wait, &["a", "b"]).await.tunnels, [Ended::Down, Ended::Down]);
    }
    assert!(runs.said("Tunnel b is not reset: a, of the same connection"));
    assert!(!daemon.diary().iter().any(|asked| asked.contains("initiate b")), "{:?}", daemon.diary());
    // The limit of one an hour allows it still.
    let back = FakeDaemon::new(both, vec![]);
    assert_eq!(runs.pass(&back, Mode::Wait, &["a", "b"]).await.tunnels, [Ended::Restored, Ended::Restored]);
    back.falls();
    assert_eq!(runs.pass(&back, Mode::Wait, &["a", "b"]).await.tunnels, [Ended::Down, Ended::Down]);
    assert!(runs.said("Tunnel a is not reset: restarted 1 times within the last hour"));
}

#[tokio::test(start_paused = true)]
async fn of_two_connections_with_one_name_one_is_enough() {
    let both = vec![here("first", "a"), here("second", "a")];
    let runs = Runs::new();
    let daemon = FakeDaemon::new(both.clone(), vec![ike("second", 1, vec![child("a", 1)])]);
    assert_eq!(runs.pass(&daemon, Mode::Wait, &["a"]).await.tunnels, [Ended::Up]);
    let daemon = FakeDaemon::new(both, vec![]);
    assert_eq!(runs.pass(&daemon, Mode::Wait, &["a"]).await.tunnels, [Ended::Restored]);
    let connections: Vec<_> = daemon.now().installed.iter().map(|ike| ike.name.clone()).collect();
    assert_eq!(connections, ["first"]);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_asks_for_nothing() {
    let (runs, daemon) = (Runs::new(), FakeDaemon::new(vec![here("gw", "a")], vec![]));
    assert_eq!(runs.pass(&daemon, Mode::DryRun, &["a"]).await.tunnels, [Ended::Down]);
    assert!(runs.said("Tunnel a would be reset: initiate CHILD_SA a"));
    assert!(daemon.now().installed.is_empty());
}
