use std::time::Duration;

use super::*;
use crate::ipsec::assess::assess;
use crate::ipsec::fake::{child, config, ike, ike_in, target};
use crate::ipsec::{Refusal, RestartPolicy};
use crate::vici::{IkeSa, IkeState};

fn now() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn view(installed: Vec<IkeSa>) -> View {
    View { configured: vec![config("gw", "net"), config("gw", "voice")], installed }
}

fn net() -> ChildRef {
    ChildRef { ike: Some("gw".into()), child: "net".into() }
}

fn seen(ledger: &Ledger, installed: Vec<IkeSa>, inside: Inside, at: DateTime<Utc>) -> History {
    let view = view(installed);
    let target = target("net");
    ledger.observe(&view, Seen { target: &target, assessment: &assess(&view, &target), inside }, at)
}

fn connecting() -> Vec<IkeSa> {
    vec![ike_in(IkeState::Connecting, ike("gw", 1, vec![]))]
}

fn up() -> Vec<IkeSa> {
    vec![ike("gw", 1, vec![child("net", 7)])]
}

const SILENT: Inside = Inside::Silent { asked: Duration::from_secs(5) };

#[test]
fn since_when_a_tunnel_is_ill_is_known_from_one_program_to_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = || Ledger::new(dir.path(), "/run/charon.vici");
    assert_eq!(seen(&ledger(), up(), Inside::Reached, after(0)), History::default());
    let ill =
        |since, recovering| History { restarts: vec![], ill_since: Some(after(since)), recovering_since: recovering };
    assert_eq!(seen(&ledger(), connecting(), Inside::NotAsked, after(60)), ill(60, Some(after(60))));
    assert_eq!(seen(&ledger(), connecting(), Inside::NotAsked, after(90)), ill(60, Some(after(60))));
    assert_eq!(seen(&ledger(), vec![], Inside::NotAsked, after(95)), ill(60, None));
    assert_eq!(seen(&ledger(), connecting(), Inside::NotAsked, after(99)), ill(60, Some(after(99))));
    assert_eq!(seen(&ledger(), up(), SILENT, after(100)), ill(60, None));
    assert_eq!(seen(&ledger(), up(), Inside::Reached, after(101)), History::default());
}

#[test]
fn tunnels_of_two_daemons_and_of_two_connections_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Ledger::new(dir.path(), "/run/a.vici"), Ledger::new(dir.path(), "/run/b.vici"));
    one.note_restart(&net(), now());
    assert_eq!(one.restarts(&net(), now()).len(), 1);
    assert!(other.restarts(&net(), now()).is_empty());
    assert!(one.restarts(&ChildRef { ike: Some("gw2".into()), ..net() }, now()).is_empty());
    // Named without its connection it is the same tunnel.
    assert_eq!(seen(&one, vec![], Inside::NotAsked, now()).restarts.len(), 1);
}

#[test]
fn restarts_count_for_an_hour_and_not_longer_however_the_clock_is_set() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(dir.path(), "/run/charon.vici");
    ledger.note_restart(&net(), after(0));
    ledger.note_restart(&net(), after(1800));
    assert_eq!(ledger.restarts(&net(), after(3599)).len(), 2);
    assert_eq!(ledger.restarts(&net(), after(3600)), [after(1800)]);
    // Set back by a day: what is noted counts for an hour from now.
    let day = -86_400;
    ledger.note_restart(&net(), after(day));
    assert_eq!(ledger.restarts(&net(), after(day + 3599)).len(), 3);
    assert_eq!(ledger.restarts(&net(), after(day + 3600)).len(), 0);
}

#[test]
fn nothing_is_written_while_all_is_well_or_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(dir.path(), "/run/charon.vici");
    seen(&ledger, up(), Inside::Reached, now());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    seen(&ledger, vec![], Inside::NotAsked, now());
    let file = dir.path().join("ipsec-restarts.json");
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    seen(&ledger, vec![], Inside::NotAsked, after(60));
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640, "the file was replaced");
}

#[test]
fn a_damaged_file_is_set_aside() {
    let half = "{\"version\":1,\"tunnels\":{\"a";
    let files = ["", half, "{\"version\": 2}", "{\"version\":1,\"tunnels\":7}", "\u{0}\u{0}"];
    for content in files.map(Some).into_iter().chain([None]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ipsec-restarts.json");
        match content {
            Some(content) => std::fs::write(path, content).unwrap(),
            None => std::fs::create_dir(path).unwrap(),
        }
        let ledger = Ledger::new(dir.path(), "/run/charon.vici");
        assert!(ledger.restarts(&net(), now()).is_empty());
        ledger.note_restart(&net(), now());
        assert_eq!(ledger.restarts(&net(), now()).len(), 1);
        assert!(dir.path().join("ipsec-restarts.json.damaged-20261120T060000Z").exists(), "{content:?}");
    }
}

#[test]
fn where_nothing_can_be_written_the_limit_holds_for_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    std::fs::write(&state, "a file where the directory should be").unwrap();
    let ledger = Ledger::new(&state, "/run/charon.vici");
    let policy = RestartPolicy { max_per_hour: 2, ..RestartPolicy::default() };
    let begin = || ledger.clone().begin(&net(), &policy, now()).map(drop);
    assert_eq!((begin(), begin()), (Ok(()), Ok(())));
    assert!(matches!(begin(), Err(Refusal::Limit { restarts: 2, .. })));
    // And is written as soon as it can be.
    std::fs::remove_file(&state).unwrap();
    seen(&ledger, vec![], Inside::NotAsked, now());
    assert_eq!(Ledger::new(&state, "/run/charon.vici").restarts(&net(), now()).len(), 2);
}

#[test]
fn a_silent_child_sa_is_known_until_something_comes_through_it() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(dir.path(), "/run/charon.vici");
    let aged = |id: u32, installed: u64, heard: Option<u64>| {
        let mut child = child("net", id);
        child.installed = Some(Duration::from_secs(installed));
        child.inbound.idle = heard.map(Duration::from_secs);
        vec![ike("gw", 1, vec![child, crate::ipsec::fake::child("voice", 8)])]
    };
    seen(&ledger, aged(7, 60, Some(50)), SILENT, now());
    let stale = |installed, seconds| ledger.stale(&view(installed), after(seconds));
    for (what, installed, seconds, expected) in [
        ("as it was", aged(7, 60, Some(50)), 0, true),
        ("half an hour later", aged(7, 1860, Some(1850)), 1800, true),
        ("nothing ever came", aged(7, 1860, None), 1800, true),
        ("something came since", aged(7, 1860, Some(60)), 1800, false),
        ("another of this number, after the daemon's restart", aged(7, 30, None), 1800, false),
        ("its successor", aged(9, 1860, Some(1850)), 1800, false),
        ("an hour later", aged(7, 3660, Some(3650)), 3600, false),
        ("after the clock was set back", aged(7, 60, Some(50)), -3600, false),
    ] {
        assert_eq!(stale(installed, seconds).contains(&7), expected, "{what}");
    }
    assert!(!stale(aged(7, 60, Some(50)), 0).contains(&8), "nobody asked through the other");
    let other_connection = vec![ike("gw2", 2, vec![child("net", 7)])];
    assert!(stale(other_connection, 0).is_empty());
    seen(&ledger, aged(7, 70, Some(60)), Inside::Reached, after(10));
    assert!(stale(aged(7, 70, Some(60)), 10).is_empty(), "it has answered");
}

#[test]
fn many_tunnels_are_taken_in_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(dir.path(), "/run/charon.vici");
    let view = view(up());
    let targets = ["net", "voice", "unknown"].map(target);
    let assessments = targets.each_ref().map(|target| assess(&view, target));
    let look = |at: usize| Seen { target: &targets[at], assessment: &assessments[at], inside: Inside::NotAsked };
    let histories = ledger.observe_all(&view, &[look(0), look(1), look(2)], now());
    let ill: Vec<_> = histories.iter().map(|history| history.ill_since).collect();
    assert_eq!(ill, [None, Some(now()), None]);
}
