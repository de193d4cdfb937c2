use std::collections::BTreeSet;
use std::fs;

use super::*;
use crate::error::chain;
use crate::maintenance::Windows;
use crate::record::SiteName;
use crate::zone::Zone;

fn now() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

fn window(sites: &[&str]) -> NewWindow {
    NewWindow {
        name: Some("switch".into()),
        sites: sites.iter().map(|name| SiteName::new(*name).unwrap()).collect::<BTreeSet<_>>(),
        start: now(),
        end: now() + chrono::TimeDelta::hours(2),
        suppress_alerts: true,
        exclude_from_sla: true,
        pause_restarts: false,
    }
}

#[test]
fn one_that_is_added_counts_at_once_for_all_who_share_the_windows_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let book = MaintenanceBook::new(&dir.path().join("state"));
    let windows = Windows::new(Zone::utc(), Vec::new());
    let shared = windows.clone();
    let (paris, rome) = (SiteName::new("paris").unwrap(), SiteName::new("rome").unwrap());
    let (added, all) = book.add(window(&["paris"]), now()).unwrap();
    windows.show_added(&all);
    let in_force = shared.at(now(), &paris).unwrap();
    assert_eq!((in_force.label(), in_force.pause_restarts), ("switch", false));
    assert_eq!(shared.at(now(), &rome), None);
    let hour = 3_600_000;
    let excluded = shared.excluded(now().timestamp_millis() - hour, now().timestamp_millis() + hour);
    assert_eq!(excluded.iter().map(|o| o.end - o.start).collect::<Vec<_>>(), [hour]);
    assert_eq!(book.load(now()).unwrap(), [added]);

    let (ended, all) = book.end("switch", now() + chrono::TimeDelta::minutes(5)).unwrap();
    windows.show_added(&all);
    assert!(ended[0].had_begun && shared.at(now() + chrono::TimeDelta::minutes(5), &paris).is_none());
    assert!(shared.at(now(), &paris).is_some(), "for the report it was in force");
}

#[test]
fn one_that_is_not_there_can_not_be_ended_and_those_that_are_there_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let book = MaintenanceBook::new(dir.path());
    let none = chain(&book.end("m1", now()).unwrap_err());
    assert_eq!(
        none,
        "no maintenance window `m1` was added that is not over\n  hint: none was; those of the configuration are ended there"
    );
    book.add(window(&[]), now()).unwrap();
    let other = chain(&book.end("swich", now()).unwrap_err());
    assert!(other.contains("those are m1 (switch); "), "{other}");
}

#[test]
fn a_damaged_file_is_set_aside_by_its_owner_and_left_alone_by_others() {
    let good = {
        let dir = tempfile::tempdir().unwrap();
        MaintenanceBook::new(dir.path()).add(window(&[]), now()).unwrap();
        fs::read_to_string(dir.path().join("maintenance.json")).unwrap()
    };
    let newer = good.replace("\"version\":1", "\"version\":2");
    for content in ["", "{", "\0\0", "[]", "{\"version\":1}", &good[..good.len() / 2], &newer] {
        let dir = tempfile::tempdir().unwrap();
        let (book, file) = (MaintenanceBook::new(dir.path()), dir.path().join("maintenance.json"));
        fs::write(&file, content).unwrap();
        let error = chain(&book.peek().unwrap_err());
        assert!(error.contains("maintenance.json`: it is damaged, or of another version"), "{content}: {error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
        assert_eq!(book.load(now()).unwrap(), [], "{content}");
        assert_eq!(fs::read_to_string(dir.path().join("maintenance.json.damaged-20261120T060000Z")).unwrap(), content);
        assert_eq!(book.add(window(&[]), now()).unwrap().0.id, "m1");
    }
}

#[test]
fn a_directory_in_its_place_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("maintenance.json")).unwrap();
    let book = MaintenanceBook::new(dir.path());
    assert!(book.peek().is_err());
    assert_eq!(book.load(now()).unwrap(), []);
    book.add(window(&[]), now()).unwrap();
    assert!(dir.path().join("maintenance.json.damaged-20261120T060000Z").is_dir());
}

#[test]
fn nothing_that_can_be_read_makes_it_panic() {
    let mut register = Register::default();
    register.add(window(&["paris"]), now());
    let good = serde_json::to_vec(&Page { version: VERSION, register }).unwrap();
    let (mut read, paris) = (0, SiteName::new("paris").unwrap());
    for place in 0..good.len() {
        for byte in [b'0', b'9', b'+', b'-', b'"', b' ', b'e', 0xff] {
            let mut bytes = good.clone();
            bytes[place] = byte;
            let Ok(page) = serde_json::from_slice::<Page>(&bytes) else { continue };
            let mut register = page.register;
            let windows = Windows::new(Zone::utc(), Vec::new());
            windows.show_added(&register.windows);
            let _ = (windows.at(now(), &paris), windows.excluded(i64::MIN, i64::MAX));
            register.tidy(now());
            register.end("switch", now());
            read += 1;
        }
    }
    assert!(read > 100, "{read}");
}
