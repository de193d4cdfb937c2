//! Text of a report as HTML: escaped, with numbers that a person can read.

use std::fmt::{self, Display, Write};

use super::super::words;
use crate::record::is_unseen;

/// What stands where nothing is known.
pub(super) const NOTHING: &str = "—";

/// Writes into a page; a `String` takes everything.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        { let _ = std::fmt::Write::write_fmt($out, format_args!($($arg)*)); }
    };
}
pub(super) use put;

/// A text in an element or in a quoted attribute. What nobody could see (directions, controls) is spelled out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c if is_unseen(c) => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Percent with four decimals, cut; without the sign.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{:.4}", cut(value)))
}

/// Percent with four decimals, cut, with its sign: `99.9000 %`.
pub(super) fn percent_whole(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |_| format!("{}\u{a0}%", percent(value)))
}

/// Percent without the zeros at its end, with its sign: `99.9 %`.
pub(super) fn percent_sign(value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    let digits = format!("{:.4}", cut(value));
    format!("{}\u{a0}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

/// Lost packets in percent.
pub(super) fn loss(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{}\u{a0}%", words::loss(Some(value))))
}

/// Ten-thousandths, cut; a value that has four decimals already stays what it is.
fn cut(value: f64) -> f64 {
    (value * 1e4 + 1e-6).floor() / 1e4
}

/// A count in groups of three: `10 512 000`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 outage`, `2 outages`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{}\u{a0}{}", count(number), if number == 1 { one } else { many })
}

/// A length in seconds: `1 h 03 min 20 s`; below ten seconds with tenths.
pub(super) fn duration(seconds: f64) -> String {
    // Minus nothing, which is the sum of no values, becomes nothing.
    let seconds = seconds + 0.0;
    if seconds < 0.0 {
        return format!("−{}", duration(-seconds));
    }
    if seconds > 0.0 && seconds < 0.05 {
        return "&lt;\u{a0}0.1\u{a0}s".to_owned();
    }
    if seconds < 9.95 {
        let tenths = format!("{seconds:.1}");
        return format!("{}\u{a0}s", tenths.trim_end_matches(".0"));
    }
    let whole = whole(seconds);
    let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}\u{a0}s"),
        (0, 0, _) => format!("{minutes}\u{a0}min {seconds:02}\u{a0}s"),
        (0, ..) => format!("{hours}\u{a0}h {minutes:02}\u{a0}min {seconds:02}\u{a0}s"),
        _ => format!("{}\u{a0}d {hours:02}\u{a0}h {minutes:02}\u{a0}min {seconds:02}\u{a0}s", count(days)),
    }
}

/// A length in its two largest units, cut, where the last second is beside the point: `12 d 03 h`.
pub(super) fn about(seconds: f64) -> String {
    let all = duration(seconds);
    let units: Vec<&str> = all.split(' ').take(2).collect();
    units.join(" ")
}

/// [`duration`] of what may be unknown.
pub(super) fn duration_or_nothing(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| NOTHING.to_owned(), duration)
}

/// Milliseconds with four significant digits: `4.321 ms`, `843.2 ms`, `2.312 s`.
pub(super) fn milliseconds(value: Option<f64>) -> String {
    let Some(value) = value else { return NOTHING.to_owned() };
    match value {
        _ if value >= 99_995.0 => format!("{:.1}\u{a0}s", value / 1e3),
        _ if value >= 9_999.5 => format!("{:.2}\u{a0}s", value / 1e3),
        _ if value >= 999.95 => format!("{:.3}\u{a0}s", value / 1e3),
        _ if value >= 99.995 => format!("{value:.1}\u{a0}ms"),
        _ if value >= 9.9995 => format!("{value:.2}\u{a0}ms"),
        _ => format!("{value:.3}\u{a0}ms"),
    }
}

/// A size in bytes as a person says it: `4.2 MB`.
pub(super) fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size}\u{a0}B"),
        1_000..1_000_000 => format!("{}\u{a0}kB", tenths(size, 1_000)),
        1_000_000..1_000_000_000 => format!("{}\u{a0}MB", tenths(size, 1_000_000)),
        _ => format!("{}\u{a0}GB", tenths(size, 1_000_000_000)),
    }
}

fn tenths(size: u64, unit: u64) -> String {
    format!("{}.{}", size / unit, size % unit * 10 / unit)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds from 0; casts of floats saturate")]
fn whole(seconds: f64) -> u64 {
    seconds.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_cut_and_never_rounded_up() {
        for (value, digits, signed) in [
            (99.9412, "99.9412", "99.9412\u{a0}%"),
            (99.999_999, "99.9999", "99.9999\u{a0}%"),
            (100.0, "100.0000", "100\u{a0}%"),
            (99.9, "99.9000", "99.9\u{a0}%"),
            (0.0, "0.0000", "0\u{a0}%"),
            (10.0, "10.0000", "10\u{a0}%"),
        ] {
            assert_eq!((percent(Some(value)).as_str(), percent_sign(Some(value)).as_str()), (digits, signed));
        }
        assert_eq!([percent(None), percent_sign(None)], ["—", "—"]);
        // Every value with four decimals is shown as it is.
        for value in 0..=1_000_000_u32 {
            let shown = percent(Some(f64::from(value) / 1e4));
            assert_eq!(shown.replace('.', "").parse(), Ok(value), "{shown}");
        }
    }

    #[test]
    fn a_length_is_told_in_words_with_every_second() {
        for (seconds, words) in [
            (0.0, "0 s"),
            (-0.0, "0 s"),
            (0.004, "&lt; 0.1 s"),
            (3.241, "3.2 s"),
            (7.0, "7 s"),
            (9.96, "10 s"),
            (59.6, "1 min 00 s"),
            (3_800.0, "1 h 03 min 20 s"),
            (86_400.0, "1 d 00 h 00 min 00 s"),
            (1_040_523.0, "12 d 01 h 02 min 03 s"),
            (-61.0, "−1 min 01 s"),
        ] {
            assert_eq!(duration(seconds).replace('\u{a0}', " "), words);
        }
        assert_eq!(about(1_040_523.0).replace('\u{a0}', " "), "12 d 01 h");
        assert_eq!(duration_or_nothing(None), "—");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(count(10_512_000).replace('\u{202f}', "_"), "10_512_000");
        assert_eq!([count(0), count(999), count(1_000).replace('\u{202f}', "_")], ["0", "999", "1_000"]);
        let times = [0.051, 4.321, 12.34, 843.2, 2_312.3, 12_340.0, 120_000.0].map(|value| milliseconds(Some(value)));
        assert_eq!(
            times.map(|time| time.replace('\u{a0}', " ")),
            ["0.051 ms", "4.321 ms", "12.34 ms", "843.2 ms", "2.312 s", "12.34 s", "120.0 s"]
        );
        let losses = [0.0, 20.0, 33.327, 99.999].map(|value| loss(Some(value)).replace('\u{a0}', " "));
        assert_eq!(losses, ["0 %", "20 %", "33.327 %", "99.999 %"]);
        let sizes = [0, 1_099, 4_210_000, 2_000_000_000].map(|size| bytes(size).replace('\u{a0}', " "));
        assert_eq!(sizes, ["0 B", "1.0 kB", "4.2 MB", "2.0 GB"]);
    }

    #[test]
    fn no_text_becomes_markup_or_turns_the_words_beside_it() {
        let shown = Text("<script>alert(\"1\")</script> & 'x' \u{202e}gnp\u{0}\u{200b} é 東京").to_string();
        assert_eq!(
            shown,
            "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; \\u{202e}gnp\\u{0}\\u{200b} é 東京"
        );
    }
}
