//! Hands due sites to their worker and keeps the timetable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Expected, Interval, Timetable, Woken};
use crate::config::Site;
use crate::record::{SiteName, Verdict};
use crate::runner::{Job, Order, Progress};
use crate::snapshot::{Board, Due};

/// Why due times pass although no single cycle is too long.
const TOGETHER: &str = "the sites together take longer than their interval";

/// An event that asks for a site's cycle at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// The site's place in the timetable.
    pub index: usize,
    /// Which way the event says that it went; none: it says only that events may have been missed.
    pub up: Option<bool>,
}

/// Where due sites go.
#[derive(Debug, Clone)]
pub struct Queues {
    /// Those that the timetable hands out.
    pub due: mpsc::UnboundedSender<Job>,
    /// Those that an event asks for: they come first.
    pub urgent: mpsc::UnboundedSender<Job>,
}

/// When the sites of one configuration are due. A reload makes a new one from it.
#[derive(Debug)]
pub struct Schedule {
    sites: Vec<Arc<Site>>,
    timetable: Timetable,
    /// All times count from here, also after a reload: the grid stays.
    origin: Instant,
    started: Vec<Duration>,
    /// The latest event that came while the site's cycle was under way.
    woken: Vec<Option<bool>>,
    missed: u64,
}

impl Schedule {
    /// Every site is due now for the first time.
    pub fn new(sites: &[Arc<Site>]) -> Self {
        Self::at(sites, Instant::now())
    }

    fn at(sites: &[Arc<Site>], origin: Instant) -> Self {
        let intervals = sites.iter().map(|s| Interval { normal: s.interval, after_down: s.interval_down });
        Self {
            sites: sites.to_vec(),
            timetable: Timetable::new(intervals),
            origin,
            started: vec![Duration::ZERO; sites.len()],
            woken: vec![None; sites.len()],
            missed: 0,
        }
    }

    /// The schedule of a new configuration: sites that stay keep their place on the grid, new ones are due now.
    #[must_use]
    pub fn with_sites(&self, sites: &[Arc<Site>]) -> Self {
        let mut new = Self { missed: self.missed, ..Self::at(sites, self.origin) };
        let now = self.origin.elapsed();
        for (index, site) in sites.iter().enumerate() {
            if let Some(before) = self.sites.iter().position(|s| s.name == site.name) {
                new.timetable.inherit(index, &self.timetable, before, now);
            }
        }
        new
    }

    /// Due times that passed before their cycle could start.
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// What is to be told of each site's next cycle.
    fn due_times(&self) -> impl Iterator<Item = (&SiteName, Due)> {
        self.sites.iter().enumerate().filter_map(|(index, site)| {
            let due = match self.timetable.expected(index)? {
                Expected::At(due) => Due::At(self.origin + due),
                Expected::Queued => Due::Waits,
                Expected::Running => Due::UnderWay,
            };
            Some((&site.name, due))
        })
    }

    /// Queues what is due or asked for, and shows on the board when what is due, until `stop` or until the worker is gone.
    pub async fn run(
        &mut self,
        queues: &Queues,
        progress: &mut mpsc::UnboundedReceiver<Progress>,
        wakes: &mut mpsc::UnboundedReceiver<Wake>,
        board: &Board,
        stop: &CancellationToken,
    ) {
        loop {
            self.queue_due(queues);
            board.note_due(self.due_times());
            let next = self.timetable.next_due().map(|due| self.origin + due);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                news = progress.recv() => match news {
                    Some(news) => {
                        self.note(news);
                        self.wake_again(news, queues);
                    }
                    None => return,
                },
                Some(wake) = wakes.recv() => self.wake(wake, queues),
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
            }
        }
    }

    /// Takes in what the worker did since the schedule stopped.
    pub fn note(&mut self, news: Progress) {
        match news {
            Progress::Started { index } => {
                self.started[index] = self.origin.elapsed();
                let passed = self.timetable.start(index, self.started[index]);
                self.count(index, passed, TOGETHER);
            }
            Progress::Finished { index, verdict } => {
                let (started, now) = (self.started[index], self.origin.elapsed());
                let interval = self.timetable.interval(index).unwrap_or_default();
                let passed = self.timetable.finish(index, started, now, verdict == Verdict::Down);
                // A cycle that waited for others before it started late also runs over the next point.
                let alone = now.saturating_sub(started) >= interval;
                let why = if alone { "its cycle took longer than its interval" } else { TOGETHER };
                self.count(index, passed, why);
            }
        }
    }

    fn count(&mut self, index: usize, passed: u64, why: &str) {
        if passed > 0 {
            self.missed += passed;
            let (site, missed_in_all) = (&self.sites[index].name, self.missed);
            tracing::warn!(%site, passed, missed_in_all, "due times passed before the cycle could start: {why}");
        }
    }

    fn wake(&mut self, Wake { index, up }: Wake, queues: &Queues) {
        match self.timetable.wake(index, self.origin.elapsed()) {
            Some(Woken::HandedOut) => {
                let job = self.job(index);
                let _ = queues.urgent.send(Job { order: Order { triggered: true, ..job.order }, ..job });
            }
            // What it is about to see is newer than the event.
            Some(Woken::Queued) | None => {}
            Some(Woken::Running) => self.woken[index] = up.or(self.woken[index]),
        }
    }

    /// An event that came during the cycle, and says otherwise than the cycle in the end: it was not the cycle's doing.
    fn wake_again(&mut self, news: Progress, queues: &Queues) {
        let Progress::Finished { index, verdict } = news else { return };
        if let Some(up) = self.woken[index].take()
            && up != (verdict == Verdict::Up)
        {
            self.wake(Wake { index, up: Some(up) }, queues);
        }
    }

    fn queue_due(&mut self, queues: &Queues) {
        for index in self.timetable.take_due(self.origin.elapsed()) {
            // A worker that is gone is noticed by its progress.
            let _ = queues.due.send(self.job(index));
        }
    }

    fn job(&self, index: usize) -> Job {
        let interval = self.timetable.interval(index).unwrap_or_default();
        Job { index, site: Arc::clone(&self.sites[index]), order: Order::new(interval, true) }
    }
}
