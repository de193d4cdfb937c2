//! Cycles start on a grid.

use chrono::TimeDelta;

use crate::lab::{Lab, Row};

fn gaps(rows: &[Row]) -> Vec<TimeDelta> {
    rows.windows(2).map(|pair| pair[1].time() - pair[0].time()).collect()
}

#[test]
fn a_period_is_from_start_to_start() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect").top("frequency: 3");
    let prober = paris.start(&["run"]);
    let rows = prober.rows(4);
    prober.stop().exits(0);
    for gap in gaps(&rows) {
        assert!((gap - TimeDelta::seconds(3)).abs() < TimeDelta::milliseconds(500), "{gap}");
    }
    for row in &rows {
        row.is_up().expect("interval_s", "3");
    }
}

#[test]
fn after_a_down_cycle_the_other_interval_is_in_force() {
    let lab = Lab::locked();
    lab.gateway("stop");
    let paris = lab.site("paris", "client: openconnect, frequency: 600, frequency_down: 2");
    let prober = paris.start(&["run"]);
    let rows = prober.rows(3);
    prober.stop().exits(0);
    for gap in gaps(&rows) {
        assert!((gap - TimeDelta::seconds(2)).abs() < TimeDelta::milliseconds(500), "{gap}");
    }
    assert_eq!(rows.iter().map(|row| row.cell("interval_s")).collect::<Vec<_>>(), ["600", "2", "2"]);
}

#[test]
fn a_site_that_takes_longer_than_its_interval_misses_points_and_stays_on_the_grid() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").top("frequency: 1").playing("quits-slowly");
    let prober = paris.start(&["run"]);
    let rows = prober.rows(3);
    prober.stop().exits(0).said("due times passed before the cycle could start");
    for (row, gap) in rows.iter().zip(gaps(&rows)) {
        let took: f64 = row.cell("cycle_ms").parse().unwrap();
        assert!(took > 3_000.0);
        #[expect(clippy::cast_precision_loss, reason = "some thousand milliseconds")]
        let gap = gap.num_milliseconds() as f64;
        assert!(gap >= took && gap < took + 1_500.0, "after a cycle of {took} ms the next began {gap} ms after it");
        let off = (gap / 1_000.0 - (gap / 1_000.0).round()).abs();
        assert!(off < 0.3, "{gap} ms is not on the grid");
    }
}
