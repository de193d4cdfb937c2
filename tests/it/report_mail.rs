//! Reports that `run` sends by mail: by a real mail server, under a clock that a file sets (libfaketime).

use std::fs;
use std::process::Stdio;

use chrono::{DateTime, TimeDelta, Utc};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;
use vpnprobe::clock::{Clock, SystemClock};

use crate::house::{House, LIMIT, Prober, Said, alone};
use crate::limits::faketime;
use crate::mail_server::MailServer;
use crate::report::house_of_a_quarter;

/// Reads a mail and prints its headers, its text and its attachments.
const READS: &str = "
import email, email.policy, json, sys
mail = email.message_from_bytes(json.load(sys.stdin).encode(), policy=email.policy.default)
files = [{'name': part.get_filename(), 'type': part.get_content_type(), 'text': part.get_payload(decode=True).decode()}
         for part in mail.iter_attachments()]
faults = [str(d) for part in mail.walk() for d in part.defects]
print(json.dumps({'headers': dict(mail.items()), 'text': mail.get_body(('plain',)).get_content(), 'files': files, 'faults': faults}))
";

async fn read(mail: &Value) -> Value {
    let mut python = Command::new("/usr/bin/python3");
    let mut python = python.args(["-c", READS]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(mail["mail"].to_string().as_bytes()).await.unwrap();
    let output = timeout(LIMIT, python.wait_with_output()).await.unwrap().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The months of `house_of_a_quarter`, with reports by mail over a server at this port, and a site without a client.
fn house_with_reports(port: u16, report: &str) -> House {
    house_of_a_quarter(&format!(
        "prober: acme\nstate_dir: state\ntimezone: Europe/Paris\n\
         sla: {{ target: 99.9, hours: Mon-Fri 07:00-19:00 }}\n\
         logging: {{ dir: results, email: {{ server: 127.0.0.1, port: {port}, tls: none, from: probe@example.com, to: ops@example.com }} }}\n\
         ipsec: {{ socket: none.vici }}\nsites: {{ tunnel: {{ kind: ipsec, child_sa: none }} }}\n{report}\n"
    ))
}

/// Sets the wall clock of whoever runs in this house; it goes on from there.
fn set_clock(house: &House, at: &str) {
    let at: DateTime<Utc> = at.parse().unwrap();
    let off: TimeDelta = at - SystemClock.now();
    house.write("clock.new", &format!("{:+}", off.num_seconds()));
    fs::rename(house.path("clock.new"), house.path("clock")).unwrap();
}

fn start(house: &House, at: &str) -> Prober {
    set_clock(house, at);
    house.start_with(&[
        ("LD_PRELOAD", &faketime()),
        ("FAKETIME_TIMESTAMP_FILE", &house.path("clock").display().to_string()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ])
}

fn is_report(mail: &Value) -> bool {
    mail["mail"].as_str().is_some_and(|text| text.contains("\r\nSubject: SLA report "))
}

/// The next mail with a report; alerts about the site go on beside it.
async fn next_report(server: &mut MailServer) -> Value {
    loop {
        let mail = server.next("mail").await;
        if is_report(&mail) {
            return mail;
        }
    }
}

/// How many more came until now.
async fn further_reports(server: &mut MailServer) -> usize {
    server.seen_before_a_marker().await.iter().filter(|mail| is_report(mail)).count()
}

async fn stop(prober: Prober) {
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
}

/// A page without what differs from one making to the next: when it was made, and the day file of the day after, into which
/// the prober writes meanwhile. Everything else is there: figures, plots, and the files with their hashes.
fn lasting(page: &str) -> (&str, Vec<&str>) {
    let (figures, data) = page.split_once("<h2 id=\"data\">").expect("a page names its files");
    let files = data.split("<tr>").filter(|row| row.contains("results_") && !row.contains("results_2025-11-01"));
    (figures, files.map(|row| row.split("</tr>").next().unwrap_or(row)).collect())
}

/// Compares without filling the screen.
fn assert_same_page(file: &Value, by_hand: &Said) {
    assert_eq!(by_hand.status, Some(0), "{}", by_hand.stderr);
    let (mailed, made) = (lasting(file["text"].as_str().unwrap()), lasting(&by_hand.stdout));
    assert!(made.1.len() > 7 && made.0.contains("oslo"));
    assert!(mailed.0 == made.0 && mailed.1 == made.1, "{}", file["name"]);
}

const MONTHLY: &str = "report: { monthly: 1 07:00, to: [customer@example.com, auditor@example.com] }";

#[tokio::test]
async fn a_report_goes_once_at_its_time_with_the_page_that_the_command_gives() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let house = house_with_reports(server.port, MONTHLY);
    // In Paris it is 06:59:58 on the first: nothing is sent for the months before this first start.
    let mut prober = start(&house, "2025-11-01T05:59:58Z");
    assert_eq!(prober.says("the next report by mail").await["at"], "2025-11-01T07:00:00+01:00");
    let mail = next_report(&mut server).await;
    assert_eq!(mail["to"], json!(["customer@example.com", "auditor@example.com"]));
    let mail = read(&mail).await;
    assert_eq!(mail["faults"], json!([]));
    let subject = mail["headers"]["Subject"].as_str().unwrap();
    // One hour of downtime in 816: three sites for 12 hours on 23 days, less 12 hours in which nothing is known of one.
    assert_eq!(subject, "SLA report acme 2025-10: 99.8774 %, 1 outage");
    assert_eq!(mail["headers"]["Message-ID"], "<report.monthly.2025-10-01.acme.vpnprobe@example.com>");
    let text = mail["text"].as_str().unwrap();
    for words in ["SLA report, 2025-10-01 to 2025-10-31 (Europe/Paris)", "oslo", "vpnprobe report --month 2025-10"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let [file] = mail["files"].as_array().unwrap().as_slice() else { panic!("{:?}", mail["files"]) };
    assert_eq!((&file["name"], &file["type"]), (&json!("vpnprobe-report-2025-10.html"), &json!("text/html")));
    let by_hand = house.run(&["report", "--month", "2025-10", "--format", "html"]).await;
    assert_same_page(file, &by_hand);
    stop(prober).await;

    // The clock is set back and passes that time again, the week's three seconds later: the next mail is the week's.
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", &config.replace("report: {", "report: { weekly: Sat 07:00:03,"));
    let prober = start(&house, "2025-11-01T05:59:58Z");
    let week = read(&next_report(&mut server).await).await;
    let subject = week["headers"]["Subject"].as_str().unwrap();
    assert!(subject.starts_with("SLA report acme 2025-W43: "), "{subject}");
    assert_eq!(week["files"][0]["name"], "vpnprobe-report-2025-W43.html");
    let by_hand = "report --from 2025-10-20 --to 2025-10-26 --format html".split(' ').collect::<Vec<_>>();
    assert_same_page(&week["files"][0], &house.run(&by_hand).await);
    stop(prober).await;

    // Off for a month: of the weeks that were due meanwhile the last one alone.
    let prober = start(&house, "2025-12-03T12:00:00Z");
    for label in ["2025-W47", "2025-11"] {
        let mail = read(&next_report(&mut server).await).await;
        let subject = mail["headers"]["Subject"].as_str().unwrap();
        assert!(subject.starts_with(&format!("SLA report acme {label}: ")), "{subject}");
    }
    stop(prober).await;
    assert_eq!(further_reports(&mut server).await, 0);

    // Taken out of the configuration for some weeks: put into it again, it begins as at first.
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", config.split("report: {").next().unwrap());
    let mut prober = start(&house, "2025-12-20T12:00:00Z");
    prober.says("probing").await;
    stop(prober).await;
    house.write("config.yml", &config);
    let prober = start(&house, "2026-02-01T05:59:58Z");
    let mail = read(&next_report(&mut server).await).await;
    let subject = mail["headers"]["Subject"].as_str().unwrap();
    assert!(subject.starts_with("SLA report acme 2026-01: "), "neither of December nor of the week before: {subject}");
    stop(prober).await;
}

#[tokio::test]
async fn a_report_that_no_mail_server_takes_arrives_once_when_one_does_also_after_a_kill() {
    let _alone = alone().await;
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let house = house_with_reports(dead, MONTHLY);
    let mut prober = start(&house, "2025-11-01T05:59:58Z");
    let said = prober.says("message not delivered; it is tried again").await;
    assert_eq!(said["channel"], "report");
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);

    let mut server = MailServer::start("none", None, &[]).await;
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", &config.replace(&format!("port: {dead}"), &format!("port: {}", server.port)));
    // Also rows that come later do not change what was made at its time.
    for (at, label) in [("2025-11-02T12:00:00Z", "2025-10"), ("2025-12-01T05:59:59Z", "2025-11")] {
        let prober = start(&house, at);
        let mail = read(&next_report(&mut server).await).await;
        let subject = mail["headers"]["Subject"].as_str().unwrap();
        assert!(subject.starts_with(&format!("SLA report acme {label}: ")), "{subject}");
        assert_eq!(mail["files"][0]["name"], format!("vpnprobe-report-{label}.html"));
        stop(prober).await;
    }
    assert_eq!(further_reports(&mut server).await, 0);
    let state: Value = serde_json::from_str(&fs::read_to_string(house.path("state/alerts.json")).unwrap()).unwrap();
    assert_eq!(state["outbox"]["pending"], json!([]));
    assert_eq!(state["settled"], json!({ "monthly": ["2025-09-01", "2025-10-01", "2025-11-01"] }));
}

#[tokio::test]
async fn a_period_without_rows_is_told_and_not_passed_over() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let house = house_with_reports(server.port, "report: { monthly: 1 07:00 }");
    let mut prober = start(&house, "2026-03-01T05:59:58Z");
    let mail = next_report(&mut server).await;
    assert_eq!(mail["to"], json!(["ops@example.com"]), "as no others are named");
    let mail = read(&mail).await;
    assert_eq!((&mail["headers"]["Subject"], &mail["files"]), (&json!("SLA report acme 2026-02: no rows"), &json!([])));
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("There is no report of 2026-02-01 to 2026-02-28"), "{text}");
    prober.says("a report is due, and there are no rows for it").await;
    stop(prober).await;
}
