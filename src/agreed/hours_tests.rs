//! Hours as people write them.

use chrono::Datelike;
use proptest::prelude::*;

use super::*;

/// The hours of the week from Monday, 2026-11-16, as `Mon 07:00 - Mon 19:00`.
fn week(text: &str) -> Vec<String> {
    let hours: Hours = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let days = NaiveDate::from_ymd_opt(2026, 11, 16).unwrap().iter_days().take(7);
    let show =
        |(from, to): (NaiveDateTime, NaiveDateTime)| format!("{} - {}", from.format("%a %H:%M"), to.format("%a %H:%M"));
    days.flat_map(|date| hours.of(date, date.weekday())).map(show).collect()
}

#[test]
fn hours_are_read_as_people_write_them() {
    for (text, expected) in [
        ("Mon 07:00-19:00", &["Mon 07:00 - Mon 19:00"][..]),
        (" mon  7:00 - 19:00 ", &["Mon 07:00 - Mon 19:00"]),
        ("Monday 07:00-19:00", &["Mon 07:00 - Mon 19:00"]),
        (
            "Thu-Fri 08:30-17:15, Sat 08:00-12:00",
            &["Thu 08:30 - Thu 17:15", "Fri 08:30 - Fri 17:15", "Sat 08:00 - Sat 12:00"],
        ),
        ("Sat - Mon 08:00-12:00", &["Mon 08:00 - Mon 12:00", "Sat 08:00 - Sat 12:00", "Sun 08:00 - Sun 12:00"]),
        ("Tue-Tue 00:00-24:00", &["Tue 00:00 - Wed 00:00"]),
        ("Fri-Sat 22:00-06:00", &["Fri 22:00 - Sat 06:00", "Sat 22:00 - Sun 06:00"]),
        ("Sun 22:00-00:00", &["Sun 22:00 - Mon 00:00"]),
    ] {
        assert_eq!(week(text), expected, "{text}");
    }
    assert_eq!(week("Mon-Sun 00:00-24:00").len(), 7);
    assert_eq!(week("Always"), week("Mon-Sun 00:00-24:00"));
}

#[test]
fn hours_keep_the_words_they_were_written_in() {
    for text in ["Mon-Fri 07:00-19:00", "Fri-Mon  7:00-19:00,Tue 1:00-2:00"] {
        assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
    }
    assert_eq!(Hours::always().to_string(), "always");
    assert_eq!(Hours::always().to_string().parse(), Ok(Hours::always()));
}

#[test]
fn what_is_no_hours_is_told_by_its_part() {
    for (text, message) in [
        ("", "`` has a part without hours"),
        ("Mon 07:00-19:00,", "`Mon 07:00-19:00,` has a part without hours"),
        ("Mon-Fri 07:00-12:00, 13:00-17:00", "`13:00-17:00` names no day"),
        ("Mon, Wed 07:00-19:00", "`Mon` names no time"),
        ("Mon-Fry 07:00-19:00", "`Fry` is not a day of the week"),
        ("Mon-Wed-Fri 07:00-19:00", "`Wed-Fri` is not a day of the week"),
        ("sometimes", "`sometimes` is not a day of the week"),
        ("Mon 07:00", "`07:00` is not a range of times"),
        ("Mon 07:00-12:00 13:00-17:00", "`07:00-12:00 13:00-17:00` is not a range of times"),
        ("Mon 07:00-12:00-17:00", "`07:00-12:00-17:00` is not a range of times"),
        ("Mon 7-19", "`7` is not a time of day"),
        ("Mon 24:00-07:00", "`24:00` is not a time of day"),
        ("Mon 07:00-25:00", "`25:00` is not a time of day"),
        ("Mon 07:00-19:00:30", "`19:00:30` is not a time of day"),
        ("Mon 07:00-07:00", "`07:00-07:00` ends when it begins"),
    ] {
        let error = text.parse::<Hours>().expect_err(text);
        assert_eq!(error.to_string(), message, "{text}");
        // What is proposed can be read, where it is a whole text.
        for proposed in error.fault.hint().split('`').filter(|text| text.starts_with("Mon") && text.contains(' ')) {
            assert!(proposed.parse::<Hours>().is_ok(), "{proposed}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", close in "[MonFriSat0-9:, -]{0,40}") {
        let _ = (text.parse::<Hours>(), close.parse::<Hours>());
    }
}
