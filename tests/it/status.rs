//! What people ask a running prober, and what they change while it runs.

use std::fs;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::house::{House, LIMIT, PASSWORD, Prober, Said, alone};
use crate::mail_server::MailServer;

/// A site that is up, one that is down whose account rests then, and one that can't be probed.
const THREE_SITES: &str =
    "  fine: { client: good }\n  locked-out: { client: refusing, username: second }\n  nowhere: { client: missing }";

async fn status(house: &House, arguments: &[&str]) -> (Option<i32>, Value) {
    let all: Vec<&str> = ["status", "--json"].iter().chain(arguments).copied().collect();
    let said = house.run(&all).await;
    (said.status, serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}")))
}

/// A house whose mails go to this port.
fn mailing(sites: &str, port: u16, frequency: &str) -> House {
    let house = House::with_sites(sites);
    send_mails_to(&house, port);
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", &config.replace("frequency: 1h", &format!("frequency: {frequency}")));
    house
}

fn send_mails_to(house: &House, port: u16) {
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    let email =
        format!("email: {{ server: 127.0.0.1, port: {port}, tls: none, from: a@example.com, to: b@example.com }}");
    let line = format!("logging: {{ dir: results, {email} }}");
    let is_logging = |line: &str| line.starts_with("logging:");
    let config: Vec<&str> = config.lines().map(|l| if is_logging(l) { line.as_str() } else { l }).collect();
    house.write("config.yml", &config.join("\n"));
}

async fn stop(prober: Prober) {
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
}

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_running_prober_says_how_each_site_is() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    let mut prober = house.start();
    for _ in 0..3 {
        prober.says_cycle().await;
    }
    let (exit, status) = status(&house, &[]).await;
    assert_eq!((exit, &status["version"], &status["running"]), (Some(1), &json!(1), &json!(true)));
    let seen: Vec<_> =
        status["sites"].as_array().unwrap().iter().map(|s| (&s["site"], &s["state"], &s["reason"])).collect();
    let expected = [
        (json!("fine"), json!("up"), Value::Null),
        (json!("locked-out"), json!("down"), json!("auth-rejected")),
        (json!("nowhere"), json!("unknown"), json!("client-missing")),
    ];
    assert_eq!(seen, expected.each_ref().map(|(site, state, reason)| (site, state, reason)));
    let locked_out = &status["sites"][1];
    assert!(locked_out["alert"]["since"].is_string(), "an identity reason is told at the first: {locked_out}");
    assert_eq!(
        (&locked_out["account"]["username"], &locked_out["account"]["reason"]),
        (&json!("second"), &json!("auth-rejected"))
    );
    assert!(locked_out["account"]["until"].is_string() && locked_out["next_cycle"].is_string(), "{locked_out}");

    let text = house.run(&["status"]).await;
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert!(lines[0].starts_with("here  ") && lines[0].contains("running since"), "{}", text.stdout);
    assert!(lines[3].starts_with("fine        ssl-vpn  up"), "{}", text.stdout);
    for words in ["login auth-rejected (identity): Access Denied; alert since ", "account second rests until "] {
        assert!(lines[4].contains(words), "{words}: {}", text.stdout);
    }
    assert!(!text.stdout.contains('\u{1b}') && !text.stdout.contains(PASSWORD), "{}", text.stdout);
    for (sites, status, begins) in [
        (&["fine"][..], 0, "VPN OK - fine up, since "),
        (&["nowhere", "fine"], 3, "VPN UNKNOWN - 1 of 2 sites unknown; nowhere unknown: login client-missing (own)"),
        (&[], 2, "VPN CRITICAL - 1 of 3 sites down, 1 unknown; locked-out down: login auth-rejected"),
        (&["fien"], 3, "VPN UNKNOWN - there is no site `fien`"),
    ] {
        let all: Vec<&str> = ["status", "--nagios"].iter().chain(sites).copied().collect();
        let said = house.run(&all).await;
        assert!(said.status == Some(status) && said.stdout.starts_with(begins), "{sites:?}: {said:?}");
    }
    assert_eq!(house.run(&["status", "fine"]).await.status, Some(0));

    let resumed = house.run(&["resume", "locked-out"]).await;
    assert_eq!(resumed.stdout, "the account `second` may be logged in again\n", "{}", resumed.stderr);
    stop(prober).await;
}

#[tokio::test]
async fn without_a_prober_the_state_directory_tells_what_it_knows() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    let (exit, empty) = status(&house, &[]).await;
    assert_eq!((exit, &empty["running"], &empty["sites"][0]["state"]), (Some(3), &json!(false), &json!("not-probed")));
    assert!(!house.path("state").exists(), "who asks leaves nothing");
    let mut prober = house.start();
    for _ in 0..3 {
        prober.says_cycle().await;
    }
    let asked = status(&house, &[]).await.1;
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);

    let (exit, known) = status(&house, &[]).await;
    assert_eq!((exit, &known["running"]), (Some(3), &json!(false)));
    for (site, key) in
        [(0, "state"), (1, "state"), (1, "since"), (1, "reason"), (1, "alert"), (1, "account"), (2, "state")]
    {
        assert_eq!(known["sites"][site][key], asked["sites"][site][key], "{site} {key}");
    }
    let text = house.run(&["status"]).await;
    assert!(text.status == Some(3) && text.stdout.contains("NO PROBER RUNS"), "{text:?}");
    let nagios = house.run(&["status", "--nagios"]).await;
    assert_eq!((nagios.status, nagios.stdout.as_str()), (Some(3), "VPN UNKNOWN - no prober runs\n"));

    house.write("state/alerts.json", "{");
    let damaged = house.run(&["status"]).await;
    assert!(damaged.status == Some(3) && damaged.stderr.contains("alerts.json`: it is damaged"), "{damaged:?}");
    assert_eq!(fs::read_to_string(house.path("state/alerts.json")).unwrap(), "{", "who only looks moves nothing");
    assert_eq!(house.run(&["resume", "locked-out"]).await.status, Some(0));
}

/// What the control socket answers to this line.
async fn answer_to(house: &House, line: &str) -> String {
    let mut stream = UnixStream::connect(house.path("state/control.sock")).await.unwrap();
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(LIMIT, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn one_that_asks_wrongly_is_refused_and_one_that_hangs_holds_nobody_up() {
    let _alone = alone().await;
    let house = House::with_sites("  fine: { client: good }");
    let mut prober = house.start();
    prober.says_cycle().await;
    let _hangs = UnixStream::connect(house.path("state/control.sock")).await.unwrap();
    // Long before the prober gives up on the one that hangs.
    let answered = timeout(Duration::from_secs(15), status(&house, &[])).await;
    assert_eq!(answered.expect("it waits for the one that hangs").0, Some(0));
    for (line, expected) in [
        ("{\"version\":9,\"request\":\"status\"}\n", "was asked in version 9"),
        ("{\"record\":{}}\n", "was asked in version none"),
        ("{\"version\":1,\"request\":\"sing\"}\n", "unknown variant `sing`"),
        ("not JSON\n", "does not understand the request"),
        ("\n", "does not understand the request"),
    ] {
        let answer = answer_to(&house, line).await;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{line}: {answer}"));
        assert!(answer["refused"].as_str().unwrap().contains(expected), "{line}: {answer}");
        assert_eq!(answer["version"], 1);
    }
    stop(prober).await;
}

#[tokio::test]
async fn a_mail_that_waits_is_told_and_is_sent_once_the_server_is_back_and_somebody_says_so() {
    let _alone = alone().await;
    let dead = free_port().await;
    let house = mailing("  locked-out: { client: refusing }", dead, "1h");
    let mut prober = house.start();
    prober.says("message not delivered").await;
    let (_, waits) = status(&house, &[]).await;
    let message = &waits["outbox"]["pending"][0];
    assert_eq!((&message["channel"], &message["subject"]), (&json!("email"), &json!("locked-out")));
    assert!(message["last_error"].as_str().unwrap().contains("did not accept the connection"), "{message}");
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);

    // It becomes a day old meanwhile.
    let file = house.path("state/alerts.json");
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    state["outbox"]["pending"][0]["created_at"] = json!("2026-01-01T00:00:00Z");
    fs::write(&file, state.to_string()).unwrap();
    let mut prober = house.start();
    prober.says("given up").await;
    let id = message["id"].as_str().unwrap();
    let list = house.run(&["outbox", "list"]).await;
    assert!(list.stdout.starts_with("1 message given up; ") && list.stdout.contains(id), "{list:?}");
    let list: Value = serde_json::from_str(&house.run(&["outbox", "list", "--json"]).await.stdout).unwrap();
    assert_eq!((&list["version"], &list["dead"][0]["id"], &list["pending"]), (&json!(1), &json!(id), &json!([])));
    let unknown = house.run(&["outbox", "retry", "no-such"]).await;
    assert!(unknown.status == Some(1) && unknown.stderr.contains("no message `no-such`"), "{unknown:?}");
    // Refused once more, it waits again, and no prober runs when somebody asks for it.
    let again = house.run(&["outbox", "retry", id]).await;
    assert_eq!((again.status, again.stdout.as_str()), (Some(0), "1 of what was given up: sent again now\n"));
    prober.says("it is tried again").await;
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);
    let idle = house.run(&["outbox", "retry"]).await;
    assert!(idle.stdout.ends_with("1 of what waits: sent when a prober runs\n"), "{idle:?}");

    let mut server = MailServer::start("none", None, &[]).await;
    send_mails_to(&house, server.port);
    let prober = house.start();
    let mail = server.next("mail").await;
    assert!(mail["mail"].as_str().unwrap().contains(&format!("Message-ID: <{id}.")), "it keeps its id: {mail}");
    stop(prober).await;
    let (_, state) = status(&house, &[]).await;
    assert_eq!((&state["outbox"]["pending"], &state["outbox"]["dead"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_and_what_was_added() {
    let _alone = alone().await;
    let house = House::with_sites("  fine: { client: good }\n  gone: { client: good }");
    let mut prober = house.start();
    for _ in 0..2 {
        prober.says_cycle().await;
    }
    let before = status(&house, &[]).await.1;
    assert_eq!(id_of(&house.run(&["maintenance", "add", "fine", "--for", "1h", "--name", "switch"]).await), "m1");
    let foreign = House::with_sites("  elsewhere: { client: good }");
    foreign.write(
        "config.yml",
        &fs::read_to_string(foreign.path("config.yml"))
            .unwrap()
            .replace("state_dir: state", &format!("state_dir: {}", house.path("state").display())),
    );
    let refused = foreign.run(&["maintenance", "add", "elsewhere", "--for", "1h"]).await;
    assert!(refused.status == Some(1) && refused.stderr.contains("refused: it has no site `elsewhere`"), "{refused:?}");

    house.configure("  fine: { client: good }\n  nowhere: { client: missing }");
    prober.signal(Signal::SIGHUP);
    assert_eq!(prober.says_cycle().await["site"], "nowhere");
    let (exit, after) = status(&house, &[]).await;
    let sites: Vec<_> = after["sites"].as_array().unwrap().iter().map(|s| &s["site"]).collect();
    assert_eq!((exit, sites), (Some(0), vec![&json!("fine"), &json!("nowhere")]));
    for key in ["state", "since", "cycle_id"] {
        assert_eq!(after["sites"][0][key], before["sites"][0][key], "{key}");
    }
    assert_eq!(after["running_since"], before["running_since"]);
    assert_eq!(after["sites"][0]["maintenance"]["name"], "switch");
    stop(prober).await;
}

/// Stands before a mail server: while it is `shut`, it refuses whoever comes, for good.
async fn gate_before(port: u16) -> (u16, watch::Sender<bool>) {
    let gate = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = gate.local_addr().unwrap().port();
    let (shut, is_shut) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = gate.accept().await {
            if *is_shut.borrow() {
                client.write_all(b"554 not here\r\n").await.unwrap();
                continue;
            }
            let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (own, shut)
}

#[tokio::test]
async fn what_waits_for_five_minutes_is_sent_at_once_when_the_server_is_back_and_somebody_says_so() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let (port, shut) = gate_before(server.port).await;
    let house = mailing("  locked-out: { client: refusing }", port, "1h");
    let mut prober = house.start();
    prober.says("message not delivered").await;
    shut.send(false).unwrap();
    assert_eq!(server.seen_before_a_marker().await.iter().filter(|fact| fact.get("mail").is_some()).count(), 0);
    let said = house.run(&["outbox", "retry"]).await;
    assert_eq!(said.stdout, "nothing was given up; 1 of what waits: sent now\n", "{said:?}");
    prober.says("message delivered").await;
    assert!(server.next("mail").await["mail"].as_str().unwrap().contains("locked-out DOWN"));
    let (_, after) = status(&house, &[]).await;
    assert_eq!((&after["outbox"]["delivered"], &after["outbox"]["pending"]), (&json!(1), &json!([])));
    stop(prober).await;
}

#[tokio::test]
async fn a_prober_in_the_middle_of_a_login_answers() {
    let _alone = alone().await;
    let house = House::with_sites("  slow: { client: stubborn }\n  fine: { client: good }");
    let mut told = house.told();
    let prober = house.start();
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap().as_deref(), Some("started"));
    let (exit, status) = status(&house, &[]).await;
    let (slow, fine) = (&status["sites"][0], &status["sites"][1]);
    assert_eq!((exit, &slow["state"], &slow["under_way"]), (Some(0), &json!("not-probed"), &json!(true)));
    assert_eq!((&fine["under_way"], &fine["next_cycle"]), (&json!(false), &Value::Null), "due, and waits");
    stop(prober).await;
}

#[tokio::test]
async fn windows_that_are_added_at_once_are_all_there() {
    let _alone = alone().await;
    let house = House::with_sites("  fine: { client: good }");
    let mut prober = house.start();
    prober.says_cycle().await;
    let add = || house.run(&["maintenance", "add", "--for", "1h"]);
    let (a, b, c, d) = tokio::join!(add(), add(), add(), add());
    let mut ids: Vec<String> = [a, b, c, d].iter().map(id_of).collect();
    ids.sort();
    assert_eq!(ids, ["m1", "m2", "m3", "m4"]);
    for id in &ids {
        assert!(status(&house, &[]).await.1["sites"][0]["maintenance"].is_object());
        assert_eq!(house.run(&["maintenance", "end", id]).await.status, Some(0));
    }
    assert_eq!(status(&house, &[]).await.1["sites"][0]["maintenance"], Value::Null);
    stop(prober).await;
}

fn id_of(said: &Said) -> String {
    assert_eq!(said.status, Some(0), "{said:?}");
    said.stdout.split([' ', ':']).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_window_that_is_added_keeps_people_asleep_until_it_is_ended_also_over_a_kill() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let house = mailing("  broken: { client: full, alerts: { after: 1 } }", server.port, "1s");
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    let profile = "  full: { command: /bin/sh, args: [\"-c\", \"echo Access Denied; read x\"], dialogue: [{ expect: Access Denied, failed: session-limit }, { expect: Welcome, connected: true }] }\nsites:";
    house.write("config.yml", &config.replacen("sites:", profile, 1));
    let idle = house.run(&["maintenance", "add", "--for", "2h", "--name", "switch", "--exclude-from-sla"]).await;
    assert_eq!(id_of(&idle), "m1");
    assert!(idle.stdout.starts_with("m1 (switch): from "), "{idle:?}");

    let mut prober = house.start();
    let first = prober.says_cycle().await;
    assert_eq!((&first["verdict"], &first["maintenance"]), (&json!("down"), &json!("switch")));
    assert_eq!(id_of(&house.run(&["maintenance", "add", "broken", "--for", "1h", "--keep-alerts"]).await), "m2");
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);
    let mut prober = house.start();
    assert_eq!(prober.says_cycle().await["maintenance"], "switch", "it is kept");
    let (_, now) = status(&house, &[]).await;
    assert_eq!((&now["sites"][0]["maintenance"]["name"], &now["sites"][0]["alert"]), (&json!("switch"), &Value::Null));
    assert!(server.seen_before_a_marker().await.iter().all(|fact| fact.get("mail").is_none()));

    let ended = house.run(&["maintenance", "end", "switch"]).await;
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "m1 (switch): ended\n"), "{ended:?}");
    let mail = server.next("mail").await["mail"].as_str().unwrap().replace("=\r\n", "");
    let begun = house.rows()[0]["time"].as_str().unwrap().replace('T', " ");
    let second = begun.split('.').next().unwrap();
    assert!(mail.contains(&format!("broken is DOWN since {second}")), "with its true start, {second}: {mail}");
    let again = house.run(&["maintenance", "end", "switch"]).await;
    assert!(
        again.status == Some(1)
            && again.stderr.contains("no maintenance window `switch`")
            && again.stderr.contains("m2"),
        "{again:?}"
    );

    let list = house.run(&["maintenance", "list", "--all"]).await;
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].contains("  over  ") && lines[1].contains("  IN FORCE  no restarts"),
        "{list:?}"
    );
    let json: Value = serde_json::from_str(&house.run(&["maintenance", "list", "--json"]).await.stdout).unwrap();
    assert_eq!((&json["windows"][0]["id"], &json["windows"][0]["sites"]), (&json!("m2"), &json!(["broken"])));
    stop(prober).await;
    let report = house.run(&["report", "--last", "1", "--format", "json"]).await;
    assert_eq!(report.status, Some(0), "{report:?}");
    let today = house.rows()[0]["time"].as_str().unwrap()[..10].to_owned();
    let report = house.run(&["report", "--from", &today, "--to", &today]).await;
    assert!(report.stdout.contains("excluded: switch, "), "{}", report.stdout);
    assert!(house.run(&["test", "broken"]).await.stdout.contains("in maintenance"));
}

#[tokio::test]
async fn what_is_no_window_is_a_usage_error_that_says_what_to_write() {
    let house = House::with_sites("  paris: { client: good }");
    let config = fs::read_to_string(house.path("config.yml")).unwrap();
    house.write("config.yml", &format!("timezone: Europe/Paris\n{config}"));
    for (arguments, expected) in [
        (&["add"][..], "--for <DURATION>"),
        (&["add", "--for", "2 weeks"], "is not a duration from 1s to 366d, such as 2h"),
        (&["add", "--for", "0"], "is not a duration"),
        (&["add", "pars", "--for", "2h"], "did you mean `paris`?"),
        (&["add", "--for", "2h", "--start", "tomorrow"], "`tomorrow` is not a date and a time\n  hint: write `2026-"),
        (&["add", "--for", "2h", "--start", "2020-01-01T00:00"], "the window is over already"),
        (&["add", "--for", "2h", "--name", "a\u{202e}b"], "is not a name"),
        (&["end"], "<NAME|ID>"),
    ] {
        let all: Vec<&str> = ["maintenance"].iter().chain(arguments).copied().collect();
        let said = house.run(&all).await;
        assert!(said.status == Some(2) && said.stderr.contains(expected), "{arguments:?}: {said:?}");
    }
    // At that time the clock is set forward; two hours later it shows five o'clock.
    let start = ["maintenance", "add", "--for", "2h", "--start", "2099-03-29T02:30"];
    let added = house.run(&start).await;
    assert!(added.stdout.ends_with("from 2099-03-29 03:00:00 CEST to 2099-03-29 05:00:00 CEST\n"), "{added:?}");
    assert!(added.stderr.contains("does not exist in Europe/Paris"), "{added:?}");
}

#[tokio::test]
async fn state_that_is_damaged_is_set_aside_and_the_prober_goes_on() {
    let _alone = alone().await;
    let files = ["alerts.json", "accounts.json", "maintenance.json"];
    for content in [Some(""), Some("{\"version\":1,\"subj"), Some("{\"version\":99}"), None] {
        let house = House::with_sites("  locked-out: { client: refusing }");
        for file in files {
            fs::create_dir_all(house.path("state")).unwrap();
            match content {
                Some(content) => fs::write(house.path("state").join(file), content).unwrap(),
                None => fs::create_dir(house.path("state").join(file)).unwrap(),
            }
        }
        let mut prober = house.start();
        for words in [
            "alert state cannot be used",
            "maintenance windows that were added can't be read",
            "the accounts' book can't be read",
        ] {
            prober.says(words).await;
        }
        assert_eq!(prober.says_cycle().await["reason"], "auth-rejected", "{content:?}");
        assert_eq!(house.run(&["maintenance", "add", "--for", "1h"]).await.status, Some(0));
        stop(prober).await;
        for file in files {
            assert!(house.path("state").join(file).is_file(), "{content:?}: {file} is written anew");
        }
    }
}
