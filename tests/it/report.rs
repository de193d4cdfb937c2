//! `vpnprobe report` as a user meets it: periods, faults, odd data, and `--verify`.

use std::fs;

use chrono::{Days, NaiveDate};
use serde_json::Value;
use vpnprobe::clock::{Clock, SystemClock};

use crate::house::{House, Said};

const HEADER: &str =
    "time,site,kind,verdict,failed_stage,reason,fault_domain,login_ms,interval_s,maintenance,group,prober,cycle_id";

/// What a cycle found, as cells from `verdict` to `login_ms`.
const UP: &str = "up,,,,35.250";
const DOWN: &str = "down,login,login-timeout,gateway,";
const REFUSED: &str = "down,login,auth-rejected,identity,";
const UNKNOWN: &str = "unknown,prepare,client-busy,own,";

/// A row of an hourly cycle.
fn row(date: NaiveDate, hour: u32, site: &str, group: &str, found: &str) -> String {
    format!("{date}T{hour:02}:00:00.000+00:00,{site},ssl-vpn,{found},3600,,{group},edge-1,{date}-{hour:02}-{site}\n")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Writes the day file of a date with these rows.
fn write_day(house: &House, date: NaiveDate, rows: &str) {
    fs::create_dir_all(house.path("results")).unwrap();
    house.write(&format!("results/results_{date}.csv"), &format!("{HEADER}\n{rows}"));
}

/// A house with a row an hour for `paris` and `oslo` (of group `emea`) and `lima`, from September to November 2025. On the
/// fifth of each month `oslo` is down from 08:00 to 10:00; on the seventh nothing is known of `lima`, and `paris` is refused once.
pub(crate) fn house_of_a_quarter(config: &str) -> House {
    let house = House::empty();
    house.write("config.yml", config);
    for date in day("2025-09-01").iter_days().take_while(|date| *date < day("2025-12-01")) {
        let number = date.to_string()[8..].to_owned();
        let rows = (0..24).flat_map(|hour| {
            let oslo = if number == "05" && (8..10).contains(&hour) { DOWN } else { UP };
            let lima = if number == "07" { UNKNOWN } else { UP };
            let paris = if number == "07" && hour == 12 { REFUSED } else { UP };
            [
                row(date, hour, "paris", "emea", paris),
                row(date, hour, "oslo", "emea", oslo),
                row(date, hour, "lima", "", lima),
            ]
        });
        write_day(&house, date, &rows.collect::<String>());
    }
    house
}

async fn report(house: &House, arguments: &str) -> Said {
    house.run(&["report"].into_iter().chain(arguments.split_whitespace()).collect::<Vec<_>>()).await
}

async fn as_json(house: &House, arguments: &str) -> Value {
    let said = report(house, &format!("{arguments} --format json")).await;
    assert_eq!((said.status, said.stderr.as_str()), (Some(0), ""), "{arguments}");
    serde_json::from_str(&said.stdout).unwrap()
}

#[tokio::test]
async fn the_usual_period_is_the_last_thirty_whole_days_and_needs_no_configuration() {
    let house = House::empty();
    house.write("config.yml", "timezone: UTC\n");
    fs::create_dir(house.path("results")).unwrap();
    let today = || SystemClock.now().date_naive();
    let (early, made, late) = (today(), report(&house, "--format json").await, today());
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let days = |today: NaiveDate| [today - Days::new(30), today - Days::new(1)].map(|day| day.to_string());
    let said = [&made["period"]["from"], &made["period"]["to"]].map(|day| day.as_str().unwrap().to_owned());
    assert!([days(early), days(late)].contains(&said), "{said:?}");
    assert_eq!(made["period"]["zone"], "UTC");
}

#[tokio::test]
async fn a_month_is_that_of_the_configured_zone_with_the_hour_that_the_clock_shows_twice() {
    let house = house_of_a_quarter("timezone: Europe/Paris\n");
    let october = as_json(&house, "--month 2025-10").await;
    assert_eq!(october["period"]["start"], "2025-10-01T00:00:00.000+02:00");
    assert_eq!(october["period"]["end"], "2025-11-01T00:00:00.000+01:00");
    let paris = october["sites"].as_array().unwrap().iter().find(|site| site["site"] == "paris").unwrap();
    assert_eq!(paris["agreed_s"], 31.0 * 86_400.0 + 3600.0);
    assert_eq!(paris["before"]["from"], "2025-09-01");
    let days = as_json(&house, "--from 2025-10-01 --to 2025-10-31").await;
    assert_eq!(days["sites"], october["sites"]);
}

#[tokio::test]
async fn the_days_of_a_month_add_up_to_the_month() {
    let house = house_of_a_quarter("timezone: Europe/Paris\nsla: { hours: Mon-Fri 07:00-19:00 }\n");
    let month = as_json(&house, "--month 2025-10").await;
    for figure in ["agreed_s", "up_s", "downtime_s", "unknown_s"] {
        let mut sum = 0.0;
        for week in ["01 07", "08 14", "15 26", "27 31"] {
            let (from, to) = week.split_once(' ').unwrap();
            let part = as_json(&house, &format!("--from 2025-10-{from} --to 2025-10-{to}")).await;
            sum += part["total"][figure].as_f64().unwrap();
        }
        assert_eq!(month["total"][figure].as_f64(), Some(sum), "{figure}");
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused_with_what_would() {
    let house = House::empty();
    house.write("config.yml", "timezone: UTC\n");
    for (arguments, expected) in [
        (
            "--from 2025-10-05 --to 2025-10-01",
            "vpnprobe: the last day, 2025-10-01, lies before the first, 2025-10-05\n",
        ),
        ("--from 2025-02-30 --to 2025-03-01", "'2025-02-30' for '--from <DATE>': is not a date such as 2026-11-01\n"),
        ("--from yesterday --to 2025-03-01", "'yesterday' for '--from <DATE>': is not a date such as 2026-11-01\n"),
        ("--from 2025-10-05", "required arguments were not provided:\n  --to <DATE>\n"),
        ("--to 2025-10-05", "required arguments were not provided:\n  --from <DATE>\n"),
        ("--from 2000-01-01 --to 2025-01-01", "vpnprobe: 2000-01-01 to 2025-01-01 is more than 7305 days\n"),
        ("--last 0d", "'0d' for '--last <DAYS>': is not a number of days such as 30d\n"),
        ("--last 2w", "'2w' for '--last <DAYS>': is not a number of days such as 30d\n"),
        ("--month 2025-13", "'2025-13' for '--month <YYYY-MM>': is not a month such as 2026-10\n"),
        ("--month 2025-10 --last 3d", "'--month <YYYY-MM>' cannot be used with '--last <DAYS>'"),
        ("--format pdf", "[possible values: table, csv, json,"),
        ("--verify r.json --month 2025-10", "'--verify <REPORT.json>' cannot be used with '--month <YYYY-MM>'"),
        (
            "--dir nowhere",
            "cannot list the day files in `nowhere`: No such file or directory (os error 2)\n  hint: `run` and",
        ),
        ("--dir config.yml", "cannot list the day files in `config.yml`: Not a directory"),
        // Said before the files are looked for.
        ("--dir nowhere -o no/such/report.json", "cannot write `no/such/report.json`: No such file or directory"),
    ] {
        let said = report(&house, arguments).await;
        assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(said.stderr.contains(expected), "{arguments}: {}", said.stderr);
    }
    let said = report(&house, "--dir nowhere -o report.json").await;
    assert_eq!((said.status, house.path("report.json").exists()), (Some(2), false));
    house.write("report.json", "an old one");
    assert_eq!(report(&house, "--dir nowhere -o report.json").await.status, Some(2));
    assert_eq!(fs::read_to_string(house.path("report.json")).unwrap(), "an old one");
}

#[tokio::test]
async fn without_a_configuration_it_asks_for_the_directory_and_takes_it() {
    if std::path::Path::new("/etc/vpnprobe/config.yml").exists() {
        return;
    }
    let house = house_of_a_quarter("");
    fs::remove_file(house.path("config.yml")).unwrap();
    let said = report(&house, "--month 2025-10").await;
    assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("hint: name the directory of the day files with --dir DIR"), "{}", said.stderr);
    let october = as_json(&house, "--month 2025-10 --dir results").await;
    assert_eq!((october["total"]["outage_count"].clone(), october["period"]["zone"].clone()), (2.into(), "UTC".into()));
}

#[tokio::test]
async fn a_site_that_no_row_names_and_an_empty_directory_are_said_and_the_report_is_empty() {
    let house = house_of_a_quarter("timezone: UTC\n");
    let said = report(&house, "--month 2025-10 --site oslo --site olso --group emae").await;
    assert_eq!(said.status, Some(0));
    assert_eq!(
        said.stderr,
        "vpnprobe: the report has no row of site `oslo`\nvpnprobe: the report has no row of site `olso`\nvpnprobe: the report has no row of group `emae`\n"
    );
    assert!(said.stdout.contains("there are no rows of this period"), "{}", said.stdout);

    let said = report(&house, "--month 2024-02").await;
    assert_eq!(said.status, Some(0));
    let dir = house.path("results");
    let expected = format!("vpnprobe: no day file results_<date>.csv of this period is in `{}`\n", dir.display());
    assert_eq!(said.stderr, expected);
    assert!(said.stdout.contains("availability  —") && !said.stdout.contains("100.0000"), "{}", said.stdout);
    let empty: Value = serde_json::from_str(&report(&house, "--month 2024-02 --format json").await.stdout).unwrap();
    assert_eq!((&empty["total"]["availability"]["default"], &empty["sites"]), (&Value::Null, &Value::Array(vec![])));
}

#[tokio::test]
async fn a_report_into_a_file_is_the_one_that_would_be_printed() {
    let house = house_of_a_quarter("timezone: UTC\n");
    for format in ["csv", "md"] {
        let printed = report(&house, &format!("--month 2025-10 --format {format}")).await.stdout;
        let said = report(&house, &format!("--month 2025-10 --format {format} -o out")).await;
        assert_eq!((said.status, said.stdout.as_str(), said.stderr.as_str()), (Some(0), "", ""));
        let shape = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("vpnprobe 0."));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(shape(&fs::read_to_string(house.path("out")).unwrap()), shape(&printed));
        assert!(printed.contains("oslo"), "{printed}");
    }
}

#[tokio::test]
async fn rows_that_can_not_be_read_are_counted_and_named() {
    let house = house_of_a_quarter("timezone: UTC\n");
    let date = day("2025-10-20");
    let good = row(date, 0, "paris", "", UP);
    let twice = row(date, 1, "paris", "", UP);
    let rows = format!("{good}2025-10-20T05,half\n{twice}{twice}{}", row(date, 2, "paris", "", "sideways,,,,"));
    write_day(&house, date, &rows);
    let said = report(&house, "--from 2025-10-20 --to 2025-10-20").await;
    assert_eq!(said.status, Some(0));
    for expected in [
        "2 rows could not be read and count nowhere:\n",
        "\n  results_2025-10-20.csv line 3: ",
        "\n  results_2025-10-20.csv line 6: `verdict` can't be `sideways`\n",
        "\n1 row stood there twice and counted once\n",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    write_day(&house, date, &good.repeat(3));
    let said = report(&house, "--from 2025-10-20 --to 2025-10-20").await;
    assert!(said.stdout.contains("\n2 rows stood there twice and counted once\n"), "{}", said.stdout);
    house.write("results/results_2025-10-20.csv", "name,age\nBob,7\n");
    let said = report(&house, "--from 2025-10-20 --to 2025-10-20").await;
    assert!(said.stdout.contains("line 1: not one row was read: its header lacks `time`"), "{}", said.stdout);
}

#[tokio::test]
async fn rows_of_the_period_before_that_can_not_be_read_are_named_too_and_none_twice() {
    let house = house_of_a_quarter("timezone: UTC\n");
    // The last day of September is read for both periods.
    house.write("results/results_2025-09-30.csv", "name,age\nBob,7\n");
    write_day(&house, day("2025-09-10"), "half a row\n");
    write_day(&house, day("2025-10-10"), "half a row\n");
    let made = as_json(&house, "--month 2025-10").await;
    let lines = made["problems"]["lines"].as_array().unwrap();
    let files: Vec<_> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["results_2025-09-10.csv", "results_2025-09-30.csv", "results_2025-10-10.csv"]);
    assert_eq!(made["problems"]["unreadable"], 3);
}

#[tokio::test]
async fn no_row_moves_the_cursor_of_the_terminal() {
    let house = House::empty();
    house.write("config.yml", "timezone: UTC\n");
    let date = day("2025-10-20");
    let rows: String = ["\u{1b}[2J", "\u{9b}31m", "\u{202e}sirap", "\u{7f}"]
        .iter()
        .enumerate()
        .map(|(number, evil)| {
            let hour = u32::try_from(number).unwrap() * 4;
            let failed = format!("down,login{evil},login-timeout{evil},gateway{evil},");
            [
                row(date, hour, &format!("paris{evil}"), "", UP),
                row(date, hour + 1, "oslo", &format!("emea{evil}"), UP),
                row(date, hour + 2, "oslo", "", &failed),
                row(date, hour + 3, "lima", "", UP).replace("edge-1", evil),
            ]
            .concat()
        })
        .collect();
    write_day(&house, date, &(rows + &row(date, 23, "quito", "", UP)));
    for format in ["table", "md", "csv", "json"] {
        let said = report(&house, &format!("--from 2025-10-20 --to 2025-10-20 --format {format}")).await;
        assert_eq!(said.status, Some(0));
        let unseen = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.stdout.contains(unseen) && !said.stderr.contains(unseen), "{format}: {said:?}");
        assert!(said.stdout.contains("quito"), "{format}: {}", said.stdout);
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_error() {
    let house = house_of_a_quarter("timezone: UTC\n");
    let mut process = house.command(["report", "--month", "2025-10", "--format", "json"]).spawn().unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_note_says_that_a_deleted_window_counts() {
    let house = House::empty();
    house.write("config.yml", "timezone: UTC\n");
    let date = day("2025-10-20");
    let rows = row(date, 0, "paris", "", UP) + &row(date, 1, "paris", "", DOWN).replace(",3600,,", ",3600,switch,");
    write_day(&house, date, &rows);
    let days = "--from 2025-10-20 --to 2025-10-20";
    let counted = as_json(&house, days).await;
    assert_eq!(counted["total"]["downtime_s"], 7200.0);
    assert_eq!(
        counted["notes"][0],
        "rows name the maintenance window `switch`, which no rule leaves out: its time counts"
    );

    house.write(
        "config.yml",
        "timezone: UTC\nmaintenance: [{ name: switch, sites: all, start: 2025-10-20T01:00, end: 2025-10-20T02:00 }]\n",
    );
    let left_out = as_json(&house, days).await;
    assert_eq!((&left_out["total"]["downtime_s"], &left_out["notes"]), (&3600.0.into(), &Value::Array(vec![])));
    assert_eq!(left_out["excluded"][0]["name"], "switch");
}

/// A report of October, and where it lies.
async fn october(house: &House) {
    let said = report(house, "--month 2025-10 --format json -o october.json").await;
    assert_eq!(said.status, Some(0), "{}", said.stderr);
}

#[tokio::test]
async fn a_right_report_is_confirmed_by_whoever_has_the_files() {
    let policy = "timezone: Europe/Paris\nsla: { target: 99.95, hours: Mon-Fri 07:00-19:00, holidays_file: h.txt, credentials: excluded }\nmaintenance: [{ sites: all, weekly: Sun 02:00, duration: 2h }]\n";
    let house = house_of_a_quarter("");
    house.write("h.txt", "2025-10-03\n2025-09-26\n");
    house.write("config.yml", policy);
    october(&house).await;
    let confirmed = report(&house, "--verify october.json").await;
    assert_eq!(confirmed.status, Some(0), "{confirmed:?}");
    assert!(
        confirmed.stdout.starts_with("october.json: every figure is the same, recomputed from "),
        "{}",
        confirmed.stdout
    );

    // The auditor's own configuration, or none, decides nothing.
    house.write("config.yml", "timezone: Asia/Tokyo\nsla: { target: 50 }\n");
    assert_eq!(report(&house, "--verify october.json").await.status, Some(0));
    fs::remove_file(house.path("config.yml")).unwrap();
    let from_dir = report(&house, "--verify october.json --dir results").await;
    assert_eq!(from_dir.status, Some(0), "{from_dir:?}");
    fs::copy(house.path("october.json"), house.path("results/october.json")).unwrap();
    if !std::path::Path::new("/etc/vpnprobe/config.yml").exists() {
        let beside = report(&house, "--verify results/october.json").await;
        assert_eq!(beside.status, Some(0), "{beside:?}");
    }
}

#[tokio::test]
async fn holidays_of_the_night_before_the_period_are_in_the_report() {
    let house = house_of_a_quarter("timezone: UTC\nsla: { hours: Mon-Sun 22:00-12:00, holidays_file: h.txt }\n");
    // Its night reaches into the day before the period, on which `oslo` was down.
    house.write("h.txt", "2025-10-04\n");
    let made = report(&house, "--from 2025-10-06 --to 2025-10-06 --format json -o r.json").await;
    assert_eq!(made.status, Some(0), "{}", made.stderr);
    let verified = report(&house, "--verify r.json").await;
    assert_eq!(verified.status, Some(0), "{}", verified.stdout);
}

#[tokio::test]
async fn a_changed_row_is_found_by_its_file_and_by_the_figure_that_it_touches() {
    let house = house_of_a_quarter("timezone: UTC\n");
    october(&house).await;
    let path = house.path("results/results_2025-10-05.csv");
    let rows = fs::read_to_string(&path).unwrap();
    fs::write(&path, rows.replacen(&format!("oslo,ssl-vpn,{DOWN}"), &format!("oslo,ssl-vpn,{UP}"), 1)).unwrap();
    let said = report(&house, "--verify october.json").await;
    assert_eq!(said.status, Some(1), "{}", said.stderr);
    for expected in [
        "inputs.results_2025-10-05.csv.sha256: the report says \"",
        "sites.oslo.downtime_s: the report says 7200.0, the files say 3600.0\n",
        "total.cycles.down: the report says 3, the files say 2\n",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    assert!(!said.stdout.contains("sites.paris"), "{}", said.stdout);
    assert!(said.stdout.ends_with(" differences\n"), "{}", said.stdout);

    fs::remove_file(&path).unwrap();
    let said = report(&house, "--verify october.json").await;
    assert_eq!(said.status, Some(1));
    assert!(said.stdout.contains("inputs.results_2025-10-05.csv: the report says {"), "{}", said.stdout);
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let house = house_of_a_quarter("timezone: UTC\n");
    october(&house).await;
    let good: Value = serde_json::from_str(&fs::read_to_string(house.path("october.json")).unwrap()).unwrap();
    let changed = |pointer: &str, value: Value| {
        let mut report = good.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        report.to_string()
    };
    for (text, expected) in [
        (String::new(), "it is not a report of `--format json`"),
        ("{}".to_owned(), "it is not a report of `--format json`: missing field"),
        (changed("/report_version", 2.into()), "it is of version 2 of the format, this program knows version 1"),
        (changed("/period/zone", "Mars/Olympus".into()), "`period.zone`: `Mars/Olympus` is not an IANA time zone"),
        (changed("/period/from", "2025-10-32".into()), "`period.from`: `2025-10-32` is not a date such as"),
        (changed("/period/to", "2025-09-01".into()), "the last day, 2025-09-01, lies before the first, 2025-10-01"),
        (changed("/generated", "now".into()), "`generated`: `now` is not a moment such as"),
        (changed("/policy/credentials", "maybe".into()), "`policy.credentials`: `maybe` is not `down` or `excluded`"),
        (changed("/policy/hours", "\u{1b}[2J".into()), "`policy.hours`: ` [2J` is not hours such as"),
    ] {
        house.write("odd.json", &text);
        let said = report(&house, "--verify odd.json").await;
        assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""), "{expected}: {said:?}");
        assert!(said.stderr.starts_with("vpnprobe: cannot recompute `odd.json`: "), "{}", said.stderr);
        assert!(said.stderr.contains(expected), "{expected}: {}", said.stderr);
    }
    let missing = report(&house, "--verify no.json").await;
    assert_eq!(missing.status, Some(2));
    assert!(missing.stderr.contains("cannot read `no.json`: No such file"), "{}", missing.stderr);
}

#[tokio::test]
async fn a_report_of_somebody_else_moves_no_cursor_either() {
    let house = house_of_a_quarter("timezone: UTC\n");
    october(&house).await;
    let text = fs::read_to_string(house.path("october.json")).unwrap();
    let evil = text.replace("\"oslo\"", "\"oslo\u{9b}31m\\u001b[2J\"").replace("vpnprobe", "\u{202e}x");
    house.write("evil.json", &evil);
    let said = report(&house, "--verify evil.json").await;
    assert_eq!(said.status, Some(1), "{}", said.stderr);
    let unseen = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(said.stdout.contains("oslo") && !said.stdout.contains(unseen), "{:?}", said.stdout);
}

#[tokio::test]
async fn half_a_report_on_a_full_disk_is_no_success() {
    let house = house_of_a_quarter("timezone: UTC\n");
    for format in ["table", "json", "html"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let arguments = ["report", "--month", "2025-10", "--format", format];
        let said = house.command(arguments).stdout(full).spawn().unwrap().wait_with_output().await.unwrap();
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert_ne!(said.status.code(), Some(0), "{format}");
        assert!(stderr.contains("cannot write the report: No space left on device"), "{format}: {stderr}");
    }
}

#[tokio::test]
async fn rows_that_can_not_be_read_are_counted_once_where_both_periods_read_their_file() {
    let house = house_of_a_quarter("timezone: UTC\n");
    let bad = "nonsense\n".repeat(1_500);
    write_day(&house, day("2025-10-31"), &format!("{}{bad}", row(day("2025-10-31"), 0, "paris", "emea", UP)));
    for summaries in ["", "--no-summaries"] {
        let made = as_json(&house, &format!("--month 2025-11 {summaries}")).await;
        assert_eq!(made["problems"]["unreadable"], 1_500);
        let lines = made["problems"]["lines"].as_array().unwrap();
        assert_eq!(lines.len(), 1_000, "the first ones of a file are listed");
        let of_file = made["inputs"].as_array().unwrap().iter().find(|file| file["file"] == "results_2025-10-31.csv");
        assert_eq!(of_file.unwrap()["unreadable"], 1_500);
    }
}

#[tokio::test]
async fn more_days_than_a_period_may_have_are_a_wrong_argument() {
    let house = house_of_a_quarter("timezone: UTC\n");
    assert_eq!(report(&house, "--last 7305d").await.status, Some(0));
    let said = report(&house, "--last 7306d").await;
    assert_eq!(said.status, Some(2));
    assert!(said.stderr.contains("--last"), "{}", said.stderr);
}
