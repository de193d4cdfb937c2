//! Limits: what the prober does when the host does not give it what it needs.

use std::fs;

use nix::sys::signal::Signal;

use serde_json::Value;

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

/// So many sites, as somebody's script would write them.
fn many_sites(count: usize) -> String {
    let site = |n: usize| {
        let (high, low) = (n / 250, n % 250 + 1);
        format!(
            "  site-{n}: {{ client: missing, external_required: false, group: g{low}, internal_ip: 10.0.{high}.{low} }}\n"
        )
    };
    (0..count).map(site).collect()
}

/// `check-config` in this house with at most 1 GB of memory: its CPU time in seconds, and what it said.
fn checked(house: &House, file: &str) -> (f64, std::process::Output) {
    let script = "ulimit -v 1000000; \"$0\" check-config -c \"$1\"; code=$?; read -r line </proc/$$/stat; echo \"$line\"; exit $code";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_vpnprobe"), file])
        .current_dir(house.path("."))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    // Fields 16 and 17: what the children took, in hundredths of a second (proc(5)).
    let fields = stdout.lines().last().and_then(|line| line.rsplit_once(") ")).unwrap().1.split(' ');
    let ticks: Vec<f64> = fields.skip(13).take(2).map(|field| field.parse().unwrap()).collect();
    (ticks.iter().sum::<f64>() / 100.0, output)
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

#[test]
fn a_huge_configuration_is_read_or_refused_with_the_limit_and_never_exhausts_the_host() {
    let house = House::with_sites("  fine: { client: good }");
    let good = fs::read_to_string(house.path("config.yml")).unwrap();
    let line = |n: u32| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    let bomb = (1..12).map(line).collect::<Vec<_>>().concat();
    let line = |n: u32| format!("m{n}: &m{n} {{ <<: [*m{0}, *m{0}, *m{0}], k{n}: 1 }}\n", n - 1);
    let merges = (1..40).map(line).collect::<Vec<_>>().concat();
    for (case, file, text, fault) in [
        ("10 MB of comments", "a.yml", good.clone() + &format!("# {}\n", "x".repeat(98)).repeat(100_000), None),
        (
            "a name of 10 MB",
            "b.yml",
            good.replace("prober: here", &format!("prober: {}", "x".repeat(10_000_000))),
            None,
        ),
        (
            "10 MB of what is no key",
            "c.yml",
            good.clone() + &"unknown: &x [1, 2]\n".repeat(2) + &"x".repeat(10_000_000),
            Some("not valid YAML"),
        ),
        ("an alias bomb", "d.yml", format!("a0: &a0 [x, x, x, x]\n{bomb}"), Some("by aliases")),
        ("a bomb of merges", "e.yml", format!("m0: &m0 {{ a: 1 }}\n{merges}"), Some("by aliases")),
        ("brackets without end", "f.yml", "[".repeat(5_000_000), Some("20 levels")),
        ("blocks in blocks", "g.yml", (0..4000).map(|n| " ".repeat(n) + "a:\n").collect(), Some("20 levels")),
        ("dashes without end", "h.yml", "- ".repeat(5_000_000), Some("20 levels")),
        ("deep JSON", "i.json", "{\"a\":".repeat(1_000_000) + "1" + &"}".repeat(1_000_000), Some("20 levels")),
        ("larger than any file", "j.yml", "#\n".repeat(33 << 20), Some("is larger than 64 MiB")),
    ] {
        house.write(file, &text);
        let (took, output) = checked(&house, file);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(if fault.is_some() { 2 } else { 0 }), "{case}: {stderr:.300}");
        assert!(stderr.contains(fault.unwrap_or_default()), "{case}: {stderr:.300}");
        // A build for debugging, on a slow machine.
        assert!(took < 60.0, "{case}: {took} s");
    }
}

#[test]
fn a_configuration_that_is_no_file_is_said_at_once() {
    let house = House::empty();
    nix::unistd::mkfifo(&house.path("pipe.yml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(house.path("dir.yml")).unwrap();
    for (file, words) in [("pipe.yml", "is not a file"), ("dir.yml", "is a directory"), ("/dev/zero", "is not a file")]
    {
        let (_, output) = checked(&house, file);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "{file}: {output:?}");
    }
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
fn faketime() -> String {
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
