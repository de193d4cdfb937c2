//! The cells of a row of `EpMonitoring`, the prober that came before this one, as a [`Row`]. Pure.
//!
//! A value is milliseconds, `TIMEOUT` or `ERROR`, and stands for more causes than one:
//!
//! | stage | cell | taken for |
//! |---|---|---|
//! | 1, ping outside | `TIMEOUT`: `ping` showed no average | `down`, `external`, `no-reply` |
//! | 2, login | `ERROR`: it did not come to `CONNECT`, whatever the cause | `down`, `login`, `login-timeout` |
//! | 3, ping inside | `TIMEOUT` | `down`, `internal`, `internal-unreachable` |
//! | 1 or 3 | `ERROR`: it could not run `ping` | `unknown`, `panicked` |
//!
//! It pinged inside also after a login that failed: that value did not come through the tunnel and is left out. It wrote
//! neither loss nor interval.

use super::cells::Cells;
use super::number::thousandths;
use super::own::unreadable_cell;
use super::schema::Form;
use super::time::LocalTimes;
use crate::record::{FailureKind, MalfunctionKind, Reason, SiteKind, Stage, Verdict, is_unseen};
use crate::report::row::Row;

const TIME: usize = 0;
const SITE: usize = 1;
const SUMMARY: usize = 2;
const STAGES: [usize; 3] = [3, 4, 5];

const PANICKED: Reason = Reason::Malfunction(MalfunctionKind::Panicked);

/// What a stage's cell says: microseconds, or why there are none.
type Measured = Result<u64, Reason>;

/// The row; `Err`: which cell can't be read.
pub(super) fn row<'a>(
    text: &'a str,
    cells: &Cells,
    places: &[usize; 19],
    times: &mut LocalTimes,
) -> Result<Row<'a>, String> {
    let cell = |column: usize| cells.of(text, places[column]);
    let fault = |column: usize| unreadable_cell(Form::EpMonitoring.names()[column], cell(column));
    let time = times.read(cell(TIME)).ok_or_else(|| fault(TIME))?;
    let site = cell(SITE);
    if site.is_empty() || site.chars().any(is_unseen) {
        return Err(fault(SITE));
    }
    let stage = |number: usize, timeout, error| {
        measured(cell(STAGES[number]), timeout, error).ok_or_else(|| fault(STAGES[number]))
    };
    let failed = |kind| Some(Reason::Failure(kind));
    let external = stage(0, failed(FailureKind::NoReply), PANICKED)?;
    let login = stage(1, None, Reason::Failure(FailureKind::LoginTimeout))?;
    let internal = stage(2, failed(FailureKind::InternalUnreachable), PANICKED)?;
    let decided = judge(external, login, internal);
    let verdict = match decided {
        None => Verdict::Up,
        Some((_, Reason::Failure(_))) => Verdict::Down,
        Some((_, Reason::Malfunction(_))) => Verdict::Unknown,
    };
    if cell(SUMMARY) != if verdict == Verdict::Up { "SUCCESS" } else { "FAILURE" } {
        return Err(fault(SUMMARY));
    }
    Ok(Row {
        time,
        site,
        kind: SiteKind::SslVpn.as_str(),
        verdict,
        failed_stage: decided.map_or("", |(stage, _)| stage.as_str()),
        reason: decided.map_or("", |(_, reason)| reason.as_str()),
        fault_domain: decided.map_or("", |(_, reason)| reason.fault_domain().as_str()),
        external_rtt_us: external.ok(),
        external_loss: None,
        login_us: login.ok(),
        internal_rtt_us: login.and(internal).ok(),
        internal_loss: None,
        restarts: None,
        restore_ms: None,
        interval_ms: None,
        maintenance: "",
        group: "",
        prober: "",
        cycle_id: "",
    })
}

fn measured(cell: &str, timeout: Option<Reason>, error: Reason) -> Option<Measured> {
    match cell {
        "TIMEOUT" => timeout.map(Err),
        "ERROR" => Some(Err(error)),
        _ => thousandths(cell.as_bytes()).map(Ok),
    }
}

/// Which stage decided, and why: the first that failed, else the first of which nothing is known.
fn judge(external: Measured, login: Measured, internal: Measured) -> Option<(Stage, Reason)> {
    let internal = if login.is_ok() { internal.err() } else { None };
    let stages = [(Stage::External, external.err()), (Stage::Login, login.err()), (Stage::Internal, internal)];
    let not_passed = stages.into_iter().filter_map(|(stage, reason)| Some((stage, reason?)));
    not_passed.min_by_key(|(_, reason)| matches!(reason, Reason::Malfunction(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::input::schema::Schema;

    fn described(line: &str) -> String {
        let header = "Time,CPE Name,Summary,Stage 1 in ms,Stage 2 in ms,Stage 3 in ms";
        let mut cells = Cells::new();
        cells.split(header.as_bytes());
        let schema = Schema::of(header, &cells).unwrap();
        let line = format!("Wed Nov 14 05:18:02 2018,site1,{line}");
        cells.split(line.as_bytes());
        match row(&line, &cells, &schema.cells, &mut LocalTimes::new("UTC".parse().unwrap())) {
            Ok(row) => format!(
                "{} {} {} {} {:?} {:?} {:?}",
                row.verdict,
                row.failed_stage,
                row.reason,
                row.fault_domain,
                row.external_rtt_us,
                row.login_us,
                row.internal_rtt_us
            ),
            Err(why) => why,
        }
    }

    #[test]
    fn every_combination_of_values_is_judged_as_this_program_would() {
        for (line, expected) in [
            ("SUCCESS,5.213,10529.671,436.733", "up    Some(5213) Some(10529671) Some(436733)"),
            ("FAILURE,TIMEOUT,10529.6,436.733", "down external no-reply carrier None Some(10529600) Some(436733)"),
            ("FAILURE,5.002,ERROR,TIMEOUT", "down login login-timeout gateway Some(5002) None None"),
            ("FAILURE,5.002,ERROR,16.167", "down login login-timeout gateway Some(5002) None None"),
            ("FAILURE,5.002,ERROR,ERROR", "down login login-timeout gateway Some(5002) None None"),
            ("FAILURE,TIMEOUT,ERROR,TIMEOUT", "down external no-reply carrier None None None"),
            ("FAILURE,5.0,1.0,TIMEOUT", "down internal internal-unreachable inside Some(5000) Some(1000) None"),
            ("FAILURE,5.0,1.0,ERROR", "unknown internal panicked own Some(5000) Some(1000) None"),
            ("FAILURE,ERROR,1.0,2.0", "unknown external panicked own None Some(1000) Some(2000)"),
            ("FAILURE,ERROR,ERROR,2.0", "down login login-timeout gateway None None None"),
            ("FAILURE,ERROR,1.0,TIMEOUT", "down internal internal-unreachable inside None Some(1000) None"),
        ] {
            assert_eq!(described(line), expected, "{line}");
        }
    }

    #[test]
    fn what_it_never_wrote_can_not_be_read() {
        for (line, expected) in [
            ("SUCCESS,5.2,TIMEOUT,4.7", "`Stage 2 in ms` can't be `TIMEOUT`"),
            ("SUCCESS,5.2,,4.7", "`Stage 2 in ms` is empty"),
            ("SUCCESS,5.2,1.0,TIMEOUT", "`Summary` can't be `SUCCESS`"),
            ("FAILURE,5.2,1.0,2.0", "`Summary` can't be `FAILURE`"),
            ("up,5.2,1.0,2.0", "`Summary` can't be `up`"),
            ("SUCCESS,nan,1.0,2.0", "`Stage 1 in ms` can't be `nan`"),
        ] {
            assert_eq!(described(line), expected, "{line}");
        }
    }
}
