//! What the fast computation says is what the plain one says, of any history, however it is cut into units.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::histories::{history, question};
use super::merge::{Merger, Names};
use super::reference::{Answer, Question, SimpleOutage, SimpleRow, answer};
use super::tally::{Causes, Tally};
use super::unit::{Agreed, Counting, Unit};
use super::unit_builder::UnitBuilder;
use crate::agreed::Intervals;
use crate::record::Verdict;

#[derive(Debug)]
struct Same(Arc<Intervals>);

impl Agreed for Same {
    fn of(&self, _site: &str) -> Arc<Intervals> {
        Arc::clone(&self.0)
    }
}

fn unit(rows: &[SimpleRow], counting: Counting<'_>) -> Unit {
    let mut unit = UnitBuilder::default();
    for row in rows {
        unit.add(&row.as_read());
    }
    unit.finish(counting, None)
}

/// Rows before each of the moments are in a unit of their own, each as they are ordered.
fn cut(rows: &[SimpleRow], mut moments: Vec<i64>) -> Vec<Vec<SimpleRow>> {
    moments.sort_unstable();
    moments.push(i64::MAX);
    let mut from = i64::MIN;
    let mut units = Vec::new();
    for until in moments {
        let within = rows.iter().filter(|row| (from..until).contains(&row.time)).cloned().collect::<Vec<_>>();
        if !within.is_empty() {
            units.push(within);
        }
        from = until;
    }
    units
}

fn fast(units: &[Vec<SimpleRow>], question: &Question) -> Answer {
    let agreed: Intervals = question.agreed.iter().copied().collect();
    let agreed = Arc::new(agreed);
    let same = Same(Arc::clone(&agreed));
    let names = Names::new(question.identity_left_out.then_some("identity"));
    let counting = Counting { agreed: &same, start: question.start, end: question.end };
    let mut merger = Merger::new(question.start, question.end, &same, names);
    for (number, rows) in units.iter().enumerate() {
        merger.take(number, unit(rows, counting)).unwrap();
    }
    let Some((_, mut history)) = merger.sites.pop_first() else {
        let agreed = agreed.overlap(question.start, question.end);
        return Answer { agreed, unknown: agreed, strict_down: agreed, ..Answer::default() };
    };
    let names = &merger.names;
    let (tally, _) = history.finish(names);
    let mut answer = of_tally(&tally, names);
    answer.cycles_up = history.up;
    for ((cause, verdict), cycles) in &history.cycles {
        match verdict {
            Verdict::Up => {}
            Verdict::Unknown => answer.cycles_unknown += cycles,
            Verdict::Down if names.is_left_out(*cause) => answer.cycles_left_out += cycles,
            Verdict::Down => answer.cycles_down += cycles,
        }
    }
    answer
}

fn of_tally(tally: &Tally, names: &Names) -> Answer {
    let domain = |cause: u32| -> &'static str {
        let found = &*names.causes()[cause as usize].fault_domain;
        ["carrier", "gateway", "identity", "tunnel", "inside", "own"].into_iter().find(|name| *name == found).unwrap()
    };
    let mut by_domain = BTreeMap::new();
    for (cause, ms) in tally.down_ms.iter().filter(|(_, ms)| *ms > 0) {
        *by_domain.entry(domain(*cause)).or_default() += ms;
    }
    Answer {
        agreed: tally.agreed_ms,
        up: tally.up_ms,
        down: tally.all_down_ms(),
        unknown: tally.unknown_ms(),
        left_out: tally.left_out_ms,
        by_domain,
        strict_down: tally.all_down_ms() + tally.unknown_ms() + tally.doubtful_ms,
        outages: tally
            .outages
            .iter()
            .map(|outage| SimpleOutage {
                start: outage.start,
                end: outage.end,
                began_before: outage.began_before,
                open: outage.open,
                fault_domain: domain(outage.cause),
                agreed: outage.agreed_ms,
                down: outage.down_ms,
            })
            .collect(),
        ..Answer::default()
    }
}

/// The plain one lists outages outside agreed time, too.
fn plain(rows: &[SimpleRow], question: &Question) -> Answer {
    let mut answer = answer(rows, question);
    answer.outages.retain(|outage| outage.agreed > 0);
    answer.by_domain.retain(|_, ms| *ms > 0);
    answer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_history_has_the_figures_that_a_plain_computation_gives(
        rows in history(60), question in question(),
    ) {
        prop_assert_eq!(fast(&cut(&rows, Vec::new()), &question), plain(&rows, &question));
    }

    #[test]
    fn units_add_up_wherever_they_are_cut(
        rows in history(60),
        question in question(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let moments = if rows.is_empty() { Vec::new() } else { cuts.iter().map(|cut| cut.get(&rows).time).collect() };
        prop_assert_eq!(fast(&cut(&rows, moments), &question), plain(&rows, &question));
    }
}
