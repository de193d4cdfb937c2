//! From echo replies to an outcome: pure.

use std::net::IpAddr;

use crate::net::{PingError, PingReport};
use crate::record::{FailureKind, MalfunctionKind};

use super::StageEnd;

/// What silence and an ICMP error stand for on this side of the gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) silence: FailureKind,
    pub(super) unreachable: FailureKind,
}

/// Judges a series of echo requests.
pub(super) fn judge(
    target: IpAddr,
    report: &Result<PingReport, PingError>,
    max_loss_pct: f64,
    meaning: Meaning,
) -> StageEnd {
    let report = match report {
        Ok(report) => report,
        Err(error) => return not_sent(error),
    };
    let stats = &report.stats;
    let replies = format!("{}/{} replies", stats.received, stats.sent);
    let Some(rtt) = stats.rtt else {
        return match &report.unreachable {
            Some(words) => StageEnd::because(meaning.unreachable, words),
            None => StageEnd::because(meaning.silence, format!("{target} is silent: {replies}")),
        };
    };
    if stats.loss_pct() > max_loss_pct {
        return StageEnd::because(FailureKind::PacketLoss, format!("{replies}, {:.0} % lost", stats.loss_pct()));
    }
    let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
    StageEnd::passed_with(format!(
        "{replies}, {:.3}/{:.3}/{:.3}/{:.3} ms (min/avg/max/dev)",
        ms(rtt.min),
        ms(rtt.avg),
        ms(rtt.max),
        ms(rtt.deviation)
    ))
}

/// The prober's own host let no request out. What has no way is no error: it says so of the target.
pub(super) fn not_sent(error: &PingError) -> StageEnd {
    let kind = match error {
        PingError::NoPermission(_) | PingError::Forbidden(_) => MalfunctionKind::NoIcmpPermission,
        PingError::Io(_) => MalfunctionKind::PrepareFailed,
    };
    StageEnd::because(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::{Outcome, PingStats};

    const OUTSIDE: Meaning = Meaning { silence: FailureKind::NoReply, unreachable: FailureKind::Unreachable };

    fn report(sent: u32, received: usize, unreachable: Option<&str>) -> PingReport {
        let stats = PingStats::from_rtts(sent, &vec![Duration::from_millis(2); received]);
        PingReport { stats, unreachable: unreachable.map(Into::into) }
    }

    #[test]
    fn silence_unreachable_and_loss_are_told_apart() {
        for (report, expected) in [
            (Ok(report(5, 5, None)), Outcome::Passed),
            (Ok(report(5, 1, None)), Outcome::Passed),
            (Ok(report(10, 1, None)), Outcome::Failed(FailureKind::PacketLoss)),
            (Ok(report(5, 0, None)), Outcome::Failed(FailureKind::NoReply)),
            (Ok(report(5, 0, Some("host unreachable"))), Outcome::Failed(FailureKind::Unreachable)),
            (Ok(report(5, 5, Some("one of them"))), Outcome::Passed),
            (Err(PingError::NoPermission("EPERM".into())), Outcome::Inconclusive(MalfunctionKind::NoIcmpPermission)),
            (Err(PingError::Forbidden("EPERM".into())), Outcome::Inconclusive(MalfunctionKind::NoIcmpPermission)),
            (Err(PingError::Io("ENOBUFS".into())), Outcome::Inconclusive(MalfunctionKind::PrepareFailed)),
        ] {
            assert_eq!(judge([192, 0, 2, 1].into(), &report, 80.0, OUTSIDE).outcome, expected, "{report:?}");
        }
    }
}
