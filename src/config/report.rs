//! The block `report`: reports that `run` sends by mail.

use chrono::{NaiveTime, Weekday};

use super::Email;
use super::fields::Fields;
use super::keys::REPORT;
use super::local_time::{parse_monthly, parse_weekly};
use super::logging::read_recipients;
use super::tree::NodeKind;
use super::value::Value;

/// Reports that are sent by mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportsByMail {
    /// When: at most one of each kind, at least one in all.
    pub rhythms: Vec<Rhythm>,
    /// To whom; at least one. Default: the recipients of `logging.email`.
    pub to: Vec<String>,
}

/// When a report is sent, by the clock of the configured zone, and of which period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    /// Of the week before, Monday to Sunday.
    Weekly {
        /// On this day of the week.
        day: Weekday,
        /// From the first moment at which the clock shows this time or a later one.
        time: NaiveTime,
    },
    /// Of the calendar month before.
    Monthly {
        /// On this day of the month, from 1 to 31; in a month without it on the last one.
        day: u32,
        /// As above.
        time: NaiveTime,
    },
}

impl Rhythm {
    /// The key that says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Weekly { .. } => "weekly",
            Self::Monthly { .. } => "monthly",
        }
    }
}

/// Reads the block. `email` is how mail is sent, as far as that could be read.
pub(super) fn read_report(top: &Fields<'_>, email: Option<&Email>) -> Option<ReportsByMail> {
    let value = top.get("report")?;
    let fields = Fields::of(&value, &REPORT)?;
    let weekly = fields.get("weekly").map(|value| read_weekly(&value));
    let monthly = fields.get("monthly").map(|value| read_monthly(&value));
    if weekly.is_none() && monthly.is_none() {
        let hint = "add `weekly: Mon 07:00` or `monthly: 1 07:00`".to_owned();
        fields.fault(None, "has neither `weekly` nor `monthly`: nothing would be sent", Some(hint));
    }
    let to = fields.get("to").map(|value| read_recipients(&value));
    if !has_mail_server(top) {
        let hint = "add `logging.email` with `server`, `from` and `to`".to_owned();
        fields.fault(None, "needs a mail server, and none is configured", Some(hint));
    }
    let rhythms = [weekly, monthly].into_iter().flatten().collect::<Option<Vec<_>>>()?;
    Some(ReportsByMail { rhythms, to: to.unwrap_or_else(|| email.map(|email| email.to.clone()).unwrap_or_default()) })
}

/// Whether there is one in the file, however faulty.
pub(super) fn has_mail_server(top: &Fields<'_>) -> bool {
    let Some(logging) = top.get("logging") else { return false };
    match &logging.node.kind {
        NodeKind::Mapping(entries) => entries.iter().any(|entry| entry.key == "email"),
        // A fault of its own.
        NodeKind::Scalar(_) | NodeKind::Sequence(_) => true,
        NodeKind::Null => false,
    }
}

fn read_weekly(value: &Value<'_>) -> Option<Rhythm> {
    let text = value.text()?;
    let rhythm = parse_weekly(text).map(|(day, time)| Rhythm::Weekly { day, time });
    if rhythm.is_none() {
        value.not(text, "is not a day of the week and a time", "write `Mon 07:00`".to_owned());
    }
    rhythm
}

fn read_monthly(value: &Value<'_>) -> Option<Rhythm> {
    let text = value.text()?;
    let rhythm = parse_monthly(text).map(|(day, time)| Rhythm::Monthly { day, time });
    if rhythm.is_none() {
        let hint = "write `1 07:00`; of a month that has no such day its last one counts".to_owned();
        value.not(text, "is not a day of the month and a time", hint);
    }
    rhythm
}
