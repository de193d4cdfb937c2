//! The worker of one network context: takes cycles from its queue, one after the other, and hands their records on.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Observer, Order, run_cycle};
use crate::config::Site;
use crate::process::Strays;
use crate::record::{CycleRecord, Verdict};
use crate::stage::Surroundings;

/// A cycle to be run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The site's place in the timetable.
    pub index: usize,
    /// The site.
    pub site: Arc<Site>,
    /// The interval in force, and whether a row is owed.
    pub order: Order,
}

/// What a worker reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A cycle starts.
    Started {
        /// The site's place in the timetable.
        index: usize,
    },
    /// A cycle is over and its record is safe.
    Finished {
        /// The site's place in the timetable.
        index: usize,
        /// The verdict.
        verdict: Verdict,
    },
}

/// Takes each record: first what must be durable, then what tells people.
pub trait Sink: Send + Sync {
    /// Takes one record; returns when it is as safe as it can be made.
    fn take<'a>(&'a self, record: &'a CycleRecord, site: &'a Site) -> crate::net::BoxFuture<'a, ()>;
}

/// Runs jobs until the queue is closed or `stop`; a cycle under way is finished first. Urgent ones come before the
/// others.
pub async fn work(
    around: Surroundings,
    mut queue: mpsc::UnboundedReceiver<Job>,
    mut urgent: mpsc::UnboundedReceiver<Job>,
    progress: mpsc::UnboundedSender<Progress>,
    sink: Arc<dyn Sink>,
    observer: Arc<dyn Observer>,
    stop: CancellationToken,
) {
    let mut strays = Strays::default();
    loop {
        let job = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(job) = urgent.recv() => Some(job),
            job = queue.recv() => job,
        };
        let Some(job) = job else { return };
        // Whoever listened is gone only when the prober ends.
        let _ = progress.send(Progress::Started { index: job.index });
        let finished = run_cycle(&job.site, job.order, &around, &*observer).await;
        sink.take(&finished.record, &job.site).await;
        if let Err(e) = finished.closing.close() {
            tracing::error!(site = %job.site.name, error = %e, "cannot close the cycle's journal");
        }
        let verdict = finished.record.verdict;
        let _ = progress.send(Progress::Finished { index: job.index, verdict });
        drop(finished.record);
        strays.look();
        crate::memory::give_back();
    }
}
