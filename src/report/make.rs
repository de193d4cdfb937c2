//! Making a report from the day files of a directory, and recomputing one.

use std::collections::BTreeSet;

use super::build::{Request, build, summarise};
use super::day_files::{DayFiles, Files, Progress};
use super::input::{FindError, ReadError};
use super::model::Report;
use super::policy::Window;
use super::verify::{Difference, VerifyError, differences, parse, request_of};
use crate::maintenance::{Sites, Windows};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The directory can't be listed.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A file can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What is to be recomputed is no report.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The recomputed report can't be written down.
    #[error("cannot write the report down")]
    Json(#[from] serde_json::Error),
}

/// Makes a report.
pub fn make(files: &Files, request: &Request, progress: &dyn Progress) -> Result<Report, MakeError> {
    let source = DayFiles::new(files, &request.policy.zone, request.now, request.all_days(), progress)?;
    let mut report = build(&source, request)?;
    report.notes.extend_from_slice(source.notes());
    if files.summaries {
        summarise(&source, request)?;
    }
    Ok(report)
}

/// A report that was recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// None: the report is right.
    pub differences: Vec<Difference>,
    /// Rows that were read.
    pub rows: u64,
    /// Files that were read.
    pub files: usize,
}

/// Recomputes a report of `--format json` from the day files.
pub fn verify(text: &str, files: &Files, progress: &dyn Progress) -> Result<Verified, MakeError> {
    let (said, report) = parse(text)?;
    // From the rows themselves.
    let files = Files { summaries: false, ..files.clone() };
    let again = make(&files, &request_of(&report)?, progress)?;
    Ok(Verified {
        rows: again.inputs.iter().map(|input| input.rows).sum(),
        files: again.inputs.len(),
        differences: differences(&said, &serde_json::to_value(&again)?),
    })
}

/// The windows of a configuration that leave agreed time from `start` until before `end`.
pub fn windows(configured: &Windows, start: i64, end: i64) -> Vec<Window> {
    let occurrences = configured.excluded(start, end).into_iter();
    occurrences
        .map(|occurrence| Window {
            sites: match &occurrence.sites {
                Sites::All => BTreeSet::new(),
                Sites::Only(sites) => sites.iter().map(ToString::to_string).collect(),
            },
            start: occurrence.start,
            end: occurrence.end,
            name: occurrence.name,
        })
        .collect()
}
