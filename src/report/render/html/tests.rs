//! The whole page as text. What a browser makes of it is in `tests/it/report_page.rs`.

use super::html;
use super::sample::Sample;
use crate::report::model::{BadLine, Problems, Report};

const MONTH: Sample =
    Sample { sites: 5, from: "2026-10-01", days: 31, zone: "Europe/Paris", outage_every: 6, office_hours: false };

/// The page; whatever the report holds, it is one closed document with nothing to fetch or to run.
fn page(report: &Report) -> String {
    let page = html(report);
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">") && page.ends_with("</body></html>\n"));
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    let lower = page.to_lowercase();
    let loads =
        ["http:", "https:", "<script", "<img", "<link", "<iframe", "<object", "javascript:", " src=", "@import"];
    for forbidden in loads.into_iter().chain([" onload", "nan%", "inf%", "nan\u{a0}", ">-0"]) {
        assert!(!lower.contains(forbidden), "{forbidden}");
    }
    // Every reference is to a place in the page itself.
    for (at, found) in page.match_indices("href=\"").chain(page.match_indices("url(")) {
        assert!(page[at + found.len()..].starts_with('#'), "{}", &page[at..at + 60]);
    }
    let elements = "table tbody thead tr td th svg g text details summary section dl div p figure bdi h2 h3 time";
    for element in elements.split(' ') {
        let open = page.matches(&format!("<{element}>")).count() + page.matches(&format!("<{element} ")).count();
        assert_eq!(open, page.matches(&format!("</{element}>")).count(), "<{element}>");
    }
    page
}

/// The same with usual spaces.
fn words(report: &Report) -> String {
    page(report).replace(['\u{a0}', '\u{202f}'], " ")
}

#[test]
fn a_month_shows_every_figure_that_the_report_has() {
    let report = MONTH.report();
    let page = words(&report);
    for shown in [
        "<title>VPN availability, October 2026</title>",
        "1 to 31 October 2026 · time zone Europe/Paris · 5 sites",
        "Made by vpnprobe 0.1.0 on <time datetime=\"2026-11-01T06:00:00.000+01:00\">",
        "Target 99.9 % missed",
        "Whose downtime",
        "1 to 31 August 2026",
        "gateway upgrade",
        "cell `verdict`: `dwon` is none of up, down, unknown",
        "up time ÷ (up time + down time)",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(page.contains(&format!("<p class=\"big\">{}", report.total.availability.default.unwrap())));
    for site in &report.sites {
        let figures = &site.figures;
        let availability = &figures.availability;
        for percent in [availability.strict, availability.default, availability.optimistic, figures.coverage] {
            assert!(page.contains(&format!(">{:.4}<", percent.unwrap())), "{}: {percent:?}", site.site);
        }
        for outage in &site.outages {
            assert!(page.contains(&format!("datetime=\"{}\"", outage.start)), "{outage:?}");
        }
    }
    assert_eq!(page.matches("<figure class=\"plot\">").count(), 5 * 3);
    for domain in &report.total.fault_domains {
        assert!(page.contains(&format!("</i>{}</th>", domain.fault_domain)));
    }
    for input in &report.inputs {
        assert!(page.contains(&input.sha256) && page.contains(&input.file));
    }
}

#[test]
fn what_stands_in_rows_is_text_and_never_markup() {
    let mut report = MONTH.report();
    let hostile = "</td></table><script>alert('1')</script>\"><img src=x onerror=alert(1)>\u{202e}x";
    report.sites[0].site = hostile.to_owned();
    report.sites[0].group = Some(hostile.to_owned());
    report.sites[0].kind = hostile.to_owned();
    report.groups[0].group = hostile.to_owned();
    report.policy.hours = Some(hostile.to_owned());
    report.policy.holidays = vec![hostile.to_owned()];
    report.period.zone = hostile.to_owned();
    report.period.from = hostile.to_owned();
    report.generated = hostile.to_owned();
    report.selection.sites = vec![hostile.to_owned()];
    report.notes = vec![hostile.to_owned()];
    report.program = hostile.to_owned();
    report.excluded[0].name = Some(hostile.to_owned());
    report.excluded[0].sites = vec![hostile.to_owned()];
    report.excluded[0].start = hostile.to_owned();
    report.inputs[0].file = hostile.to_owned();
    report.inputs[0].sha256 = hostile.to_owned();
    report.problems.lines[0].why = hostile.to_owned();
    report.total.fault_domains[0].fault_domain = hostile.to_owned();
    let outage = &mut report.sites[0].outages[0];
    for text in [&mut outage.start, &mut outage.stage, &mut outage.reason, &mut outage.fault_domain] {
        hostile.clone_into(text);
    }
    report.sites[0].figures.failures[0].reason = hostile.to_owned();
    report.sites[0].timeline[0].start = hostile.to_owned();
    report.sites[0].days[0].date = hostile.into();
    let page = html(&report);
    assert!(page.matches("&lt;script&gt;").count() >= 20);
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{202e}'));
    // Nothing of it stands within a tag: quotes are escaped.
    assert!(!page.contains("\"><img") && !page.contains("alert('1')"));
}

#[test]
fn a_report_without_rows_says_so() {
    let mut report = Sample { sites: 0, ..MONTH }.report();
    report.excluded.clear();
    report.inputs.clear();
    report.problems = Problems::default();
    let page = words(&report);
    assert!(page.contains("There is no row of any site in this period."));
    assert!(page.contains("<p class=\"big\">—") && page.contains("Target 99.9 % not known"), "{page}");
    assert!(page.contains("From 0 files with 0 rows."));
}

#[test]
fn a_report_without_outages_says_so_of_each_site() {
    let report = Sample { outage_every: 0, ..MONTH }.report();
    let page = words(&report);
    assert_eq!(page.matches("No outage in this period.").count(), 5);
    assert!(page.contains("<p class=\"big\">100<span> %") && page.contains("Target 99.9 % met"));
    assert!(!page.contains("Whose downtime") && !page.contains("class=\"outages\""));
}

#[test]
fn without_a_target_none_is_judged() {
    let mut report = MONTH.report();
    report.policy.target = None;
    report.total.error_budget = None;
    for site in &mut report.sites {
        site.figures.error_budget = None;
    }
    let page = words(&report);
    assert!(page.contains("No target is set"));
    assert!(
        !page.contains("Error budget</b>")
            && !page.contains(">missed<")
            && !page.contains("<th scope=\"col\" rowspan=\"2\">Target")
    );
}

#[test]
fn an_open_period_and_a_selection_are_named() {
    let mut report = Sample { sites: 2, ..MONTH }.report();
    report.period.end = "2026-10-31T16:20:05.000+01:00".to_owned();
    report.selection.groups = vec!["emea".to_owned()];
    report.sites[0].outages[0].open = true;
    report.sites[0].outages[0].began_before = true;
    let page = words(&report);
    assert!(page.contains("until <time datetime=\"2026-10-31T16:20:05.000+01:00\">2026-10-31 16:20:05"));
    assert!(page.contains("only the groups <bdi>emea</bdi>"));
    assert!(page.contains("had begun before the period") && page.contains("not over at the end"));
}

#[test]
fn many_sites_are_closed_and_few_are_open() {
    assert_eq!(words(&MONTH.report()).matches("<details class=\"site\" id=\"site-1\" open>").count(), 1);
    assert!(!words(&Sample { sites: 20, ..MONTH }.report()).contains(" open>"));
}

#[test]
fn only_the_first_unreadable_rows_are_listed_and_the_rest_are_counted() {
    let mut report = MONTH.report();
    let line = |line| BadLine { file: "results.csv".to_owned(), line, why: "half a row".to_owned() };
    report.problems = Problems { unreadable: 1_200, lines: (1..=1_000).map(line).collect(), ..Problems::default() };
    let page = words(&report);
    assert_eq!(page.matches("half a row").count(), 50);
    assert!(page.contains("The first 50 of 1 200 rows; 1 150 more."));
}

#[test]
fn a_year_of_a_hundred_sites_with_many_outages_stays_a_page_that_can_be_mailed() {
    let mut report =
        Sample { sites: 1, from: "2026-01-01", days: 365, outage_every: 1, office_hours: true, ..MONTH }.report();
    let mut site = report.sites.remove(0);
    // Ten times as many outages as there would be.
    site.outages = site.outages.iter().flat_map(|outage| std::iter::repeat_n(outage.clone(), 10)).collect();
    assert!(site.outages.len() > 2_000);
    report.sites = vec![site; 100];
    let page = words(&report);
    assert!(page.contains("The 100 longest of "));
    assert!(page.len() < 8_000_000, "{} bytes", page.len());
    let per_outage = page.matches("<tr><td><time").count();
    assert_eq!(per_outage, 100 * 100 + report.excluded.len());
}
