//! One site: what befalls it, and what its cycles find.

use vpnprobe::record::{FailureKind, FaultDomain, MalfunctionKind, Reason, SiteKind, Stage, Verdict};

use crate::Arguments;
use crate::random::Random;
use crate::trouble::{Fault, faults_of, malfunctions_of, signed};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How long an account rests after it was refused; the last one again and again.
const RESTS: [i64; 3] = [30 * MINUTE, 2 * HOUR, 8 * HOUR];

/// What a cycle found. Round trips and lengths are microseconds, losses thousandths of a percent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) failed_stage: Option<Stage>,
    pub(crate) reason: Option<Reason>,
    pub(crate) detail: &'static str,
    pub(crate) external_rtt: Option<u64>,
    pub(crate) external_loss: Option<u64>,
    pub(crate) login: Option<u64>,
    pub(crate) internal_rtt: Option<u64>,
    pub(crate) internal_loss: Option<u64>,
    pub(crate) restarts: Option<u32>,
    pub(crate) restore: Option<u64>,
    pub(crate) leftovers: &'static str,
    pub(crate) took: Option<u64>,
    /// Of the check through the tunnel.
    pub(crate) check: Option<u64>,
    /// The cycle was cut.
    pub(crate) killed: bool,
    /// Found dead and restored.
    pub(crate) restored: bool,
}

impl Found {
    pub(crate) const fn verdict(&self) -> Verdict {
        match self.reason {
            None => Verdict::Up,
            Some(_) if self.restored => Verdict::Up,
            Some(Reason::Failure(_)) => Verdict::Down,
            Some(Reason::Malfunction(_)) => Verdict::Unknown,
        }
    }
}

/// What lasts.
#[derive(Debug, Clone, Copy)]
enum State {
    Well,
    Failing {
        fault: Fault,
        until: i64,
    },
    /// The account was refused, so many times, and rests.
    Resting {
        fault: Fault,
        until: i64,
        rest_over: i64,
        refusals: usize,
    },
}

/// A site.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) kind: SiteKind,
    pub(crate) group: Option<&'static str>,
    /// When its next cycle is due, on its grid.
    pub(crate) due: i64,
    /// When its first was.
    first: i64,
    /// Milliseconds.
    interval: i64,
    interval_down: i64,
    checked: bool,
    /// Of round trips outside and inside and of the login, microseconds.
    base: [u64; 3],
    state: State,
    /// How many times as often as usual something befalls it.
    trouble: u64,
    random: Random,
}

impl Site {
    /// Site `number` of those that are asked for, from `start` on.
    pub(crate) fn new(number: u32, arguments: &Arguments, start: i64) -> Self {
        let Arguments { sites, interval, seed, trouble, .. } = *arguments;
        let interval = i64::from(interval) * 1000;
        let mut random = Random::new(seed ^ (u64::from(number) + 1).wrapping_mul(0x5851_f42d_4c95_7f2d));
        let first = start + interval * i64::from(number) / i64::from(sites);
        Self {
            name: format!("site-{number:03}"),
            kind: if number % 2 == 1 { SiteKind::Ipsec } else { SiteKind::SslVpn },
            group: [Some("emea"), Some("apac"), Some("americas"), None][number as usize % 4],
            due: first,
            first,
            interval,
            // Some are looked at more often while they are down.
            interval_down: if number % 10 == 3 { interval / 5 } else { interval },
            checked: number % 5 < 2,
            base: [
                random.between(2_000, 150_000),
                random.between(3_000, 200_000),
                random.between(1_500_000, 9_000_000),
            ],
            state: State::Well,
            trouble: trouble.into(),
            random,
        }
    }

    /// When the cycle that is due really begins.
    pub(crate) fn begins(&mut self) -> i64 {
        let late = if self.random.once_in(100) { 9_000 } else { 900 };
        self.due + signed(self.random.tail(late).min(14_000))
    }

    /// What that cycle finds at `time`; the site is due again after the interval in force, which is told too.
    pub(crate) fn cycle(&mut self, time: i64, blind: bool) -> (Found, i64) {
        let found = if blind {
            self.inconclusive(Stage::External, MalfunctionKind::OwnUplinkDown, "no reply from 192.0.2.1")
        } else {
            self.look(time)
        };
        if found.verdict() == Verdict::Down {
            self.due += self.interval_down;
            return (found, self.interval_down);
        }
        // Back on its own grid, should it have left that while it was down.
        self.due += self.interval - (self.due - self.first).rem_euclid(self.interval);
        (found, self.interval)
    }

    /// The cycle that was under way when the prober was killed.
    pub(crate) fn killed(&mut self) -> (Found, i64) {
        self.due += self.interval;
        let reason = Some(Reason::Malfunction(MalfunctionKind::ProberKilled));
        let detail = "the prober was killed in the middle of the cycle";
        (Found { reason, detail, killed: true, ..Found::default() }, self.interval)
    }

    /// Passes over a cycle that did not take place.
    pub(crate) const fn miss(&mut self) {
        self.due += self.interval;
    }

    fn look(&mut self, time: i64) -> Found {
        match self.state {
            State::Well => self.when_well(time),
            State::Failing { fault, until } if time < until => self.while_failing(fault),
            State::Resting { fault, until, rest_over, refusals } if time < until => {
                if time < rest_over {
                    return self.inconclusive(Stage::Login, MalfunctionKind::AccountPaused, "the account rests");
                }
                self.state = resting(fault, until, time, refusals + 1);
                self.failed(fault)
            }
            State::Failing { fault, .. } if self.kind == SiteKind::Ipsec && self.random.once_in(2) => {
                self.state = State::Well;
                self.restored(fault)
            }
            State::Failing { .. } | State::Resting { .. } => {
                self.state = State::Well;
                self.well()
            }
        }
    }

    fn when_well(&mut self, time: i64) -> Found {
        let faults = faults_of(self.kind);
        match self.random.between(0, 999_999 / self.trouble) {
            // About a dozen outages a year, from minutes to days.
            0..120 => {
                let fault = *self.random.one(faults);
                let until = time + signed(self.random.of_any_size(120_000, 250_000_000)).min(3 * DAY);
                self.state = if fault.reason.fault_domain() == FaultDomain::Identity {
                    resting(fault, until, time, 0)
                } else {
                    State::Failing { fault, until }
                };
                self.failed(fault)
            }
            120..1_120 => {
                let fault = *self.random.one(faults);
                self.failed(fault)
            }
            1_120..1_620 => {
                let (stage, reason, detail) = *self.random.one(malfunctions_of(self.kind));
                self.inconclusive(stage, reason, detail)
            }
            1_620..2_420 if self.kind == SiteKind::Ipsec => {
                let fault = *self.random.one(&faults[1..3]);
                self.restored(fault)
            }
            2_420..2_520 if self.kind == SiteKind::Ipsec => {
                // It came back by itself: nothing was restarted.
                Found { restarts: Some(0), ..self.restored(faults[1]) }
            }
            _ => self.well(),
        }
    }

    /// Mostly what it began with, sometimes another fault of it, seldom nothing that can be told.
    fn while_failing(&mut self, fault: Fault) -> Found {
        match self.random.between(0, 99) {
            0..3 => {
                let (stage, reason, detail) = *self.random.one(malfunctions_of(self.kind));
                self.inconclusive(stage, reason, detail)
            }
            3..10 => {
                let other = *self.random.one(faults_of(self.kind));
                self.failed(other)
            }
            _ => self.failed(fault),
        }
    }

    fn well(&mut self) -> Found {
        let ssl = self.kind == SiteKind::SslVpn;
        let login = ssl.then(|| self.measured(2));
        Found {
            external_rtt: Some(self.measured(0)),
            external_loss: Some(self.loss()),
            login,
            internal_rtt: Some(self.measured(1)),
            internal_loss: Some(self.loss()),
            restarts: (!ssl).then_some(0),
            took: Some(login.unwrap_or(0) + 1_900_000 + self.random.tail(300_000)),
            check: self.checked.then(|| 900 + self.random.tail(3_000)),
            leftovers: if ssl && self.random.once_in(20_000) { "interface-left route-left" } else { "" },
            ..Found::default()
        }
    }

    fn failed(&mut self, fault: Fault) -> Found {
        let mut found = self.well();
        let inside = fault.stage == Stage::Internal;
        found.failed_stage = Some(fault.stage);
        found.reason = Some(Reason::Failure(fault.reason));
        found.detail = fault.detail;
        match fault.reason {
            FailureKind::NoReply => (found.external_rtt, found.external_loss) = (None, Some(100_000)),
            FailureKind::PacketLoss => found.external_loss = Some(*self.random.one(&[83_333, 90_000, 99_000])),
            FailureKind::InternalUnreachable => (found.internal_rtt, found.internal_loss) = (None, Some(100_000)),
            FailureKind::CheckFailed => found.check = None,
            _ => {}
        }
        if !inside && fault.reason != FailureKind::PacketLoss {
            (found.internal_rtt, found.internal_loss, found.check) = (None, None, None);
            found.login = found.login.filter(|_| fault.reason == FailureKind::NoInterface);
        }
        if self.kind == SiteKind::Ipsec {
            found.restarts = Some(u32::from(self.random.once_in(3)));
            // The tunnel is back, but what failed behind it still does.
            let back = fault.reason == FailureKind::CheckFailed && self.random.once_in(2);
            found.restore = back.then(|| 1_000_000 + self.random.tail(2_000_000));
        }
        found
    }

    fn inconclusive(&mut self, stage: Stage, reason: MalfunctionKind, detail: &'static str) -> Found {
        Found {
            failed_stage: Some(stage),
            reason: Some(Reason::Malfunction(reason)),
            detail,
            restarts: (self.kind == SiteKind::Ipsec).then_some(0),
            took: Some(100_000 + self.random.tail(50_000)),
            ..Found::default()
        }
    }

    /// Found dead, and up again at the end of the cycle.
    fn restored(&mut self, fault: Fault) -> Found {
        let mut found = self.well();
        let restore = 300_000 + self.random.tail(12_000_000).min(50_000_000);
        found.failed_stage = Some(fault.stage);
        found.reason = Some(Reason::Failure(fault.reason));
        found.detail = fault.detail;
        found.restarts = Some(1);
        found.restore = Some(restore);
        found.took = found.took.map(|took| took + restore);
        found.restored = true;
        found
    }

    /// Around its base, with a tail.
    fn measured(&mut self, which: usize) -> u64 {
        let base = self.base[which];
        base + self.random.tail(base / 12) + if self.random.once_in(500) { self.random.tail(base * 3) } else { 0 }
    }

    fn loss(&mut self) -> u64 {
        if self.random.once_in(60) { *self.random.one(&[20_000, 40_000, 33_333]) } else { 0 }
    }
}

/// The rest after a refusal at `time`, of which there were `refusals` before.
fn resting(fault: Fault, until: i64, time: i64, refusals: usize) -> State {
    let rest = RESTS[refusals.min(RESTS.len() - 1)];
    State::Resting { fault, until, rest_over: time + rest, refusals }
}
