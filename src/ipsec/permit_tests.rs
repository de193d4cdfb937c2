use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T06:00:00Z".parse().unwrap()
}

fn tunnel(ike: &str, child: &str) -> ChildRef {
    ChildRef { ike: Some(ike.into()), child: child.into() }
}

#[test]
fn one_connection_is_restarted_by_one_instance_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let policy = RestartPolicy::default();
    let (ours, theirs) = (Ledger::new(dir.path(), "/run/a.vici"), Ledger::new(dir.path(), "/run/a.vici"));
    let permit = ours.begin(&tunnel("gw", "net"), &policy, now()).unwrap();
    let held = Refusal::AnotherInstance { pid: Some(std::process::id()) };
    // Its neighbour may share the IKE_SA.
    for child in ["net", "voice"] {
        assert_eq!(theirs.begin(&tunnel("gw", child), &policy, now()).map(drop), Err(held.clone()));
    }
    assert!(theirs.begin(&tunnel("gw2", "net"), &policy, now()).is_ok());
    assert!(Ledger::new(dir.path(), "/run/b.vici").begin(&tunnel("gw", "net"), &policy, now()).is_ok());
    drop(permit);
    assert!(theirs.begin(&tunnel("gw", "net"), &policy, now()).is_ok());
}

#[test]
fn what_another_instance_has_done_meanwhile_counts() {
    let dir = tempfile::tempdir().unwrap();
    let policy = RestartPolicy { max_per_hour: 1, ..RestartPolicy::default() };
    let (ours, theirs) = (Ledger::new(dir.path(), "/run/a.vici"), Ledger::new(dir.path(), "/run/a.vici"));
    drop(theirs.begin(&tunnel("gw", "net"), &policy, now()).unwrap());
    let refused = ours.begin(&tunnel("gw", "net"), &policy, now()).map(drop);
    assert!(matches!(refused, Err(Refusal::Limit { restarts: 1, .. })), "{refused:?}");
}

#[test]
fn a_restart_counts_from_its_beginning_until_it_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, policy) = (Ledger::new(dir.path(), "/run/a.vici"), RestartPolicy::default());
    let count = || ledger.restarts(&tunnel("gw", "net"), now()).len();
    drop(ledger.begin(&tunnel("gw", "net"), &policy, now()).unwrap());
    let permit = ledger.begin(&tunnel("gw", "net"), &policy, now()).unwrap();
    assert_eq!(count(), 2);
    permit.withdraw(now());
    assert_eq!(count(), 1);
}

#[test]
fn any_name_of_a_connection_makes_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, policy) = (Ledger::new(dir.path(), "/run/a.vici"), RestartPolicy::default());
    let long = "x".repeat(5000);
    let names = ["../../etc/passwd", "a b", "a/b", "ab", "", "\u{0}", "ü", &long];
    let permits = names.map(|name| ledger.begin(&tunnel(name, "net"), &policy, now()).unwrap());
    assert_eq!(std::fs::read_dir(dir.path().join("ipsec-locks")).unwrap().count(), permits.len());
}
