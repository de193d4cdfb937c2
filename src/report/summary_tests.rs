//! Summaries never change a figure, whatever befalls them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Datelike, NaiveDate};
use proptest::prelude::*;
use tempfile::TempDir;

use super::build::Request;
use super::day_files::{Files, Progress, Silent};
use super::histories::{MIDNIGHT, history};
use super::input::find;
use super::make::make;
use super::model::Report;
use super::period::Period;
use super::policy::{AgreedTimes, Policy, Window};
use super::reference::SimpleRow;
use super::site::Detail;
use super::summary;
use crate::agreed::Hours;
use crate::zone::Zone;

const HEADER: &str = "time,site,kind,verdict,failed_stage,reason,login_ms,internal_rtt_ms,restarts,restore_ms,fault_domain,\
                      interval_s,cycle_id\n";

/// Years after the rows, and long after the files were written.
const NOW: i64 = 1_900_000_000_000;

struct Results(TempDir);

impl Results {
    /// The rows of each site, in the file of their day in UTC.
    fn of(sites: &[Vec<SimpleRow>]) -> Self {
        let results = Self(tempfile::tempdir().unwrap());
        let mut files = BTreeMap::<NaiveDate, String>::new();
        for (number, rows) in sites.iter().enumerate() {
            for (row, login) in rows.iter().zip(0..) {
                let date = DateTime::from_timestamp_millis(row.time).unwrap().date_naive();
                let text = files.entry(date).or_insert_with(|| HEADER.to_owned());
                text.push_str(&line(&format!("site-{number}"), row, login));
            }
        }
        for (date, text) in files {
            fs::write(results.day(date), text).unwrap();
        }
        results
    }

    fn day(&self, date: NaiveDate) -> PathBuf {
        self.0.path().join(format!("results_{date}.csv"))
    }

    fn paths(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
        paths.sort();
        paths
    }

    fn report(&self, request: &Request, summaries: bool) -> Report {
        let files = Files { dir: self.0.path().to_owned(), stem: "results".to_owned(), summaries };
        make(&files, request, &Silent).unwrap()
    }
}

fn line(site: &str, row: &SimpleRow, login: u32) -> String {
    let time = DateTime::from_timestamp_millis(row.time).unwrap().to_rfc3339();
    let mut line = format!("{time},{site},ipsec,{},", row.verdict);
    let (stage, reason) = if row.fault_domain.is_empty() { ("", "") } else { ("sa", "sa-missing") };
    let restore = row.restore.map(|ms| format!("{ms}.000")).unwrap_or_default();
    let restarts = u32::from(row.restore.is_some());
    let _ = writeln!(
        line,
        "{stage},{reason},{}.{:03},{}.5,{restarts},{restore},{},{},{}",
        500 + login,
        login % 1000,
        login % 90,
        row.fault_domain,
        row.interval / 1000,
        row.cycle_id
    );
    line
}

fn asked(from: i64, days: u64, hours: &str, window: Option<(i64, i64)>) -> Request {
    let first = DateTime::from_timestamp_millis(MIDNIGHT + from * 86_400_000).unwrap().date_naive();
    Request {
        period: Period::days(first, first + chrono::Days::new(days)).unwrap(),
        policy: Policy {
            zone: Zone::utc(),
            target: Some(999_000),
            hours: hours.parse().unwrap_or_else(|_| Hours::always()),
            holidays: BTreeSet::new(),
            leaves_out_identity: false,
            windows: window
                .map(|(start, end)| Window { name: None, sites: BTreeSet::from(["site-0".to_owned()]), start, end })
                .into_iter()
                .collect(),
        },
        sites: BTreeSet::new(),
        groups: BTreeSet::new(),
        now: NOW,
        compare: true,
        detail: Detail::Everything,
    }
}

fn request() -> impl Strategy<Value = Request> {
    let window = prop::option::of((-86_400_000..86_400_000_i64, 60_000..86_400_000_i64));
    let hours = prop::sample::select(vec!["always", "Mon-Fri 07:00-19:00"]);
    let period = prop_oneof![(-3..3_i64, 0..4_u64), Just((-40, 80))];
    (period, hours, window).prop_map(|((from, days), hours, window)| {
        asked(from, days, hours, window.map(|(start, length)| (MIDNIGHT + start, MIDNIGHT + start + length)))
    })
}

/// Flips a byte, cuts it short, or takes it away.
fn damage(path: &Path, how: usize) {
    let mut bytes = fs::read(path).unwrap();
    match how % 3 {
        0 => {
            let at = how % bytes.len();
            bytes[at] ^= 0x40;
            fs::write(path, bytes).unwrap();
        }
        1 => {
            bytes.truncate(how % bytes.len());
            fs::write(path, bytes).unwrap();
        }
        _ => fs::remove_file(path).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_report_is_the_same_with_and_without_summaries(
        sites in prop::collection::vec(history(60), 1..4),
        first in request(),
        second in request(),
        harm in prop::collection::vec((any::<prop::sample::Index>(), 0..10_000_usize), 0..4),
    ) {
        let results = Results::of(&sites);
        for request in [&first, &second, &first] {
            let plain = results.report(request, false);
            prop_assert_eq!(&results.report(request, true), &plain);
            prop_assert_eq!(&results.report(request, true), &plain);
        }
        let summaries = results.paths(".summary");
        for (which, how) in harm.iter().filter(|_| !summaries.is_empty()) {
            let path = which.get(&summaries);
            if path.exists() {
                damage(path, *how);
            }
        }
        prop_assert_eq!(results.report(&first, true), results.report(&first, false));
        // Something is added to an old file.
        if let Some(path) = results.paths(".csv").first() {
            let rows = fs::read_to_string(path).unwrap();
            let last = rows.lines().last().unwrap().replace("ipsec,up", "ipsec,down").replace("-9", "-8");
            fs::write(path, format!("{rows}{last}\n")).unwrap();
        }
        prop_assert_eq!(results.report(&first, true), results.report(&first, false));
    }
}

/// Two months of a site that is up, but for an outage over midnight between them.
fn two_months() -> Results {
    let first = DateTime::parse_from_rfc3339("2026-09-01T00:00:00Z").unwrap().timestamp_millis();
    let row = |number: i64| {
        let down = (710..730).contains(&number);
        SimpleRow {
            time: first + number * 3_600_000,
            cycle_id: String::new(),
            verdict: if down { crate::record::Verdict::Down } else { crate::record::Verdict::Up },
            fault_domain: if down { "carrier" } else { "" },
            interval: 3_600_000,
            restore: None,
        }
    };
    Results::of(&[(0..62 * 24).map(row).collect()])
}

fn autumn() -> Request {
    let mut request = asked(0, 0, "always", None);
    request.period = Period::days("2026-09-01".parse().unwrap(), "2026-10-31".parse().unwrap()).unwrap();
    request
}

#[test]
fn days_and_whole_months_are_summarised_once() {
    let results = two_months();
    let plain = results.report(&autumn(), false);
    assert_eq!(results.paths(".summary").len(), 0, "not asked for");
    assert_eq!(results.report(&autumn(), true), plain);
    let summaries = results.paths(".summary");
    // Of the newest day, the 62nd, none: its file may still be written to.
    assert_eq!(summaries.len(), 61 + 2, "{summaries:?}");
    assert!(!results.0.path().join("results_2026-11-01.summary").exists());
    assert!(results.0.path().join("results_2026-09.summary").exists());
    let [outage] = plain.sites[0].outages.as_slice() else { panic!("{:?}", plain.sites[0].outages) };
    assert_eq!(outage.start, "2026-09-30T14:00:00.000+00:00");
}

#[test]
fn a_summary_is_read_instead_of_its_day_files() {
    let results = two_months();
    assert_eq!(results.report(&autumn(), true).total.cycles.up, 61 * 24 - 20);
    let found = find(results.0.path(), "results").unwrap();
    let files: Vec<_> = found.days.iter().filter(|(date, _)| date.month() == 9).flat_map(|(_, files)| files).collect();
    let path = results.0.path().join("results_2026-09.summary");
    let request = autumn();
    let agreed = AgreedTimes::new(&request.policy, i64::MIN / 4, i64::MAX / 4);
    let mut read = summary::load(&path, &files, Some(&agreed)).unwrap();
    // What no row says.
    read.unit.sites[0].up += 1_000_000;
    summary::store(&path, &files, &agreed, &read).unwrap();
    assert_eq!(results.report(&request, true).total.cycles.up, 1_000_000 + 61 * 24 - 20);
    // Who verifies reads the rows.
    assert_eq!(results.report(&request, false).total.cycles.up, 61 * 24 - 20);
}

#[test]
fn the_file_of_the_next_day_is_read_only_where_it_has_rows_of_the_period() {
    let results = two_months();
    let names = |report: &Report| report.inputs.iter().map(|input| input.file.clone()).collect::<Vec<_>>();
    let mut request = asked(0, 0, "always", None);
    request.period = Period::days("2026-10-05".parse().unwrap(), "2026-10-05".parse().unwrap()).unwrap();
    request.compare = false;
    let own = ["results_2026-10-04.csv", "results_2026-10-05.csv"].map(str::to_owned);
    assert_eq!(names(&results.report(&request, false)), own);
    // By the clock of Berlin the day begins and ends two hours earlier than its files; by that of New York four hours later.
    request.policy.zone = "Europe/Berlin".parse().unwrap();
    assert_eq!(names(&results.report(&request, false)), own);
    request.policy.zone = "America/New_York".parse().unwrap();
    let report = results.report(&request, false);
    assert_eq!(names(&report), [own.as_slice(), &["results_2026-10-06.csv".to_owned()]].concat());
    assert_eq!(report.total.cycles.up, 24);
}

#[test]
fn a_directory_that_can_not_be_written_has_reports_all_the_same() {
    let results = two_months();
    let dir = results.0.path().join("results_2026-09.summary");
    fs::create_dir(&dir).unwrap();
    assert_eq!(results.report(&autumn(), true), results.report(&autumn(), false));
}

#[test]
fn a_file_that_is_none_of_results_is_listed_with_its_hash() {
    let results = two_months();
    fs::write(results.day("2026-09-10".parse().unwrap()), "a,b\n1,2\n").unwrap();
    let report = results.report(&autumn(), true);
    let input = report.inputs.iter().find(|input| input.file == "results_2026-09-10.csv").unwrap();
    assert_eq!((input.bytes, input.rows), (8, 0));
    // printf 'a,b\n1,2\n' | sha256sum
    assert_eq!(input.sha256, "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470");
    assert_eq!(report.problems.unreadable, 1);
}

/// What was said last.
#[derive(Default)]
struct Latest(Mutex<(u64, u64)>);

impl Progress for Latest {
    fn read(&self, bytes: u64, of: u64) {
        *self.0.lock().unwrap() = (bytes, of);
    }
}

#[test]
fn progress_is_of_the_days_that_are_asked_for() {
    let results = two_months();
    let files = Files { dir: results.0.path().to_owned(), stem: "results".to_owned(), summaries: false };
    let mut request = autumn();
    request.period = Period::days("2026-10-05".parse().unwrap(), "2026-10-06".parse().unwrap()).unwrap();
    let latest = Latest::default();
    make(&files, &request, &latest).unwrap();
    let (bytes, of) = *latest.0.lock().unwrap();
    assert!(of > 0 && bytes == of, "{bytes} of {of}");
}

#[test]
fn a_day_without_rows_does_not_widen_the_summary_of_its_month() {
    let results = two_months();
    fs::write(results.day("2026-09-10".parse().unwrap()), HEADER).unwrap();
    results.report(&autumn(), true);
    let found = find(results.0.path(), "results").unwrap();
    let files: Vec<_> = found.days.iter().filter(|(date, _)| date.month() == 9).flat_map(|(_, files)| files).collect();
    let read = summary::load(&results.0.path().join("results_2026-09.summary"), &files, None).unwrap();
    assert_eq!(read.unit.first, DateTime::parse_from_rfc3339("2026-09-01T00:00:00Z").unwrap().timestamp_millis());
}
