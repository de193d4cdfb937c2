//! The excluded time of a whole period, against the question for single moments.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta, Weekday};
use proptest::prelude::*;

use super::*;
use crate::agreed::Intervals;
use crate::maintenance::{Sites, When};

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn only(names: &[&str]) -> Sites {
    Sites::Only(names.iter().map(|name| site(name)).collect::<BTreeSet<_>>())
}

fn weekly(day: Weekday, minute: u32, length: Duration) -> When {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0).unwrap();
    When::Weekly { day, time, length }
}

fn named(name: Option<&str>, sites: Sites, when: When) -> Window {
    Window { name: name.map(str::to_owned), sites, when, effects: Effects::default() }
}

/// Name, sites, start and end of each.
fn listed(windows: &Windows, from: &str, to: &str) -> Vec<String> {
    let all = windows.excluded(at(from).timestamp_millis(), at(to).timestamp_millis());
    let time = |millis: i64| DateTime::from_timestamp_millis(millis).unwrap().format("%m-%d %H:%M").to_string();
    let line = |one: &Occurrence| {
        let name = one.name.as_deref().unwrap_or("-");
        format!("{name} {:?} {} {}", one.sites.names(), time(one.start), time(one.end))
    };
    all.iter().map(line).collect()
}

#[test]
fn a_weekly_window_occurs_at_its_local_time_also_where_clocks_are_set() {
    let all = named(None, Sites::All, weekly(Weekday::Sun, 150, Duration::from_hours(2)));
    let windows = Windows::new("Europe/Paris".parse().unwrap(), vec![all]);
    assert_eq!(
        listed(&windows, "2026-03-16T00:00:00Z", "2026-04-06T00:00:00Z"),
        [
            "- [] 03-22 01:30 03-22 03:30",
            // From the moment of the jump, two hours.
            "- [] 03-29 01:00 03-29 03:00",
            "- [] 04-05 00:30 04-05 02:30",
        ]
    );
    assert_eq!(listed(&windows, "2026-10-20T00:00:00Z", "2026-10-27T00:00:00Z"), ["- [] 10-25 00:30 10-25 02:30"]);
}

#[test]
fn occurrences_are_cut_to_the_period_and_in_the_order_of_time() {
    let once = When::Once { start: at("2026-11-21T23:00:00Z"), end: at("2026-11-22T04:00:00Z") };
    let week = weekly(Weekday::Mon, 0, Duration::from_hours(7 * 24));
    let windows = Windows::new(
        Zone::utc(),
        vec![named(Some("carrier"), only(&["paris", "lab"]), once), named(Some("move"), only(&["oslo"]), week)],
    );
    assert_eq!(
        listed(&windows, "2026-11-22T00:00:00Z", "2026-11-23T12:00:00Z"),
        [
            r#"carrier ["lab", "paris"] 11-22 00:00 11-22 04:00"#,
            r#"move ["oslo"] 11-22 00:00 11-23 00:00"#,
            r#"move ["oslo"] 11-23 00:00 11-23 12:00"#,
        ]
    );
    // What ends when the period begins, or begins when it ends, is not in it.
    assert_eq!(listed(&windows, "2026-11-22T04:00:00Z", "2026-11-22T04:00:00Z"), [""; 0]);
    assert_eq!(listed(&windows, "2026-11-22T04:00:00Z", "2026-11-23T00:00:00Z").len(), 1);
}

#[test]
fn a_window_that_leaves_the_agreed_time_alone_is_not_listed() {
    let kept = Effects { exclude_from_sla: false, ..Effects::default() };
    let when = weekly(Weekday::Sun, 0, Duration::from_hours(24));
    let windows = Windows::new(Zone::utc(), vec![Window { effects: kept, ..named(None, Sites::All, when) }]);
    assert_eq!(listed(&windows, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"), [""; 0]);
}

#[test]
fn a_site_of_a_row_is_found_by_its_name_alone() {
    assert!(Sites::All.has("any"));
    assert!(only(&["paris"]).has("paris") && !only(&["paris"]).has("Paris"));
}

#[test]
fn no_period_makes_it_panic() {
    let once = When::Once { start: at("2026-11-21T23:00:00Z"), end: at("2026-11-22T04:00:00Z") };
    let when = weekly(Weekday::Sun, 0, Duration::from_hours(24));
    let windows = Windows::new(
        "Europe/Paris".parse().unwrap(),
        vec![named(None, Sites::All, once), named(None, Sites::All, when)],
    );
    for (start, end) in [(i64::MIN, i64::MIN + 1), (i64::MAX - 1, i64::MAX), (5, 5), (9, 3)] {
        assert_eq!(windows.excluded(start, end), []);
    }
}

/// Zones and moments around which their clocks are set.
const CHANGES: [(&str, &str); 8] = [
    ("Europe/Paris", "2026-03-29T01:00:00Z"),
    ("Europe/Paris", "2026-10-25T01:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-11-22T00:00:00Z"),
];

const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

fn any_when(change: DateTime<Utc>) -> impl Strategy<Value = When> {
    let minutes = |minutes: i64| TimeDelta::minutes(minutes);
    let once = (-4000_i64..4000, 1_i64..3000).prop_map(move |(start, length)| When::Once {
        start: change + minutes(start),
        end: change + minutes(start + length),
    });
    let length = prop_oneof![1_u64..600, 1_u64..7 * 24 * 60, Just(7 * 24 * 60)];
    // Also lengths that end between two milliseconds.
    let length = (length, 0_u64..3).prop_map(|(minutes, odd)| Duration::from_micros(minutes * 60_000_000 + odd * 300));
    let weekly = (prop::sample::select(&DAYS[..]), 0_u32..24 * 60, length)
        .prop_map(|(day, minute, length)| weekly(day, minute, length));
    prop_oneof![once, weekly]
}

fn any_windows() -> impl Strategy<Value = (DateTime<Utc>, Windows)> {
    prop::sample::select(&CHANGES[..]).prop_flat_map(|(zone, change)| {
        let change = at(change);
        let sites = prop::sample::select(vec![Sites::All, only(&["paris"]), only(&["oslo"])]);
        let window =
            (sites, any_when(change), prop::bool::weighted(0.7)).prop_map(|(sites, when, exclude_from_sla)| {
                let effects = Effects { exclude_from_sla, ..Effects::default() };
                Window { effects, ..named(None, sites, when) }
            });
        prop::collection::vec(window, 1..4)
            .prop_map(move |windows| (change, Windows::new(zone.parse().unwrap(), windows)))
    })
}

proptest! {
    #[test]
    fn a_moment_is_excluded_exactly_where_the_windows_say_so_of_it(
        (change, windows) in any_windows(),
        start in -5000_i64..5000,
        length in 1_i64..5000,
        moments in prop::collection::vec(0.0_f64..1.0, 20),
    ) {
        let (start, length) = (change + TimeDelta::minutes(start), TimeDelta::minutes(length));
        let (from, to) = (start.timestamp_millis(), (start + length).timestamp_millis());
        let all = windows.excluded(from, to);
        prop_assert!(all.iter().all(|one| from <= one.start && one.start < one.end && one.end <= to));
        let paris = site("paris");
        let excluded: Intervals =
            all.iter().filter(|one| one.sites.contains(&paris)).map(Occurrence::span).collect();
        // Anywhere, and on both sides of each beginning and end.
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any moment will do")]
        let anywhere = moments.iter().map(|share| from + ((to - from) as f64 * share) as i64);
        let edges = excluded.spans().iter().flat_map(|(start, end)| [start - 1, *start, end - 1, *end]);
        for moment in anywhere.chain(edges).filter(|moment| (from..to).contains(moment)) {
            let time = DateTime::from_timestamp_millis(moment).unwrap();
            let says = windows.at(time, &paris).is_some_and(|found| found.exclude_from_sla);
            prop_assert_eq!(excluded.contains(moment), says, "{}", time);
        }
    }
}
