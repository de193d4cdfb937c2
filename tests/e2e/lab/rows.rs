//! Rows of the day files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::{DateTime, FixedOffset};

/// The stages of a cycle in which everything went well.
pub(crate) const ALL_PASSED: &str =
    "prepare=passed external=passed gateway=passed login=passed internal=passed teardown=passed cleanup=passed";

/// A row, by the names of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    /// All rows of all day files, in the order of the cycles. No cycle may have two.
    #[track_caller]
    pub(crate) fn all_in(results: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(results) else { return Vec::new() };
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let rows: Vec<Self> = files.iter().flat_map(|file| rows_of(&fs::read_to_string(file).unwrap())).collect();
        let ids: BTreeSet<_> = rows.iter().map(|row| row.cell("cycle_id")).collect();
        assert_eq!(ids.len(), rows.len(), "a cycle has two rows: {rows:?}");
        rows
    }

    /// A cell.
    #[track_caller]
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("no column `{column}`"))
    }

    /// Asserts a cell.
    #[track_caller]
    pub(crate) fn expect(&self, column: &str, value: &str) -> &Self {
        assert_eq!(self.cell(column), value, "column `{column}` of {self:?}");
        self
    }

    /// Asserts verdict, deciding stage, reason and fault domain.
    #[track_caller]
    pub(crate) fn is(&self, verdict: &str, stage: &str, reason: &str, domain: &str) -> &Self {
        let [v, s, r, d] = ["verdict", "failed_stage", "reason", "fault_domain"].map(|column| self.cell(column));
        assert_eq!((v, s, r, d), (verdict, stage, reason, domain), "{self:?}");
        self.expect("leftovers", "")
    }

    /// Asserts a cycle in which everything went well.
    #[track_caller]
    pub(crate) fn is_up(&self) -> &Self {
        self.is("up", "", "", "").expect("stages", ALL_PASSED)
    }

    /// Asserts that these were measured.
    #[track_caller]
    pub(crate) fn measured(&self, columns: &[&str]) -> &Self {
        for column in columns {
            let value: f64 = self.cell(column).parse().unwrap_or_else(|e| panic!("`{column}` of {self:?}: {e}"));
            assert!(value > 0.0, "`{column}` of {self:?}");
        }
        self
    }

    /// When the cycle began.
    pub(crate) fn time(&self) -> DateTime<FixedOffset> {
        self.cell("time").parse().unwrap()
    }
}

fn rows_of(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let cells = header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.to_owned()));
        Row(cells.collect())
    };
    let rows: Vec<Row> = reader.records().map(|record| row(record.unwrap())).collect();
    assert!(rows.iter().all(|row| row.cell("time") != "time"), "a second header: {text}");
    rows
}
