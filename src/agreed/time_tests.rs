//! Agreed time around the days on which clocks are set, against the definition, minute by minute.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn at(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().unwrap().timestamp_millis()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn dates(list: &[&str]) -> BTreeSet<NaiveDate> {
    list.iter().map(|text| date(text)).collect()
}

/// The agreed time of local days, both included, as local times of its beginnings and ends.
fn spans(zone_name: &str, hours: &str, holidays: &[&str], from: &str, to: &str) -> Vec<String> {
    let zone = zone(zone_name);
    let (start, end) = (day_bounds(&zone, date(from)).0, day_bounds(&zone, date(to)).1);
    let agreed = agreed(&zone, &hours.parse().unwrap(), &dates(holidays), &Intervals::none(), start, end);
    let show = |moment: i64| {
        let time = DateTime::from_timestamp_millis(moment).unwrap().with_timezone(&zone);
        time.format("%d %H:%M%:z").to_string()
    };
    agreed.spans().iter().map(|(from, to)| format!("{} {}", show(*from), show(*to))).collect()
}

#[test]
fn hours_are_those_of_the_local_clock_also_on_days_on_which_it_is_set() {
    for (zone, hours, from, to, expected) in [
        (
            "Europe/Berlin",
            "Mon-Sun 07:00-19:00",
            "2026-03-28",
            "2026-03-29",
            &["28 07:00+01:00 28 19:00+01:00", "29 07:00+02:00 29 19:00+02:00"][..],
        ),
        // The hour that the clock skips is missing; the one that it shows twice is longer.
        ("Europe/Berlin", "Sun 01:30-04:00", "2026-03-29", "2026-03-29", &["29 01:30+01:00 29 04:00+02:00"]),
        ("Europe/Berlin", "Sun 02:15-02:45", "2026-03-29", "2026-03-29", &[]),
        ("Europe/Berlin", "Sun 02:30-03:30", "2026-03-29", "2026-03-29", &["29 03:00+02:00 29 03:30+02:00"]),
        ("Europe/Berlin", "Sun 02:15-02:45", "2026-10-25", "2026-10-25", &["25 02:15+02:00 25 02:45+01:00"]),
        ("Europe/Berlin", "Sun 00:00-02:00", "2026-10-25", "2026-10-25", &["25 00:00+02:00 25 02:00+02:00"]),
        ("Europe/Berlin", "Sat 22:00-06:00", "2026-10-24", "2026-10-25", &["24 22:00+02:00 25 06:00+01:00"]),
        ("Australia/Lord_Howe", "Sun 01:00-03:00", "2026-10-04", "2026-10-04", &["04 01:00+10:30 04 03:00+11:00"]),
        // There is no midnight: the day begins at one.
        ("Asia/Beirut", "Sun 00:00-02:00", "2026-03-29", "2026-03-29", &["29 01:00+03:00 29 02:00+03:00"]),
        ("America/Sao_Paulo", "Sun 00:00-24:00", "2018-11-04", "2018-11-04", &["04 01:00-02:00 05 00:00-02:00"]),
        // The clock is set back at midnight, to the day before.
        ("America/Sao_Paulo", "Sat 22:00-24:00", "2018-02-17", "2018-02-17", &["17 22:00-02:00 18 00:00-03:00"]),
        // And to midnight itself, which is shown twice: Saturday is over at the first.
        ("America/Havana", "Sat 22:00-24:00", "2026-10-31", "2026-11-01", &["31 22:00-04:00 01 00:00-04:00"]),
        ("America/Havana", "Sun 00:00-08:00", "2026-10-31", "2026-11-01", &["01 00:00-04:00 01 08:00-05:00"]),
        // A day that the zone leaves out.
        ("Pacific/Apia", "Fri 07:00-19:00", "2011-12-28", "2011-12-31", &[]),
        ("Pacific/Apia", "Thu 22:00-06:00", "2011-12-28", "2011-12-31", &["29 22:00-10:00 31 00:00+14:00"]),
    ] {
        assert_eq!(spans(zone, hours, &[], from, to), expected, "{hours} in {zone}");
    }
}

#[test]
fn a_holiday_takes_the_hours_that_begin_on_it() {
    let friday = &["2026-12-25"];
    for (hours, from, to, expected) in [
        (
            "Mon-Sun 07:00-19:00",
            "2026-12-24",
            "2026-12-26",
            &["24 07:00+01:00 24 19:00+01:00", "26 07:00+01:00 26 19:00+01:00"][..],
        ),
        ("always", "2026-12-24", "2026-12-26", &["24 00:00+01:00 25 00:00+01:00", "26 00:00+01:00 27 00:00+01:00"]),
        // The night that begins the day before stays whole.
        (
            "Mon-Sun 22:00-06:00",
            "2026-12-24",
            "2026-12-26",
            &["24 00:00+01:00 24 06:00+01:00", "24 22:00+01:00 25 06:00+01:00", "26 22:00+01:00 27 00:00+01:00"],
        ),
    ] {
        assert_eq!(spans("Europe/Berlin", hours, friday, from, to), expected, "{hours}");
    }
}

#[test]
fn what_is_excluded_is_not_agreed() {
    let (start, end) = (at("2026-11-16T00:00:00Z"), at("2026-11-17T00:00:00Z"));
    let noon = Intervals::single(start + 12 * HOUR, start + 13 * HOUR);
    let agreed = |hours: &str| agreed(&Zone::utc(), &hours.parse().unwrap(), &dates(&[]), &noon, start, end);
    assert_eq!(agreed("always").total(), 23 * HOUR);
    assert_eq!(agreed("Mon 07:00-12:30").spans(), [(start + 7 * HOUR, start + 12 * HOUR)]);
}

#[test]
fn a_day_is_as_long_as_its_zone_makes_it() {
    for (name, day, hours) in [
        ("UTC", "2026-11-16", 24.0),
        ("Europe/Berlin", "2026-03-29", 23.0),
        ("Europe/Berlin", "2026-10-25", 25.0),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Beirut", "2026-03-29", 23.0),
        ("America/Sao_Paulo", "2018-02-17", 25.0),
        ("America/Havana", "2026-11-01", 25.0),
        ("Pacific/Apia", "2011-12-30", 0.0),
    ] {
        let (start, end) = day_bounds(&zone(name), date(day));
        #[expect(clippy::cast_precision_loss, reason = "a day has few milliseconds")]
        let length = (end - start) as f64 / HOUR as f64;
        assert!((length - hours).abs() < f64::EPSILON, "{name} {day}: {length}");
        assert_eq!(day_bounds(&zone(name), date(day).succ_opt().unwrap()).0, end, "{name} {day}");
    }
    assert_eq!(day_bounds(&zone("Asia/Beirut"), date("2026-03-29")).0, at("2026-03-28T22:00:00Z"));
}

#[test]
fn the_agreed_hours_of_a_month_are_what_one_counts_in_a_calendar() {
    for (month, hours, holidays, expected) in [
        ("2026-02", "always", &[][..], 28 * 24),
        ("2026-03", "always", &[], 31 * 24 - 1),
        ("2026-10", "always", &[], 31 * 24 + 1),
        // 22 working days; the night of the change of clocks is no working time.
        ("2026-03", "Mon-Fri 07:00-19:00", &[], 22 * 12),
        ("2026-10", "Mon-Fri 07:00-19:00", &[], 22 * 12),
        // 23 working days, Christmas on a Friday and a Saturday; four Saturdays, one of them the holiday.
        ("2026-12", "Mon-Fri 07:00-19:00, Sat 08:00-12:00", &["2026-12-25", "2026-12-26"], 22 * 12 + 3 * 4),
        // It begins with six hours of a Saturday night of February; of its own four, one is an hour shorter.
        ("2026-03", "Sat 22:00-06:00", &[], 6 + 4 * 8 - 1),
    ] {
        let berlin = zone("Europe/Berlin");
        let first = date(&format!("{month}-01"));
        let (start, end) = (day_bounds(&berlin, first).0, day_bounds(&berlin, first + chrono::Months::new(1)).0);
        let found = agreed(&berlin, &hours.parse().unwrap(), &dates(holidays), &Intervals::none(), start, end);
        assert_eq!(found.total(), expected * HOUR, "{hours} in {month}");
    }
}

#[test]
fn no_moment_makes_it_panic() {
    let hours: Hours = "Mon-Sun 22:00-06:00".parse().unwrap();
    for name in ["UTC", "America/New_York", "Pacific/Apia"] {
        for (start, end) in [(i64::MIN, i64::MIN + DAY), (i64::MAX - DAY, i64::MAX), (DAY, 0)] {
            let agreed = agreed(&zone(name), &hours, &dates(&[]), &Intervals::none(), start, end);
            assert_eq!(agreed, Intervals::none());
        }
        for date in [NaiveDate::MIN, NaiveDate::MAX] {
            let (start, end) = day_bounds(&zone(name), date);
            assert!(start <= end);
        }
    }
}

/// Zones and moments at which their clocks are set.
const CHANGES: [(&str, &str); 12] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
    ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
    ("Asia/Beirut", "2026-03-28T22:00:00Z"),
    ("Asia/Beirut", "2026-10-24T21:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("America/Havana", "2026-11-01T05:00:00Z"),
    ("America/St_Johns", "2010-11-07T02:31:00Z"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ("Asia/Kathmandu", "2026-11-22T00:00:00Z"),
];

/// By definition: the first moment at which the clock shows `local` or later, looked for minute by minute.
fn slow_first(zone: &Zone, local: NaiveDateTime) -> i64 {
    let mut moment = local.and_utc() - TimeDelta::hours(39);
    while zone.local(moment).unwrap() < local {
        moment += TimeDelta::minutes(1);
    }
    moment.timestamp_millis()
}

/// By definition: the moment from which on the clock shows nothing before `local`.
fn slow_last(zone: &Zone, local: NaiveDateTime) -> i64 {
    let mut moment = local.and_utc() + TimeDelta::hours(39);
    while zone.local(moment - TimeDelta::minutes(1)).unwrap() >= local {
        moment -= TimeDelta::minutes(1);
    }
    moment.timestamp_millis()
}

/// Days of the week and two times of day, often at the ends of the day.
fn part() -> impl Strategy<Value = (usize, usize, u32, u32)> {
    let time = || prop_oneof![0_u32..24 * 60, 0_u32..240, (0_u32..24).prop_map(|hour| hour * 60), Just(0)];
    (0_usize..7, 0_usize..7, time(), time())
}

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn text((first, last, from, to): (usize, usize, u32, u32)) -> String {
    let time = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let end = if to == from { "24:00".to_owned() } else { time(to) };
    format!("{}-{} {}-{end}", NAMES[first], NAMES[last], time(from))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn agreed_time_is_exactly_what_the_definition_says(
        change in prop::sample::select(&CHANGES[..]),
        parts in prop::collection::vec(part(), 1..3),
        holiday in -3_i64..=3,
        start in -3 * 24 * 60_i64..60,
        length in 1_i64..4 * 24 * 60,
    ) {
        let (zone, change) = (zone(change.0), at(change.1));
        let written: Vec<_> = parts.iter().map(|part| text(*part)).collect();
        let hours: Hours = written.join(", ").parse().unwrap();
        let today = local_date(&zone, change);
        let holidays = BTreeSet::from([today + TimeDelta::days(holiday)]);
        let (start, end) = (change + start * MINUTE, change + (start + length) * MINUTE);
        let found = agreed(&zone, &hours, &holidays, &Intervals::none(), start, end);

        let mut expected = BTreeSet::new();
        for date in (-8..=8).map(|days| today + TimeDelta::days(days)).filter(|date| !holidays.contains(date)) {
            let day = usize::try_from(date.weekday().num_days_from_monday()).unwrap();
            for (first, last, from, to) in &parts {
                if (day + 7 - first) % 7 > (last + 7 - first) % 7 {
                    continue;
                }
                let local = |minutes: u32| date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minutes));
                let until = match () {
                    () if to == from => 24 * 60,
                    () if to < from => 24 * 60 + *to,
                    () => *to,
                };
                let (mut moment, until) = (slow_first(&zone, local(*from)), slow_last(&zone, local(until)));
                while moment < until {
                    expected.extend((start..end).contains(&moment).then_some(moment));
                    moment += MINUTE;
                }
            }
        }
        let minutes: BTreeSet<i64> =
            found.spans().iter().flat_map(|(from, to)| (*from..*to).step_by(usize::try_from(MINUTE).unwrap())).collect();
        prop_assert_eq!(minutes, expected);
    }

    #[test]
    fn the_days_of_a_month_add_up_to_the_month(
        change in prop::sample::select(&CHANGES[..]),
        parts in prop::collection::vec(part(), 1..3),
        holiday in 1_u32..28,
        excluded in prop::collection::vec((0_i64..31 * DAY, 0_i64..2 * DAY), 0..4),
    ) {
        let (zone, change) = (zone(change.0), at(change.1));
        let written: Vec<_> = parts.iter().map(|part| text(*part)).collect();
        let hours: Hours = written.join(", ").parse().unwrap();
        let first = local_date(&zone, change).with_day(1).unwrap();
        let next = first + chrono::Months::new(1);
        let (start, end) = (day_bounds(&zone, first).0, day_bounds(&zone, next).0);
        let holidays = BTreeSet::from([first.with_day(holiday).unwrap()]);
        let excluded = excluded.into_iter().map(|(from, length)| (start + from, start + from + length)).collect();
        let total = |(start, end): (i64, i64)| agreed(&zone, &hours, &holidays, &excluded, start, end).total();
        let days: i64 = first.iter_days().take_while(|date| *date < next).map(|date| total(day_bounds(&zone, date))).sum();
        prop_assert_eq!(days, total((start, end)));
        prop_assert!(days <= end - start);
    }
}
