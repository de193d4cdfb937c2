//! Limits: what the prober does when the host does not give it what it needs.

use std::fs;

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::signal::Signal;

use serde_json::Value;

use crate::config_size::{checked, many_sites};
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
        let line = prober.says_cycle().await;
        if let Some(verdict) = line["verdict"].as_str() {
            return (verdict.to_owned(), line["reason"].as_str().map(str::to_owned));
        }
    }
}

/// Puts a file where a directory is, so that nobody can write there, not even root.
fn break_off(house: &House, name: &str) {
    house.write(&format!("{name}-away"), "");
    exchange(house, name);
}

fn give_back(house: &House, name: &str) {
    exchange(house, name);
    fs::remove_file(house.path(&format!("{name}-away"))).unwrap();
}

/// In one step: a prober that finds no directory makes one.
fn exchange(house: &House, name: &str) {
    let (here, away) = (house.path(name), house.path(&format!("{name}-away")));
    renameat2(AT_FDCWD, &here, AT_FDCWD, &away, RenameFlags::RENAME_EXCHANGE).unwrap();
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

#[tokio::test]
async fn without_file_descriptors_no_site_is_down_no_row_is_lost_and_it_recovers() {
    let _alone = alone().await;
    let house = each_second();
    let mut prober = house.start();
    assert_eq!(cycle(&mut prober).await.0, "up");
    let (mut cycles, mut reasons) = (1, Vec::new());
    // At each limit something else can't be opened: the journal, the day file, the terminal.
    for more in [0, 1, 2, 3, 4, 6, 8, 10] {
        prober.may_open_more(more);
        let (verdict, reason) = cycle(&mut prober).await;
        assert_ne!(verdict, "down");
        reasons.extend(reason);
        cycles += 1;
    }
    prober.may_open(1024);
    let mut verdict = String::new();
    while verdict != "up" {
        verdict = cycle(&mut prober).await.0;
        cycles += 1;
    }
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let rows = house.rows();
    // One more may have begun meanwhile.
    assert!(rows.len() == cycles || rows.len() == cycles + 1, "{} rows, {cycles} cycles", rows.len());
    assert!(rows.iter().all(|row| row["verdict"] != "down"));
    for expected in ["prepare-failed", "no-pty"] {
        assert!(reasons.iter().any(|reason| reason == expected), "control: {reasons:?}");
    }
}

#[tokio::test]
async fn a_thousand_sites_are_checked_started_and_probed_one_after_the_other() {
    let _alone = alone().await;
    let house = House::with_sites(&many_sites(1000));
    let (one, output) = checked(&house, "config.yml");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    house.configure(&many_sites(4000));
    let (four, output) = checked(&house, "config.yml");
    assert!(String::from_utf8_lossy(&output.stdout).contains("no faults, 4000 sites"));
    // In proportion it would be 4, each with each 16.
    assert!(four < one.max(0.1) * 10.0, "1,000 sites take {one} s, 4,000 take {four} s");

    house.configure(&many_sites(1000));
    let mut prober = house.start();
    for n in 0..4 {
        let line = prober.says_cycle().await;
        assert_eq!(line["site"], format!("site-{n}"));
    }
    let resident = prober.resident_kib();
    assert!(resident < 100 * 1024, "{resident} KiB");
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let rows = house.rows();
    assert!((4..20).contains(&rows.len()), "it stops at once: {}", rows.len());
}

/// Names that a careless program would take for a path, a cell's end, a formula, a header or an option.
const AWKWARD: [&str; 8] =
    ["../../x", "a,b", "a\"b'c", "=cmd()|x", "-rf", "$(touch owned)`touch owned`", "ü€ <b>&amp;", "%s{password}\\n"];

#[tokio::test]
async fn an_awkward_name_of_a_site_is_harmless_wherever_it_stands() {
    let _alone = alone().await;
    let sites = AWKWARD.map(|name| format!("  {}: {{ client: refusing, alerts: {{ after: 1 }} }}", Value::from(name)));
    let house = House::with_sites(&sites.join("\n"));
    let said = house.run(&["test", "--record", "--json", "--force"]).await;
    assert_eq!(said.status, Some(1), "{}", said.stderr);
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = |of: &[Value]| of.iter().map(|row| row["site"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&lines), AWKWARD);
    let rows = house.rows();
    let in_csv = names(&rows);
    for (cell, name) in in_csv.iter().zip(AWKWARD) {
        assert_eq!(cell.trim_start_matches('\''), name.trim_start_matches('\''));
        assert!(!cell.starts_with(['=', '-', '+', '@']), "a spreadsheet takes `{cell}` for a formula");
    }
    let mut here: Vec<_> =
        fs::read_dir(house.path(".")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    here.retain(|name| !["config.yml", "resolv.conf", "results", "state", "told"].contains(&name.as_str()));
    assert!(here.iter().all(|name| ["good", "refusing", "stubborn", "missing"].contains(&name.as_str())), "{here:?}");
    let state: Value = serde_json::from_slice(&fs::read(house.path("state/alerts.json")).unwrap()).unwrap();
    for name in AWKWARD {
        assert!(state["subjects"].as_object().unwrap().contains_key(name), "{name}: {state}");
    }
    for name in ["../../x", "-rf"] {
        let one = house.run(&["test", "--force", "--", name]).await;
        assert_eq!(one.status, Some(1), "{name}: {}", one.stderr);
        assert!(one.stdout.starts_with(name), "{}", one.stdout);
    }
}

/// libfaketime (Debian: faketime): the program's wall clock is as far off as a file says; steady time is left alone.
pub(crate) fn faketime() -> String {
    let places = fs::read_dir("/usr/lib").unwrap().map(|place| place.unwrap().path().join("faketime/libfaketime.so.1"));
    let library = places.into_iter().find(|place| place.exists()).expect("needs faketime: run scripts/install test");
    library.display().to_string()
}

#[tokio::test]
async fn a_clock_that_is_set_back_and_forth_by_a_day_stalls_nothing_and_makes_no_burst() {
    let _alone = alone().await;
    let house = each_second();
    let sets_clock = |off: &str| {
        house.write("clock.new", off);
        fs::rename(house.path("clock.new"), house.path("clock")).unwrap();
    };
    sets_clock("+0");
    let began = tokio::time::Instant::now();
    let clock = house.path("clock").display().to_string();
    let mut prober = house.start_with(&[
        ("LD_PRELOAD", &faketime()),
        ("FAKETIME_TIMESTAMP_FILE", &clock),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]);
    let mut cycles = 0;
    for off in ["+0", "-1d", "+0", "+1d", "-1d"] {
        sets_clock(off);
        for _ in 0..2 {
            assert_eq!(cycle(&mut prober).await.0, "up");
            cycles += 1;
        }
    }
    let took = began.elapsed().as_secs_f64();
    assert!((f64::from(cycles) - 2.0..f64::from(cycles) + 10.0).contains(&took), "{cycles} cycles in {took} s");
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let rows = house.rows();
    let mut ids: Vec<_> = rows.iter().map(|row| row["cycle_id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "no id twice");
    let files = fs::read_dir(house.path("results")).unwrap().count();
    // A fourth one if midnight passes meanwhile.
    assert!((3..=4).contains(&files), "yesterday, today, tomorrow: a row lies in the file of its own day");
    for row in &rows {
        let (time, id) = (row["time"].as_str().unwrap(), row["cycle_id"].as_str().unwrap());
        assert_eq!(time[..10].replace('-', ""), id[..8]);
    }
}
