//! In which order messages are sent, how long each waits, and when it is given up.

use super::*;
use crate::alert::{AlertFacts, AlertKind};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_600_000 + seconds, 0).unwrap()
}

fn event(subject: &str, id: &str) -> AlertEvent {
    AlertEvent {
        id: id.into(),
        thread: id.into(),
        subject: subject.into(),
        at: at(0),
        kind: AlertKind::Blind { since: at(0) },
        facts: AlertFacts::default(),
    }
}

fn due(outbox: &Outbox, now: DateTime<Utc>) -> Vec<String> {
    outbox.due(now).map(|m| format!("{}/{}", m.channel, m.event.id)).collect()
}

fn key(channel: &str, id: &str) -> MessageKey {
    MessageKey { id: id.into(), channel: channel.into() }
}

#[test]
fn order_is_kept_per_subject_and_channel() {
    let mut outbox = Outbox::default();
    for (channel, subject, id) in
        [("email", "paris", "down"), ("chat", "paris", "down"), ("email", "paris", "up"), ("email", "rome", "r")]
    {
        outbox.enqueue(channel, event(subject, id), at(0));
    }
    assert_eq!(due(&outbox, at(0)), ["email/down", "chat/down", "email/r"]);
    outbox.failed(&key("email", "down"), at(0), false, "refused");
    assert_eq!(due(&outbox, at(0)), ["chat/down", "email/r"], "what follows a failed one waits for it");
    outbox.delivered(&key("email", "down"));
    assert_eq!(due(&outbox, at(0)), ["chat/down", "email/up", "email/r"]);
}

#[test]
fn the_wait_doubles_from_one_second_to_five_minutes() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), at(0));
    let mut now = at(0);
    let mut waits = vec![];
    for _ in 0..11 {
        outbox.failed(&key("email", "down"), now, false, "refused");
        let wait = outbox.next_due(now).unwrap();
        waits.push(wait);
        now = after(now, wait);
        assert_eq!(outbox.due(now).count(), 1);
    }
    for (wait, whole) in waits.iter().zip([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
        let whole = Duration::from_secs(whole);
        assert!(*wait <= whole && *wait >= whole.mul_f64(0.8), "{wait:?} of {whole:?}");
    }
}

#[test]
fn messages_that_failed_together_do_not_come_back_together() {
    let mut outbox = Outbox::default();
    for site in ["paris", "rome", "oslo", "lagos", "lima"] {
        outbox.enqueue("email", event(site, site), at(0));
        for _ in 0..12 {
            outbox.failed(&key("email", site), at(0), false, "refused");
        }
    }
    let times: HashSet<_> = outbox.pending().map(|message| message.next_attempt).collect();
    assert!(times.len() >= 4, "{times:?}");
    assert!(times.iter().all(|time| *time >= at(240) && *time <= at(300)), "{times:?}");
}

#[test]
fn a_receiver_may_put_us_off_for_an_hour_at_most() {
    let mut outbox = Outbox::default();
    outbox.enqueue("chat", event("paris", "down"), at(0));
    for (asked, waited) in [(90, 90_i64), (0, 90), (100_000, 3600)] {
        outbox.put_off(&key("chat", "down"), at(0), Duration::from_secs(asked));
        assert_eq!(outbox.next_due(at(0)), Some(Duration::from_secs(waited.unsigned_abs())));
        assert_eq!(outbox.due(at(waited)).count(), 1);
    }
}

#[test]
fn a_message_is_overdue_once() {
    let patience = |channel: &str| (channel == "chat").then_some(Duration::from_mins(10));
    let mut outbox = Outbox::default();
    for channel in ["email", "chat"] {
        outbox.enqueue(channel, event("paris", "down"), at(0));
    }
    assert_eq!(outbox.next_overdue(at(60), patience), Some(Duration::from_mins(9)));
    assert_eq!(outbox.overdue(at(599), patience), []);
    assert_eq!(outbox.overdue(at(600), patience), [key("chat", "down")]);
    assert_eq!(outbox.fall_back(&key("chat", "down")).unwrap().id, "down");
    assert_eq!((outbox.overdue(at(700), patience), outbox.next_overdue(at(700), patience)), (vec![], None));
}

#[test]
fn a_permanent_refusal_is_tried_again_every_five_minutes() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), at(0));
    outbox.failed(&key("email", "down"), at(0), true, "550 no such user");
    assert_eq!(outbox.next_due(at(0)), Some(MAX_BACKOFF));
}

#[test]
fn a_message_is_given_up_when_it_fails_a_day_old_and_the_next_one_gets_its_turn() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), at(0));
    outbox.enqueue("email", event("paris", "up"), at(600));
    let day = 24 * 3600;
    assert!(!outbox.failed(&key("email", "down"), at(day - 1), false, "refused"));
    assert_eq!(due(&outbox, at(day + 300)), ["email/down"], "a last try is made however old it is");
    assert!(outbox.failed(&key("email", "down"), at(day + 300), false, "refused"));
    assert_eq!(outbox.dead().map(|m| m.event.id.as_str()).collect::<Vec<_>>(), ["down"]);
    assert_eq!(outbox.given_up_total(), 1);
    assert_eq!(due(&outbox, at(day + 300)), ["email/up"]);
}

#[test]
fn dead_letters_are_bounded_and_all_counted() {
    let mut outbox = Outbox::default();
    for n in 0..1200 {
        outbox.enqueue("email", event("paris", &n.to_string()), at(0));
        outbox.failed(&key("email", &n.to_string()), at(100_000), true, "refused");
    }
    assert_eq!(outbox.dead().len(), MAX_DEAD);
    assert_eq!(outbox.dead().next().unwrap().event.id, "200", "the newest are kept");
    assert_eq!(outbox.given_up_total(), 1200);
}

/// One dead letter of each of these, and their channel.
fn with_dead(ids: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    for (n, id) in (0..).zip(ids) {
        let event = AlertEvent { at: at(n), ..event("paris", id) };
        outbox.enqueue("email", event, at(0));
        assert!(outbox.failed(&key("email", id), at(100_000), true, "refused"));
    }
    outbox
}

#[test]
fn a_dead_letter_that_is_sent_again_keeps_its_id_and_has_a_day_anew() {
    let mut outbox = with_dead(&["down"]);
    let now = at(200_000);
    assert_eq!(outbox.retry(None, now), Retried { revived: 1, hastened: 0, unknown: vec![] });
    assert_eq!((outbox.dead().len(), due(&outbox, now)), (0, vec!["email/down".to_owned()]));
    assert!(!outbox.failed(&key("email", "down"), at(200_000 + 24 * 3600 - 1), false, "refused"));
    assert_eq!(outbox.pending().next().unwrap().created_at, at(0), "it is as old as it is");
    assert!(outbox.failed(&key("email", "down"), at(200_000 + 24 * 3600), false, "refused"));
    assert_eq!((outbox.dead().len(), outbox.given_up_total()), (1, 2));
}

#[test]
fn what_died_is_sent_before_what_waits_and_in_its_old_order() {
    let mut outbox = with_dead(&["a", "b", "c"]);
    // The second is tried again alone, and dies again: now it lies behind the third.
    outbox.retry(Some(&["b".to_owned()]), at(0));
    outbox.failed(&key("email", "b"), at(200_000), true, "refused");
    assert_eq!(outbox.dead().map(|m| m.event.id.as_str()).collect::<Vec<_>>(), ["a", "c", "b"]);
    outbox.enqueue("email", event("paris", "d"), at(200_000));
    outbox.failed(&key("email", "d"), at(200_000), true, "refused");
    let retried = outbox.retry(None, at(200_001));
    assert_eq!((retried.revived, retried.hastened), (3, 1));
    let mut order = Vec::new();
    loop {
        let next = outbox.due(at(200_001)).next().map(Message::key);
        let Some(next) = next else { break };
        order.push(next.id.clone());
        outbox.delivered(&next);
    }
    assert_eq!(order, ["a", "b", "c", "d"], "what waited for its back-off is due, too");
}

#[test]
fn of_named_messages_those_that_are_not_there_are_told() {
    let mut outbox = with_dead(&["a", "b"]);
    outbox.enqueue("chat", event("paris", "b"), at(0));
    let ids = ["b", "no-such"].map(str::to_owned);
    let retried = outbox.retry(Some(&ids), at(1));
    assert_eq!(retried, Retried { revived: 1, hastened: 1, unknown: vec!["no-such".to_owned()] });
    assert_eq!(outbox.dead().len(), 1);
}

#[test]
fn a_dead_letter_that_was_told_anew_is_not_sent_twice() {
    let mut outbox = with_dead(&["a"]);
    outbox.enqueue("email", event("paris", "a"), at(5));
    outbox.retry(None, at(6));
    assert_eq!((outbox.pending().len(), outbox.dead().len()), (1, 0));
}

#[test]
fn everything_is_due_after_a_start() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), at(0));
    outbox.failed(&key("email", "down"), at(0), true, "refused");
    outbox.make_everything_due(at(5));
    assert_eq!(outbox.due(at(5)).count(), 1);
}

#[test]
fn a_clock_set_back_stops_no_message() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), at(0));
    outbox.failed(&key("email", "down"), at(0), true, "refused");
    assert_eq!(outbox.due(at(-3600)).count(), 1);
}

#[test]
fn the_same_event_waits_once_per_channel() {
    let mut outbox = Outbox::default();
    for channel in ["email", "email", "chat"] {
        outbox.enqueue(channel, event("paris", "down"), at(0));
    }
    assert_eq!(outbox.pending().len(), 2);
}

#[test]
fn times_at_the_end_of_the_calendar_do_no_harm() {
    let mut outbox = Outbox::default();
    outbox.enqueue("email", event("paris", "down"), DateTime::<Utc>::MAX_UTC);
    for _ in 0..40 {
        outbox.failed(&key("email", "down"), DateTime::<Utc>::MAX_UTC, false, "refused");
    }
    assert_eq!(outbox.pending().len() + outbox.dead().len(), 1);
}
