//! Hands due sites to their worker and keeps the timetable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Interval, Timetable};
use crate::config::Site;
use crate::record::Verdict;
use crate::runner::{Job, Order, Progress};

/// Runs the timetable until `cancel`. Returns how many due times passed without a cycle.
pub async fn schedule(
    sites: &[Arc<Site>],
    queue: &mpsc::UnboundedSender<Job>,
    progress: &mut mpsc::UnboundedReceiver<Progress>,
    cancel: &CancellationToken,
) -> u64 {
    let began = Instant::now();
    let intervals = sites.iter().map(|s| Interval { normal: s.interval, after_down: s.interval_down });
    let mut timetable = Timetable::new(intervals);
    let mut started = vec![Duration::ZERO; sites.len()];
    let mut missed = 0;
    loop {
        for index in timetable.take_due(began.elapsed()) {
            let interval = timetable.interval(index).unwrap_or_default();
            let job = Job { index, site: Arc::clone(&sites[index]), order: Order { interval, owes_row: true } };
            if queue.send(job).is_err() {
                return missed;
            }
        }
        let next = timetable.next_due().map(|due| began + due);
        tokio::select! {
            biased;
            () = cancel.cancelled() => return missed,
            news = progress.recv() => match news {
                Some(Progress::Started { index }) => {
                    started[index] = began.elapsed();
                    let passed = timetable.start(index, started[index]);
                    if passed > 0 {
                        missed += passed;
                        let site = &sites[index].name;
                        tracing::warn!(%site, passed, "due times passed before the cycle could start: the sites together take longer than their interval");
                    }
                }
                Some(Progress::Finished { index, verdict }) => {
                    timetable.finish(index, started[index], verdict == Verdict::Down);
                }
                None => return missed,
            },
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {}
        }
    }
}
