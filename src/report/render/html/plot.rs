//! Plots of quantiles per day: the median as a line, a band from it to p95; a gap where nothing was measured.

use super::label;
use super::scale::Scale;
use super::text::{milliseconds, put};
use super::ticks;
use crate::report::model::{Day, DayValues, Quantiles};

/// Height of the plot without its axis, pixels.
const HEIGHT: f64 = 110.0;
/// Units of its width.
const WIDTH: f64 = 2000.0;
/// Room above the highest line for its label.
const HEAD: f64 = 14.0;

/// What one plot is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// `Login time`.
    pub(super) name: &'static str,
    /// The values of a day.
    of: fn(&DayValues) -> &Quantiles,
}

impl Kind {
    fn on(self, day: &Day) -> Option<&Quantiles> {
        day.values.as_ref().map(|values| (self.of)(values))
    }
}

/// Every plot of a site.
pub(super) const KINDS: [Kind; 3] = [
    Kind { name: "Login time", of: |day| &day.login_ms },
    Kind { name: "Round trip outside the tunnel", of: |day| &day.external_rtt_ms },
    Kind { name: "Round trip through the tunnel", of: |day| &day.internal_rtt_ms },
];

/// A plot with its caption; `None` where fewer than two days have a value. `whole`: the quantiles of the period.
pub(super) fn plot(scale: &Scale, days: &[Day], kind: Kind, whole: &Quantiles) -> Option<String> {
    let medians: Vec<Option<f64>> = days.iter().map(|day| kind.on(day)?.p50).collect();
    let highs: Vec<Option<f64>> = days.iter().map(|day| kind.on(day)?.p95).collect();
    if medians.iter().flatten().count() < 2 {
        return None;
    }
    let top = medians.iter().chain(&highs).flatten().copied().fold(0.0, f64::max);
    let (step, lines) = steps(top);
    let places: Vec<Option<f64>> =
        days.iter().map(|day| label::day(&day.date).and_then(|date| scale.middle(date))).collect();
    let height = |value: f64| HEIGHT - value / (step * f64::from(lines)) * (HEIGHT - HEAD);

    let mut drawn = String::from("<figure class=\"plot\"><figcaption>");
    put!(&mut drawn, "<b>{}</b> per day: <span class=\"p50\">median</span>", kind.name);
    let has_highs = highs.iter().any(Option::is_some);
    if has_highs {
        drawn.push_str(", <span class=\"p95\">up to the 95th percentile</span>");
    }
    put!(&mut drawn, "</figcaption><svg role=\"img\" width=\"100%\" height=\"{}\">", HEIGHT + f64::from(ticks::HEIGHT));
    put!(&mut drawn, "<title>{} per day</title>", kind.name);
    put!(&mut drawn, "<desc>Over the period: median {}, ", milliseconds(whole.p50));
    put!(&mut drawn, "95th percentile {}, highest {}.</desc>", milliseconds(whole.p95), milliseconds(whole.max));
    for line in 0..=lines {
        let value = step * f64::from(line);
        let y = height(value);
        put!(&mut drawn, "<line class=\"grid\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
    }
    put!(
        &mut drawn,
        "<svg width=\"100%\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\">"
    );
    if has_highs {
        put!(&mut drawn, "<path class=\"p95\" d=\"{}\"/>", band(&places, &medians, &highs, height));
    }
    put!(&mut drawn, "<path class=\"p50\" d=\"{}\"/>", line(&places, &medians, height));
    put!(&mut drawn, "</svg>");
    // Above the lines, which are thinner there.
    for line in 1..=lines {
        let value = step * f64::from(line);
        put!(&mut drawn, "<text y=\"{:.1}\">{}</text>", height(value) - 3.0, unit(value));
    }
    put!(&mut drawn, "<use href=\"#axis\" y=\"{HEIGHT}\"/></svg></figure>");
    Some(drawn)
}

/// A round distance of the lines and how many there are, so that the last is not below `top`.
fn steps(top: f64) -> (f64, u32) {
    let top = if top.is_finite() && top > 1e-3 { top } else { 1e-3 };
    let decade = 10_f64.powf((top / 3.0).log10().floor());
    for factor in [1.0, 2.0, 2.5, 5.0, 10.0] {
        let step = decade * factor;
        for lines in 2..=4 {
            if step * f64::from(lines) >= top {
                return (step, lines);
            }
        }
    }
    (top / 2.0, 2)
}

/// The value of a line: a round number without needless decimals.
fn unit(milliseconds: f64) -> String {
    let round = |value: f64| {
        let digits = format!("{value:.4}");
        digits.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if milliseconds >= 1e3 {
        format!("{}\u{a0}s", round(milliseconds / 1e3))
    } else {
        format!("{}\u{a0}ms", round(milliseconds))
    }
}

/// A path through the values, interrupted where there is none. A value alone becomes a line without length: a dot.
fn line(places: &[Option<f64>], values: &[Option<f64>], height: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut connected = false;
    let points: Vec<Option<(f64, f64)>> =
        places.iter().zip(values).map(|(place, value)| Some(((*place)? * WIDTH, height((*value)?)))).collect();
    for (index, point) in points.iter().enumerate() {
        let Some((x, y)) = point else {
            connected = false;
            continue;
        };
        let alone = !connected && points.get(index + 1).is_none_or(Option::is_none);
        put!(&mut path, "{}{x:.0} {y:.1}{}", if connected { 'L' } else { 'M' }, if alone { "h0" } else { "" });
        connected = true;
    }
    path
}

/// The space between two values of each day, interrupted where one of them is not there. A day alone is a line.
fn band(places: &[Option<f64>], medians: &[Option<f64>], highs: &[Option<f64>], height: impl Fn(f64) -> f64) -> String {
    let days = places.iter().zip(medians).zip(highs);
    let points: Vec<Option<(f64, f64, f64)>> =
        days.map(|((place, low), high)| Some(((*place)? * WIDTH, height((*low)?), height((*high)?)))).collect();
    let mut path = String::new();
    for stretch in points.split(Option::is_none) {
        let mut pen = 'M';
        for (x, _, high) in stretch.iter().flatten() {
            put!(&mut path, "{pen}{x:.0} {high:.1}");
            pen = 'L';
        }
        for (x, low, _) in stretch.iter().rev().flatten() {
            put!(&mut path, "L{x:.0} {low:.1}");
        }
        if !stretch.is_empty() {
            path.push('z');
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_plot_are_round_and_enclose_its_values() {
        for top in [0.0, 0.05, 0.4, 1.0, 3.2, 9.9, 47.0, 250.0, 999.0, 2_100.0, 61_000.0, f64::INFINITY] {
            let (step, lines) = steps(top);
            assert!((2..=4).contains(&lines) && step > 0.0, "{top}");
            assert!(!top.is_finite() || step * f64::from(lines) >= top, "{top}: {step} × {lines}");
            assert!(
                !(top.is_finite() && top > 0.01) || step * f64::from(lines) <= top * 2.1,
                "{top}: {step} × {lines}"
            );
        }
        assert_eq!([steps(2_100.0), steps(47.0)].map(|(step, _)| unit(step)), ["1\u{a0}s", "20\u{a0}ms"]);
        assert_eq!(unit(2_500.0), "2.5\u{a0}s");
    }

    #[test]
    fn a_day_without_a_value_is_a_gap_and_a_value_alone_a_dot() {
        let places = [0.0, 0.25, 0.5, 0.75, 1.0].map(Some);
        let values = [Some(1.0), Some(2.0), None, Some(3.0), None];
        assert_eq!(line(&places, &values, |value| value), "M0 1.0L500 2.0M1500 3.0h0");
        let highs = [Some(5.0), Some(6.0), None, Some(7.0), Some(8.0)];
        let band = band(&places, &values, &highs, |value| value);
        assert_eq!(band, "M0 5.0L500 6.0L500 2.0L0 1.0zM1500 7.0L1500 3.0z");
    }
}
