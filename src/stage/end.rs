//! How a stage ended.

use crate::record::{LeftoverKind, Outcome, Reason, one_line};

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageEnd {
    /// The outcome.
    pub outcome: Outcome,
    /// What a person wants to know beside it.
    pub detail: Option<String>,
}

impl StageEnd {
    /// It passed.
    pub const fn passed() -> Self {
        Self { outcome: Outcome::Passed, detail: None }
    }

    /// It passed, with a word on how.
    pub fn passed_with(detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Passed, detail: Some(one_line(detail.as_ref())) }
    }

    /// It did not pass, for this reason.
    pub fn because(reason: impl Into<Reason>, detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::from_reason(reason.into()), detail: Some(one_line(detail.as_ref())) }
    }

    /// Something stayed.
    pub fn left(kind: LeftoverKind, detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Left(kind), detail: Some(one_line(detail.as_ref())) }
    }
}
