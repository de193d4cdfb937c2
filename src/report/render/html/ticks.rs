//! The marks of the time axis: hours, days, weeks, months or years, by the length of the period.

use chrono::{Datelike, NaiveDate, Weekday};

use super::scale::Scale;
use super::text::put;

/// Height of the axis, pixels.
pub(super) const HEIGHT: u32 = 18;
/// A label that began further right would be cut.
const LAST_LABEL: f64 = 0.955;

/// One mark.
#[derive(Debug, Clone, PartialEq)]
struct Tick {
    at: f64,
    /// Empty: a small mark.
    label: String,
}

/// The axis, to be used by each drawing: text and lines at places in percent, so that it fits any width.
pub(super) fn axis(scale: &Scale) -> String {
    let mut drawn = String::from("<g id=\"axis\">");
    let mut labels = 0;
    for tick in ticks(scale) {
        let x = tick.at * 100.0;
        let length = if tick.label.is_empty() { 3 } else { 6 };
        put!(&mut drawn, "<line x1=\"{x:.3}%\" x2=\"{x:.3}%\" y2=\"{length}\"/>");
        if !tick.label.is_empty() && tick.at < LAST_LABEL {
            // On a narrow screen every other one is hidden.
            let class = if labels % 2 == 1 { " class=\"odd\"" } else { "" };
            put!(&mut drawn, "<text x=\"{x:.3}%\" dx=\"3\" y=\"14\"{class}>{}</text>", tick.label);
            labels += 1;
        }
    }
    drawn.push_str("</g>");
    drawn
}

fn ticks(scale: &Scale) -> Vec<Tick> {
    let days: Vec<NaiveDate> = scale.days().collect();
    match days.len() {
        0..=3 => hours(scale, &days),
        length => days.iter().filter_map(|&day| of_day(scale, day, length)).collect(),
    }
}

fn hours(scale: &Scale, days: &[NaiveDate]) -> Vec<Tick> {
    let step = [3, 3, 6, 12][days.len().min(3)];
    let hours = days.iter().flat_map(|&day| (0..24).map(move |hour| (day, hour)));
    let tick = |(day, hour): (NaiveDate, u32)| {
        let label = match hour {
            0 if days.len() > 1 => day.format("%-d %b").to_string(),
            _ if hour % step == 0 => format!("{hour:02}:00"),
            _ => String::new(),
        };
        Some(Tick { at: scale.hour(day, hour)?, label })
    };
    hours.filter_map(tick).collect()
}

fn of_day(scale: &Scale, day: NaiveDate, length: usize) -> Option<Tick> {
    let monday = day.weekday() == Weekday::Mon;
    let label = match length {
        0..=10 => Some("%a %-d %b"),
        11..=62 if monday => Some("%-d %b"),
        11..=62 => Some(""),
        63..=150 if monday && day.iso_week().week().is_multiple_of(2) => Some("%-d %b"),
        63..=150 if monday => Some(""),
        151..=430 | 1_101.. if day.day() == 1 && day.month() == 1 => Some("%Y"),
        151..=430 if day.day() == 1 => Some("%b"),
        431..=1_100 if day.day() == 1 && day.month() % 3 == 1 => Some("%b %Y"),
        431..=1_100 if day.day() == 1 => Some(""),
        _ => None,
    }?;
    Some(Tick { at: scale.hour(day, 0)?, label: day.format(label).to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Period;

    fn labels(from: &str, to: &str) -> String {
        let next = to.parse::<NaiveDate>().unwrap().succ_opt().unwrap();
        let [start, end] = [from.to_owned(), next.to_string()].map(|day| format!("{day}T00:00:00.000Z"));
        let period = Period { from: from.into(), to: to.into(), start, end, zone: "UTC".into(), compared: false };
        let ticks = ticks(&Scale::new(&period));
        let labels: Vec<String> = ticks.into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect();
        labels.join(" | ")
    }

    #[test]
    fn the_axis_speaks_of_hours_days_weeks_months_or_years() {
        assert_eq!(labels("2026-11-20", "2026-11-20"), "00:00 | 03:00 | 06:00 | 09:00 | 12:00 | 15:00 | 18:00 | 21:00");
        assert_eq!(
            labels("2026-11-20", "2026-11-21"),
            "20 Nov | 06:00 | 12:00 | 18:00 | 21 Nov | 06:00 | 12:00 | 18:00"
        );
        assert!(labels("2026-11-16", "2026-11-22").starts_with("Mon 16 Nov | Tue 17 Nov"));
        assert_eq!(labels("2026-11-01", "2026-11-30"), "2 Nov | 9 Nov | 16 Nov | 23 Nov | 30 Nov");
        let year = labels("2026-01-01", "2026-12-31");
        assert!(year.starts_with("2026 | Feb | Mar") && year.ends_with("Dec"), "{year}");
        assert_eq!(labels("2020-01-01", "2026-12-31"), "2020 | 2021 | 2022 | 2023 | 2024 | 2025 | 2026");
        for (from, to) in [("2026-01-01", "2026-03-31"), ("2025-01-01", "2026-12-31"), ("2026-01-01", "2026-02-20")] {
            let count = labels(from, to).split('|').count();
            assert!((4..=14).contains(&count), "{from} to {to}: {count}");
        }
    }

    #[test]
    fn the_hour_that_the_clock_skips_does_not_break_the_axis() {
        let [from, to] = ["2026-03-29"; 2].map(str::to_owned);
        let [start, end] = ["2026-03-29T00:00:00.000+01:00", "2026-03-30T00:00:00.000+02:00"].map(str::to_owned);
        let ticks = ticks(&Scale::new(&Period { from, to, start, end, zone: "Europe/Paris".into(), compared: false }));
        assert!(ticks.is_sorted_by(|a, b| a.at <= b.at));
        let three = ticks.iter().find(|tick| tick.label == "03:00").unwrap();
        assert!((three.at - 2.0 / 23.0).abs() < 1e-9, "{three:?}");
    }
}
