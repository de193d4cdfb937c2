//! Limits: what the prober does when the host does not give it what it needs.

use std::fs;

use nix::sys::signal::Signal;

use crate::house::{House, Prober, alone};

/// One site, probed each second.
fn each_second() -> House {
    let house = House::with_sites("  fine: { client: good }");
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", &config.replace("frequency: 1h", "frequency: 1s"));
    house
}

/// Verdict and reason of the next cycle.
async fn cycle(prober: &mut Prober) -> (String, Option<String>) {
    loop {
        let line = prober.says("cycle").await;
        if let Some(verdict) = line["verdict"].as_str() {
            return (verdict.to_owned(), line["reason"].as_str().map(str::to_owned));
        }
    }
}

/// Puts a file where a directory is, so that nobody can write there, not even root.
fn break_off(house: &House, name: &str) {
    fs::rename(house.path(name), house.path(&format!("{name}-away"))).unwrap();
    house.write(name, "");
}

fn give_back(house: &House, name: &str) {
    fs::remove_file(house.path(name)).unwrap();
    fs::rename(house.path(&format!("{name}-away")), house.path(name)).unwrap();
}

#[tokio::test]
async fn results_that_are_deleted_while_it_runs_are_begun_anew_and_that_is_said() {
    let _alone = alone().await;
    let house = each_second();
    let mut prober = house.start();
    cycle(&mut prober).await;
    cycle(&mut prober).await;
    // First out of its way: it may write a row meanwhile.
    fs::rename(house.path("results"), house.path("gone")).unwrap();
    fs::remove_dir_all(house.path("gone")).unwrap();
    let said = prober.says("the day file was gone and is begun anew").await;
    assert!(said["file"].as_str().unwrap().contains("results_"), "{said}");
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    assert!(!house.rows().is_empty(), "under a header");
}

#[tokio::test]
async fn rows_that_can_not_be_written_until_it_is_stopped_are_written_by_the_next_start() {
    let _alone = alone().await;
    let house = each_second();
    let mut prober = house.start();
    cycle(&mut prober).await;
    cycle(&mut prober).await;
    break_off(&house, "results");
    prober.says("cannot write rows: they are kept and written later").await;
    cycle(&mut prober).await;
    cycle(&mut prober).await;
    prober.signal(Signal::SIGTERM);
    let said = prober.says("the next start goes on with them").await;
    assert!(said["file"].as_str().unwrap().ends_with("state/unwritten-rows.csv"), "{said}");
    assert_eq!(prober.ends().await, Some(0), "nothing is lost");

    give_back(&house, "results");
    let before = house.rows().len();
    let mut prober = house.start();
    prober.says("rows of an earlier time are not written yet").await;
    cycle(&mut prober).await;
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let rows = house.rows();
    let mut ids: Vec<_> = rows.iter().map(|row| row["cycle_id"].to_string()).collect();
    assert!(ids.is_sorted() && rows.len() >= before + 3, "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "none twice");
    assert!(!house.path("state/unwritten-rows.csv").exists());
}

#[tokio::test]
async fn where_nothing_at_all_can_be_written_the_loss_of_rows_is_said() {
    let _alone = alone().await;
    let house = each_second();
    let mut prober = house.start();
    cycle(&mut prober).await;
    break_off(&house, "results");
    break_off(&house, "state");
    // Without a journal no client is started, and the row of that can't be written either.
    let (mut verdict, mut reason) = (String::new(), None);
    while reason.is_none() {
        (verdict, reason) = cycle(&mut prober).await;
    }
    assert_eq!((verdict.as_str(), reason.as_deref()), ("unknown", Some("prepare-failed")));
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(1));
}

#[tokio::test]
async fn a_state_directory_that_can_not_be_used_is_said_before_the_first_login() {
    let _alone = alone().await;
    let house = House::with_sites("  fine: { client: good }");
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    // A missing parent is made.
    house.write("config.yml", &config.replace("state_dir: state", "state_dir: a/b/state"));
    assert_eq!(house.run(&["test", "--record"]).await.status, Some(0));
    assert!(house.path("a/b/state/alerts.json").exists());
    house.write("file", "");
    for (dir, what) in [("file", "file`"), ("file/state", "file/state`"), ("/proc/state", "/proc/state`")] {
        house.write("config.yml", &config.replace("state_dir: state", &format!("state_dir: {dir}")));
        for arguments in [vec!["run"], vec!["test", "--record"]] {
            let said = house.run(&arguments).await;
            assert_eq!(said.status, Some(1), "{dir}: {}", said.stderr);
            assert!(
                said.stderr.contains("cannot use the state directory") && said.stderr.contains(what),
                "{}",
                said.stderr
            );
        }
    }
}

#[tokio::test]
async fn a_second_run_with_another_configuration_but_the_same_state_is_refused() {
    let _alone = alone().await;
    let house = each_second();
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("other.yml", &config.replace("  fine:", "  other:"));
    let mut prober = house.start();
    cycle(&mut prober).await;
    let second = house.run(&["run", "-c", "other.yml"]).await;
    assert_eq!(second.status, Some(1));
    assert!(second.stderr.contains("another `vpnprobe run` owns the state directory"), "{}", second.stderr);
    assert!(second.stderr.contains("`state_dir` of its own"), "{}", second.stderr);
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
}
