use super::super::fake::{Given, Rows, at, down, row, unknown, up};
use super::super::model::{Report, SegmentState, Site};
use super::super::policy::Window;
use super::super::render::{self, MOST_OUTAGES, table};
use super::*;
use crate::agreed::Hours;
use crate::zone::Zone;

const CARRIER: (&str, &str, &str) = ("external", "no-reply", "carrier");
const GATEWAY: (&str, &str, &str) = ("login", "login-timeout", "gateway");
const IDENTITY: (&str, &str, &str) = ("login", "auth-rejected", "identity");

fn always() -> Policy {
    Policy {
        zone: Zone::utc(),
        target: None,
        hours: Hours::always(),
        holidays: BTreeSet::new(),
        leaves_out_identity: false,
        windows: Vec::new(),
    }
}

fn asked(from: &str, to: &str, policy: Policy) -> Request {
    Request {
        period: Period::days(from.parse().unwrap(), to.parse().unwrap()).unwrap(),
        policy,
        sites: BTreeSet::new(),
        groups: BTreeSet::new(),
        now: i64::MAX,
        compare: false,
        detail: Detail::Everything,
    }
}

fn report(rows: &[Given], request: &Request) -> Report {
    build(&Rows::of(rows), request).unwrap_or_else(|never| match never {})
}

/// The only site of one day.
#[track_caller]
fn day(rows: &[Given]) -> Site {
    let mut report = report(rows, &asked("2026-11-20", "2026-11-20", always()));
    assert_eq!(report.sites.len(), 1);
    report.sites.remove(0)
}

/// Rows every ten minutes from one time of the day to another (excluded).
fn every_ten_minutes(from: &str, to: &str) -> Vec<Given> {
    let (start, end) = (at(&format!("2026-11-20T{from}Z")), at(&format!("2026-11-20T{to}Z")));
    (start..end).step_by(600_000).map(|time| Given { time, ..up("2026-11-20T00:00:00Z") }).collect()
}

/// A whole day, up; `changes` replace the rows of their times.
fn whole_day_but(changes: &[Given]) -> Vec<Given> {
    let mut rows = every_ten_minutes("00:00:00", "23:59:59");
    for change in changes {
        *rows.iter_mut().find(|row| row.time == change.time).unwrap() = *change;
    }
    rows
}

#[test]
fn a_day_that_was_up_is_a_hundred_percent_three_ways() {
    let site = day(&whole_day_but(&[]));
    let figures = &site.figures;
    assert_eq!((figures.up_s, figures.downtime_s, figures.unknown_s), (86_400.0, 0.0, 0.0));
    let availability = figures.availability;
    assert_eq!([availability.strict, availability.default, availability.optimistic], [Some(100.0); 3]);
    assert_eq!((figures.coverage, figures.cycles.up), (Some(100.0), 144));
    assert_eq!(site.outages, []);
    assert_eq!(site.timeline.len(), 1);
}

#[test]
fn an_outage_lasts_from_its_first_down_row_to_the_next_up() {
    let site = day(&whole_day_but(&[down("2026-11-20T10:00:00Z", CARRIER), down("2026-11-20T10:10:00Z", GATEWAY)]));
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert_eq!(outage.start, "2026-11-20T10:00:00.000+00:00");
    assert_eq!(outage.end, "2026-11-20T10:20:00.000+00:00");
    assert_eq!((outage.seconds, outage.downtime_s), (1200.0, 1200.0));
    assert_eq!((outage.reason.as_str(), outage.fault_domain.as_str()), ("no-reply", "carrier"));
    let shares: Vec<_> =
        site.figures.fault_domains.iter().map(|s| (s.fault_domain.as_str(), s.downtime_s, s.cycles)).collect();
    assert_eq!(shares, [("carrier", 600.0, 1), ("gateway", 600.0, 1)]);
    // 85,200 of 86,400; strict: ten minutes more, from the last good row.
    assert_eq!(site.figures.availability.default, Some(98.6111));
    assert_eq!(site.figures.availability.strict, Some(97.9166));
    assert_eq!((site.figures.mttr_s, site.figures.mtbf_s), (Some(1200.0), Some(85_200.0)));
}

#[test]
fn unknown_does_not_end_an_outage_and_counts_neither_way() {
    let site = day(&whole_day_but(&[
        down("2026-11-20T10:00:00Z", CARRIER),
        unknown("2026-11-20T10:10:00Z"),
        down("2026-11-20T10:20:00Z", CARRIER),
    ]));
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert_eq!((outage.seconds, outage.downtime_s), (1800.0, 1200.0));
    assert_eq!((site.figures.downtime_s, site.figures.unknown_s), (1200.0, 600.0));
    // 84,600 of 85,800; strict 84,000 of 86,400; optimistic 85,200 of 86,400.
    let availability = site.figures.availability;
    assert_eq!(availability.default, Some(98.6013));
    assert_eq!(availability.strict, Some(97.2222));
    assert_eq!(availability.optimistic, Some(98.6111));
    assert_eq!(site.figures.coverage, Some(99.3055));
}

#[test]
fn a_state_holds_for_two_intervals_and_then_nothing_is_known() {
    let site = day(&every_ten_minutes("00:00:00", "12:00:00"));
    // The last row is of 11:50, and holds until 12:10.
    assert_eq!((site.figures.up_s, site.figures.unknown_s), (43_800.0, 42_600.0));
    let states: Vec<_> = site.timeline.iter().map(|s| (s.state, s.end.as_str())).collect();
    assert_eq!(
        states,
        [(SegmentState::Up, "2026-11-20T12:10:00.000+00:00"), (SegmentState::Unknown, "2026-11-21T00:00:00.000+00:00")]
    );
}

#[test]
fn what_held_before_the_period_is_carried_in() {
    let mut rows = vec![down("2026-11-19T23:55:00Z", CARRIER)];
    rows.extend(every_ten_minutes("00:05:00", "23:59:59"));
    let site = day(&rows);
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert!(outage.began_before);
    assert_eq!((outage.start.as_str(), outage.seconds), ("2026-11-20T00:00:00.000+00:00", 300.0));
    assert_eq!((site.figures.cycles.down, site.figures.unknown_s), (0, 0.0));
}

#[test]
fn a_restored_tunnel_was_out_until_it_carried_traffic_again() {
    let restored = Given {
        failed_stage: "sa",
        reason: "sa-missing",
        fault_domain: "tunnel",
        restarts: Some(1),
        restore_ms: Some(1234),
        ..up("2026-11-20T10:00:00Z")
    };
    let site = day(&whole_day_but(&[restored]));
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert_eq!((outage.seconds, outage.restored), (1.234, true));
    assert_eq!(outage.end, "2026-11-20T10:00:01.234+00:00");
    assert_eq!((site.figures.cycles.up, site.figures.availability_by_cycles), (144, Some(100.0)));
    assert_eq!((site.figures.downtime_s, site.figures.up_s), (1.234, 86_398.766));
    // Strictly it was out since the row before.
    assert_eq!(site.figures.availability.strict, Some(99.3041));
    assert_eq!(site.figures.failures[0].reason, "sa-missing");
}

#[test]
fn an_outage_that_was_restored_later_ends_then() {
    let dead = down("2026-11-20T10:00:00Z", ("sa", "sa-missing", "tunnel"));
    let restored = Given {
        restarts: Some(1),
        restore_ms: Some(5000),
        ..down("2026-11-20T10:10:00Z", ("sa", "sa-missing", "tunnel"))
    };
    let site = day(&whole_day_but(&[dead, Given { verdict: Verdict::Up, ..restored }]));
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert_eq!((outage.seconds, outage.restored), (605.0, true));
}

#[test]
fn an_outage_that_goes_on_is_open_and_its_end_is_no_repair() {
    let mut rows = every_ten_minutes("00:00:00", "23:00:00");
    rows.push(down("2026-11-20T23:00:00Z", CARRIER));
    let site = day(&rows);
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert!(outage.open);
    assert_eq!((outage.seconds, outage.downtime_s), (3600.0, 1200.0));
    assert_eq!((site.figures.outages_open, site.figures.mttr_s), (1, None));
}

#[test]
fn refused_accounts_are_left_out_where_the_policy_says_so() {
    let rows = whole_day_but(&[down("2026-11-20T10:00:00Z", IDENTITY), down("2026-11-20T10:10:00Z", IDENTITY)]);
    let counted = day(&rows);
    assert_eq!((counted.figures.downtime_s, counted.figures.left_out_s), (1200.0, 0.0));
    let policy = Policy { leaves_out_identity: true, ..always() };
    let report = report(&rows, &asked("2026-11-20", "2026-11-20", policy));
    let figures = &report.sites[0].figures;
    assert_eq!((figures.downtime_s, figures.left_out_s), (0.0, 1200.0));
    assert_eq!(figures.availability.default, Some(100.0));
    assert_eq!((figures.cycles.down, figures.cycles.left_out), (2, 2));
    assert_eq!(figures.availability_by_cycles, Some(100.0));
    assert_eq!((figures.coverage, report.sites[0].outages.len()), (Some(100.0), 0));
}

#[test]
fn only_agreed_time_counts() {
    // A Friday.
    let rows = whole_day_but(&[
        down("2026-11-20T06:50:00Z", CARRIER),
        down("2026-11-20T07:00:00Z", CARRIER),
        down("2026-11-20T22:00:00Z", GATEWAY),
    ]);
    let policy = Policy {
        hours: "Mon-Fri 07:00-19:00".parse().unwrap(),
        windows: vec![Window {
            name: Some("update".to_owned()),
            sites: BTreeSet::from(["paris".to_owned()]),
            start: at("2026-11-20T12:00:00Z"),
            end: at("2026-11-20T13:00:00Z"),
        }],
        ..always()
    };
    let report = report(&rows, &asked("2026-11-20", "2026-11-22", policy));
    let site = &report.sites[0];
    assert_eq!((site.figures.agreed_s, site.figures.downtime_s), (11.0 * 3600.0, 600.0));
    let [outage] = site.outages.as_slice() else { panic!("{:?}", site.outages) };
    assert_eq!((outage.start.as_str(), outage.seconds), ("2026-11-20T06:50:00.000+00:00", 600.0));
    assert_eq!(site.figures.cycles.down, 1);
    assert_eq!(report.excluded[0].name.as_deref(), Some("update"));
}

#[test]
fn a_percentage_is_cut_and_never_rounded_up() {
    // A millisecond of a day: 99.9999988… %.
    let restored = Given { restarts: Some(1), restore_ms: Some(1), ..up("2026-11-20T10:00:00Z") };
    let report = report(&whole_day_but(&[restored]), &asked("2026-11-20", "2026-11-20", always()));
    assert_eq!(report.total.availability.default, Some(99.9999));
    let text = table(&report);
    assert!(text.contains("availability  99.9999 %"), "{text}");
}

#[test]
fn the_error_budget_is_of_known_time() {
    let rows = whole_day_but(&[down("2026-11-20T10:00:00Z", CARRIER)]);
    let budget = |target| {
        let policy = Policy { target: Some(target), ..always() };
        report(&rows, &asked("2026-11-20", "2026-11-20", policy)).total.error_budget.unwrap()
    };
    let missed = budget(999_000);
    assert_eq!((missed.allowed_s, missed.used_s, missed.left_s, missed.met), (86.4, 600.0, -513.6, Some(false)));
    let met = budget(990_000);
    assert_eq!((met.allowed_s, met.used_pct, met.met), (864.0, Some(69.4444), Some(true)));
    // 99.3055… % are not 99.3056 %.
    assert_eq!((budget(993_055).met, budget(993_056).met), (Some(true), Some(false)));
}

#[test]
fn rows_that_stand_there_twice_count_once() {
    let mut rows = whole_day_but(&[]);
    rows.push(rows[5]);
    let report = report(&rows, &asked("2026-11-20", "2026-11-20", always()));
    assert_eq!((report.problems.duplicates, report.total.cycles.up), (1, 144));
    assert_eq!(report.problems.out_of_order, 1);
}

#[test]
fn rows_in_the_file_of_another_day_are_put_in_their_place() {
    let mut rows = Rows::of(&whole_day_but(&[]));
    // As after a change of the configured zone: the evening is in the file of the next day.
    let today: NaiveDate = "2026-11-20".parse().unwrap();
    let evening = rows.0.get_mut(&today).unwrap().split_off(100);
    let noon = rows.0.get_mut(&today).unwrap().remove(50);
    rows.0.insert(today.succ_opt().unwrap(), [vec![noon], evening].concat());
    let report = build(&rows, &asked("2026-11-20", "2026-11-20", always())).unwrap_or_else(|never| match never {});
    assert_eq!((report.total.cycles.up, report.total.up_s), (144, 86_400.0));
}

#[test]
fn groups_and_the_total_add_up_their_sites() {
    let mut rows = Vec::new();
    for (site, group) in [("paris", "emea"), ("oslo", "emea"), ("lima", "")] {
        let down = down("2026-11-20T10:00:00Z", CARRIER);
        let own = if site == "oslo" { whole_day_but(&[down]) } else { whole_day_but(&[]) };
        rows.extend(own.into_iter().map(|row| Given { site, group, ..row }));
    }
    let report = report(&rows, &asked("2026-11-20", "2026-11-20", always()));
    assert_eq!(report.sites.iter().map(|s| s.site.as_str()).collect::<Vec<_>>(), ["lima", "oslo", "paris"]);
    let [emea] = report.groups.as_slice() else { panic!("{:?}", report.groups) };
    assert_eq!((emea.figures.agreed_s, emea.figures.downtime_s), (172_800.0, 600.0));
    assert_eq!(report.total.availability.default, Some(99.7685));
}

#[test]
fn the_period_before_stands_beside() {
    let mut rows = whole_day_but(&[]);
    rows.extend(
        whole_day_but(&[down("2026-11-20T10:00:00Z", CARRIER)])
            .iter()
            .map(|row| Given { time: row.time - DAY_MS, ..*row }),
    );
    let request = Request { compare: true, ..asked("2026-11-20", "2026-11-20", always()) };
    let before = report(&rows, &request).total.before.unwrap();
    assert_eq!((before.from.as_str(), before.availability, before.outage_count), ("2026-11-19", Some(99.3055), 1));
}

#[test]
fn an_empty_period_says_so_and_claims_nothing() {
    let report = report(&[], &asked("2026-11-20", "2026-11-20", always()));
    assert_eq!((report.total.availability.default, report.total.coverage), (None, None));
    assert!(report.notes[0].contains("no rows"), "{:?}", report.notes);
}

#[test]
fn a_period_that_is_not_over_ends_now() {
    let rows = every_ten_minutes("00:00:00", "12:00:00");
    let request = Request { now: at("2026-11-20T12:00:00Z"), ..asked("2026-11-20", "2026-11-30", always()) };
    let report = report(&rows, &request);
    assert_eq!((report.total.agreed_s, report.total.coverage), (43_200.0, Some(100.0)));
    assert_eq!(report.sites[0].days.len(), 1);
}

#[test]
fn a_row_that_is_too_old_for_the_usual_look_back_is_found() {
    let weekly = |time| Given { interval_ms: Some(7 * DAY_MS), ..row(time, Verdict::Up) };
    let rows = [weekly("2026-11-08T12:00:00Z"), weekly("2026-11-21T12:00:00Z")];
    let report = report(&rows, &asked("2026-11-20", "2026-11-22", always()));
    assert_eq!(report.total.coverage, Some(100.0));
}

#[test]
fn a_terminal_is_shown_the_same_whether_or_not_all_is_told() {
    // Eighty outages of two sites, many of the same length: which are shown must not depend on it.
    let mut rows = Vec::new();
    for site in ["paris", "rome"] {
        for number in 0..400_i64 {
            let time = at("2026-11-20T00:00:00Z") + number * 600_000;
            let is_down = number % 10 < 1 + number / 100;
            let row = if is_down { down("2026-11-20T00:00:00Z", GATEWAY) } else { up("2026-11-20T00:00:00Z") };
            rows.push(Given { time, site, ..row });
        }
    }
    let request = asked("2026-11-20", "2026-11-22", always());
    let everything = report(&rows, &request);
    let overview = report(&rows, &Request { detail: Detail::Longest(MOST_OUTAGES), ..request });
    assert_eq!(everything.total.outage_count, 80);
    assert_eq!(table(&overview), table(&everything));
    assert_eq!(render::csv(&overview).unwrap(), render::csv(&everything).unwrap());
    assert!(table(&everything).contains("and 60 shorter ones"));
    assert!(overview.sites.iter().all(|site| site.timeline.is_empty() && site.outages.len() == 20));
}
