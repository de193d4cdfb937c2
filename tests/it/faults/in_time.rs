//! What becomes of messages over hours, with the time handed in: every kind of channel, and one beside them that is well.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{Instant, interval};
use vpnprobe::alert::{AlertState, AlertStore, Message, Notifier, NotifierError, Observation, RouteGate, StoreError};
use vpnprobe::clock::Clock;
use vpnprobe::config::{AlertRules, Environment, load_str};
use vpnprobe::daemon::channels;
use vpnprobe::record::Verdict;
use vpnprobe::zone::Zone;

use super::Row;
use super::place::{KINDS, Place};
use crate::hand_clock::HandClock;
use crate::house::LIMIT;
use crate::receiver::Receiver;

pub(super) async fn rows() -> Vec<Row> {
    vec![
        gone_for_an_hour().await,
        Box::pin(refused_and_taken()).await,
        refused_for_ever().await,
        without_room_for_the_state().await,
    ]
}

/// The state in memory, or no room for it.
#[derive(Default)]
struct Store {
    state: Mutex<AlertState>,
    is_full: bool,
}

impl AlertStore for Store {
    fn load(&self) -> Result<AlertState, StoreError> {
        Ok(self.state.lock().unwrap().clone())
    }

    fn save(&self, state: &AlertState) -> Result<(), StoreError> {
        if self.is_full {
            return Err(StoreError::new("write the alert state", std::io::Error::from_raw_os_error(28)));
        }
        self.state.lock().unwrap().clone_from(state);
        Ok(())
    }
}

/// A prober with a channel of every kind, and `other`.
struct Prober {
    clock: Arc<HandClock>,
    notifier: Notifier,
    places: Vec<Place>,
    other: Receiver,
}

impl Prober {
    async fn start(store: Store) -> Self {
        let mut places = Vec::new();
        for kind in KINDS {
            places.push(Place::gone(kind).await);
        }
        let other = Receiver::plain(&[]).await;
        let all = places.iter().filter(|place| place.kind != "email").map(|place| {
            let (kind, keys) = (place.kind, place.configuration());
            format!("    {kind}: {{ {kind}: {{ {keys} }} }}\n")
        });
        let (all, at) = (all.collect::<String>(), other.port);
        let mail = places.iter().find(|place| place.kind == "email").unwrap().configuration();
        let config = format!(
            "logging: {{ email: {{ {mail} }} }}\nalerts:\n  channels:\n{all}    other: {{ webhook: {{ url: \"http://127.0.0.1:{at}/\" }} }}\n"
        );
        let environment = Environment::default();
        let config = load_str(&config, std::path::Path::new("/"), "c.yml", &environment);
        let config = config.unwrap_or_else(|e| panic!("{e}")).config;
        let clock = HandClock::at("2026-11-20T06:00:00Z".parse().unwrap());
        let shared: Arc<dyn Clock> = clock.clone();
        let channels = channels(&config, &environment, &shared);
        let (notifier, task) =
            Notifier::new(Arc::new(store), channels, &RouteGate::new(), shared, Zone::utc()).unwrap();
        tokio::spawn(task.run());
        Self { clock, notifier, places, other }
    }

    async fn with_receivers(store: Store) -> Self {
        let mut prober = Self::start(store).await;
        prober.receivers_come().await;
        prober
    }

    async fn receivers_come(&mut self) {
        for place in &mut self.places {
            place.comes().await;
        }
    }

    async fn see(&self, site: &str, verdict: Verdict) -> Result<(), NotifierError> {
        let seen = Observation::of(site, verdict, self.clock.now(), Duration::from_mins(10));
        self.notifier.observe(seen, AlertRules { after: 1, ..AlertRules::default() }).await
    }

    /// Waits until everything that is due was tried.
    async fn tried(&self) -> AlertState {
        let (mut again, until) = (interval(Duration::from_millis(2)), Instant::now() + LIMIT);
        loop {
            let state = self.notifier.state().await.unwrap();
            if state.outbox.due(self.clock.now()).next().is_none() {
                return state;
            }
            assert!(Instant::now() < until, "what is due is not tried: {state:?}");
            again.tick().await;
        }
    }

    /// Later, when everything that is due then was tried.
    async fn after(&self, wait: Duration) -> AlertState {
        self.clock.forward(wait);
        self.tried().await
    }
}

fn waits<'a>(state: &'a AlertState, kind: &str) -> Option<&'a Message> {
    state.outbox.pending().find(|message| message.channel == kind)
}

/// Nobody listens for an hour in which ten sites go down and come back.
async fn gone_for_an_hour() -> Row {
    let mut prober = Prober::start(Store::default()).await;
    let mut told = Vec::new();
    for minute in 0..60 {
        if minute % 3 == 0 {
            let (site, is_over) = (format!("site-{}", minute / 6), minute % 6 == 3);
            let verdict = if is_over { Verdict::Up } else { Verdict::Down };
            prober.see(&site, verdict).await.unwrap();
            // The clock stands until then.
            let document = prober.other.next().await.json();
            assert_eq!((&document["site"], &document["kind"]), (&site.as_str().into(), &kind_of(is_over).into()));
            told.push((site, is_over));
        }
        prober.tried().await;
        prober.clock.forward(Duration::from_mins(1));
    }
    prober.receivers_come().await;
    let state = prober.after(Duration::from_mins(5)).await;
    assert_eq!((state.outbox.pending().len(), state.outbox.given_up_total()), (0, 0));
    let mut cells = Vec::new();
    for place in &mut prober.places {
        // Sites don't wait for each other.
        assert_eq!(place.took().await, told, "{}", place.kind);
        cells.push("all arrives, in order".to_owned());
    }
    Row { fault: "is gone for an hour".into(), cells }
}

const fn kind_of(is_over: bool) -> &'static str {
    if is_over { "resolved" } else { "triggered" }
}

async fn refused_and_taken() -> Row {
    let mut prober = Prober::with_receivers(Store::default()).await;
    prober.places.iter().for_each(|place| place.refuses(404, "451 4.3.0 later"));
    prober.see("site-0", Verdict::Down).await.unwrap();
    let state = prober.tried().await;
    assert!(KINDS.iter().all(|kind| waits(&state, kind).is_some_and(|message| message.attempts == 1)), "{state:?}");
    prober.places.iter_mut().for_each(Place::takes);
    let soon = prober.after(Duration::from_secs(1)).await;
    let late = prober.after(Duration::from_secs(299)).await;
    let mut cells = Vec::new();
    for place in &mut prober.places {
        assert_eq!(place.took().await, [("site-0".to_owned(), false)], "{}", place.kind);
        assert!(waits(&late, place.kind).is_none());
        let wait = if waits(&soon, place.kind).is_none() { "1 s" } else { "5 min" };
        cells.push(format!("arrives after {wait}"));
    }
    Row { fault: "answers 4xx, then 2xx".into(), cells }
}

async fn refused_for_ever() -> Row {
    let prober = Prober::with_receivers(Store::default()).await;
    prober.places.iter().for_each(|place| place.refuses(503, "550 5.7.1 no"));
    prober.see("site-0", Verdict::Down).await.unwrap();
    let begun = prober.clock.now();
    let dead_at = async {
        loop {
            let state = prober.after(Duration::from_mins(20)).await;
            let (waiting, dead) = (state.outbox.pending().len(), state.outbox.dead().len());
            if dead > 0 {
                assert_eq!((waiting, dead), (0, KINDS.len()));
                assert!(state.outbox.dead().all(|letter| letter.attempts > 70), "{state:?}");
                return prober.clock.now();
            }
        }
    };
    let age: TimeDelta = dead_at.await - begun;
    assert!(TimeDelta::hours(24) <= age && age <= TimeDelta::minutes(24 * 60 + 20), "{age}");
    Row { fault: "answers 5xx for ever".into(), cells: KINDS.map(|_| "a dead letter after 24 h".to_owned()).into() }
}

async fn without_room_for_the_state() -> Row {
    let mut prober = Prober::with_receivers(Store { is_full: true, ..Store::default() }).await;
    for verdict in [Verdict::Down, Verdict::Up] {
        let error = prober.see("site-0", verdict).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot write the alert state"), "{error}");
        prober.after(Duration::from_secs(1)).await;
    }
    let mut cells = Vec::new();
    for place in &mut prober.places {
        let expected = [false, true].map(|is_over| ("site-0".to_owned(), is_over));
        assert_eq!(place.took().await, expected, "{}", place.kind);
        cells.push("arrives".to_owned());
    }
    Row { fault: "is well, but `state_dir` is full".into(), cells }
}
