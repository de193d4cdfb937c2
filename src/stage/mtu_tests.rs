use std::time::Duration;

use super::*;
use crate::record::{Outcome, PingStats};

const INSIDE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 0, 1));

fn report(received: usize, unreachable: Option<&str>) -> PingReport {
    let stats = PingStats::from_rtts(1, &vec![Duration::from_millis(2); received]);
    PingReport { stats, unreachable: unreachable.map(Into::into) }
}

#[test]
fn only_silence_is_a_black_hole_and_only_where_nothing_else_is_lost() {
    let large = Large::of(INSIDE, 1400).unwrap();
    let frag = "fragmentation needed (MTU 1280) from 10.0.0.1";
    for (answer, lost, expected, words) in [
        (Answer::to(&Ok(report(1, None))), 0.0, Outcome::Passed, "1400 bytes whole"),
        (Answer::to(&Ok(report(0, None))), 0.0, Outcome::Failed(FailureKind::MtuBlackhole), "1400 bytes, as large"),
        (Answer::to(&Ok(report(0, None))), 20.0, Outcome::Passed, "1400 bytes: no reply"),
        (Answer::to(&Ok(report(0, Some(frag)))), 0.0, Outcome::Passed, frag),
        (Answer::to(&Err(PingError::Io("no".into()))), 0.0, Outcome::Passed, "cannot ping: no"),
        (Answer::SmallOnesToo, 0.0, Outcome::Passed, "then silence"),
    ] {
        let end = Tried { large, answer }.judge(lost, &StageEnd::passed_with("5/5 replies"));
        assert_eq!(end.outcome, expected, "{words}");
        let detail = end.detail.unwrap();
        assert!(detail.contains(words) && detail.contains("5/5 replies"), "{detail}");
    }
}

#[test]
fn the_packet_fills_the_interface_headers_included() {
    let ping = PingConfig::default();
    for (target, mtu, payload) in
        [("10.1.0.1", 1400, Some(1372)), ("fd00::1", 1400, Some(1352)), ("10.1.0.1", 70_000, Some(65_507))]
    {
        let large = Large::of(target.parse().unwrap(), mtu);
        assert_eq!(large.map(|large| large.request(&ping, 1).payload), payload, "{target}");
    }
    assert_eq!(Large::of(INSIDE, 0), None, "an interface that does not tell");
    assert_eq!(Large::of("fd00::1".parse().unwrap(), 1279), None);
}
