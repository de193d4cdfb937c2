//! State files: whatever stands in one, a start never fails or panics on it: it is used, or set aside. What could be
//! read can be worked with and is read back as written. The first byte says which file it is.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;
use vpnprobe::account::AccountBook;
use vpnprobe::alert::{AlertFacts, AlertState, AlertStore, Back, FileStore, Observation, Policy, render};
use vpnprobe::cleanup::{JournalFile, KnownGood};
use vpnprobe::clock::Clock;
use vpnprobe::config::{Account, AlertRules, Secret};
use vpnprobe::record::{FailureKind, Verdict};
use vpnprobe::zone::Zone;
use vpnprobe_fuzz::empty_dir;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_155_330, 123_000_000).expect("a time of ours")
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, content)) = data.split_first() else { return };
    let dir = empty_dir();
    let put = |name: &str| std::fs::write(dir.join(name), content).expect("it can be written");
    match choice % 4 {
        0 => {
            put("cycle-host.json");
            let file = JournalFile::new(&dir, "host");
            let Some(journal) = file.read(now()).expect("a damaged one is set aside") else { return };
            let _ = (journal.is_of_this_boot(), journal.claim());
            file.write(&journal).expect("it can be written");
            assert_eq!(file.read(now()).expect("it can be read"), Some(journal));
        }
        1 => {
            put("alerts.json");
            let store = FileStore::new(&dir, Arc::new(Stopped));
            let state = store.load().expect("a damaged one is set aside");
            store.save(&state).expect("it can be written");
            assert_eq!(store.load().expect("it can be read"), state);
            work_with(state);
        }
        2 => {
            put("accounts.json");
            let book = AccountBook::new(&dir);
            let account = Account { username: "probe".into(), realm: None };
            let secret = Secret::new("hunter2");
            let _ = book.resting(&account, &secret, now()).expect("a damaged one is set aside");
            // Passwords are hashed slowly.
            if content.len() % 16 != 0 {
                return;
            }
            book.refused(&account, &secret, FailureKind::AuthRejected, now()).expect("it can be written");
            assert!(book.resting(&account, &secret, now()).expect("it can be read").is_some());
            book.accepted(&account, &secret, now()).expect("it can be written");
            assert!(book.resting(&account, &secret, now()).expect("it can be read").is_none());
            let _ = book.resume(&account, now()).expect("it can be written");
        }
        _ => {
            put("resolv-conf-host.json");
            let _ = KnownGood::open(&dir, "host");
        }
    }
});

/// What a start and four cycles do with it.
fn work_with(mut state: AlertState) {
    static ZONE: LazyLock<Zone> = LazyLock::new(|| "Europe/Paris".parse().expect("a zone"));
    let zone = &*ZONE;
    state.outbox.make_everything_due(now());
    let _ = (state.outbox.next_due(now()), state.outbox.waiting(now()).count(), state.outbox.dead().count());
    let messages: Vec<_> = state.outbox.due(now()).chain(state.outbox.pending()).cloned().collect();
    for message in &messages {
        let text = render(&message.event, zone);
        assert!(!text.subject.chars().any(char::is_control), "{:?}", text.subject);
        assert!(!text.body.chars().any(|c| c.is_control() && c != '\n'), "{:?}", text.body);
        state.outbox.failed(&message.key(), now(), false, "why");
    }
    let _ = state.outbox.next_due(now());
    let policy = Policy::new(AlertRules::default());
    for (name, subject) in &mut state.subjects {
        let cycles = [
            (Verdict::Down, None),
            (Verdict::Unknown, None),
            (Verdict::Up, Some(Back { after: Duration::from_secs(3), restored: true })),
            (Verdict::Up, None),
        ];
        for (number, (verdict, back)) in (1..).zip(cycles) {
            let at = now() + TimeDelta::seconds(600 * number);
            let seen = Observation { back, ..Observation::of(name.clone(), verdict, at, Duration::from_secs(600)) };
            for event in policy.observe(subject, &seen, at) {
                let _ = render(&event, zone);
            }
        }
    }
}
