use super::*;
use crate::record::Outcome;

fn refused_by(errors: &[ConnectError]) -> StageEnd {
    let to: SocketAddr = "192.0.2.1:443".parse().unwrap();
    let refusals: Vec<_> = errors.iter().map(|e| (to, e.clone(), Duration::from_secs(5))).collect();
    not_connected(&refusals)
}

#[test]
fn of_several_addresses_the_most_telling_answer_counts() {
    use ConnectError::{Io, Refused, TimedOut};
    let no_way = || ConnectError::Unreachable("network is unreachable".into());
    for (errors, expected) in [
        (vec![Refused], Outcome::Failed(FailureKind::ConnectRefused)),
        (vec![TimedOut], Outcome::Failed(FailureKind::ConnectTimeout)),
        (vec![no_way()], Outcome::Failed(FailureKind::Unreachable)),
        // No IPv6 here: what counts is what IPv4 says.
        (vec![no_way(), TimedOut], Outcome::Failed(FailureKind::ConnectTimeout)),
        (vec![TimedOut, Refused], Outcome::Failed(FailureKind::ConnectRefused)),
        (vec![Io("too many open files".into())], Outcome::Inconclusive(MalfunctionKind::PrepareFailed)),
    ] {
        assert_eq!(refused_by(&errors).outcome, expected, "{errors:?}");
    }
    let words = refused_by(&[no_way(), TimedOut]).detail.unwrap();
    assert_eq!(words, "192.0.2.1:443: network is unreachable; 192.0.2.1:443: no answer within 5000 ms");
}
