use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// `Mon 07:00` or `31 07:00`.
fn rhythm(text: &str) -> Rhythm {
    let (day, time) = text.split_once(' ').unwrap();
    let time = format!("{time}:00").parse().unwrap();
    match day.parse() {
        Ok(day) => Rhythm::Monthly { day, time },
        Err(_) => Rhythm::Weekly { day: day.parse().unwrap(), time },
    }
}

fn shown(due: Option<Due>) -> String {
    let due = due.unwrap();
    let period = due.period;
    format!("{} {} {}..{}", due.at.format("%Y-%m-%dT%H:%M:%SZ"), label(due.rhythm, period), period.from, period.to)
}

#[test]
fn the_next_report_is_due_by_the_clock_of_the_zone_and_is_of_the_period_before() {
    for (place, when, now, expected) in [
        // Weekly, on a Monday and within the week; at the moment itself the next is a week away.
        ("UTC", "Mon 07:00", "2026-11-20T12:00:00Z", "2026-11-23T07:00:00Z 2026-W47 2026-11-16..2026-11-22"),
        ("UTC", "Mon 07:00", "2026-11-23T06:59:59Z", "2026-11-23T07:00:00Z 2026-W47 2026-11-16..2026-11-22"),
        ("UTC", "Mon 07:00", "2026-11-23T07:00:00Z", "2026-11-30T07:00:00Z 2026-W48 2026-11-23..2026-11-29"),
        ("UTC", "Sun 20:00", "2026-11-20T12:00:00Z", "2026-11-22T20:00:00Z 2026-W46 2026-11-09..2026-11-15"),
        ("America/Lima", "Mon 00:00", "2026-11-20T12:00:00Z", "2026-11-23T05:00:00Z 2026-W47 2026-11-16..2026-11-22"),
        // Over the end of a year: the week is the last one of 2026, or the first of 2025.
        ("UTC", "Mon 07:00", "2027-01-03T00:00:00Z", "2027-01-04T07:00:00Z 2026-W53 2026-12-28..2027-01-03"),
        ("UTC", "Mon 07:00", "2025-01-05T00:00:00Z", "2025-01-06T07:00:00Z 2025-W01 2024-12-30..2025-01-05"),
        // Monthly, over the end of a year.
        ("UTC", "1 07:00", "2026-11-20T12:00:00Z", "2026-12-01T07:00:00Z 2026-11 2026-11-01..2026-11-30"),
        ("UTC", "1 07:00", "2026-12-31T12:00:00Z", "2027-01-01T07:00:00Z 2026-12 2026-12-01..2026-12-31"),
        ("UTC", "15 07:00", "2026-12-20T12:00:00Z", "2027-01-15T07:00:00Z 2026-12 2026-12-01..2026-12-31"),
        // On the 31st: in a shorter month its last day; of the month before all the same.
        ("UTC", "31 07:00", "2026-01-31T07:00:00Z", "2026-02-28T07:00:00Z 2026-01 2026-01-01..2026-01-31"),
        ("UTC", "31 07:00", "2028-02-01T00:00:00Z", "2028-02-29T07:00:00Z 2028-01 2028-01-01..2028-01-31"),
        ("UTC", "31 07:00", "2026-04-29T07:00:00Z", "2026-04-30T07:00:00Z 2026-03 2026-03-01..2026-03-31"),
        ("UTC", "30 07:00", "2026-12-31T07:00:00Z", "2027-01-30T07:00:00Z 2026-12 2026-12-01..2026-12-31"),
        // February of a leap year.
        ("UTC", "1 07:00", "2028-02-29T12:00:00Z", "2028-03-01T07:00:00Z 2028-02 2028-02-01..2028-02-29"),
        // Midnight of the first in a zone ahead of UTC is still the old month there.
        ("Asia/Tokyo", "1 00:00", "2026-11-30T14:59:59Z", "2026-11-30T15:00:00Z 2026-11 2026-11-01..2026-11-30"),
        // The clock skips 02:30, and all of it is due when it is set forward; 02:30 that is twice counts the first time.
        ("Europe/Paris", "Sun 02:30", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z 2026-W12 2026-03-16..2026-03-22"),
        ("Europe/Paris", "Sun 02:30", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z 2026-W42 2026-10-12..2026-10-18"),
        ("Europe/Paris", "Sun 02:30", "2026-10-25T00:30:00Z", "2026-11-01T01:30:00Z 2026-W43 2026-10-19..2026-10-25"),
        ("Europe/Paris", "29 02:30", "2026-03-10T00:00:00Z", "2026-03-29T01:00:00Z 2026-02 2026-02-01..2026-02-28"),
        // Midnight itself is skipped; a whole day is.
        ("Africa/Cairo", "24 00:00", "2026-04-10T00:00:00Z", "2026-04-23T22:00:00Z 2026-03 2026-03-01..2026-03-31"),
        ("Pacific/Apia", "Fri 12:00", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z 2011-W51 2011-12-19..2011-12-25"),
    ] {
        let (rhythm, place) = (rhythm(when), zone(place));
        assert_eq!(shown(next(rhythm, at(now), &place)), expected, "{when} {place} {now}");
        let due = next(rhythm, at(now), &place).unwrap();
        assert_eq!(latest(rhythm, due.at, &place), Some(due), "at its own moment it is the last one due");
    }
}

/// What a prober sends that looks at these moments, remembering what it settled: labels.
fn sends(when: &str, place: &str, looks: &[&str]) -> Vec<String> {
    let (mut settled, rhythm, zone) = (BTreeSet::new(), rhythm(when), zone(place));
    let look = |now: &&str| match decide(rhythm, &settled, at(now), &zone) {
        Decision::Nothing => None,
        Decision::Settle(due) => {
            settle(&mut settled, due.period.from);
            None
        }
        Decision::Send(due) => {
            settle(&mut settled, due.period.from);
            Some(format!("{now} {}", label(rhythm, due.period)))
        }
    };
    looks.iter().filter_map(look).collect()
}

#[test]
fn each_report_goes_once_and_nothing_is_sent_for_the_time_before_the_first_start() {
    for (what, when, place, looks, expected) in [
        ("a first start", "Mon 07:00", "UTC", &["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"][..], &[][..]),
        (
            "in time, and looked at again",
            "Mon 07:00",
            "UTC",
            &["2026-11-23T06:59:00Z", "2026-11-23T07:00:00Z", "2026-11-23T07:00:01Z", "2026-11-29T23:00:00Z"],
            &["2026-11-23T07:00:00Z 2026-W47"],
        ),
        (
            "off at the moment: when it is back",
            "1 07:00",
            "UTC",
            &["2026-11-20T00:00:00Z", "2026-12-03T09:00:00Z", "2026-12-03T09:01:00Z"],
            &["2026-12-03T09:00:00Z 2026-11"],
        ),
        (
            "off for months: the last one alone",
            "1 07:00",
            "UTC",
            &["2026-05-20T00:00:00Z", "2026-12-03T09:00:00Z", "2026-12-04T09:00:00Z", "2027-01-01T07:00:00Z"],
            &["2026-12-03T09:00:00Z 2026-11", "2027-01-01T07:00:00Z 2026-12"],
        ),
        (
            "the hour that is twice",
            "Sun 02:30",
            "Europe/Paris",
            &["2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:31:00Z"],
            &["2026-10-25T00:30:00Z 2026-W42"],
        ),
        (
            "the hour that is never",
            "Sun 02:30",
            "Europe/Paris",
            &["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
            &["2026-03-29T01:00:00Z 2026-W12"],
        ),
        (
            "set back by an hour, by ten days, and right again",
            "Mon 00:15",
            "UTC",
            &[
                "2026-11-20T00:00:00Z",
                "2026-11-23T00:15:00Z",
                "2026-11-22T23:20:00Z",
                "2026-11-23T00:15:00Z",
                "2026-11-13T12:00:00Z",
                "2026-11-23T00:20:00Z",
                "2026-11-30T00:15:00Z",
            ],
            &["2026-11-23T00:15:00Z 2026-W47", "2026-11-30T00:15:00Z 2026-W48"],
        ),
        (
            "set back to the seventies and right again",
            "Mon 00:15",
            "UTC",
            &["2026-11-20T00:00:00Z", "1970-01-01T00:00:00Z", "2026-11-20T00:01:00Z", "2026-11-23T00:15:00Z"],
            &["2026-11-23T00:15:00Z 2026-W47"],
        ),
        (
            "years ahead and right again: what is due then is not kept back",
            "1 07:00",
            "UTC",
            &["2026-11-20T00:00:00Z", "2036-01-20T00:00:00Z", "2026-11-20T00:01:00Z", "2026-12-01T07:00:00Z"],
            &["2036-01-20T00:00:00Z 2035-12", "2026-12-01T07:00:00Z 2026-11"],
        ),
    ] {
        assert_eq!(sends(when, place, looks), expected, "{what}");
    }
}

#[test]
fn another_day_of_the_week_sends_no_week_twice() {
    let (mut settled, utc) = (BTreeSet::new(), Zone::utc());
    settle(&mut settled, day("2026-11-16"));
    let decided = decide(rhythm("Wed 07:00"), &settled, at("2026-11-25T08:00:00Z"), &utc);
    assert_eq!(decided, Decision::Nothing);
}

#[test]
fn what_is_remembered_is_bounded_and_keeps_the_nearest() {
    let mut settled: BTreeSet<_> = (1..=31).map(|n| NaiveDate::from_ymd_opt(2036, 1, n).unwrap()).collect();
    settle(&mut settled, day("2026-11-16"));
    assert_eq!(settled.len(), REMEMBERED);
    assert!(settled.contains(&day("2026-11-16")));
}

proptest! {
    #[test]
    fn looked_at_often_or_seldom_no_period_is_sent_twice_and_after_each_look_the_last_one_due_is_settled(
        when in prop::sample::select(vec!["Mon 07:00", "Sun 02:30", "1 00:00", "31 23:59", "29 02:30"]),
        place in prop::sample::select(vec!["UTC", "Europe/Paris", "America/Sao_Paulo", "Pacific/Apia", "Asia/Tokyo"]),
        start in 0_i64..2_000_000_000,
        steps in prop::collection::vec(0_i64..4_000_000, 1..40),
    ) {
        let (rhythm, zone) = (rhythm(when), zone(place));
        let (mut settled, mut sent) = (BTreeSet::new(), Vec::new());
        let mut now = start;
        for step in steps {
            let moment = DateTime::from_timestamp(now, 0).unwrap();
            let decision = decide(rhythm, &settled, moment, &zone);
            if let Decision::Send(due) | Decision::Settle(due) = decision {
                prop_assert!(due.at <= moment);
                settle(&mut settled, due.period.from);
            }
            if let Decision::Send(due) = decision {
                sent.push(due.period.from);
            }
            prop_assert!(settled.contains(&latest(rhythm, moment, &zone).unwrap().period.from));
            now += step;
        }
        prop_assert!(sent.is_sorted_by(|one, next| one < next), "{sent:?}");
    }

    #[test]
    fn no_moment_makes_it_panic(seconds in prop::num::i64::ANY, monthly in prop::bool::ANY) {
        let moment = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let rhythm = rhythm(if monthly { "31 07:00" } else { "Mon 07:00" });
        let _ = decide(rhythm, &BTreeSet::new(), moment, &zone("Europe/Paris"));
        let _ = next(rhythm, DateTime::<Utc>::MIN_UTC, &zone("Europe/Paris"));
    }
}
