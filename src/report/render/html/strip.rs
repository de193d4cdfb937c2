//! The timeline of a site as a strip. States differ in height and pattern, not in colour alone.
//!
//! The strip has [`COLUMNS`] columns however long the period is. A column has the state that fills most of it, but one
//! that an outage touches is down: short ones do not vanish. It is not agreed where no part of it is; and where a night
//! would be a column or two, whole days are looked at, or a year of office hours would be a bar code.

use super::label;
use super::scale::Scale;
use super::text::{Text, put};
use super::ticks;
use crate::report::model::{Segment, SegmentState, Site};

/// Columns of a strip; about the pixels of the page's width.
const COLUMNS: usize = 1080;
/// With so few columns a day, agreed hours are not drawn by the hour.
const COARSE: usize = 8;
/// Height of the strip without its axis, pixels.
const HEIGHT: u32 = 30;
/// Every state but down, in the order of the sums of a column.
const CALM: [SegmentState; 4] =
    [SegmentState::Up, SegmentState::Unknown, SegmentState::LeftOut, SegmentState::NotAgreed];

/// The strip of a site with its axis.
pub(super) fn strip(scale: &Scale, site: &Site, described: &str) -> String {
    let columns = columns(scale, &site.timeline);
    let mut drawn = String::new();
    let whole = HEIGHT + ticks::HEIGHT;
    put!(&mut drawn, "<svg class=\"strip\" role=\"img\" width=\"100%\" height=\"{whole}\">");
    put!(&mut drawn, "<title>Timeline of {}</title><desc>{described}</desc>", Text(&site.site));
    put!(
        &mut drawn,
        "<svg width=\"100%\" height=\"{HEIGHT}\" viewBox=\"0 0 {COLUMNS} {HEIGHT}\" preserveAspectRatio=\"none\">"
    );
    for state in CALM {
        let path = lines(&columns, state);
        if !path.is_empty() {
            put!(&mut drawn, "<path class=\"{}\" d=\"{path}\"/>", class(state));
        }
    }
    let down = blocks(&columns);
    if !down.is_empty() {
        put!(&mut drawn, "<path class=\"down\" d=\"{down}\"/>");
    }
    put!(&mut drawn, "</svg><use href=\"#axis\" y=\"{HEIGHT}\"/></svg>");
    drawn
}

/// The signs of the strip, once for the page.
pub(super) fn key() -> String {
    let mut drawn = String::from("<ul class=\"key\">");
    let down = "<path class=\"down\" d=\"M1 1h24v28h-24z\"/>".to_owned();
    let calm = |state| format!("<path class=\"{}\" d=\"M0 {}h26\"/>", class(state), HEIGHT / 2);
    for (sign, word) in [
        (calm(SegmentState::Up), "up"),
        (down, "down"),
        (calm(SegmentState::Unknown), "unknown: nothing was measured, or the prober had trouble of its own"),
        (calm(SegmentState::LeftOut), "left out: the test account was refused"),
        (calm(SegmentState::NotAgreed), "not agreed time"),
    ] {
        put!(
            &mut drawn,
            "<li><svg class=\"strip\" width=\"26\" height=\"{HEIGHT}\" aria-hidden=\"true\">{sign}</svg> {word}</li>"
        );
    }
    drawn.push_str("</ul>");
    drawn
}

const fn class(state: SegmentState) -> &'static str {
    match state {
        SegmentState::Up => "up",
        SegmentState::Down => "down",
        SegmentState::Unknown => "unknown",
        SegmentState::LeftOut => "left-out",
        SegmentState::NotAgreed => "not-agreed",
    }
}

/// The state of each column; `None`: not in the timeline.
fn columns(scale: &Scale, timeline: &[Segment]) -> Vec<Option<SegmentState>> {
    let days = scale.days().count();
    let by_hours = timeline.iter().any(|segment| segment.state == SegmentState::NotAgreed);
    let calm = calm(scale, timeline, if by_hours && days * COARSE > COLUMNS { days.min(COLUMNS) } else { COLUMNS });
    // The same column, or the one in which the middle of this one lies.
    let mut columns: Vec<_> = (0..COLUMNS).map(|column| calm[(2 * column + 1) * calm.len() / (2 * COLUMNS)]).collect();
    for segment in timeline.iter().filter(|segment| segment.state == SegmentState::Down) {
        if let Some((from, to)) = place(scale, segment, COLUMNS) {
            let (first, last) = touched(from, to, COLUMNS);
            columns[first..=last].fill(Some(SegmentState::Down));
        }
    }
    columns
}

/// The state of each of so many columns, leaving outages out.
fn calm(scale: &Scale, timeline: &[Segment], count: usize) -> Vec<Option<SegmentState>> {
    let mut sums = vec![[0.0_f64; CALM.len()]; count];
    for segment in timeline {
        let Some(state) = CALM.iter().position(|&state| state == segment.state) else { continue };
        let Some((from, to)) = place(scale, segment, count) else { continue };
        let (first, last) = touched(from, to, count);
        for (column, sums) in sums.iter_mut().enumerate().take(last + 1).skip(first) {
            sums[state] += to.min(places(column + 1)) - from.max(places(column));
        }
    }
    sums.iter().map(largest).collect()
}

/// Where a segment begins and ends, in columns.
fn place(scale: &Scale, segment: &Segment, count: usize) -> Option<(f64, f64)> {
    let (start, end) = (label::instant(&segment.start)?, label::instant(&segment.end)?);
    Some((scale.at(start) * places(count), scale.at(end) * places(count)))
}

/// The first and the last column of what lies there.
fn touched(from: f64, to: f64, count: usize) -> (usize, usize) {
    let first = floor(from).min(count - 1);
    (first, floor(to.next_down().max(from)).clamp(first, count - 1))
}

/// The state with the largest sum, the first of equal ones; time that is not agreed only where there is nothing else.
fn largest(sums: &[f64; CALM.len()]) -> Option<SegmentState> {
    let mut found = None;
    let mut most = 0.0_f64;
    for (&sum, state) in sums.iter().zip(CALM) {
        // What a change of the clock shifts into a column does not count.
        if sum > most.max(0.05) && !(state == SegmentState::NotAgreed && found.is_some()) {
            (found, most) = (Some(state), sum);
        }
    }
    found
}

/// Stretches of equal columns: first column, how many, which state.
fn stretches(columns: &[Option<SegmentState>]) -> impl Iterator<Item = (usize, usize, Option<SegmentState>)> {
    let mut at = 0;
    columns.chunk_by(|a, b| a == b).map(move |equal| {
        let from = at;
        at += equal.len();
        (from, equal.len(), equal[0])
    })
}

/// Horizontal lines in the middle of the strip; how thick they are is the style's.
fn lines(columns: &[Option<SegmentState>], wanted: SegmentState) -> String {
    let mut path = String::new();
    for (from, length, _) in stretches(columns).filter(|(.., state)| *state == Some(wanted)) {
        put!(&mut path, "M{from} {}h{length}", HEIGHT / 2);
    }
    path
}

/// Blocks of nearly the whole height: with the line around them they fill it, and are never thinner than that line.
fn blocks(columns: &[Option<SegmentState>]) -> String {
    let mut path = String::new();
    for (from, length, _) in stretches(columns).filter(|(.., state)| *state == Some(SegmentState::Down)) {
        put!(&mut path, "M{from} 1h{length}v{tall}h-{length}z", tall = HEIGHT - 2);
    }
    path
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place from 0; casts of floats saturate")]
const fn floor(place: f64) -> usize {
    place as usize
}

#[expect(clippy::cast_precision_loss, reason = "about a thousand columns")]
const fn places(column: usize) -> f64 {
    column as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Period;

    fn scale() -> Scale {
        let [from, to] = ["2026-11-01", "2026-11-30"].map(str::to_owned);
        let [start, end] = ["2026-11-01T00:00:00.000Z", "2026-12-01T00:00:00.000Z"].map(str::to_owned);
        Scale::new(&Period { from, to, start, end, zone: "UTC".into(), compared: false })
    }

    fn segment(start: &str, end: &str, state: SegmentState) -> Segment {
        let [start, end] = [start, end].map(|moment| format!("2026-{moment}Z"));
        Segment { start, end, state, fault_domain: String::new() }
    }

    #[test]
    fn an_outage_of_a_second_in_a_month_is_a_column() {
        let timeline = [
            segment("11-01T00:00:00", "11-16T00:00:00", SegmentState::Up),
            segment("11-16T00:00:00", "11-16T00:00:01", SegmentState::Down),
            segment("11-16T00:00:01", "12-01T00:00:00", SegmentState::Up),
        ];
        let columns = columns(&scale(), &timeline);
        let stretches: Vec<_> = stretches(&columns).collect();
        assert_eq!(
            stretches,
            [(0, 540, Some(SegmentState::Up)), (540, 1, Some(SegmentState::Down)), (541, 539, Some(SegmentState::Up))]
        );
        assert_eq!(blocks(&columns), "M540 1h1v28h-1z");
        assert_eq!(lines(&columns, SegmentState::Up), "M0 15h540M541 15h539");
    }

    #[test]
    fn an_outage_at_either_end_is_seen_and_touches_no_column_beside_it() {
        let timeline = [
            segment("11-01T00:00:00", "11-01T00:00:01", SegmentState::Down),
            segment("11-01T00:00:01", "11-30T23:59:59", SegmentState::Up),
            segment("11-30T23:59:59", "12-01T00:00:00", SegmentState::Down),
        ];
        assert_eq!(blocks(&columns(&scale(), &timeline)), "M0 1h1v28h-1zM1079 1h1v28h-1z");
        // A column is 40 minutes: this one is filled to its last moment.
        let exact = [segment("11-01T00:00:00", "11-01T00:40:00", SegmentState::Down)];
        assert_eq!(blocks(&columns(&scale(), &exact)), "M0 1h1v28h-1z");
    }

    #[test]
    fn a_column_has_the_state_that_fills_most_of_it() {
        let timeline = [
            segment("11-01T00:00:00", "11-01T00:25:00", SegmentState::Unknown),
            segment("11-01T00:25:00", "11-01T00:40:00", SegmentState::Up),
            segment("11-01T00:40:00", "11-01T01:19:00", SegmentState::NotAgreed),
            segment("11-01T01:19:00", "12-01T00:00:00", SegmentState::Up),
        ];
        let columns = columns(&scale(), &timeline);
        assert_eq!(columns[..3], [Some(SegmentState::Unknown), Some(SegmentState::NotAgreed), Some(SegmentState::Up)]);
    }

    #[test]
    fn a_year_of_office_hours_is_weeks_and_an_outage_in_it_a_column() {
        let [from, to] = ["2026-01-01", "2026-12-31"].map(str::to_owned);
        let [start, end] = ["2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"].map(str::to_owned);
        let scale = Scale::new(&Period { from, to, start, end, zone: "UTC".into(), compared: false });
        let mut timeline = Vec::new();
        // It begins on a Thursday.
        for (number, day) in scale.days().enumerate() {
            let at = |hour: &str| format!("{}T{hour}:00:00Z", day.format("%m-%d"));
            let weekend = matches!(number % 7, 2 | 3);
            let hours = |from: &str, to: &str, state| {
                let [start, end] = [at(from), at(to)].map(|moment| format!("2026-{moment}"));
                Segment { start, end, state, fault_domain: String::new() }
            };
            let works = if weekend { SegmentState::NotAgreed } else { SegmentState::Up };
            timeline.push(hours("00", "07", SegmentState::NotAgreed));
            timeline.push(hours("07", "19", works));
            timeline.push(hours("19", "23", SegmentState::NotAgreed));
        }
        timeline.push(segment("07-01T12:00:00", "07-01T12:00:01", SegmentState::Down));
        let columns = columns(&scale, &timeline);
        // 53 stretches of work, one of them in two with the outage between.
        assert_eq!(stretches(&columns).filter(|(.., state)| *state == Some(SegmentState::Up)).count(), 54);
        assert_eq!(blocks(&columns).matches('M').count(), 1);
        assert!(blocks(&columns).contains(" 1h1v"));
    }

    #[test]
    fn times_that_can_not_be_read_draw_nothing() {
        assert!(columns(&scale(), &[segment("x", "y", SegmentState::Down)]).iter().all(Option::is_none));
        let zero = Scale::new(&Period {
            from: String::new(),
            to: String::new(),
            start: String::new(),
            end: String::new(),
            zone: String::new(),
            compared: false,
        });
        let _ = columns(&zero, &[segment("11-01T00:00:00", "11-02T00:00:00", SegmentState::Up)]);
    }
}
