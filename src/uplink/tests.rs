//! What routes, carrier and answers tell of the uplink. With real interfaces: `tests/e2e/uplink.rs`.

use std::future::{pending, ready};

use super::*;
use crate::net::{Interface, MAIN_TABLE, Route, RouteProtocol};
use crate::record::PingStats;

fn network(interfaces: &[(u32, &str, bool)], routes: &[(&str, u8, u32)]) -> NetSnapshot {
    let interface = |(index, name, carrier): &(u32, &str, bool)| Interface {
        index: *index,
        name: (*name).to_owned(),
        up: true,
        carrier: *carrier,
        mtu: 1500,
        addresses: Vec::new(),
    };
    let route = |(destination, length, interface): &(&str, u8, u32)| Route {
        destination: (destination.parse().unwrap(), *length),
        gateway: None,
        interface: Some(*interface),
        metric: 0,
        scope: 0,
        source: None,
        protocol: RouteProtocol(3),
        table: MAIN_TABLE,
    };
    NetSnapshot {
        interfaces: interfaces.iter().map(interface).collect(),
        routes: routes.iter().map(route).collect(),
        rules: Vec::new(),
    }
}

#[test]
fn without_a_default_route_that_has_a_carrier_there_is_no_way_out() {
    let (live, dead) = ((2, "eth0", true), (3, "eth1", false));
    let default = |interface| ("0.0.0.0", 0, interface);
    for (interfaces, routes, expected) in [
        (vec![live], vec![default(2)], None),
        (vec![live], vec![("::", 0, 2)], None),
        (vec![live], vec![("192.0.2.0", 24, 2)], Some("no default route")),
        (vec![live], vec![], Some("no default route")),
        // A tunnel in the place of the default route.
        (vec![live], vec![("0.0.0.0", 1, 2), ("128.0.0.0", 1, 2)], None),
        (vec![live, dead], vec![default(3)], Some("no carrier on eth1")),
        (vec![live, dead], vec![default(3), default(2)], None),
        (vec![(4, "eth2", false), dead], vec![default(3), default(4), default(3)], Some("no carrier on eth1, eth2")),
        // Gone between two lists.
        (vec![live], vec![default(9)], None),
    ] {
        assert_eq!(without_default(&network(&interfaces, &routes)).as_deref(), expected, "{routes:?}");
    }
}

fn report(received: usize, unreachable: Option<&str>) -> PingReport {
    let stats = PingStats::from_rtts(1, &vec![Duration::from_millis(2); received]);
    PingReport { stats, unreachable: unreachable.map(str::to_owned) }
}

async fn silence_of(answers: &[(&str, Result<PingReport, PingError>)]) -> Option<String> {
    let answers: Vec<(IpAddr, _)> = answers.iter().map(|(target, a)| (target.parse().unwrap(), a.clone())).collect();
    let targets: Vec<IpAddr> = answers.iter().map(|(target, _)| *target).collect();
    silence(&targets, |request| ready(answers.iter().find(|(t, _)| *t == request.target).unwrap().1.clone())).await
}

#[tokio::test]
async fn one_answer_is_enough_and_what_cannot_be_asked_does_not_count() {
    let (answered, silent) = (Ok(report(1, None)), Ok(report(0, None)));
    let (unreachable, broken) = (Ok(report(0, Some("host unreachable"))), Err(PingError::Io("EMFILE".to_owned())));
    assert_eq!(silence_of(&[]).await, None);
    assert_eq!(silence_of(&[("192.0.2.1", silent.clone()), ("192.0.2.2", answered)]).await, None);
    assert_eq!(silence_of(&[("192.0.2.1", broken.clone())]).await, None, "nobody can tell");
    let words = silence_of(&[("192.0.2.1", silent), ("192.0.2.2", broken), ("192.0.2.3", unreachable)]).await;
    let words = words.unwrap();
    assert!(words.starts_with("no target of the uplink answers: ") && !words.contains("192.0.2.2"), "{words}");
    assert!(words.contains("192.0.2.1") && words.contains("192.0.2.3 (host unreachable)"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn what_answers_at_a_site_is_looked_up_again_after_an_hour_whether_it_answered_or_not() {
    let site = SiteName::new("paris").unwrap();
    for witness in [None, Some(Witness::Ping([192, 0, 2, 1].into()))] {
        let witnesses = Witnesses::default();
        assert!(witnesses.wants(&site));
        witnesses.keep(&site, witness);
        tokio::time::advance(Duration::from_mins(59)).await;
        assert!(!witnesses.wants(&site));
        tokio::time::advance(Duration::from_mins(2)).await;
        assert!(witnesses.wants(&site));
        assert_eq!(witnesses.of(&site), witness);
    }
}

#[tokio::test]
async fn the_first_answer_ends_the_wait_for_the_others() {
    let targets: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
    let ping = |request: PingRequest| async move {
        if request.target == IpAddr::from([192, 0, 2, 1]) { pending().await } else { Ok(report(1, None)) }
    };
    assert_eq!(silence(&targets, ping).await, None);
}
