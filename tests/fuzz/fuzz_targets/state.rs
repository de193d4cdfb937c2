//! State files: whatever stands in one, a start never fails or panics on it: it is used, or set aside. What could be
//! read can be worked with and is read back as written. And what is asked of a running prober: it is understood, or refused. The
//! first byte says which of them it is.
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use libfuzzer_sys::fuzz_target;
use vpnprobe::account::AccountBook;
use vpnprobe::alert::{AlertState, AlertStore, Back, FileStore, Observation, Policy, SubjectState, render};
use vpnprobe::cleanup::{JournalFile, KnownGood};
use vpnprobe::clock::Clock;
use vpnprobe::config::{Account, AlertRules, Secret};
use vpnprobe::daemon::asked_again;
use vpnprobe::maintenance::{Added, MaintenanceBook, NewWindow, Windows};
use vpnprobe::record::{CycleRecord, FailureKind, SiteName, Verdict};
use vpnprobe::results::row_of;
use vpnprobe::snapshot::Board;
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
    match choice % 6 {
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
        3 => {
            put("resolv-conf-host.json");
            let _ = KnownGood::open(&dir, "host");
        }
        4 => {
            put("maintenance.json");
            let book = MaintenanceBook::new(&dir);
            let windows = book.load(now()).expect("a damaged one is set aside");
            assert_eq!(book.peek().expect("it is whole, or gone"), windows);
            change(&book, windows);
        }
        _ => ask(&String::from_utf8_lossy(content)),
    }
});

/// What counts of these windows, and what is added and ended beside them.
fn change(book: &MaintenanceBook, windows: Vec<Added>) {
    let site = SiteName::new("paris").expect("a name");
    let in_force = Windows::none();
    let count = |windows: &[Added]| {
        in_force.show_added(windows);
        let _ =
            (in_force.at(now(), &site), in_force.excluded(now().timestamp() - 864_000, now().timestamp() + 864_000));
    };
    count(&windows);
    let new = NewWindow {
        name: Some("switch".into()),
        sites: BTreeSet::from([site.clone()]),
        start: now() - TimeDelta::hours(1),
        end: now() + TimeDelta::hours(1),
        suppress_alerts: true,
        exclude_from_sla: true,
        pause_restarts: true,
    };
    let (added, all) = book.add(new, now()).expect("it can be written");
    assert_eq!(book.load(now()).expect("it can be read"), all);
    count(&all);
    // One of the same id may have been there.
    let (ended, all) = book.end(&added.id, now()).expect("it is there");
    assert!(ended.iter().any(|ended| ended.window.window.end == now()), "{ended:?}");
    assert_eq!(book.peek().expect("it can be read"), all);
    for window in windows.iter().take(9) {
        let _ = book.end(window.window.name.as_deref().unwrap_or(&window.id), now());
    }
    count(&book.load(now()).expect("it can be read"));
}

/// What a prober does with a request, as far as that is not the disk's or another's.
fn ask(line: &str) {
    let Ok(again) = asked_again(line) else { return };
    assert!(!again.contains('\n'), "{again}");
    asked_again(&again).expect("what it says itself it understands");
    let request: serde_json::Value = serde_json::from_str(&again).expect("JSON");
    let Ok(record) = serde_json::from_value::<CycleRecord>(request["request"]["record"].clone()) else { return };
    let row = row_of(&record);
    assert!(!row.iter().any(|cell| cell.chars().any(char::is_control)), "{row:?}");
    Board::default().note(&record);
    let seen = Observation::from_record(&record);
    let (policy, mut state) = (Policy::new(AlertRules { after: 1, ..AlertRules::default() }), SubjectState::default());
    for event in policy.observe(&mut state, &seen, now()) {
        let text = render(&event, &ZONE);
        assert!(!text.subject.chars().any(char::is_control), "{:?}", text.subject);
    }
}

static ZONE: LazyLock<Zone> = LazyLock::new(|| "Europe/Paris".parse().expect("a zone"));

/// What a start and four cycles do with it.
fn work_with(mut state: AlertState) {
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
