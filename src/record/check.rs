//! What a check through the tunnel found.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Outcome;

/// One check, done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Which: `tcp:10.1.0.9:443`; one word, no secret.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From its first packet to its end, without the look-up of a name.
    pub took: Duration,
    /// What a person wants to know beside it: one line, no secret, no control character.
    pub detail: Option<String>,
    /// Whole days until the certificate of the other side ends, where it showed one.
    pub cert_days_left: Option<i64>,
}

impl CheckRecord {
    /// As it stands in a row: `tcp:10.1.0.9:443=3.2`, `=failed`, or `=unknown` where the prober could not tell.
    pub fn in_a_word(&self) -> String {
        let result = match self.outcome {
            Outcome::Passed => {
                let ms = format!("{:.3}", self.took.as_secs_f64() * 1000.0);
                ms.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Outcome::Failed(_) | Outcome::Left(_) => "failed".to_owned(),
            Outcome::Inconclusive(_) | Outcome::Skipped { .. } => "unknown".to_owned(),
        };
        format!("{}={result}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FailureKind, MalfunctionKind};

    #[test]
    fn a_check_is_one_word_with_its_milliseconds_or_how_it_failed() {
        let check = |outcome, us| CheckRecord {
            name: "tcp:10.1.0.9:443".into(),
            outcome,
            took: Duration::from_micros(us),
            detail: None,
            cert_days_left: None,
        };
        for (outcome, us, expected) in [
            (Outcome::Passed, 3_200, "tcp:10.1.0.9:443=3.2"),
            (Outcome::Passed, 10_000, "tcp:10.1.0.9:443=10"),
            (Outcome::Passed, 51, "tcp:10.1.0.9:443=0.051"),
            (Outcome::Failed(FailureKind::CheckFailed), 5_000_000, "tcp:10.1.0.9:443=failed"),
            (Outcome::Inconclusive(MalfunctionKind::PrepareFailed), 0, "tcp:10.1.0.9:443=unknown"),
        ] {
            assert_eq!(check(outcome, us).in_a_word(), expected);
        }
    }
}
