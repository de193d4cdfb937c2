//! Worked examples, so that the reference itself can be believed, and what must hold of any history.

use proptest::prelude::*;

use super::*;
use crate::report::histories::{MIDNIGHT, history, question};

const MINUTE: i64 = 60_000;

/// Rows every five minutes from 00:00 on, a word each: `up`, `unknown`, `restored` in one minute, `-` for no row, or a
/// fault domain.
fn rows(words: &str) -> Vec<SimpleRow> {
    let mut rows = Vec::new();
    for (n, word) in (0_i64..).zip(words.split(' ')) {
        let (verdict, fault_domain, restore) = match word {
            "-" => continue,
            "up" => (Verdict::Up, "", None),
            "unknown" => (Verdict::Unknown, "own", None),
            "restored" => (Verdict::Up, "tunnel", Some(MINUTE)),
            "carrier" => (Verdict::Down, "carrier", None),
            "identity" => (Verdict::Down, "identity", None),
            other => panic!("{other}"),
        };
        let (time, interval) = (n * 5 * MINUTE, 5 * MINUTE);
        rows.push(SimpleRow { time, cycle_id: n.to_string(), verdict, fault_domain, interval, restore });
    }
    rows
}

/// Minutes; all of it agreed.
fn period(start: i64, end: i64) -> Question {
    let (start, end) = (start * MINUTE, end * MINUTE);
    Question { start, end, agreed: vec![(start, end)], identity_left_out: false }
}

/// Up, down, unknown, left out and strictly down in minutes, and the outages: `5-15`, `<5` had begun before, `15>` is
/// open.
fn told(words: &str, question: &Question) -> String {
    let answer = answer(&rows(words), question);
    let outage = |outage: &SimpleOutage| {
        let (before, open) = (if outage.began_before { "<" } else { "" }, if outage.open { ">" } else { "" });
        format!("{before}{}-{}{open}", outage.start / MINUTE, outage.end / MINUTE)
    };
    let outages: Vec<_> = answer.outages.iter().map(outage).collect();
    let times = [answer.up, answer.down, answer.unknown, answer.left_out, answer.strict_down].map(|ms| ms / MINUTE);
    format!("{times:?} {}", outages.join(" ")).trim_end().to_owned()
}

#[test]
fn the_examples_come_out_as_they_do_by_hand() {
    for (words, start, end, expected) in [
        ("up up up", 0, 15, "[15, 0, 0, 0, 0]"),
        // A state holds for two intervals at most.
        ("up - - up", 0, 20, "[15, 0, 5, 0, 5]"),
        ("up", 0, 20, "[10, 0, 10, 0, 10]"),
        ("- up", 0, 10, "[5, 0, 5, 0, 5]"),
        // Strictly, an outage may have begun right after the last row that was up.
        ("up carrier carrier up", 0, 20, "[10, 10, 0, 0, 15] 5-15"),
        ("carrier up", 0, 10, "[5, 5, 0, 0, 5] 0-5"),
        ("up carrier", 0, 10, "[5, 5, 0, 0, 10] 5-10>"),
        // Unknown does not end it.
        ("up carrier unknown carrier up", 0, 25, "[10, 10, 5, 0, 20] 5-20"),
        ("up carrier unknown up", 0, 20, "[10, 5, 5, 0, 15] 5-15"),
        ("up unknown carrier up", 0, 20, "[10, 5, 5, 0, 15] 10-15"),
        ("up carrier - - - up", 0, 30, "[10, 10, 10, 0, 25] 5-25"),
        // A restored tunnel was down for a minute; the row before it was good.
        ("up restored up", 0, 15, "[14, 1, 0, 0, 6] 5-6"),
        ("up carrier restored up", 0, 20, "[14, 6, 0, 0, 11] 5-11"),
        ("restored restored", 0, 10, "[8, 2, 0, 0, 6] 0-1 5-6"),
        // What held when the period began, holds on in it.
        ("up carrier carrier up", 7, 20, "[5, 8, 0, 0, 8] <7-15"),
        ("up carrier carrier up", 5, 20, "[5, 10, 0, 0, 10] 5-15"),
        ("up carrier up", 2, 15, "[8, 5, 0, 0, 8] 5-10"),
        ("carrier - - - carrier up", 15, 30, "[5, 5, 5, 0, 10] 20-25"),
        ("up carrier carrier", 0, 0, "[0, 0, 0, 0, 0]"),
    ] {
        assert_eq!(told(words, &period(start, end)), expected, "{words}, {start} to {end}");
    }
}

#[test]
fn a_restored_tunnel_is_down_until_it_was_restored_and_no_longer_than_to_the_next_row() {
    let with = |restore, words| {
        let mut rows = rows(words);
        rows[1].restore = Some(restore * MINUTE);
        let answer = answer(&rows, &period(0, 40));
        let outages: Vec<_> = answer.outages.iter().map(|o| (o.start / MINUTE, o.end / MINUTE)).collect();
        (answer.up / MINUTE, answer.down / MINUTE, answer.unknown / MINUTE, outages)
    };
    assert_eq!(with(3, "up restored"), (12, 3, 25, vec![(5, 8)]));
    assert_eq!(with(15, "up restored"), (5, 15, 20, vec![(5, 20)]), "it was up when it was restored");
    assert_eq!(with(15, "up restored up"), (15, 5, 20, vec![(5, 10)]));
    assert_eq!(with(15, "up restored carrier up"), (15, 10, 15, vec![(5, 15)]));
    assert_eq!(with(0, "up restored up"), (20, 0, 20, vec![]));
}

#[test]
fn a_refused_account_counts_as_down_or_not_at_all() {
    let words = "up identity identity up carrier identity up";
    assert_eq!(told(words, &period(0, 35)), "[15, 20, 0, 0, 30] 5-15 20-30");
    let excluded = Question { identity_left_out: true, ..period(0, 35) };
    assert_eq!(told(words, &excluded), "[15, 5, 0, 15, 10] 20-30");
    let answer = answer(&rows(words), &excluded);
    assert_eq!((answer.cycles_up, answer.cycles_down, answer.cycles_left_out), (3, 1, 3));
    assert_eq!((answer.outages[0].agreed, answer.outages[0].down), (10 * MINUTE, 5 * MINUTE));
}

#[test]
fn only_agreed_time_counts_but_an_outage_has_its_real_ends() {
    let question = Question { agreed: vec![(0, 7 * MINUTE), (12 * MINUTE, 14 * MINUTE)], ..period(0, 20) };
    assert_eq!(told("up carrier carrier up", &question), "[5, 4, 0, 0, 9] 5-15");
    let answer = answer(&rows("up carrier carrier up"), &question);
    assert_eq!((answer.cycles_up, answer.cycles_down), (1, 1));
    assert_eq!(answer.outages[0].agreed, 4 * MINUTE);
}

#[test]
fn of_two_rows_in_one_millisecond_both_are_cycles_and_the_later_id_tells_the_state() {
    let mut twice = rows("up carrier up");
    twice.push(SimpleRow { cycle_id: "0".into(), verdict: Verdict::Up, fault_domain: "", ..twice[1].clone() });
    twice.push(twice[0].clone());
    let answer = answer(&twice, &period(0, 15));
    assert_eq!((answer.cycles_up, answer.cycles_down), (3, 1));
    assert_eq!((answer.up, answer.down), (10 * MINUTE, 5 * MINUTE));
    assert_eq!(answer.outages.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn times_add_up_to_the_agreed_time_and_periods_to_longer_ones(
        rows in history(30), question in question(), at in 0.0..1.0,
    ) {
        let whole = answer(&rows, &question);
        prop_assert_eq!(whole.up + whole.down + whole.unknown + whole.left_out, whole.agreed);
        prop_assert_eq!(whole.by_domain.values().sum::<i64>(), whole.down);
        prop_assert!(whole.strict_down >= whole.down + whole.unknown);
        prop_assert!(whole.strict_down <= whole.agreed - whole.left_out);
        prop_assert_eq!(whole.outages.iter().map(|outage| outage.down).sum::<i64>(), whole.down);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "some moment in the period")]
        let middle = question.start + ((question.end - question.start) as f64 * at) as i64;
        let parts = [Question { end: middle, ..question.clone() }, Question { start: middle, ..question }]
            .map(|part| answer(&rows, &part));
        let sum = |of: fn(&Answer) -> i64| parts.iter().map(of).sum::<i64>();
        prop_assert_eq!(sum(|a| a.up), whole.up);
        prop_assert_eq!(sum(|a| a.down), whole.down);
        prop_assert_eq!(sum(|a| a.unknown), whole.unknown);
        prop_assert_eq!(sum(|a| a.left_out), whole.left_out);
        prop_assert_eq!(parts[0].cycles_down + parts[1].cycles_down, whole.cycles_down);
    }
}

#[test]
fn a_row_is_read_as_what_it_says() {
    let mut simple = rows("restored").remove(0);
    simple.time = MIDNIGHT;
    let row = simple.as_read();
    assert_eq!((row.time, row.verdict, row.restarts, row.restore_ms), (MIDNIGHT, Verdict::Up, Some(1), Some(MINUTE)));
    assert_eq!((row.interval_ms, row.fault_domain), (Some(5 * MINUTE), "tunnel"));
}
