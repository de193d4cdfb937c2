//! Cycles that can't be told from an outage of the prober's own, unless its uplink is looked at.

use super::*;
use crate::record::{FailureKind, Verdict};

#[tokio::test]
async fn without_a_way_out_no_gateway_is_blamed_and_nobody_logs_in() {
    let story = Story::of("touch DIR/started; sleep 30").wrong(Wrong::NoWayOut);
    let (record, _) = story.tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=own-uplink-down login=skipped internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::External)));
    assert_eq!(record.reason, Some(MalfunctionKind::OwnUplinkDown.into()));
    assert_eq!(record.detail.as_deref(), Some("no route to 203.0.113.10"));
    assert!(!story.dir.path().join("started").exists());
}

#[tokio::test]
async fn a_silent_carrier_is_to_blame_unless_no_other_site_answers_either() {
    let told = async |rome: &str, of: &str| {
        let story = Story::of(GOOD).wrong(Wrong::SilentOutside);
        story.witnesses.note(&SiteName::new(of).unwrap(), Witness::Ping(rome.parse().unwrap()));
        let (record, _) = story.tell().await;
        (record.verdict, record.reason.unwrap(), record.detail.unwrap_or_default())
    };
    let (verdict, reason, words) = told("203.0.113.99", "rome").await;
    assert_eq!((verdict, reason), (Verdict::Unknown, MalfunctionKind::OwnUplinkDown.into()));
    assert_eq!(words, "no other site answers either: 203.0.113.99");
    // One that answers; itself; another site behind the same address.
    for (address, site) in [("203.0.113.200", "rome"), ("203.0.113.99", "paris"), ("203.0.113.10", "rome")] {
        let (verdict, reason, _) = told(address, site).await;
        assert_eq!((verdict, reason), (Verdict::Down, FailureKind::NoReply.into()), "{address} of {site}");
    }
}

#[tokio::test]
async fn a_site_that_was_reached_is_a_witness_for_the_others() {
    let story = Story::of(GOOD);
    story.tell().await;
    let silent = Story { witnesses: story.witnesses.clone(), ..Story::of(GOOD) }
        .wrong(Wrong::SilentOutside)
        .site_key("external_ip: 203.0.113.20");
    let config = silent.config();
    let around = silent.around(&config);
    // Another site: the first one's address is asked.
    let site = Site { name: SiteName::new("rome").unwrap(), ..(*config.sites[0]).clone() };
    let order = Order::new(Duration::from_mins(10), false);
    let record = run_cycle(&site, order, &around, &NoObserver).await.record;
    assert_eq!(record.reason, Some(MalfunctionKind::OwnUplinkDown.into()), "{record:?}");
    assert_eq!(record.detail.as_deref(), Some("no other site answers either: 203.0.113.10"));
}
