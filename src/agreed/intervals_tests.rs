//! Intervals against plain sets of moments.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Moments from -30 to 70: enough for every way in which two lists can lie to each other.
fn some() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((-30_i64..60, -3_i64..12).prop_map(|(start, length)| (start, start + length)), 0..8)
}

fn moments(spans: &[(i64, i64)]) -> BTreeSet<i64> {
    spans.iter().flat_map(|(start, end)| *start..*end).collect()
}

fn length(moments: impl IntoIterator<Item = i64>) -> i64 {
    i64::try_from(moments.into_iter().count()).unwrap()
}

proptest! {
    #[test]
    fn intervals_are_the_set_of_their_moments(left in some(), right in some(), a in -40_i64..80, b in -40_i64..80) {
        let (one, other): (Intervals, Intervals) = (left.iter().copied().collect(), right.iter().copied().collect());
        let (set, other_set) = (moments(&left), moments(&right));
        prop_assert_eq!(&moments(one.spans()), &set);
        prop_assert!(one.spans().windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", one);
        prop_assert_eq!(one.total(), length(set.iter().copied()));
        prop_assert_eq!(one.contains(a), set.contains(&a));
        let within = |moment: &i64| (a..b).contains(moment);
        prop_assert_eq!(one.overlap(a, b), length(set.iter().copied().filter(within)));
        prop_assert_eq!(moments(one.clipped(a, b).spans()), set.iter().copied().filter(within).collect());
        prop_assert_eq!(moments(one.union(&other).spans()), &set | &other_set);
        prop_assert_eq!(moments(one.intersect(&other).spans()), &set & &other_set);
        prop_assert_eq!(moments(one.subtract(&other).spans()), &set - &other_set);
        prop_assert_eq!(one.bytes() == other.bytes(), set == other_set);
        prop_assert_eq!(one == other, set == other_set);
    }

    #[test]
    fn no_moments_make_them_panic_or_overflow(spans in prop::collection::vec(any::<(i64, i64)>(), 0..6), a: i64, b: i64) {
        let any: Intervals = spans.into_iter().collect();
        let other = Intervals::single(a, b);
        for one in [any.union(&other), any.intersect(&other), any.subtract(&other), any.clipped(a, b)] {
            prop_assert!(one.total() >= 0 && one.overlap(a, b) >= 0 && one.overlap(a, b) <= one.total());
        }
    }
}

#[test]
fn touching_intervals_are_one_and_empty_ones_are_none() {
    let spans: Intervals = [(10, 20), (5, 5), (30, 25), (20, 30)].into_iter().collect();
    assert_eq!(spans.spans(), [(10, 30)]);
    assert_eq!(Intervals::single(3, 3), Intervals::none());
    assert_eq!(Intervals::none().total(), 0);
}

#[test]
fn the_ends_of_all_time_are_no_trouble() {
    let always = Intervals::single(i64::MIN, i64::MAX);
    assert_eq!(always.overlap(0, 1000), 1000);
    // Long before the next interval, and it ends long before it.
    assert_eq!(Intervals::single(i64::MAX - 10, i64::MAX).overlap(i64::MIN, i64::MIN + 5), 0);
    assert_eq!(Intervals::single(1_000, 2_000).overlap(i64::MIN, i64::MIN + 5), 0);
    assert_eq!(always.overlap(i64::MIN, i64::MAX), always.total());
    assert!(always.subtract(&Intervals::single(0, 10)).total() == always.total() - 10);
}
