//! Figures as people read them. Nothing is rounded up.

use crate::report::model::{Figures, Quantiles};

/// What is not known.
pub(super) const NOTHING: &str = "—";

/// `99.9871 %`.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.4} %"))
}

/// `1 d 2 h`, `1 h 03 min`, `3 min 20 s`, `12.345 s`, `0`.
pub(super) fn length(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "lengths are milliseconds of centuries at most")]
    let ms = (seconds.abs() * 1000.0).round() as i64;
    let sign = if seconds < 0.0 && ms > 0 { "−" } else { "" };
    let (days, hours, minutes) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
    let rest = ms % 60_000;
    let text = match (days, hours, minutes) {
        (0, 0, 0) if rest == 0 => "0".to_owned(),
        (0, 0, 0) if rest % 1000 == 0 => format!("{} s", rest / 1000),
        (0, 0, 0) => format!("{}.{:03} s", rest / 1000, rest % 1000),
        (0, 0, _) => format!("{minutes} min {:02} s", rest / 1000),
        (0, ..) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    };
    format!("{sign}{text}")
}

/// The same, where there is one.
pub(super) fn length_of(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| NOTHING.to_owned(), length)
}

/// `1812`, `812.4` or `0.425`: milliseconds with four digits that say something, so within 0.05 % or to the microsecond.
pub(super) fn millis(value: Option<f64>) -> String {
    match value {
        None => NOTHING.to_owned(),
        Some(value) if value >= 1000.0 => format!("{value:.0}"),
        Some(value) if value >= 100.0 => format!("{value:.1}"),
        Some(value) if value >= 10.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// `0`, `33.327`: lost packets in percent, with all the digits that there are.
pub(super) fn loss(value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What has quantiles, with its unit, and how its values are shown.
pub(super) type Measured<'a> = (&'static str, &'a Quantiles, fn(Option<f64>) -> String);

/// All that has.
pub(super) fn measures(figures: &Figures) -> [Measured<'_>; 5] {
    [
        ("login, ms", &figures.login_ms, millis),
        ("RTT outside, ms", &figures.external_rtt_ms, millis),
        ("RTT inside, ms", &figures.internal_rtt_ms, millis),
        ("loss outside, %", &figures.external_loss_pct, loss),
        ("loss inside, %", &figures.internal_loss_pct, loss),
    ]
}

/// `p50 / p95`.
pub(super) fn pair(values: &Quantiles) -> String {
    if values.n == 0 {
        return NOTHING.to_owned();
    }
    format!("{} / {}", millis(values.p50), millis(values.p95))
}

/// `2026-11-20 13:05:00` of an RFC 3339 moment: in the zone that the report names.
pub(super) fn local(moment: &str) -> String {
    moment.get(..19).unwrap_or(moment).replacen('T', " ", 1)
}

/// `1 outage`, `2 outages`.
pub(crate) fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_two_units() {
        let cases = [
            (0.0, "0"),
            (0.25, "0.250 s"),
            (12.0, "12 s"),
            (200.0, "3 min 20 s"),
            (3780.9, "1 h 03 min"),
            (93_600.0, "1 d 2 h"),
            (-200.0, "−3 min 20 s"),
        ];
        for (seconds, text) in cases {
            assert_eq!(length(seconds), text);
        }
    }

    #[test]
    fn values_are_shown_within_the_resolution_that_is_stated() {
        let times = [0.051, 4.3214, 12.345, 843.25, 2312.3].map(|value| millis(Some(value)));
        assert_eq!(times, ["0.051", "4.321", "12.35", "843.2", "2312"]);
        assert_eq!([0.0, 20.0, 33.327, 99.999].map(|value| loss(Some(value))), ["0", "20", "33.327", "99.999"]);
    }

    #[test]
    fn percentages_show_what_is_known_and_no_more() {
        assert_eq!(percent(Some(99.9999)), "99.9999 %");
        assert_eq!(percent(Some(100.0)), "100.0000 %");
        assert_eq!(percent(None), "—");
    }
}
