//! What can be added up over sites, and the figures that follow from it.

use std::collections::BTreeMap;

use super::histogram::{Histogram, Ranks};
use super::model::{Availability, Cycles, DomainShare, ErrorBudget, Failure, Figures, Quantiles};
use super::runs::Cause;
use super::tally::Tally;
use super::unit::Measure;
use crate::record::{Verdict, seen};

/// A hundred percent, in the unit of percentages.
pub(super) const WHOLE: u32 = 1_000_000;

/// Times in milliseconds, cycles and values of one site, or of several.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    agreed_ms: i64,
    up_ms: i64,
    unknown_ms: i64,
    left_out_ms: i64,
    doubtful_ms: i64,
    cycles: Cycles,
    /// Milliseconds and cycles, by fault domain; without what is left out.
    down: BTreeMap<Box<str>, (i64, u64)>,
    outages: u64,
    open: u64,
    /// Agreed time of those that ended.
    ended_ms: i64,
    longest_ms: Option<i64>,
    failures: BTreeMap<Cause, u64>,
    values: [Histogram; Measure::ALL.len()],
}

impl Sum {
    /// Of one site. `causes` are what its tally's causes mean; `is_left_out` of those that don't count.
    pub(super) fn of(
        tally: &Tally,
        cycles: &[(Cause, Verdict, u64)],
        up: u64,
        values: [Histogram; Measure::ALL.len()],
        causes: &[Cause],
        is_left_out: impl Fn(&Cause) -> bool,
    ) -> Self {
        let mut sum = Self {
            agreed_ms: tally.agreed_ms,
            up_ms: tally.up_ms,
            unknown_ms: tally.unknown_ms(),
            left_out_ms: tally.left_out_ms,
            doubtful_ms: tally.doubtful_ms,
            cycles: Cycles { up, ..Cycles::default() },
            outages: tally.outages.len() as u64,
            open: tally.outages.iter().filter(|outage| outage.open).count() as u64,
            ended_ms: tally.outages.iter().filter(|outage| !outage.open).map(|outage| outage.agreed_ms).sum(),
            longest_ms: tally.outages.iter().map(|outage| outage.agreed_ms).max(),
            values,
            ..Self::default()
        };
        for (cause, ms) in &tally.down_ms {
            if let Some(cause) = causes.get(*cause as usize) {
                sum.down.entry(cause.fault_domain.clone()).or_default().0 += ms;
            }
        }
        for (cause, verdict, cycles) in cycles {
            *sum.failures.entry(cause.clone()).or_default() += cycles;
            match verdict {
                Verdict::Up => {}
                Verdict::Unknown => sum.cycles.unknown += cycles,
                Verdict::Down => {
                    sum.cycles.down += cycles;
                    if is_left_out(cause) {
                        sum.cycles.left_out += cycles;
                    } else {
                        sum.down.entry(cause.fault_domain.clone()).or_default().1 += cycles;
                    }
                }
            }
        }
        sum
    }

    /// Adds another.
    pub(super) fn add(&mut self, other: &Self) {
        self.agreed_ms += other.agreed_ms;
        self.up_ms += other.up_ms;
        self.unknown_ms += other.unknown_ms;
        self.left_out_ms += other.left_out_ms;
        self.doubtful_ms += other.doubtful_ms;
        self.cycles.up += other.cycles.up;
        self.cycles.down += other.cycles.down;
        self.cycles.unknown += other.cycles.unknown;
        self.cycles.left_out += other.cycles.left_out;
        for (domain, (ms, cycles)) in &other.down {
            let own = self.down.entry(domain.clone()).or_default();
            *own = (own.0 + ms, own.1 + cycles);
        }
        self.outages += other.outages;
        self.open += other.open;
        self.ended_ms += other.ended_ms;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        for (cause, cycles) in &other.failures {
            *self.failures.entry(cause.clone()).or_default() += cycles;
        }
        for (own, values) in self.values.iter_mut().zip(&other.values) {
            own.merge(values);
        }
    }

    fn down_ms(&self) -> i64 {
        self.down.values().map(|(ms, _)| ms).sum()
    }

    /// The figures, against a target in ten thousandths of a percent.
    pub(super) fn figures(&self, target: Option<u32>) -> Figures {
        let down_ms = self.down_ms();
        let counted = self.agreed_ms - self.left_out_ms;
        let [login, external, internal, external_loss, internal_loss] =
            self.values.each_ref().map(|values| quantiles(values.quantiles()));
        Figures {
            cycles: self.cycles,
            agreed_s: seconds(self.agreed_ms),
            up_s: seconds(self.up_ms),
            downtime_s: seconds(down_ms),
            unknown_s: seconds(self.unknown_ms),
            left_out_s: seconds(self.left_out_ms),
            availability: Availability {
                strict: percent(self.up_ms - self.doubtful_ms, counted),
                default: percent(self.up_ms, self.up_ms + down_ms),
                optimistic: percent(counted - down_ms, counted),
            },
            availability_by_cycles: percent(
                count(self.cycles.up),
                count(self.cycles.up + self.cycles.down - self.cycles.left_out),
            ),
            coverage: percent(self.agreed_ms - self.unknown_ms, self.agreed_ms),
            fault_domains: self.domains(down_ms),
            outage_count: self.outages,
            outages_open: self.open,
            mttr_s: mean(self.ended_ms, self.outages - self.open),
            mtbf_s: mean(self.up_ms, self.outages),
            longest_outage_s: self.longest_ms.map(seconds),
            login_ms: login,
            external_rtt_ms: external,
            internal_rtt_ms: internal,
            external_loss_pct: external_loss,
            internal_loss_pct: internal_loss,
            failures: self.failures(),
            error_budget: target.map(|target| budget(target, self.up_ms, down_ms)),
            before: None,
        }
    }

    fn domains(&self, down_ms: i64) -> Vec<DomainShare> {
        let share = |(domain, (ms, cycles)): (&str, &(i64, u64))| DomainShare {
            fault_domain: seen(domain),
            downtime_s: seconds(*ms),
            share_pct: percent(*ms, down_ms),
            cycles: *cycles,
            availability: percent(self.up_ms + down_ms - ms, self.up_ms + down_ms),
        };
        self.down.iter().map(|(domain, sums)| share((domain, sums))).collect()
    }

    fn failures(&self) -> Vec<Failure> {
        let failure = |(cause, cycles): (&Cause, &u64)| Failure {
            stage: seen(&cause.stage),
            reason: seen(&cause.reason),
            fault_domain: seen(&cause.fault_domain),
            cycles: *cycles,
        };
        let mut failures: Vec<_> = self.failures.iter().map(failure).collect();
        failures
            .sort_by(|a, b| b.cycles.cmp(&a.cycles).then_with(|| (&a.stage, &a.reason).cmp(&(&b.stage, &b.reason))));
        failures
    }
}

/// A part of a whole in percent, cut after the fourth decimal.
pub(super) fn percent(part: i64, whole: i64) -> Option<f64> {
    if whole <= 0 {
        return None;
    }
    let cut = i128::from(part) * i128::from(WHOLE) / i128::from(whole);
    Some(decimal(cut, 10_000))
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of centuries are exact")]
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// `value` ÷ `unit`, where both are small enough to be exact.
#[expect(clippy::cast_precision_loss, reason = "a percentage with four decimals is far below 2^53")]
fn decimal(value: i128, unit: i32) -> f64 {
    value as f64 / f64::from(unit)
}

fn mean(total_ms: i64, number: u64) -> Option<f64> {
    (number > 0).then(|| seconds(total_ms / count(number)))
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Thousandths as they are written: microseconds as milliseconds, thousandths of a percent as percent.
#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 microseconds the last digit says nothing")]
pub(super) fn quantiles(ranks: Ranks) -> Quantiles {
    let thousandths = |value: Option<u64>| value.map(|value| value as f64 / 1000.0);
    Quantiles {
        n: ranks.n,
        p50: thousandths(ranks.p50),
        p95: thousandths(ranks.p95),
        p99: thousandths(ranks.p99),
        max: thousandths(ranks.max),
    }
}

fn budget(target: u32, up_ms: i64, down_ms: i64) -> ErrorBudget {
    let (target, whole) = (i128::from(target), i128::from(WHOLE));
    let known = i128::from(up_ms) + i128::from(down_ms);
    let allowed = i64::try_from(known * (whole - target) / whole).unwrap_or(i64::MAX);
    ErrorBudget {
        target: decimal(target, 10_000),
        allowed_s: seconds(allowed),
        used_s: seconds(down_ms),
        left_s: seconds(allowed - down_ms),
        used_pct: percent(down_ms, allowed),
        met: (known > 0).then(|| i128::from(up_ms) * whole >= known * target),
    }
}
