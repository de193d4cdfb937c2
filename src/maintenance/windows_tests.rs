//! Windows at single moments, and against a slow definition around the days on which clocks are set.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{Datelike, NaiveDateTime, NaiveTime, TimeDelta, Weekday};
use proptest::prelude::*;

use super::*;
use crate::maintenance::{Sites, When};

fn site(name: &str) -> SiteName {
    SiteName::new(name).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

fn weekly(day: Weekday, time: &str, length: Duration) -> Window {
    let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
    window(When::Weekly { day, time, length })
}

fn window(when: When) -> Window {
    Window { name: None, sites: Sites::All, when, effects: Effects::default() }
}

fn in_zone(zone: &str, windows: Vec<Window>) -> Windows {
    Windows::new(zone.parse().unwrap(), windows)
}

/// The moments from `from` to `to` at which maintenance begins and ends, to the minute.
fn spans(windows: &Windows, from: &str, to: &str) -> Vec<(String, String)> {
    let (mut now, end, paris) = (at(from), at(to), site("paris"));
    let mut spans: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    while now < end {
        let is_inside = windows.at(now, &paris).is_some();
        let text = || now.format("%a %d %H:%M").to_string();
        match (inside, is_inside) {
            (false, true) => spans.push((text(), String::new())),
            (true, false) => spans.last_mut().unwrap().1 = text(),
            _ => {}
        }
        inside = is_inside;
        now += TimeDelta::minutes(1);
    }
    spans
}

fn pairs(spans: &[(&str, &str)]) -> Vec<(String, String)> {
    spans.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

#[test]
fn a_window_that_is_once_begins_with_its_start_and_is_over_at_its_end() {
    let (start, end) = (at("2026-11-22T02:00:00Z"), at("2026-11-22T04:00:00Z"));
    let windows = in_zone("UTC", vec![window(When::Once { start, end })]);
    let paris = site("paris");
    assert_eq!(windows.at(start - TimeDelta::milliseconds(1), &paris), None);
    assert_eq!(windows.at(start, &paris).unwrap().until, end);
    assert!(windows.at(end - TimeDelta::milliseconds(1), &paris).is_some());
    assert_eq!(windows.at(end, &paris), None);
}

#[test]
fn weekly_windows_cross_midnight_and_the_end_of_the_week() {
    let saturday = in_zone("UTC", vec![weekly(Weekday::Sat, "23:00", hours(3))]);
    let expected = pairs(&[("Sat 21 23:00", "Sun 22 02:00"), ("Sat 28 23:00", "Sun 29 02:00")]);
    assert_eq!(spans(&saturday, "2026-11-16T00:00:00Z", "2026-11-30T00:00:00Z"), expected);

    let from_sunday = in_zone("UTC", vec![weekly(Weekday::Sun, "22:00", hours(30))]);
    let expected = pairs(&[("Sun 22 22:00", "Tue 24 04:00")]);
    assert_eq!(spans(&from_sunday, "2026-11-18T00:00:00Z", "2026-11-28T00:00:00Z"), expected);

    let whole_week = in_zone("Europe/Paris", vec![weekly(Weekday::Wed, "12:00", hours(7 * 24))]);
    // Also over the week of 169 hours, less its last one.
    let expected = pairs(&[("Mon 12 00:00", "Wed 28 10:00"), ("Wed 28 11:00", "")]);
    assert_eq!(spans(&whole_week, "2026-10-12T00:00:00Z", "2026-11-12T00:00:00Z"), expected);
}

#[test]
fn a_weekly_window_keeps_its_local_start_and_its_length_when_clocks_are_set() {
    for (zone, day, time, from, expected) in [
        // 02:00 does not exist: from 03:00 summer time on.
        ("Europe/Paris", Weekday::Sun, "02:00", "2026-03-28T00:00:00Z", ("Sun 29 01:00", "Sun 29 03:00")),
        // 02:00 exists twice: from the first one on.
        ("Europe/Paris", Weekday::Sun, "02:00", "2026-10-24T00:00:00Z", ("Sun 25 00:00", "Sun 25 02:00")),
        ("America/New_York", Weekday::Sun, "01:30", "2026-11-01T00:00:00Z", ("Sun 01 05:30", "Sun 01 07:30")),
        // Over the change.
        ("Europe/Paris", Weekday::Sun, "01:30", "2026-03-28T00:00:00Z", ("Sun 29 00:30", "Sun 29 02:30")),
        ("Australia/Lord_Howe", Weekday::Sun, "02:10", "2026-10-03T00:00:00Z", ("Sat 03 15:30", "Sat 03 17:30")),
        ("Africa/Cairo", Weekday::Fri, "00:00", "2026-04-23T00:00:00Z", ("Thu 23 22:00", "Fri 24 00:00")),
        // Set back at one minute past midnight: the minute before, a window of that day had begun.
        ("America/St_Johns", Weekday::Sun, "00:00", "2010-11-06T12:00:00Z", ("Sun 07 02:30", "Sun 07 04:30")),
        // That Friday never was.
        ("Pacific/Apia", Weekday::Fri, "12:00", "2011-12-29T00:00:00Z", ("Fri 30 10:00", "Fri 30 12:00")),
    ] {
        let windows = in_zone(zone, vec![weekly(day, time, hours(2))]);
        let to = (at(from) + TimeDelta::days(2)).to_rfc3339();
        assert_eq!(spans(&windows, from, &to), pairs(&[expected]), "{day} {time} in {zone}");
    }
}

#[test]
fn a_window_is_for_its_sites_alone() {
    let of_paris = Window {
        sites: Sites::Only(BTreeSet::from([site("paris")])),
        ..window(When::Once { start: at("2026-11-22T02:00:00Z"), end: at("2026-11-22T04:00:00Z") })
    };
    let windows = in_zone("UTC", vec![of_paris]);
    let during = at("2026-11-22T03:00:00Z");
    assert!(windows.at(during, &site("paris")).is_some());
    assert_eq!(windows.at(during, &site("oslo")), None);
    assert_eq!(Windows::none().at(during, &site("paris")), None);
}

#[test]
fn the_effects_of_overlapping_windows_add_up() {
    let once = |name: Option<&str>, end: &str, effects: Effects| Window {
        name: name.map(str::to_owned),
        effects,
        ..window(When::Once { start: at("2026-11-22T02:00:00Z"), end: at(end) })
    };
    let only_restarts = Effects { suppress_alerts: false, exclude_from_sla: false, pause_restarts: true };
    let agreed = Effects { suppress_alerts: true, exclude_from_sla: true, pause_restarts: false };
    let seen = |windows: Vec<Window>| {
        let found = in_zone("UTC", windows).at(at("2026-11-22T03:00:00Z"), &site("paris")).unwrap();
        let effects = Effects {
            suppress_alerts: found.suppress_alerts,
            exclude_from_sla: found.exclude_from_sla,
            pause_restarts: found.pause_restarts,
        };
        (found.label().to_owned(), found.until, effects)
    };
    let (four, five) = ("2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z");
    let together = vec![once(Some("ike"), five, only_restarts), once(Some("carrier"), four, agreed)];
    assert_eq!(seen(together), ("carrier".to_owned(), at(five), Effects::default()));
    // A row with the name of the other would count as agreed time.
    let unnamed = vec![once(Some("ike"), four, only_restarts), once(None, four, agreed)];
    assert_eq!(seen(unnamed).0, "yes");
    assert_eq!(seen(vec![once(Some("ike"), four, only_restarts)]), ("ike".to_owned(), at(four), only_restarts));
    assert_eq!(seen(vec![once(None, four, agreed), once(Some("b"), four, agreed)]).0, "b");
}

#[test]
fn no_time_makes_it_panic() {
    for zone in ["UTC", "Europe/Paris", "America/New_York"] {
        let windows = in_zone(zone, vec![weekly(Weekday::Sun, "00:00", hours(7 * 24))]);
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            let _ = windows.at(time, &site("paris"));
        }
    }
}

/// Zones and moments around which their clocks are set; the last needs none.
const CHANGES: [(&str, &str); 13] = [
    ("Europe/Paris", "2026-03-29T01:00:00Z"),
    ("Europe/Paris", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Antarctica/Troll", "2026-03-29T01:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-11-22T00:00:00Z"),
];

/// In minutes.
const WEEK: i64 = 7 * 24 * 60;

/// By definition: the first moment at which the clock shows `local` or later, looked for minute by minute.
fn slow_start(zone: &Zone, local: NaiveDateTime) -> DateTime<Utc> {
    let mut moment = local.and_utc() - TimeDelta::hours(39);
    while zone.local(moment).unwrap() < local {
        moment += TimeDelta::minutes(1);
    }
    moment
}

/// By definition: the latest end of those that began on any such day around, and last.
fn slow_end(zone: &Zone, day: Weekday, time: NaiveTime, length: Duration, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let dates = (-12..=12).map(|days| (now + TimeDelta::days(days)).date_naive()).filter(|date| date.weekday() == day);
    let length = TimeDelta::from_std(length).unwrap();
    dates
        .map(|date| slow_start(zone, date.and_time(time)))
        .filter(|s| *s <= now && now < *s + length)
        .map(|s| s + length)
        .max()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_weekly_window_is_in_force_exactly_where_the_definition_says(
        change in prop::sample::select(&CHANGES[..]),
        // Often near the change, else anywhere in its week.
        start in prop_oneof![-150_i64..150, -WEEK / 2..WEEK / 2],
        now in prop_oneof![-300_i64..300, -WEEK..WEEK],
        length in prop_oneof![1_i64..=300, 1..=WEEK, Just(WEEK)],
        second in 0_i64..60,
    ) {
        let (zone, change) = (change.0.parse::<Zone>().unwrap(), at(change.1));
        let start = zone.local(change).unwrap() + TimeDelta::minutes(start);
        let (day, time) = (start.weekday(), start.time());
        let now = change + TimeDelta::minutes(now) + TimeDelta::seconds(second);
        let length = Duration::from_mins(length.unsigned_abs());
        let windows = Windows::new(zone.clone(), vec![window(When::Weekly { day, time, length })]);
        let found = windows.at(now, &site("paris")).map(|found| found.until);
        prop_assert_eq!(found, slow_end(&zone, day, time, length, now));
    }

    #[test]
    fn a_start_near_a_change_is_the_first_moment_at_which_the_clock_shows_it_or_later(
        change in prop::sample::select(&CHANGES[..]),
        around in -26 * 60_i64..26 * 60,
    ) {
        let zone = change.0.parse::<Zone>().unwrap();
        let local = zone.local(at(change.1)).unwrap() + TimeDelta::minutes(around);
        prop_assert_eq!(zone.moment(local).unwrap().first(), slow_start(&zone, local));
    }

    #[test]
    fn an_end_near_a_change_is_the_last_moment_at_which_the_clock_shows_it(
        change in prop::sample::select(&CHANGES[..]),
        // Often at the full hour, at which clocks are set.
        around in prop_oneof![-26 * 60_i64..26 * 60, (-26_i64..26).prop_map(|hours| hours * 60)],
    ) {
        let zone = change.0.parse::<Zone>().unwrap();
        let local = zone.local(at(change.1)).unwrap() + TimeDelta::minutes(around);
        let mut moment = local.and_utc() + TimeDelta::hours(39);
        while zone.local(moment).unwrap() > local {
            moment -= TimeDelta::minutes(1);
        }
        // Never shown: the first moment after those that show something earlier.
        let skipped = zone.local(moment).unwrap() < local;
        prop_assert_eq!(zone.moment(local).unwrap().last(), moment + TimeDelta::minutes(i64::from(skipped)));
    }
}
