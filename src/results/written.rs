//! A row read back: what it tells of its cycle. Pure.

use std::time::Duration;

use super::row::COLUMNS;
use crate::record::{
    CycleRecord, FailureKind, LeftoverKind, MalfunctionKind, Outcome, Reason, Stage, StageRecord, Verdict,
};

/// The cells of a row that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRow(Vec<String>);

impl WrittenRow {
    /// One line of a day file, without its end.
    pub(super) fn read(line: &str) -> Self {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
        let cells = reader.records().next().and_then(Result::ok).unwrap_or_default();
        Self(cells.iter().map(str::to_owned).collect())
    }

    fn cell(&self, name: &str) -> &str {
        let at = COLUMNS.iter().position(|column| *column == name);
        at.and_then(|at| self.0.get(at)).map_or("", String::as_str)
    }

    /// The record of its cycle, as far as the row tells it; the rest is that of `begun`, the cycle as it began.
    pub fn complete(&self, begun: CycleRecord) -> CycleRecord {
        let words = |name| self.cell(name).split(' ').filter(|word| !word.is_empty());
        CycleRecord {
            verdict: Verdict::from_name(self.cell("verdict")).unwrap_or(Verdict::Unknown),
            failed_stage: Stage::from_name(self.cell("failed_stage")),
            reason: Reason::from_name(self.cell("reason")),
            detail: Some(self.cell("detail").to_owned()).filter(|detail| !detail.is_empty()),
            stages: words("stages").filter_map(stage).collect(),
            login: millis(self.cell("login_ms")),
            restarts: self.cell("restarts").parse().ok(),
            restore: millis(self.cell("restore_ms")),
            leftovers: words("leftovers").filter_map(LeftoverKind::from_name).collect(),
            took: millis(self.cell("cycle_ms")),
            ..begun
        }
    }
}

/// `login=auth-rejected`. What was skipped says nothing.
fn stage(word: &str) -> Option<StageRecord> {
    let (stage, outcome) = word.split_once('=')?;
    let outcome = match outcome {
        "passed" => Outcome::Passed,
        name => FailureKind::from_name(name)
            .map(Outcome::Failed)
            .or_else(|| MalfunctionKind::from_name(name).map(Outcome::Inconclusive))
            .or_else(|| LeftoverKind::from_name(name).map(Outcome::Left))?,
    };
    Some(StageRecord { stage: Stage::from_name(stage)?, outcome, required: true, took: Duration::ZERO, detail: None })
}

fn millis(cell: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(cell.parse::<f64>().ok()? / 1000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::record;
    use super::super::{Row, row_of};
    use super::*;
    use crate::alert::Observation;

    fn begun() -> CycleRecord {
        let nothing = CycleRecord { stages: Vec::new(), verdict: Verdict::Unknown, failed_stage: None, ..record() };
        let reason = Some(MalfunctionKind::ProberKilled.into());
        CycleRecord { reason, detail: None, leftovers: Vec::new(), took: None, ..nothing }
    }

    #[test]
    fn alerts_are_told_the_same_by_a_row_as_by_its_record() {
        let line = String::from_utf8(Row::of(&record()).line().to_vec()).unwrap();
        let read = WrittenRow::read(line.trim_end()).complete(begun());
        assert_eq!(row_of(&read)[3..6], row_of(&record())[3..6]);
        assert_eq!((read.leftovers.clone(), read.took), (record().leftovers, record().took));
        let (by_row, by_record) = (Observation::from_record(&read), Observation::from_record(&record()));
        assert!(by_row.identity_failure && by_row.verdict == Verdict::Down);
        assert_eq!(by_row.identity_failure, by_record.identity_failure);
        assert_eq!((by_row.uplink, by_row.leftovers), (by_record.uplink, by_record.leftovers));
    }

    #[test]
    fn a_line_that_makes_no_sense_tells_nothing() {
        for line in ["", ",,,,", "\"", "\"\"\"", "a,b,c,nonsense,x,y,z,-,NaN,1e999,,,inf,?=?"] {
            let read = WrittenRow::read(line).complete(begun());
            assert_eq!(read.verdict, Verdict::Unknown, "{line}");
            assert_eq!((read.stages.len(), read.login, read.restore), (0, None, None), "{line}");
        }
    }
}
