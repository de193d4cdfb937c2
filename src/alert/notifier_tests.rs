//! The whole way from observation to channel, with the clock paused: what people get, when, and what a cycle waits for.

use std::collections::VecDeque;
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::*;
use crate::alert::{AlertFacts, FileStore, HOLD_WINDOW, Outgoing, SendError};
use crate::clock::SteadyClock;
use crate::net::BoxFuture;
use crate::record::{MalfunctionKind, Verdict};

/// What a scripted channel does with one message.
#[derive(Debug, Clone, Copy)]
enum Play {
    Take,
    TakeAfter(Duration),
    Refuse,
    RefuseForGood,
    Hang,
    Panic,
}

/// A channel that follows a script, then takes everything. Notes what it took, and every attempt.
#[derive(Default)]
struct Scripted {
    name: &'static str,
    only_reports: bool,
    script: Mutex<VecDeque<Play>>,
    /// Until then it refuses everything.
    gone_until: Option<Instant>,
    taken: Mutex<Vec<Outgoing>>,
    attempts: Mutex<Vec<(Instant, String)>>,
    /// What still goes on is said so often.
    repeat: Option<Duration>,
    /// And not taken.
    stale: bool,
    refreshed: Mutex<Vec<(Instant, Vec<String>)>>,
}

impl Scripted {
    fn new(name: &'static str, script: &[Play]) -> Arc<Self> {
        Arc::new(Self { name, script: Mutex::new(script.iter().copied().collect()), ..Self::default() })
    }

    /// Subjects of what was taken, without the program's name.
    fn taken(&self) -> Vec<String> {
        let short = |outgoing: &Outgoing| outgoing.subject.trim_start_matches("[vpnprobe] ").to_owned();
        self.taken.lock().unwrap().iter().map(short).collect()
    }

    fn attempts(&self) -> Vec<Instant> {
        self.attempts.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }

    async fn play(&self, outgoing: &Outgoing) -> Result<(), SendError> {
        self.attempts.lock().unwrap().push((Instant::now(), outgoing.event.id.clone()));
        let is_gone = self.gone_until.is_some_and(|until| Instant::now() < until);
        let otherwise = if is_gone { Play::Refuse } else { Play::Take };
        let play = self.script.lock().unwrap().pop_front().unwrap_or(otherwise);
        match play {
            Play::Take => {}
            Play::TakeAfter(wait) => sleep(wait).await,
            Play::Refuse => return Err(SendError::transient("450 later")),
            Play::RefuseForGood => return Err(SendError::permanent("550 never")),
            Play::Hang => std::future::pending().await,
            Play::Panic => panic!("scripted"),
        }
        self.taken.lock().unwrap().push(outgoing.clone());
        Ok(())
    }
}

impl Channel for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn takes_alerts(&self) -> bool {
        !self.only_reports
    }

    fn repeat(&self) -> Option<Duration> {
        self.repeat
    }

    fn refresh<'a>(&'a self, going_on: &'a [Outgoing]) -> BoxFuture<'a, Result<(), SendError>> {
        let sites = going_on.iter().map(|outgoing| outgoing.event.subject.clone()).collect();
        self.refreshed.lock().unwrap().push((Instant::now(), sites));
        let stale = self.stale;
        Box::pin(async move { if stale { Err(SendError::transient("503 later")) } else { Ok(()) } })
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.play(outgoing))
    }
}

/// A file that nothing is written to after its prober's death: a thread that was about to would have died with it.
struct Mortal {
    file: FileStore,
    alive: Mutex<bool>,
}

impl AlertStore for Mortal {
    fn load(&self) -> Result<AlertState, StoreError> {
        self.file.load()
    }

    fn save(&self, state: &AlertState) -> Result<(), StoreError> {
        let alive = self.alive.lock().unwrap();
        if *alive { self.file.save(state) } else { Ok(()) }
    }
}

/// A prober with its state in a directory, that can die and come back.
struct Prober {
    store: Arc<Mortal>,
    notifier: Notifier,
    gate: RouteGate,
    task: JoinHandle<()>,
    cycles: i64,
}

impl Prober {
    fn start(dir: &TempDir, channels: &[&Arc<Scripted>]) -> Self {
        let clock = Arc::new(SteadyClock::starting_at("2026-11-20T06:00:00Z".parse().unwrap()));
        let file = FileStore::new(dir.path(), clock.clone());
        let channels = channels.iter().map(|&channel| -> Arc<dyn Channel> { channel.clone() }).collect();
        Self::open(&clock, file, channels)
    }

    /// The same with channels that are more than scripted.
    fn start_with(dir: &TempDir, channels: Vec<Arc<dyn Channel>>) -> Self {
        let clock = Arc::new(SteadyClock::starting_at("2026-11-20T06:00:00Z".parse().unwrap()));
        Self::open(&clock, FileStore::new(dir.path(), clock.clone()), channels)
    }

    fn open(clock: &Arc<SteadyClock>, file: FileStore, channels: Vec<Arc<dyn Channel>>) -> Self {
        let store = Arc::new(Mortal { file, alive: Mutex::new(true) });
        let gate = RouteGate::new();
        let (notifier, task) = Notifier::new(store.clone(), channels, &gate, clock.clone(), Zone::utc()).unwrap();
        Self { store, notifier, gate, task: tokio::spawn(task.run()), cycles: 0 }
    }

    /// Dies without a word.
    async fn kill(self) {
        *self.store.alive.lock().unwrap() = false;
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    async fn see(&mut self, site: &str, verdict: Verdict) {
        self.cycles += 1;
        let start: DateTime<Utc> = "2026-11-20T06:00:00Z".parse().unwrap();
        let at = start + chrono::TimeDelta::seconds(self.cycles);
        let observation = Observation::of(site, verdict, at, Duration::from_mins(10));
        let before = Instant::now();
        self.notifier.observe(observation, AlertRules { after: 1, ..AlertRules::default() }).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO, "observing waits for no channel");
    }

    async fn pending(&self) -> usize {
        self.notifier.state().await.unwrap().outbox.pending().len()
    }

    /// Waits until nothing is pending.
    async fn delivered(&self) {
        while self.pending().await > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

fn dir() -> TempDir {
    TempDir::new().unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_event_is_delivered_once_and_in_order() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let mut prober = Prober::start(&dir, &[&email]);
    for verdict in [Verdict::Down, Verdict::Down, Verdict::Up, Verdict::Up, Verdict::Down] {
        prober.see("paris", verdict).await;
    }
    prober.delivered().await;
    sleep(Duration::from_hours(30)).await;
    let expected = ["paris DOWN: no reason given", "paris is up again after 2 s", "paris DOWN: no reason given"];
    assert_eq!(email.taken(), expected);
    assert_eq!(email.attempts().len(), 3);
    let state = prober.notifier.state().await.unwrap();
    assert_eq!((state.outbox.delivered_total(), state.outbox.given_up_total()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn down_comes_before_resolved_although_the_first_send_fails() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::Refuse, Play::Panic, Play::Refuse]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    prober.see("paris", Verdict::Up).await;
    prober.delivered().await;
    assert_eq!(email.taken(), ["paris DOWN: no reason given", "paris is up again after 1 s"]);
    let waits: Vec<_> = email.attempts().windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    let fits = |(wait, whole): (&f64, &f64)| *wait >= whole * 0.8 && *wait <= whole + 0.01;
    assert!(
        waits.iter().zip(&[1.0, 2.0, 4.0, 0.0]).all(fits),
        "back-off doubles, what waited behind follows: {waits:?}"
    );
    let ids: Vec<_> = email.attempts.lock().unwrap().iter().map(|(_, id)| id.clone()).collect();
    assert!(ids[..4].iter().all(|id| *id == ids[0]), "a repeat has the same id: {ids:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_channel_delays_no_other() {
    let (dir, email, chat) = (dir(), Scripted::new("email", &[Play::Hang; 9]), Scripted::new("chat", &[]));
    let mut prober = Prober::start(&dir, &[&email, &chat]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(chat.taken().len(), 1);
    assert_eq!(prober.pending().await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_send_is_given_thirty_seconds() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::Hang]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    let attempts = email.attempts();
    let second = (attempts[1] - attempts[0]).as_secs_f64();
    assert!((30.8..31.1).contains(&second), "30 s, then the first back-off: {second}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_is_tried_for_a_day_and_kept() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::RefuseForGood; 400]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_hours(25)).await;
    let state = prober.notifier.state().await.unwrap();
    assert_eq!((state.outbox.pending().len(), state.outbox.dead().len()), (0, 1));
    assert_eq!(email.attempts().len(), 24 * 12 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_cycle_waits_for_nothing_when_nothing_is_due() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::RefuseForGood]));
    let mut prober = Prober::start(&dir, &[&email]);
    let before = Instant::now();
    drop(prober.gate.hold().await);
    prober.see("paris", Verdict::Down).await;
    drop(prober.gate.hold().await);
    drop(prober.gate.hold().await);
    assert_eq!(before.elapsed(), Duration::ZERO, "what waits for its back-off is not due");
    assert_eq!(email.attempts().len(), 1, "what was due had its try before the gate closed");
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_hangs_delays_a_cycle_by_the_window_at_most() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::Hang, Play::Hang]));
    let mut prober = Prober::start(&dir, &[&email]);
    for site in ["paris", "rome", "oslo"] {
        prober.see(site, Verdict::Down).await;
    }
    let before = Instant::now();
    let guard = prober.gate.hold().await;
    assert_eq!(before.elapsed(), HOLD_WINDOW);
    assert_eq!(prober.pending().await, 3, "a cancelled send counts as not delivered");
    drop(guard);
    prober.delivered().await;
    assert_eq!(email.taken().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_send_in_progress_is_cancelled_when_the_window_ends() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::TakeAfter(HOLD_WINDOW + Duration::from_secs(1))]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    let guard = prober.gate.hold().await;
    sleep(Duration::from_mins(10)).await;
    assert_eq!(email.taken().len(), 0);
    drop(guard);
    prober.delivered().await;
    assert_eq!(email.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn before_the_gate_closes_everything_due_has_one_try_and_no_second() {
    let slow = Duration::from_millis(1500);
    let (dir, email) = (dir(), Scripted::new("email", &[Play::Refuse, Play::TakeAfter(slow), Play::TakeAfter(slow)]));
    let mut prober = Prober::start(&dir, &[&email]);
    for site in ["paris", "rome", "oslo"] {
        prober.see(site, Verdict::Down).await;
    }
    let before = Instant::now();
    let _guard = prober.gate.hold().await;
    assert_eq!(before.elapsed(), slow * 2, "paris was due again after a second, and waits");
    assert_eq!(email.taken(), ["rome DOWN: no reason given", "oslo DOWN: no reason given"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_while_a_client_holds_the_routes() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::Refuse]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    let guard = prober.gate.hold().await;
    prober.see("rome", Verdict::Down).await;
    sleep(Duration::from_mins(20)).await;
    assert_eq!(email.attempts().len(), 1, "only the try before the gate closed");
    let opened = Instant::now();
    drop(guard);
    prober.delivered().await;
    assert_eq!(email.taken().len(), 2);
    assert!(email.attempts()[1..].iter().all(|&at| at == opened), "and at once when it opens");
}

#[tokio::test(start_paused = true)]
async fn the_gate_stays_closed_until_the_last_of_two_clients_is_gone() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let mut prober = Prober::start(&dir, &[&email]);
    let (first, second) = (prober.gate.hold().await, prober.gate.hold().await);
    prober.see("paris", Verdict::Down).await;
    drop(first);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(email.attempts().len(), 0);
    drop(second);
    prober.delivered().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_survives_the_death_of_the_prober_and_is_due_at_once() {
    let dir = dir();
    let refusing = Scripted::new("email", &[Play::RefuseForGood; 9]);
    let mut prober = Prober::start(&dir, &[&refusing]);
    prober.see("paris", Verdict::Down).await;
    prober.see("paris", Verdict::Up).await;
    sleep(Duration::from_secs(1)).await;
    prober.kill().await;

    let working = Scripted::new("email", &[]);
    let prober = Prober::start(&dir, &[&working]);
    let started = Instant::now();
    prober.delivered().await;
    assert_eq!(working.taken(), ["paris DOWN: no reason given", "paris is up again after 1 s"]);
    assert!(working.attempts().iter().all(|&at| at == started));
    assert_eq!(working.taken.lock().unwrap()[0].event.id, refusing.attempts.lock().unwrap()[0].1, "with its old id");
}

#[tokio::test(start_paused = true)]
async fn an_open_alert_survives_the_death_of_the_prober() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    prober.kill().await;
    let mut prober = Prober::start(&dir, &[&email]);
    prober.cycles = 1;
    prober.see("paris", Verdict::Down).await;
    prober.see("paris", Verdict::Up).await;
    prober.delivered().await;
    assert_eq!(email.taken(), ["paris DOWN: no reason given", "paris is up again after 2 s"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_tries_everything_once_more_and_waits_five_seconds_at_most() {
    let plays = [Play::RefuseForGood, Play::Take, Play::Hang];
    let (dir, email) = (dir(), Scripted::new("email", &plays));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    sleep(Duration::from_secs(1)).await;
    prober.see("rome", Verdict::Down).await;
    sleep(Duration::from_secs(1)).await;
    let before = Instant::now();
    let left = prober.notifier.shutdown(before + Duration::from_hours(1)).await.unwrap();
    assert_eq!((left, before.elapsed()), (1, SHUTDOWN_WINDOW), "paris was tried although its back-off was not over");
    assert_eq!(email.attempts().len(), 3);
    assert!(matches!(prober.notifier.state().await, Err(NotifierError::Gone)));
    prober.task.await.unwrap();
    assert_eq!(Prober::start(&dir, &[]).pending().await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_at_once_when_nothing_is_pending_or_a_client_holds_the_routes() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let before = Instant::now();
    let prober = Prober::start(&dir, &[&email]);
    assert_eq!(prober.notifier.shutdown(before + SHUTDOWN_WINDOW).await.unwrap(), 0);

    let mut prober = Prober::start(&dir, &[&email]);
    let _guard = prober.gate.hold().await;
    prober.see("paris", Verdict::Down).await;
    assert_eq!(prober.notifier.shutdown(before + SHUTDOWN_WINDOW).await.unwrap(), 1);
    assert_eq!((before.elapsed(), email.attempts().len()), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_no_longer_configured_stops_nobody() {
    let (dir, email) = (dir(), Scripted::new("email", &[Play::RefuseForGood; 9]));
    let mut prober = Prober::start(&dir, &[&email]);
    prober.see("paris", Verdict::Down).await;
    prober.kill().await;
    let chat = Scripted::new("chat", &[]);
    let mut prober = Prober::start(&dir, &[&chat]);
    prober.cycles = 1;
    prober.see("paris", Verdict::Up).await;
    sleep(Duration::from_hours(25)).await;
    assert_eq!(chat.taken().len(), 0, "the end goes to whom the beginning went to");
    assert_eq!(prober.notifier.state().await.unwrap().outbox.dead().len(), 2);
    prober.see("paris", Verdict::Down).await;
    prober.delivered().await;
    assert_eq!(chat.taken(), ["paris DOWN: no reason given"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_an_error_and_people_are_told_nevertheless() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let prober = Prober::start(&dir, &[&email]);
    std::fs::create_dir(dir.path().join("alerts.json.new")).unwrap();
    let at = "2026-11-20T06:00:00Z".parse().unwrap();
    let observation =
        Observation { identity_failure: true, ..Observation::of("paris", Verdict::Down, at, Duration::from_mins(10)) };
    let result = prober.notifier.observe(observation, AlertRules::default()).await;
    assert!(matches!(result, Err(NotifierError::Store(_))), "{result:?}");
    prober.delivered().await;
    assert_eq!(email.taken().len(), 1);
    std::fs::remove_dir(dir.path().join("alerts.json.new")).unwrap();
    sleep_until(Instant::now() + Duration::from_secs(61)).await;
    assert!(dir.path().join("alerts.json").exists(), "the state is saved again by itself");
}

/// The report of a month, for the channel of reports.
fn report_of(month: &str) -> Settled {
    let event = AlertEvent::report("edge-1", month, "2026-11-01T07:00:00Z".parse().unwrap(), format!("report {month}"));
    let periods = BTreeSet::from([month.parse().unwrap()]);
    Settled { name: "monthly".into(), periods, message: Some(("report".into(), event)) }
}

fn only_reports(script: &[Play]) -> Arc<Scripted> {
    let script = Mutex::new(script.iter().copied().collect());
    Arc::new(Scripted { name: "report", only_reports: true, script, ..Scripted::default() })
}

#[tokio::test(start_paused = true)]
async fn a_report_goes_to_its_channel_alone_and_no_alert_goes_there() {
    let (dir, email, reports) = (dir(), Scripted::new("email", &[]), only_reports(&[]));
    let mut prober = Prober::start(&dir, &[&email, &reports]);
    prober.see("paris", Verdict::Down).await;
    prober.notifier.settle(report_of("2026-10-01")).await.unwrap();
    prober.delivered().await;
    assert_eq!(
        (email.taken(), reports.taken()),
        (vec!["paris DOWN: no reason given".into()], vec!["report 2026-10-01".into()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_report_and_what_was_settled_with_it_survive_the_death_of_the_prober() {
    let (dir, dead) = (dir(), only_reports(&[Play::Refuse]));
    let prober = Prober::start(&dir, &[&dead]);
    prober.notifier.settle(report_of("2026-10-01")).await.unwrap();
    prober.kill().await;
    let reports = only_reports(&[]);
    let prober = Prober::start(&dir, &[&reports]);
    prober.delivered().await;
    sleep(Duration::from_hours(30)).await;
    assert_eq!(reports.taken(), ["report 2026-10-01"]);
    let state = prober.notifier.state().await.unwrap();
    assert_eq!(state.settled["monthly"], BTreeSet::from(["2026-10-01".parse().unwrap()]));
    let none = Settled { name: "monthly".into(), periods: BTreeSet::new(), message: None };
    prober.notifier.settle(none).await.unwrap();
    assert_eq!(prober.notifier.state().await.unwrap().settled.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_report_is_sent_while_a_client_holds_the_routes_and_a_dead_mail_server_delays_none() {
    let (dir, reports) = (dir(), only_reports(&[Play::Hang]));
    let prober = Prober::start(&dir, &[&reports]);
    let held = prober.gate.hold().await;
    prober.notifier.settle(report_of("2026-10-01")).await.unwrap();
    sleep(Duration::from_mins(5)).await;
    assert_eq!(reports.attempts().len(), 0);
    drop(held);
    while reports.attempts().is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    let before = Instant::now();
    let _held = prober.gate.hold().await;
    assert!(before.elapsed() <= HOLD_WINDOW, "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_report_is_tried_for_a_week() {
    let (dir, reports) = (dir(), only_reports(&vec![Play::RefuseForGood; 3000]));
    let prober = Prober::start(&dir, &[&reports]);
    prober.notifier.settle(report_of("2026-10-01")).await.unwrap();
    sleep(Duration::from_hours(7 * 24 - 1)).await;
    assert_eq!(prober.pending().await, 1);
    sleep(Duration::from_hours(2)).await;
    assert_eq!((prober.pending().await, prober.notifier.state().await.unwrap().outbox.given_up_total()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_uplink_that_is_down_is_one_message_for_all_sites_and_one_when_it_is_back() {
    let (dir, email) = (dir(), Scripted::new("email", &[]));
    let prober = Prober::start(&dir, &[&email]);
    let start: DateTime<Utc> = "2026-11-20T06:00:00Z".parse().unwrap();
    let facts = AlertFacts {
        prober: "edge-1".into(),
        reason: Some(MalfunctionKind::OwnUplinkDown.into()),
        detail: Some("no carrier on eth0".into()),
        ..AlertFacts::default()
    };
    let looks =
        [("paris", None), ("rome", None), ("oslo", None), ("paris", None), ("paris", Some(())), ("rome", Some(()))];
    for (number, (site, reached)) in (0..).zip(looks) {
        let verdict = if reached.is_some() { Verdict::Up } else { Verdict::Unknown };
        let at = start + chrono::TimeDelta::minutes(10 * number);
        let seen = Observation {
            paused: reached.is_none(),
            uplink: Some(reached.is_some()),
            facts: if reached.is_some() {
                AlertFacts { prober: "edge-1".into(), ..AlertFacts::default() }
            } else {
                facts.clone()
            },
            ..Observation::of(site, verdict, at, Duration::from_mins(30))
        };
        prober.notifier.observe(seen, AlertRules::default()).await.unwrap();
        prober.delivered().await;
    }
    assert_eq!(
        email.taken(),
        ["uplink of edge-1 DOWN: own-uplink-down (own)", "uplink of edge-1 is up again after 40 min"]
    );
    let body = email.taken.lock().unwrap()[0].body.clone();
    assert!(body.contains("\nUntil it is back, every site is unknown, and nobody is told of one.\n"), "{body}");
    assert!(body.contains("no carrier on eth0") && body.contains("look at its cable"), "{body}");
}

#[path = "notifier_channels_tests.rs"]
mod channels;
