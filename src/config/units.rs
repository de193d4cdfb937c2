//! Durations as people write them: `600`, `0.5`, `200ms`, `90s`, `5m`, `1h30m`, `2d`. Pure.

use std::time::Duration;

const NANOS: [(&str, u128); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// Reads a duration: a bare number is seconds, else numbers with a unit each, the larger unit first.
/// `None` for anything else, negative numbers and more than 584 years.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let nanos = match scaled(text, 1_000_000_000) {
        Some(seconds) => seconds,
        None => with_units(text)?,
    };
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// A duration the way [`parse_duration`] reads it.
pub(super) fn format_duration(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in NANOS {
        let count = rest / size;
        if count > 0 {
            text.push_str(&count.to_string());
            text.push_str(unit);
            rest %= size;
        }
    }
    text
}

fn with_units(mut text: &str) -> Option<u128> {
    let mut total: u128 = 0;
    let mut units = NANOS.as_slice();
    while !text.is_empty() {
        let number_ends = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at(number_ends);
        let unit_ends = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit_ends);
        let index = units.iter().position(|(name, _)| *name == unit)?;
        total = total.checked_add(scaled(number, units.get(index)?.1)?)?;
        units = units.get(index + 1..)?;
        text = rest;
    }
    (total > 0 || units.len() < NANOS.len()).then_some(total)
}

/// A decimal number times `unit`, exactly; nine decimals count.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let fraction: u128 = format!("{fraction:0<9.9}").parse().ok()?;
    whole.checked_mul(unit)?.checked_add(fraction.checked_mul(unit)? / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("600", 600_000),
            ("0.5", 500),
            ("0", 0),
            ("200ms", 200),
            ("90s", 90_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1d1h1m1s1ms", 90_061_001),
            ("0s", 0),
            (" 5m ", 300_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in [
            "",
            "abc",
            "-1",
            "+1",
            "5 m",
            "5x",
            "m",
            "1:30",
            "30m1h",
            "5m5m",
            "1e3",
            ".5",
            "5.",
            "1..5",
            "1.s",
            ".nan",
            "99999999999999999999",
            "99999999999999999999999999999999999999999999d",
            "٣s",
            "5M",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_duration_is_read_back(ms in 0_u64..10_000_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}
