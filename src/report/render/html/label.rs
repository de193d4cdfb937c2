//! Days, moments and the period in words.

use chrono::{DateTime, Datelike, NaiveDate};

use super::text::Text;
use crate::report::model::{Period, Report};

/// `November 2026`, `20 November 2026`, `25 October to 3 November 2026`: as short as it can be.
pub(super) fn period(period: &Period) -> String {
    let (Some(from), Some(to)) = (day(&period.from), day(&period.to)) else {
        return format!("{} to {}", Text(&period.from), Text(&period.to));
    };
    let next = to.succ_opt().unwrap_or(to);
    if from.day() == 1 && next.day() == 1 && from.year() == to.year() {
        if from.month() == to.month() {
            return from.format("%B %Y").to_string();
        }
        if from.month() == 1 && to.month() == 12 {
            return from.format("%Y").to_string();
        }
    }
    days(from, to)
}

/// The same with both days named.
pub(super) fn both_days(from: &str, to: &str) -> String {
    match (day(from), day(to)) {
        (Some(from), Some(to)) => days(from, to),
        _ => format!("{} to {}", Text(from), Text(to)),
    }
}

fn days(from: NaiveDate, to: NaiveDate) -> String {
    let begin = match (from.year() == to.year(), from.month() == to.month()) {
        _ if from == to => return to.format("%-d %B %Y").to_string(),
        (true, true) => "%-d",
        (true, false) => "%-d %B",
        (false, _) => "%-d %B %Y",
    };
    format!("{} to {}", from.format(begin), to.format("%-d %B %Y"))
}

/// A day of the report.
pub(super) fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok()
}

/// A moment in milliseconds since 1970.
pub(super) fn instant(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.timestamp_millis())
}

/// Shows moments: the whole one is in the element's attribute, the offset is shown where the period has more than one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    with_offset: bool,
}

impl Moments {
    /// For the moments of this report.
    pub(super) fn of(report: &Report) -> Self {
        let offset = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|moment| moment.offset().to_owned());
        Self { with_offset: offset(&report.period.start) != offset(&report.period.end) }
    }

    /// `2026-11-20 06:52:08`.
    pub(super) fn show(self, text: &str) -> String {
        let Ok(moment) = DateTime::parse_from_rfc3339(text) else { return Text(text).to_string() };
        let words = moment.format("%Y-%m-%d\u{a0}%H:%M:%S");
        let offset = moment.format("%:z");
        let shown = if self.with_offset { format!("{words} <small>{offset}</small>") } else { words.to_string() };
        format!("<time datetime=\"{}\">{shown}</time>", Text(text))
    }
}

/// A moment with its offset.
pub(super) fn moment_with_offset(text: &str) -> String {
    Moments { with_offset: true }.show(text)
}

/// `always`, or the hours as configured.
pub(super) fn hours(hours: Option<&str>) -> String {
    hours.map_or_else(|| "around the clock".to_owned(), |hours| Text(hours).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_named_as_short_as_it_can_be() {
        for (from, to, words) in [
            ("2026-11-01", "2026-11-30", "November 2026"),
            ("2024-02-01", "2024-02-29", "February 2024"),
            ("2026-01-01", "2026-12-31", "2026"),
            ("2026-11-20", "2026-11-20", "20 November 2026"),
            ("2026-11-01", "2026-11-29", "1 to 29 November 2026"),
            ("2026-01-01", "2026-03-31", "1 January to 31 March 2026"),
            ("2025-12-25", "2026-01-03", "25 December 2025 to 3 January 2026"),
            ("2025-01-01", "2026-12-31", "1 January 2025 to 31 December 2026"),
            ("<b>", "never", "&lt;b&gt; to never"),
        ] {
            let shown = Period {
                from: from.to_owned(),
                to: to.to_owned(),
                start: String::new(),
                end: String::new(),
                zone: String::new(),
                compared: false,
            };
            assert_eq!(period(&shown), words);
        }
    }

    #[test]
    fn a_moment_shows_its_offset_where_the_hour_could_be_meant_twice() {
        let text = "2026-10-25T02:30:00.123+02:00";
        let short = Moments { with_offset: false }.show(text).replace('\u{a0}', " ");
        assert_eq!(short, format!("<time datetime=\"{text}\">2026-10-25 02:30:00</time>"));
        assert!(moment_with_offset(text).contains("<small>+02:00</small>"));
        assert_eq!(moment_with_offset("<now>"), "&lt;now&gt;");
    }
}
