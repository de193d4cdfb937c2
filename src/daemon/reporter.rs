//! Makes the reports that the calendar asks for and puts them into the outbox. What is due is decided in
//! `report::schedule`; sending, the gate and back-off are those of alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::oneshot;

use super::report_channel::{Letters, NAME};
use crate::alert::{AlertEvent, AlertKind, Notifier, Settled};
use crate::clock::Clock;
use crate::config::{Config, Rhythm};
use crate::error::chain;
use crate::report::letter::{self, Letter};
use crate::report::model::Report;
use crate::report::schedule::{Decision, Due, decide, label, next, settle};
use crate::report::{self, Configured, Detail, Files, MakeError, Request, Silent};

/// The wall clock may be set at any time, and says so to nobody: it is looked at so often at least.
const LOOK: Duration = Duration::from_mins(1);
/// A letter that could not be put away is made again after so long.
const AGAIN: Duration = Duration::from_mins(5);
/// The least that a thread can ask for: what is measured comes first.
const LOWEST_PRIORITY: i32 = 19;
/// The task.
pub(super) struct Reporter {
    rhythms: Vec<Rhythm>,
    maker: Maker,
    letters: Letters,
    notifier: Notifier,
    clock: Arc<dyn Clock>,
    settled: BTreeMap<String, BTreeSet<NaiveDate>>,
}

/// What a report is made from.
#[derive(Debug, Clone)]
struct Maker {
    configured: Configured,
    files: Files,
    prober: String,
}

/// Forgets which periods were settled of reports that are not configured, so that to configure them again is a first start.
pub(super) async fn forget_unplanned(config: &Config, notifier: &Notifier) {
    let planned = |name: &str| config.report.iter().flat_map(|plan| &plan.rhythms).any(|r| r.as_str() == name);
    let Ok(state) = notifier.state().await else { return };
    for name in state.settled.into_keys().filter(|name| !planned(name)) {
        save(notifier, Settled { name, periods: BTreeSet::new(), message: None }).await;
    }
}

async fn save(notifier: &Notifier, settled: Settled) {
    if let Err(error) = notifier.settle(settled).await {
        tracing::error!(error = chain(&error), "a restart may send a report again");
    }
}

impl Reporter {
    /// The task, where reports are configured.
    pub(super) fn of(config: &Config, notifier: Notifier, clock: Arc<dyn Clock>) -> Option<Self> {
        let plan = config.report.as_ref()?;
        let maker = Maker {
            configured: Configured::of(config),
            files: Files { dir: config.logging.dir.clone(), stem: config.logging.file.clone(), summaries: true },
            prober: config.prober.clone(),
        };
        let letters = Letters::new(&config.state_dir);
        Some(Self { rhythms: plan.rhythms.clone(), maker, letters, notifier, clock, settled: BTreeMap::new() })
    }

    /// Runs for ever.
    pub(super) async fn run(mut self) {
        self.begin().await;
        loop {
            let all_done = self.look().await;
            tokio::time::sleep(if all_done { self.wait() } else { AGAIN }).await;
        }
    }

    /// Takes up what is remembered.
    async fn begin(&mut self) {
        match self.notifier.state().await {
            Ok(state) => self.settled = state.settled,
            Err(error) => tracing::error!(error = chain(&error), "cannot tell which reports were sent"),
        }
        let (now, zone) = (self.clock.now(), &self.maker.configured.zone);
        for due in self.rhythms.iter().filter_map(|rhythm| next(*rhythm, now, zone)) {
            let at = due.at.with_timezone(zone).fixed_offset().to_rfc3339();
            tracing::info!(kind = due.rhythm.as_str(), at, "the next report by mail");
        }
    }

    /// Until the next report, or the next look at the clock.
    fn wait(&self) -> Duration {
        let (now, zone) = (self.clock.now(), &self.maker.configured.zone);
        let due = self.rhythms.iter().filter_map(|rhythm| next(*rhythm, now, zone));
        due.filter_map(|due| (due.at - now).to_std().ok()).fold(LOOK, Duration::min)
    }

    /// Does what is due now; `false`: something is to be tried again.
    async fn look(&mut self) -> bool {
        let mut all_done = true;
        for rhythm in self.rhythms.clone() {
            let none = BTreeSet::new();
            let settled = self.settled.get(rhythm.as_str()).unwrap_or(&none);
            match decide(rhythm, settled, self.clock.now(), &self.maker.configured.zone) {
                Decision::Nothing => {}
                Decision::Settle(due) => self.settle(&due, None).await,
                Decision::Send(due) => all_done &= self.send(&due).await,
            }
        }
        all_done
    }

    async fn send(&mut self, due: &Due) -> bool {
        let key = format!("{}.{}", due.rhythm.as_str(), due.period.from);
        let mut event = AlertEvent::report(&self.maker.prober, &key, self.clock.now(), String::new());
        self.forget_delivered().await;
        match self.make_letter(due, &event.id).await {
            Ok(subject) => {
                let label = label(due.rhythm, due.period);
                tracing::info!(kind = due.rhythm.as_str(), period = label, id = %event.id, "a report is due and goes by mail");
                event.kind = AlertKind::Report { title: subject };
                self.settle(due, Some((NAME.to_owned(), event))).await;
                true
            }
            Err(why) => {
                tracing::error!(why, "a report is due but can't be put away to be sent; it is tried again");
                false
            }
        }
    }

    async fn settle(&mut self, due: &Due, message: Option<(String, AlertEvent)>) {
        let name = due.rhythm.as_str().to_owned();
        let periods = self.settled.entry(name.clone()).or_default();
        settle(periods, due.period.from);
        let periods = periods.clone();
        save(&self.notifier, Settled { name, periods, message }).await;
    }

    async fn forget_delivered(&self) {
        let Ok(state) = self.notifier.state().await else { return };
        let waiting = state.outbox.pending().chain(state.outbox.dead());
        self.letters.keep_only(&waiting.map(|message| message.event.id.clone()).collect::<Vec<_>>());
    }

    /// Makes the report on a thread of its own, which reads day files for as long as it takes, and puts it away. Gives its
    /// subject. A prober that stops does not wait for it.
    async fn make_letter(&self, due: &Due, id: &str) -> Result<String, String> {
        let (done, made) = oneshot::channel();
        let (maker, letters, due, id) = (self.maker.clone(), self.letters.clone(), *due, id.to_owned());
        let now = self.clock.now().timestamp_millis();
        let work = move || {
            // Of this thread and those that it starts; where it can't be set, the work is the same.
            let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
            let letter = maker.letter(&due, now);
            let written = letters.write(&id, &letter).map_err(|e| e.to_string());
            // Nobody waits any more where the prober stops.
            let _ = done.send(written.map(|()| letter.subject));
        };
        std::thread::Builder::new().name("report".to_owned()).spawn(work).map_err(|e| e.to_string())?;
        let made = made.await.unwrap_or_else(|_| Err("the thread that makes it panicked".to_owned()));
        crate::memory::give_back();
        made
    }
}

impl Maker {
    /// The letter, whatever happens: silence is no answer to somebody who waits for a report.
    fn letter(&self, due: &Due, now: i64) -> Letter {
        let made = std::panic::catch_unwind(|| self.report(due, now));
        let why = match made {
            Ok(Ok(report)) => return self.letter_of(&report, due),
            Ok(Err(error)) => chain(&error),
            Err(_) => "the program has a bug: its log says where".to_owned(),
        };
        tracing::error!(why, "a report is due and can't be made");
        letter::of_failure(&why, &self.prober, due)
    }

    fn letter_of(&self, report: &Report, due: &Due) -> Letter {
        if report.sites.is_empty() {
            tracing::warn!(period = label(due.rhythm, due.period), "a report is due, and there are no rows for it");
        }
        letter::of_report(report, &self.prober, due)
    }

    fn report(&self, due: &Due, now: i64) -> Result<Report, MakeError> {
        let request = Request {
            period: due.period,
            policy: self.configured.policy(due.period),
            sites: BTreeSet::new(),
            groups: BTreeSet::new(),
            now,
            compare: true,
            detail: Detail::Everything,
        };
        report::make(&self.files, &request, &Silent)
    }
}
