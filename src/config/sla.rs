//! The block `sla`: what is promised, and when.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use chrono::NaiveDate;

use super::fields::Fields;
use super::holidays::read_holidays;
use super::keys::SLA;
use super::value::Value;
use crate::agreed::{Hours, HoursFault};

/// What is promised, for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sla {
    /// Promised availability. Default none: there is no error budget.
    pub target: Option<Target>,
    /// When it is promised, by the clock of the configured zone. Default always.
    pub hours: Hours,
    /// Days without agreed hours.
    pub holidays: BTreeSet<NaiveDate>,
    /// What the time counts as in which the gateway refuses the probe's account.
    pub credentials: Credentials,
}

/// What the time counts as in which the gateway refuses the probe's account (fault domain `identity`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Down.
    #[default]
    Down,
    /// It is left out of the agreed time.
    Excluded,
}

impl Credentials {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Excluded => "excluded",
        }
    }
}

impl Default for Sla {
    fn default() -> Self {
        Self { target: None, hours: Hours::always(), holidays: BTreeSet::new(), credentials: Credentials::default() }
    }
}

/// A promised availability, to the ten-thousandth of a percent; as text the percentage (`99.95`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(u32);

/// Ten-thousandths of a percent in one percent.
const PARTS: u32 = 10_000;

/// A text that is no [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not a number as one writes a percentage.
    #[error("is not a percentage")]
    NotANumber,
    /// Finer than it is kept.
    #[error("has more than four decimals")]
    TooFine,
    /// Nothing, or more than all.
    #[error("is out of range: more than 0, 100 at most")]
    OutOfRange,
}

impl Target {
    /// The promise in ten-thousandths of a percent: from 1 to 1 000 000.
    pub const fn ten_thousandths(self) -> u32 {
        self.0
    }

    /// The promise in percent, for documents: the number nearest to it, which is printed as it was written.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / f64::from(PARTS)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads `99`, `99.9`, `99.9500`.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(decimals) {
            return Err(TargetError::NotANumber);
        }
        if decimals.len() > 4 {
            return Err(TargetError::TooFine);
        }
        // Neither too long nor negative.
        let whole: u32 = whole.parse().map_err(|_| TargetError::OutOfRange)?;
        let parts: u32 = format!("{decimals:0<4}").parse().map_err(|_| TargetError::NotANumber)?;
        let all = whole.checked_mul(PARTS).and_then(|whole| whole.checked_add(parts));
        all.filter(|all| (1..=100 * PARTS).contains(all)).map(Self).ok_or(TargetError::OutOfRange)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:04}", self.0 / PARTS, self.0 % PARTS);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Reads the block `sla`. `today` is the date in the configured zone, where somebody knows it.
pub(super) fn read_sla(top: &Fields<'_>, base: &Path, today: Option<NaiveDate>) -> Sla {
    let block = top.block("sla", &SLA);
    let words = [Credentials::Down, Credentials::Excluded].map(|one| (one.as_str(), one));
    Sla {
        target: block.get("target").and_then(|value| read_target(&value)),
        hours: block.get("hours").and_then(|value| read_hours(&value)).unwrap_or_else(Hours::always),
        holidays: block.get("holidays_file").map(|value| read_holidays(&value, base, today)).unwrap_or_default(),
        credentials: block.get("credentials").and_then(|value| value.choice(&words)).unwrap_or_default(),
    }
}

fn read_target(value: &Value<'_>) -> Option<Target> {
    let text = value.text()?;
    let hint = |error| matches!(error, TargetError::NotANumber).then(|| "write `99.9`".to_owned());
    text.trim().parse().map_err(|error: TargetError| value.not(text, &error.to_string(), hint(error))).ok()
}

fn read_hours(value: &Value<'_>) -> Option<Hours> {
    let fault = match value.text()?.parse::<Hours>() {
        Ok(hours) => return Some(hours),
        Err(fault) => fault,
    };
    let hint = fault.fault.hint().to_owned();
    match fault.fault {
        HoursFault::Empty => value.fault_with(fault.fault.what(), hint),
        HoursFault::NoDay
        | HoursFault::NoTime
        | HoursFault::Day
        | HoursFault::Range
        | HoursFault::Time
        | HoursFault::NoLength => value.not(&fault.part, fault.fault.what(), hint),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_target_is_what_was_written_and_nothing_beside_it() {
        for (text, parts, shown) in [
            ("99.95", 999_500, "99.95"),
            ("99.9", 999_000, "99.9"),
            ("99.9000", 999_000, "99.9"),
            ("100", 1_000_000, "100"),
            ("100.0", 1_000_000, "100"),
            ("90", 900_000, "90"),
            ("0.0001", 1, "0.0001"),
            ("099.5", 995_000, "99.5"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.ten_thousandths(), target.to_string().as_str()), (parts, shown), "{text}");
            assert_eq!(target.percent().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_promised_is_refused() {
        for (text, error) in [
            ("0", TargetError::OutOfRange),
            ("0.0000", TargetError::OutOfRange),
            ("100.0001", TargetError::OutOfRange),
            ("-1", TargetError::OutOfRange),
            ("99999999999999999999", TargetError::OutOfRange),
            ("4294967295", TargetError::OutOfRange),
            ("99.99999", TargetError::TooFine),
            ("99,9", TargetError::NotANumber),
            ("99.9%", TargetError::NotANumber),
            ("99.", TargetError::NotANumber),
            (".9", TargetError::NotANumber),
            ("1e2", TargetError::NotANumber),
            ("99.9.9", TargetError::NotANumber),
            ("99.-9", TargetError::NotANumber),
            ("+99", TargetError::NotANumber),
            ("", TargetError::NotANumber),
            ("-", TargetError::NotANumber),
        ] {
            assert_eq!(text.parse::<Target>(), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_target_is_read_as_it_is_shown(parts in 1_u32..=1_000_000) {
            let target = Target(parts);
            prop_assert_eq!(target.to_string().parse(), Ok(target));
            prop_assert_eq!(target.percent().to_string(), target.to_string());
        }
    }
}
