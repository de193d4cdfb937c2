//! A report as a mail: pure. Its text is the terminal's table; its page, which needs SVG and CSS that no mail program
//! draws, is a file with it.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::model::Report;
use super::period::Period;
use super::render;
use super::schedule::{Due, label};
use crate::config::Rhythm;
use crate::record::seen;

/// A mail about a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The whole report, where there is one.
    pub page: Option<Page>,
}

/// The page of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// `vpnprobe-report-2026-10.html`.
    pub name: String,
    /// The whole page.
    pub html: String,
}

/// The mail with a report; where the period has no rows, one that says so.
pub fn of_report(report: &Report, prober: &str, due: &Due) -> Letter {
    let prober = seen(prober);
    let (label, period) = (label(due.rhythm, due.period), due.period);
    if report.sites.is_empty() {
        let body = format!(
            "There is no report of {}: the day files of the prober {prober} have no row of it.\n\n{}",
            span(period),
            again(due)
        );
        return Letter { subject: format!("SLA report {prober} {label}: no rows"), body, page: None };
    }
    let name = format!("vpnprobe-report-{label}.html");
    let mut body = format!("The whole report is the attached page, {name}: any browser shows and prints it.\n\n");
    body.push_str(&render::table(report));
    let _ = write!(body, "\n{}", again(due));
    Letter {
        subject: format!("SLA report {prober} {label}: {}", render::headline(report)),
        body,
        page: Some(Page { name, html: render::html(report) }),
    }
}

/// The mail that says why there is no report.
pub fn of_failure(why: &str, prober: &str, due: &Due) -> Letter {
    let (prober, why) = (seen(prober), seen(why));
    let body =
        format!("The prober {prober} could not make the report of {}: {why}\n\n{}", span(due.period), again(due));
    Letter {
        subject: format!("SLA report {prober} {}: could not be made", label(due.rhythm, due.period)),
        body,
        page: None,
    }
}

fn span(period: Period) -> String {
    format!("{} to {}", period.from, period.to)
}

/// How it is made by hand.
fn again(due: &Due) -> String {
    let period = due.period;
    let days = match due.rhythm {
        Rhythm::Weekly { .. } => format!("--from {} --to {}", period.from, period.to),
        Rhythm::Monthly { .. } => format!("--month {}", label(due.rhythm, period)),
    };
    format!("Made again on the prober's host by: vpnprobe report {days} --format html -o report.html\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::schedule::latest;
    use crate::zone::Zone;

    #[test]
    fn a_report_that_can_not_be_made_is_told_with_the_reason_and_how_to_make_it() {
        let monthly = Rhythm::Monthly { day: 1, time: "07:00:00".parse().unwrap() };
        let weekly = Rhythm::Weekly { day: chrono::Weekday::Mon, time: "07:00:00".parse().unwrap() };
        let now = "2026-11-01T07:00:00Z".parse().unwrap();
        for (rhythm, label, command) in [
            (monthly, "2026-10", "vpnprobe report --month 2026-10 --format html"),
            (weekly, "2026-W43", "vpnprobe report --from 2026-10-19 --to 2026-10-25 --format html"),
        ] {
            let due = latest(rhythm, now, &Zone::utc()).unwrap();
            let letter = of_failure("cannot list `/r\u{1b}[2J`: not there", "edge\n1", &due);
            assert_eq!(letter.subject, format!("SLA report edge 1 {label}: could not be made"));
            assert!(letter.body.contains("cannot list `/r [2J`: not there"), "{}", letter.body);
            assert!(letter.body.contains(command) && letter.page.is_none(), "{}", letter.body);
        }
    }
}
