//! The timetable: next due time per site on a fixed grid, start to start. Pure: time is handed in.
//!
//! Times count from the prober's start, on a clock that nobody can set. All grids begin at 0, so sites of one interval
//! are due together, in the order of the configuration. A site that is due is handed out once and not again before it
//! is finished; grid points that pass meanwhile are counted as missed and never piled up.

use std::time::Duration;

/// How often a site is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Start to start.
    pub normal: Duration,
    /// Start to start after a down cycle.
    pub after_down: Option<Duration>,
}

impl Interval {
    /// The interval in force after a cycle that was down or not.
    pub fn in_force(self, down: bool) -> Duration {
        let interval = if down { self.after_down.unwrap_or(self.normal) } else { self.normal };
        // A grid of zero has no next point. The configuration refuses less than a second.
        interval.max(Duration::from_millis(1))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Waits for its next grid point.
    Waiting,
    /// Handed out as due at this time, not started yet.
    Queued(Duration),
    /// Started.
    Running,
}

/// What becomes of a site that an event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// It is handed out now.
    HandedOut,
    /// It was due already and starts soon.
    Queued,
    /// Its cycle is under way.
    Running,
}

/// When a site's next cycle begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// At this time.
    At(Duration),
    /// It is due, and waits for others.
    Queued,
    /// It is under way.
    Running,
}

#[derive(Debug, Clone)]
struct Entry {
    interval: Interval,
    down: bool,
    next: Duration,
    place: Place,
}

/// Next due time per site; sites are known by their index.
#[derive(Debug, Clone)]
pub struct Timetable {
    entries: Vec<Entry>,
}

impl Timetable {
    /// Every site is due at 0 for the first time.
    pub fn new(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let entry = |interval| Entry { interval, down: false, next: Duration::ZERO, place: Place::Waiting };
        Self { entries: intervals.into_iter().map(entry).collect() }
    }

    /// Takes over from a timetable that ends (a reload): a site that was waiting or running goes on at its next grid
    /// point, one that was due stays due.
    pub fn inherit(&mut self, site: usize, ended: &Self, its_site: usize, now: Duration) {
        let (Some(entry), Some(old)) = (self.entries.get_mut(site), ended.entries.get(its_site)) else { return };
        entry.down = old.down;
        entry.next = match old.place {
            Place::Queued(due) => due,
            Place::Waiting if old.interval == entry.interval => old.next,
            Place::Waiting | Place::Running => next_point(now, entry.interval.in_force(entry.down)),
        };
    }

    /// When the next site is due; `None` when all are queued or running.
    pub fn next_due(&self) -> Option<Duration> {
        self.entries.iter().filter(|e| e.place == Place::Waiting).map(|e| e.next).min()
    }

    /// When a site's next cycle begins.
    pub fn expected(&self, site: usize) -> Option<Expected> {
        let entry = self.entries.get(site)?;
        Some(match entry.place {
            Place::Waiting => Expected::At(entry.next),
            Place::Queued(_) => Expected::Queued,
            Place::Running => Expected::Running,
        })
    }

    /// Hands out the sites that are due, by due time, then in the order of the configuration.
    pub fn take_due(&mut self, now: Duration) -> Vec<usize> {
        let mut due: Vec<(Duration, usize)> = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if entry.place == Place::Waiting && entry.next <= now {
                entry.place = Place::Queued(entry.next);
                due.push((entry.next, index));
            }
        }
        due.sort_unstable();
        due.into_iter().map(|(_, index)| index).collect()
    }

    /// An event asks for a site out of turn. Its place on the grid stays.
    pub fn wake(&mut self, site: usize, now: Duration) -> Option<Woken> {
        let entry = self.entries.get_mut(site)?;
        Some(match entry.place {
            Place::Waiting => {
                entry.place = Place::Queued(now);
                Woken::HandedOut
            }
            Place::Queued(_) => Woken::Queued,
            Place::Running => Woken::Running,
        })
    }

    /// A site's cycle starts; tells how many due times passed since the one that it was handed out for.
    pub fn start(&mut self, site: usize, now: Duration) -> u64 {
        let Some(entry) = self.entries.get_mut(site) else { return 0 };
        let due = match entry.place {
            Place::Queued(due) => due,
            Place::Waiting | Place::Running => now,
        };
        let grid = entry.interval.in_force(entry.down);
        let missed = points_until(now, grid).saturating_sub(points_until(due, grid));
        entry.place = Place::Running;
        entry.next = next_point(now, grid);
        missed
    }

    /// A site's cycle is over; tells how many due times passed while it ran. It is due again at the next grid point:
    /// a cycle that takes longer than its interval is not followed by the next one at once.
    pub fn finish(&mut self, site: usize, started: Duration, now: Duration, down: bool) -> u64 {
        let Some(entry) = self.entries.get_mut(site) else { return 0 };
        let grid = entry.interval.in_force(entry.down);
        let missed = points_until(now, grid).saturating_sub(points_until(started, grid));
        entry.place = Place::Waiting;
        entry.down = down;
        entry.next = next_point(now, entry.interval.in_force(down));
        missed
    }

    /// The interval in force for a site.
    pub fn interval(&self, site: usize) -> Option<Duration> {
        self.entries.get(site).map(|e| e.interval.in_force(e.down))
    }
}

/// Grid points in (0, time].
fn points_until(time: Duration, grid: Duration) -> u64 {
    u64::try_from(time.as_nanos() / grid.as_nanos()).unwrap_or(u64::MAX)
}

/// The first grid point after `time`.
fn next_point(time: Duration, grid: Duration) -> Duration {
    let points = points_until(time, grid).saturating_add(1);
    Duration::from_nanos_u128(grid.as_nanos().saturating_mul(u128::from(points)).min(u128::from(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn every(s: u64) -> Interval {
        Interval { normal: secs(s), after_down: None }
    }

    #[test]
    fn all_sites_are_due_at_once_in_their_order_and_then_on_the_grid() {
        let mut table = Timetable::new([every(600), every(600), every(300)]);
        assert_eq!(table.take_due(secs(0)), [0, 1, 2]);
        assert_eq!(table.next_due(), None);
        assert_eq!(table.expected(0), Some(Expected::Queued));
        for (site, start) in [(0, 0), (1, 20), (2, 40)] {
            assert_eq!(table.start(site, secs(start)), 0);
            table.finish(site, secs(start), secs(start + 10), false);
        }
        assert_eq!(table.next_due(), Some(secs(300)));
        assert_eq!([0, 2].map(|site| table.expected(site)), [600, 300].map(|s| Some(Expected::At(secs(s)))));
        assert_eq!(table.take_due(secs(300)), [2]);
        assert_eq!(table.take_due(secs(600)), [0, 1]);
    }

    #[test]
    fn the_period_is_start_to_start_however_long_a_cycle_takes() {
        let mut table = Timetable::new([every(60)]);
        let mut starts = Vec::new();
        for _ in 0..4 {
            let now = table.next_due().unwrap();
            assert_eq!(table.take_due(now), [0]);
            table.start(0, now);
            table.finish(0, now, now + secs(59), false);
            starts.push(now);
        }
        assert_eq!(starts, [secs(0), secs(60), secs(120), secs(180)]);
    }

    #[test]
    fn due_times_that_pass_before_the_start_are_counted_and_not_piled_up() {
        let mut table = Timetable::new([every(60)]);
        table.take_due(secs(0));
        // 60, 120 and 180 passed while another site was probed.
        assert_eq!(table.start(0, secs(185)), 3);
        table.finish(0, secs(185), secs(190), false);
        assert_eq!(table.next_due(), Some(secs(240)));
        assert_eq!(table.take_due(secs(240)), [0]);
        assert_eq!(table.start(0, secs(241)), 0);
    }

    #[test]
    fn a_site_that_runs_longer_than_its_interval_stays_on_the_grid_and_misses_what_passed() {
        let mut table = Timetable::new([every(60)]);
        table.take_due(secs(0));
        assert_eq!(table.start(0, secs(0)), 0);
        // Nothing is handed out while it runs.
        assert_eq!(table.take_due(secs(130)), Vec::<usize>::new());
        assert_eq!(table.finish(0, secs(0), secs(150), false), 2, "60 and 120 passed");
        assert_eq!(table.next_due(), Some(secs(180)));
    }

    #[test]
    fn a_down_site_is_probed_on_its_faster_grid_until_it_is_up() {
        let mut table = Timetable::new([Interval { normal: secs(600), after_down: Some(secs(60)) }]);
        table.take_due(secs(0));
        table.start(0, secs(0));
        table.finish(0, secs(0), secs(5), true);
        assert_eq!(table.interval(0), Some(secs(60)));
        assert_eq!(table.next_due(), Some(secs(60)));
        table.take_due(secs(60));
        table.start(0, secs(60));
        table.finish(0, secs(60), secs(65), false);
        assert_eq!(table.next_due(), Some(secs(600)));
    }

    #[test]
    fn an_event_runs_a_site_out_of_turn_and_its_grid_stays() {
        let mut table = Timetable::new([every(60)]);
        table.take_due(secs(0));
        assert_eq!(table.wake(0, secs(0)), Some(Woken::Queued));
        table.start(0, secs(0));
        assert_eq!(table.wake(0, secs(1)), Some(Woken::Running));
        table.finish(0, secs(0), secs(5), false);
        assert_eq!(table.wake(0, secs(30)), Some(Woken::HandedOut));
        assert_eq!(table.take_due(secs(30)), Vec::<usize>::new(), "it is not handed out twice");
        assert_eq!(table.start(0, secs(31)), 0, "nothing was missed");
        assert_eq!(table.finish(0, secs(31), secs(35), true), 0);
        assert_eq!(table.next_due(), Some(secs(60)));
        assert_eq!(table.wake(7, secs(36)), None);
    }

    #[test]
    fn a_reload_neither_repeats_nor_drops_a_due_time() {
        let mut old = Timetable::new([every(60), every(60), every(60)]);
        old.take_due(secs(0));
        for site in [0, 1] {
            old.start(site, secs(0));
            old.finish(site, secs(0), secs(5), true);
        }
        // Site 0 waits for 60, site 1 runs again, site 2 is still queued; a new site comes in front.
        let mut new = Timetable::new([every(60), every(60), every(60), every(60)]);
        for (site, its_site) in [(1, 0), (2, 1), (3, 2)] {
            new.inherit(site, &old, its_site, secs(10));
        }
        assert_eq!(new.take_due(secs(10)), [0, 3]);
        assert_eq!(new.next_due(), Some(secs(60)));
    }

    proptest::proptest! {
        #[test]
        fn every_grid_point_is_either_started_or_missed(
            interval in 1u64..100,
            waits in proptest::collection::vec((0u64..50, 0u64..250), 1..30),
        ) {
            let mut table = Timetable::new([every(interval)]);
            let (mut now, mut started, mut missed) = (0, 0, 0);
            for (queue, run) in waits {
                now = now.max(table.next_due().unwrap().as_secs());
                proptest::prop_assert_eq!(table.take_due(secs(now)), [0]);
                let start = now + queue;
                missed += table.start(0, secs(start));
                started += 1;
                now = start + run;
                missed += table.finish(0, secs(start), secs(now), false);
                let before_next = table.next_due().unwrap().as_secs() / interval;
                proptest::prop_assert_eq!(started + missed, before_next);
            }
        }
    }
}
