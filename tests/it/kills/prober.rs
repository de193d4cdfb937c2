//! The prober that is killed: everything of alerts is the real thing, the cycles are played. It says what it does on its
//! standard output, so that whoever killed it knows how far it came.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::interval;
use vpnprobe::alert::{AlertFacts, FileStore, Notifier, Observation, RouteGate};
use vpnprobe::clock::Clock;
use vpnprobe::config::{AlertRules, Environment, load_str};
use vpnprobe::daemon::channels;
use vpnprobe::record::{FailureKind, MalfunctionKind, Stage, Verdict};
use vpnprobe::zone::Zone;

use super::day::{Day, SITES};
use crate::hand_clock::HandClock;

/// The variable that its orders are in.
pub(super) const ORDERS: &str = "VPNPROBE_TEST_ORDERS";
const INTERVAL: Duration = Duration::from_mins(10);
/// From the start of a cycle to its end, and to the next.
const CYCLE: TimeDelta = TimeDelta::seconds(10);

/// What it is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Orders {
    pub(super) seed: u64,
    pub(super) dir: PathBuf,
    pub(super) config: String,
    pub(super) start: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    /// A cycle that a kill cut before its row was written: as in the product, it is unknown.
    pub(super) cut: Option<Look>,
    /// One of which a kill left the row and no more: as in the product, the policy is told by the row.
    pub(super) owed: Option<Look>,
}

/// One look at a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) site: String,
    pub(super) at: DateTime<Utc>,
    pub(super) verdict: Verdict,
    /// When it is told.
    pub(super) now: DateTime<Utc>,
}

impl Look {
    pub(super) fn seen(&self) -> Observation {
        let (stage, reason) = match self.verdict {
            Verdict::Up => (None, None),
            // Not all at one stage: that would be one message.
            Verdict::Down if self.site == "lima" => {
                (Some(Stage::Internal), Some(FailureKind::InternalUnreachable.into()))
            }
            Verdict::Down => (Some(Stage::Login), Some(FailureKind::LoginTimeout.into())),
            Verdict::Unknown => (None, Some(MalfunctionKind::ProberKilled.into())),
        };
        let detail = Some(format!("looked at {}", self.at));
        let facts = AlertFacts { prober: "edge-1".into(), stage, reason, detail, ..AlertFacts::default() };
        Observation { facts, ..Observation::of(self.site.clone(), self.verdict, self.at, INTERVAL) }
    }
}

/// What it says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Fact {
    /// It is there; so many messages wait.
    Started { pending: usize },
    /// A cycle begins.
    Began(Look),
    /// Its row is written: the policy is told next.
    Row(Look),
    /// The policy knows; so many messages wait.
    Observed { look: Look, pending: usize },
    /// Everything is delivered.
    Over,
}

impl Fact {
    fn say(&self) {
        let line = serde_json::to_string(self).unwrap();
        std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
    }
}

/// Reminders are told too.
pub(super) fn rules() -> AlertRules {
    AlertRules { reminder: Duration::from_mins(40), ..AlertRules::default() }
}

/// Lives by these orders, until it is killed or to the end.
pub(super) async fn live(orders: &str) {
    let prober = Prober::start(serde_json::from_str(orders).unwrap()).await;
    prober.probe().await;
    prober.deliver().await;
    Fact::Over.say();
}

struct Prober {
    orders: Orders,
    clock: Arc<HandClock>,
    gate: RouteGate,
    notifier: Notifier,
    rows: File,
}

impl Prober {
    async fn start(orders: Orders) -> Self {
        let (clock, gate) = (HandClock::at(orders.start), RouteGate::new());
        let shared: Arc<dyn Clock> = clock.clone();
        let environment = Environment::default();
        let config = load_str(&orders.config, &orders.dir, "config.yml", &environment).unwrap().config;
        let store = Arc::new(FileStore::new(&orders.dir, Arc::clone(&shared)));
        let channels = channels(&config, &environment, &shared);
        let (notifier, task) = Notifier::new(store, channels, &gate, shared, Zone::utc()).unwrap();
        tokio::spawn(task.run());
        let rows = OpenOptions::new().create(true).append(true).open(orders.dir.join("rows")).unwrap();
        let prober = Self { orders, clock, gate, notifier, rows };
        Fact::Started { pending: prober.pending().await }.say();
        if let Some(owed) = &prober.orders.owed {
            prober.observe(Look { now: prober.orders.start, ..owed.clone() }).await;
        }
        if let Some(cut) = &prober.orders.cut {
            prober.record(Look { verdict: Verdict::Unknown, now: prober.orders.start, ..cut.clone() }).await;
        }
        prober
    }

    /// All sites are due at the start, and from then on every ten minutes.
    async fn probe(&self) {
        let day = Day::new(self.orders.seed);
        for pass in 0.. {
            for (number, site) in (1..).zip(SITES) {
                let at = self.orders.start + TimeDelta::from_std(INTERVAL).unwrap() * pass + CYCLE * 2 * number;
                if at >= self.orders.until {
                    return;
                }
                self.clock.set(at);
                let look = Look { site: site.into(), at, verdict: day.verdict(site, at), now: at + CYCLE };
                let hold = self.gate.hold().await;
                Fact::Began(look.clone()).say();
                // What takes its time in a cycle, as far as a kill may fall into it.
                put_safely(&self.orders.dir.join("journal"), site);
                drop(hold);
                self.record(look).await;
            }
        }
    }

    async fn record(&self, look: Look) {
        self.clock.set(look.now);
        writeln!(&self.rows, "{} {}", look.at, look.site).unwrap();
        self.rows.sync_data().unwrap();
        Fact::Row(look.clone()).say();
        self.observe(look).await;
    }

    async fn observe(&self, look: Look) {
        self.notifier.observe(look.seen(), rules()).await.unwrap();
        Fact::Observed { look, pending: self.pending().await }.say();
    }

    async fn deliver(&self) {
        let mut again = interval(Duration::from_millis(10));
        while self.pending().await > 0 {
            again.tick().await;
            self.clock.forward(Duration::from_secs(1));
        }
    }

    async fn pending(&self) -> usize {
        self.notifier.state().await.unwrap().outbox.pending().len()
    }
}

fn put_safely(path: &Path, text: &str) {
    let mut file = File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.sync_all().unwrap();
}
