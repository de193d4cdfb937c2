use super::*;

const TIMEOUT: Duration = Duration::from_secs(1);

/// Milliseconds after the start, on both clocks.
fn at(ms: u64) -> Stamp {
    let since = Duration::from_millis(ms);
    Stamp { wall: Duration::from_secs(1_700_000_000) + since, steady: Duration::from_secs(50) + since }
}

/// A ledger with `count` requests, one each 100 ms.
fn ledger(count: u64) -> Ledger {
    let mut ledger = Ledger::new(TIMEOUT);
    for request in 0..count {
        ledger.sent(at(request * 100));
    }
    ledger
}

fn reply(ledger: &mut Ledger, sequence: u16, ms: u64) {
    ledger.answered(sequence, Some(at(ms).wall), at(ms));
}

fn received(ledger: Ledger) -> u32 {
    ledger.close().unwrap().stats.received
}

#[test]
fn each_reply_is_counted_for_its_own_request_in_whatever_order_they_come() {
    let mut ledger = ledger(3);
    reply(&mut ledger, 3, 210);
    reply(&mut ledger, 1, 220);
    let stats = ledger.close().unwrap().stats;
    assert_eq!((stats.sent, stats.received), (3, 2));
    let rtt = stats.rtt.unwrap();
    assert_eq!((rtt.min.as_millis(), rtt.max.as_millis()), (10, 220));
}

#[test]
fn a_duplicate_is_counted_once_and_keeps_the_first_time() {
    let mut ledger = ledger(1);
    reply(&mut ledger, 1, 10);
    reply(&mut ledger, 1, 30);
    let stats = ledger.close().unwrap().stats;
    assert_eq!((stats.received, stats.rtt.unwrap().max.as_millis()), (1, 10));
}

#[test]
fn a_reply_counts_until_the_time_out_of_its_request() {
    let mut in_time = ledger(2);
    reply(&mut in_time, 1, 1000);
    assert_eq!(received(in_time), 1);
    let mut late = ledger(2);
    reply(&mut late, 1, 1001);
    assert_eq!(received(late), 0);
}

#[test]
fn a_reply_to_a_request_that_was_never_made_counts_for_nothing() {
    let mut ledger = ledger(2);
    for sequence in [0, 3, 4, u16::MAX] {
        reply(&mut ledger, sequence, 150);
    }
    assert_eq!(received(ledger), 0);
    let mut empty = Ledger::new(TIMEOUT);
    reply(&mut empty, 1, 0);
    reply(&mut empty, 0, 0);
    assert_eq!(received(empty), 0);
}

#[test]
fn sequence_numbers_may_wrap() {
    let mut ledger = Ledger::new(TIMEOUT);
    for request in 0..65_540 {
        ledger.sent(at(request));
    }
    assert_eq!(ledger.next_sequence(), 5);
    reply(&mut ledger, 4, 65_541);
    let stats = ledger.close().unwrap().stats;
    assert_eq!((stats.received, stats.rtt.unwrap().max.as_millis()), (1, 2));
}

#[test]
fn the_first_error_that_came_instead_of_a_reply_is_told() {
    let mut ledger = ledger(3);
    ledger.unreachable(1, "first".to_owned());
    ledger.unreachable(2, "second".to_owned());
    reply(&mut ledger, 1, 300);
    let report = ledger.close().unwrap();
    assert_eq!(report.stats.received, 1);
    assert_eq!(report.unreachable.as_deref(), Some("second"), "the first request was answered after all");
}

#[test]
fn an_error_after_the_reply_says_nothing() {
    let mut ledger = ledger(1);
    reply(&mut ledger, 1, 10);
    ledger.unreachable(1, "late".to_owned());
    assert_eq!(ledger.close().unwrap().unreachable, None);
}

#[test]
fn silence_is_not_unreachable() {
    let report = ledger(3).close().unwrap();
    assert_eq!((report.stats.sent, report.stats.received, report.unreachable), (3, 0, None));
}

#[test]
fn a_request_without_a_way_counts_as_lost() {
    let mut ledger = Ledger::new(TIMEOUT);
    ledger.no_way(at(0), "network is unreachable".to_owned());
    let report = ledger.close().unwrap();
    assert!((report.stats.loss_pct() - 100.0).abs() < f64::EPSILON);
    assert_eq!(report.unreachable.as_deref(), Some("network is unreachable"));
}

#[test]
fn the_hosts_own_trouble_is_an_error_only_when_nothing_speaks_of_the_target() {
    let mut refused = Ledger::new(TIMEOUT);
    let forbidden = PingError::Forbidden("operation not permitted".to_owned());
    refused.not_sent(at(0), forbidden.clone());
    assert_eq!(refused.close(), Err(forbidden.clone()));

    let mut once = ledger(1);
    once.not_sent(at(100), forbidden);
    reply(&mut once, 1, 10);
    assert_eq!(received(once), 1);
}

#[test]
fn it_waits_for_the_last_open_request_and_for_nothing_else() {
    let mut ledger = ledger(2);
    assert_eq!(ledger.waits(at(100)), Some(TIMEOUT));
    assert_eq!(ledger.waits(at(1099)), Some(Duration::from_millis(1)));
    assert_eq!(ledger.waits(at(1100)), None);
    reply(&mut ledger, 2, 110);
    assert_eq!(ledger.waits(at(110)), Some(Duration::from_millis(890)), "the first one is still open");
    ledger.unreachable(1, "gone".to_owned());
    assert_eq!(ledger.waits(at(110)), None);
}

#[test]
fn it_may_wait_for_ever() {
    let mut ledger = Ledger::new(Duration::MAX);
    ledger.sent(at(0));
    assert!(ledger.waits(at(100)).is_some());
}
