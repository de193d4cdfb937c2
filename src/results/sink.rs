//! Writes each record's row; a row that can't be written now is kept and written later, in order.

use std::collections::VecDeque;

use super::DayFiles;
use crate::error::chain;
use crate::record::CycleRecord;

/// Rows kept while they can't be written: more than two days of a hundred sites every five minutes.
const MOST_KEPT: usize = 60_000;

/// The results of one prober.
#[derive(Debug)]
pub struct Results {
    files: DayFiles,
    kept: VecDeque<CycleRecord>,
    lost: u64,
}

impl Results {
    /// Rows go to these day files.
    pub const fn new(files: DayFiles) -> Self {
        Self { files, kept: VecDeque::new(), lost: 0 }
    }

    /// Writes the record's row, after those that could not be written before. `false`: it is kept for later.
    pub fn write(&mut self, record: &CycleRecord) -> bool {
        // Without its dialogue: that is not part of a row.
        self.kept.push_back(CycleRecord { dialogue: Vec::new(), ..record.clone() });
        while let Some(next) = self.kept.front() {
            if let Err(e) = self.files.append(next) {
                if self.kept.len() > MOST_KEPT {
                    self.kept.pop_front();
                    self.lost += 1;
                }
                tracing::error!(
                    error = chain(&e),
                    kept = self.kept.len(),
                    lost = self.lost,
                    "cannot write a row: it is kept as long as this program runs"
                );
                return false;
            }
            self.kept.pop_front();
        }
        true
    }

    /// Rows that are not written yet.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::record;
    use super::*;
    use crate::record::CycleId;

    fn numbered(n: u32) -> CycleRecord {
        CycleRecord { id: CycleId::from_text(format!("20261120T061530.123Z-{n:08x}")), ..record() }
    }

    #[test]
    fn rows_that_could_not_be_written_come_later_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let results_dir = dir.path().join("results");
        let mut results = Results::new(DayFiles::open(&results_dir, "results").unwrap());
        assert!(results.write(&numbered(1)));
        // A file stands where the day file should be created.
        std::fs::rename(&results_dir, dir.path().join("away")).unwrap();
        std::fs::write(&results_dir, "").unwrap();
        assert!(!results.write(&numbered(2)));
        assert!(!results.write(&numbered(3)));
        assert_eq!(results.kept(), 2);
        std::fs::remove_file(&results_dir).unwrap();
        std::fs::rename(dir.path().join("away"), &results_dir).unwrap();
        assert!(results.write(&numbered(4)));
        let text = std::fs::read_to_string(results_dir.join("results_2026-11-20.csv")).unwrap();
        let ids: Vec<_> = text.lines().skip(1).map(|l| &l[l.len() - 1..]).collect();
        assert_eq!(ids, ["1", "2", "3", "4"]);
    }
}
