//! Mail against a real mail server (Debian's python3-aiosmtpd) and against servers that stop in the middle.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};
use vpnprobe::alert::{AlertFacts, EmailChannel, FileStore, Notifier, Observation, RouteGate, send_mail};
use vpnprobe::clock::SystemClock;
use vpnprobe::config::{AlertRules, Email, Secret, SecretSource, SmtpTls};
use vpnprobe::record::{CycleRecord, Verdict};
use vpnprobe::zone::Zone;

use crate::house::{House, Said, alone};
use crate::mail_server::{MailServer, mail, send};

/// Longest wait for anything on this host; only a fault of the test itself takes so long.
const LIMIT: Duration = Duration::from_secs(20);

fn with_login(email: Email) -> Email {
    Email { login: Some(("probe".into(), SecretSource::Env("UNUSED".into()))), ..email }
}

#[tokio::test]
async fn a_mail_arrives_in_the_clear_as_it_was_written() {
    let mut server = MailServer::start("none", None, &[]).await;
    for tls in [SmtpTls::Opportunistic, SmtpTls::None] {
        send(&server.email(tls), None, &mail()).await.unwrap();
        let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(server.next("ehlo").await["ehlo"], host_name.trim());
        let received = server.next("mail").await;
        assert_eq!(received["sender"], "probe@example.com");
        assert_eq!(received["to"], json!(["ops@example.com", "night@example.com"]));
        assert_eq!(received["tls"], false);
        let text = received["mail"].as_str().unwrap();
        for line in [
            "Message-ID: <paris.1.up@example.com>\r\n",
            "In-Reply-To: <paris.1.down@example.com>\r\n",
            "References: <paris.1.down@example.com>\r\n",
            "Date: Fri, 20 Nov 2026 06:15:30 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Subject: [vpnprobe] =?utf-8?b?WsO8cmljaA==?= is up again\r\n",
            "\r\n\r\nZ=C3=BCrich is up again.\r\n.\r\n..dots",
        ] {
            assert!(text.contains(line), "{line:?} is missing in\n{text}");
        }
    }
}

#[tokio::test]
async fn starttls_with_an_own_authority() {
    let mut server = MailServer::start("starttls", None, &[]).await;
    for tls in [SmtpTls::StartTls, SmtpTls::Opportunistic] {
        send(&server.email_with_ca(tls), None, &mail()).await.unwrap();
        assert_eq!(server.next("mail").await["tls"], true);
    }
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let mut server = MailServer::start("tls", None, &[]).await;
    send(&server.email_with_ca(SmtpTls::Tls), None, &mail()).await.unwrap();
    assert_eq!(server.next("mail").await["tls"], true);
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_unless_clear_text_would_have_done() {
    let mut server = MailServer::start("starttls", None, &[]).await;
    let error = send(&server.email(SmtpTls::StartTls), None, &mail()).await.unwrap_err();
    assert!(error.text.contains("STARTTLS") && error.text.contains("certificate"), "{error}");
    let wrong_name = Email { server: "127.0.0.2".into(), ..server.email_with_ca(SmtpTls::Opportunistic) };
    assert!(send(&wrong_name, None, &mail()).await.is_err());
    send(&server.email(SmtpTls::Opportunistic), None, &mail()).await.unwrap();
    assert_eq!(server.next("mail").await["tls"], true);
}

#[tokio::test]
async fn a_login_with_the_right_and_with_the_wrong_password() {
    let mut server = MailServer::start("starttls", Some(("probe", "hunter2 secret")), &[]).await;
    let email = with_login(server.email_with_ca(SmtpTls::StartTls));
    send(&email, Some("hunter2 secret"), &mail()).await.unwrap();
    assert_eq!(server.next("login").await, json!({"login": "probe", "accepted": true, "tls": true}));
    server.next("mail").await;

    let error = send(&email, Some("wrong-guess"), &mail()).await.unwrap_err();
    assert!(error.permanent && error.text.contains("the login") && error.text.contains("535"), "{error}");
    assert!(!error.text.contains("wrong-guess"), "{error}");
    let implicit = MailServer::start("tls", Some(("probe", "pw")), &[]).await;
    send(&with_login(implicit.email_with_ca(SmtpTls::Tls)), Some("pw"), &mail()).await.unwrap();
}

#[tokio::test]
async fn a_password_is_never_sent_without_tls() {
    let mut server = MailServer::start("none", Some(("probe", "hunter2")), &[]).await;
    for tls in [SmtpTls::None, SmtpTls::Opportunistic, SmtpTls::StartTls] {
        let error = send(&with_login(server.email(tls)), Some("hunter2"), &mail()).await.unwrap_err();
        assert!(error.permanent && error.text.contains("STARTTLS"), "{error}");
    }
    let seen = server.seen_before_a_marker().await;
    assert!(seen[0]["offers"].to_string().contains("AUTH"), "the server would have taken it: {seen:?}");
    assert!(seen.iter().all(|fact| fact.get("login").is_none() && fact.get("mail").is_none()), "{seen:?}");
}

#[tokio::test]
async fn starttls_that_is_not_offered_is_no_mail_in_the_clear() {
    let mut server = MailServer::start("none", None, &[]).await;
    let error = send(&server.email(SmtpTls::StartTls), None, &mail()).await.unwrap_err();
    assert_eq!(error.text, format!("the mail server `127.0.0.1:{}` offers no STARTTLS", server.port));
    assert!(server.seen_before_a_marker().await.iter().all(|fact| fact.get("mail").is_none()));
}

#[tokio::test]
async fn one_refused_recipient_does_not_keep_the_mail_from_the_others() {
    let mut server = MailServer::start("none", None, &["night@example.com"]).await;
    send(&server.email(SmtpTls::None), None, &mail()).await.unwrap();
    assert_eq!(server.next("mail").await["to"], json!(["ops@example.com"]));

    let email = Email { to: vec!["night@example.com".into()], ..server.email(SmtpTls::None) };
    let error = send(&email, None, &mail()).await.unwrap_err();
    assert!(error.permanent && error.text.contains("`night@example.com`") && error.text.contains("550"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = send(&email_at(free), None, &mail()).await.unwrap_err();
    assert!(!error.permanent, "{error}");
    assert!(error.text.starts_with(&format!("the mail server `127.0.0.1:{free}` did not accept the connection")));
    assert!(error.text.contains("refused"), "{error}");
}

/// A mail server on this port of this host.
pub(crate) fn email_at(port: u16) -> Email {
    Email {
        server: "127.0.0.1".into(),
        port,
        tls: SmtpTls::Opportunistic,
        from: "probe@example.com".into(),
        to: vec!["ops@example.com".into()],
        login: None,
        ca_file: None,
    }
}

/// A kernel acknowledges late what it has no answer to: after 40 ms. Kills in that time are mails that come twice.
#[tokio::test]
async fn the_end_of_a_mail_does_not_wait_until_its_text_is_acknowledged() {
    let server = MailServer::start("none", None, &[]).await;
    let mut fastest = LIMIT;
    for _ in 0..10 {
        let began = Instant::now();
        send(&server.email(SmtpTls::None), None, &mail()).await.unwrap();
        fastest = fastest.min(began.elapsed());
    }
    assert!(fastest < Duration::from_millis(35), "{fastest:?}");
}

/// The dialogue of a server that takes one mail.
pub(crate) const TAKES_A_MAIL: &[&str] =
    &["220 hello", "250 mail.test", "250 sender", "250 recipient", "354 go", "250 it is mine"];

/// Gives these answers, the first at once and each further one to a line of the client (the text of a mail counts as one
/// line). Returns the stream, which is silent from then on.
async fn answer(mut stream: TcpStream, answers: &[&str]) -> TcpStream {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let mut awaited_line = None;
    for answer in answers {
        if let Some(awaited) = awaited_line {
            while lines.next_line().await.unwrap().is_some_and(|line| awaited == "." && line != ".") {}
        }
        write.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        awaited_line = Some(if answer.starts_with("354") { "." } else { "any" });
    }
    stream
}

/// A server that says nothing more after these answers, but stays. Returns its port.
pub(crate) async fn server_that_stops_after(answers: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let _stream = answer(listener.accept().await.unwrap().0, answers).await;
        std::future::pending::<()>().await;
    });
    port
}

#[tokio::test]
async fn a_server_that_hangs_at_any_step_is_left_at_the_deadline_and_the_step_is_said() {
    let steps = ["the connection", "the connection", "the sender", "the recipient", "the message", "the message"];
    for (count, step) in steps.into_iter().enumerate() {
        let port = server_that_stops_after(&TAKES_A_MAIL[..count]).await;
        let (before, limit) = (Instant::now(), Duration::from_millis(300));
        let error = send_mail(&email_at(port), None, &mail(), before + limit).await.unwrap_err();
        let expected = format!("the mail server `127.0.0.1:{port}` did not answer {step} in time");
        assert_eq!((error.text, error.permanent), (expected, false));
        assert!(before.elapsed() >= limit && before.elapsed() < LIMIT / 4, "{:?}", before.elapsed());
    }
}

#[tokio::test]
async fn a_mail_that_the_server_took_is_delivered_although_it_hangs_then() {
    let port = server_that_stops_after(TAKES_A_MAIL).await;
    send(&email_at(port), None, &mail()).await.unwrap();
}

#[tokio::test]
async fn starttls_that_is_broken_does_not_stop_a_mail_that_may_go_in_the_clear() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let broken = &["220 hello", "250-mail.test\r\n250 STARTTLS", "220 go"];
        drop(answer(listener.accept().await.unwrap().0, broken).await);
        answer(listener.accept().await.unwrap().0, TAKES_A_MAIL).await
    });
    send(&email_at(port), None, &mail()).await.unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn an_outage_becomes_two_mails_in_one_thread() {
    let mut server = MailServer::start("starttls", Some(("probe", "pw")), &[]).await;
    let state = TempDir::new().unwrap();
    let email = with_login(server.email_with_ca(SmtpTls::StartTls));
    let password = Box::new(|| -> vpnprobe::net::BoxFuture<'static, _> { Box::pin(async { Ok(Secret::new("pw")) }) });
    let clock = Arc::new(SystemClock);
    let (notifier, task) = Notifier::new(
        Arc::new(FileStore::new(state.path(), clock.clone())),
        vec![Arc::new(EmailChannel::new(email, Some(password)))],
        &RouteGate::new(),
        clock,
        "Europe/Paris".parse::<Zone>().unwrap(),
    )
    .unwrap();
    let task = tokio::spawn(task.run());
    for (second, verdict) in [(0, Verdict::Down), (10, Verdict::Down), (20, Verdict::Up)] {
        let at = format!("2026-11-20T06:15:{second:02}Z").parse().unwrap();
        let observation = Observation {
            facts: AlertFacts { prober: "edge 1".into(), ..AlertFacts::default() },
            ..Observation::of("paris", verdict, at, Duration::from_secs(10))
        };
        notifier.observe(observation, AlertRules::default()).await.unwrap();
    }
    let (down, up) = (server.next("mail").await, server.next("mail").await);
    let (down, up) = (down["mail"].as_str().unwrap(), up["mail"].as_str().unwrap());
    let id = "<paris.20261120T061500.000Z.down.edge=201.vpnprobe@example.com>";
    assert!(down.contains(&format!("Message-ID: {id}\r\n")), "{down}");
    assert!(down.contains("Subject: [vpnprobe] paris DOWN: ") && !down.contains("In-Reply-To"), "{down}");
    assert!(down.contains("paris is DOWN since 2026-11-20 07:15:00 CET (2 down cycles in a row)."), "{down}");
    assert!(up.contains("Subject: [vpnprobe] paris is up again after 20 s\r\n"), "{up}");
    assert!(up.contains(&format!("In-Reply-To: {id}\r\n")), "{up}");
    assert_eq!(notifier.shutdown(Instant::now() + LIMIT).await.unwrap(), 0);
    task.await.unwrap();
}

/// A cycle of a tunnel that was found dead and restored, as the journal and the control socket know it.
fn restored_cycle(time: &str) -> CycleRecord {
    let stage = |stage: &str, outcome: Value, detail: Option<&str>| json!({ "stage": stage, "outcome": outcome, "required": true, "took": { "secs": 0, "nanos": 0 }, "detail": detail });
    let record = json!({
        "id": time, "time": time, "site": "utumishi", "kind": "ipsec", "prober": "edge 1",
        "interval": { "secs": 600, "nanos": 0 }, "verdict": "up", "failed_stage": "sa", "reason": "sa-missing",
        "stages": [
            stage("sa", json!({ "failed": "sa-missing" }), None),
            stage("restart", json!("passed"), Some("restored within 812 ms, attempt 1")),
        ],
        "detail": "the IKE_SA is gone", "restarts": 1, "restore": { "secs": 1, "nanos": 250_000_000 },
        "tunnel": { "installed": 1, "bytes_in": 420, "bytes_out": 840, "packets_in": 5, "packets_out": 10 },
        "leftovers": [], "dialogue": [], "checks": [],
    });
    serde_json::from_value(record).unwrap()
}

#[tokio::test]
async fn restored_tunnels_are_a_mail_each_and_the_third_is_the_last_for_now() {
    let mut server = MailServer::start("none", None, &[]).await;
    let state = TempDir::new().unwrap();
    let clock = Arc::new(SystemClock);
    let (notifier, task) = Notifier::new(
        Arc::new(FileStore::new(state.path(), clock.clone())),
        vec![Arc::new(EmailChannel::new(server.email(SmtpTls::None), None))],
        &RouteGate::new(),
        clock,
        "Europe/Paris".parse::<Zone>().unwrap(),
    )
    .unwrap();
    let task = tokio::spawn(task.run());
    for minute in [0, 10, 20, 30, 40] {
        let record = restored_cycle(&format!("2026-11-20T06:{minute:02}:00Z"));
        notifier.observe(Observation::from_record(&record), AlertRules::default()).await.unwrap();
    }
    for (subject, id, words) in [
        ("restored after 1.2 s: sa sa-missing (tunnel)", "20261120T060000.000Z.restored", "once in the last hour"),
        ("restored after 1.2 s: sa sa-missing (tunnel)", "20261120T061000.000Z.restored", "2 times in the last hour"),
        (
            "FALLS again and again, restored 3 times within an hour: sa sa-missing (tunnel)",
            "20261120T060000.000Z.unsteady",
            "3 times in the last hour",
        ),
    ] {
        let mail = server.next("mail").await["mail"].as_str().unwrap().replace("=\r\n", "").replace("\r\n ", " ");
        for line in [
            format!("Subject: [vpnprobe] utumishi {subject}\r\n"),
            format!("Message-ID: <utumishi.{id}.edge=201.vpnprobe@example.com>\r\n"),
            format!("Restored:        {words}, "),
            "Restart:         restored within 812 ms, attempt 1\r\n".to_owned(),
        ] {
            assert!(mail.contains(&line), "{line:?} is missing in\n{mail}");
        }
        assert!(!mail.contains("In-Reply-To"), "{mail}");
    }
    assert_eq!(notifier.shutdown(Instant::now() + LIMIT).await.unwrap(), 0);
    task.await.unwrap();
    let more = server.seen_before_a_marker().await;
    assert!(more.iter().all(|fact| fact.get("mail").is_none()), "{more:?}");
}

/// What `notify-test` says with this mail server and these further keys of `email`.
async fn notify_test(port: u16, keys: &str, arguments: &[&str]) -> (Said, House) {
    let house = notifying(port, keys);
    let all: Vec<&str> = ["notify-test"].iter().chain(arguments).copied().collect();
    (house.run(&all).await, house)
}

fn notifying(port: u16, keys: &str) -> House {
    let house = House::empty();
    house.write("pw", "hunter2 secret\n");
    std::fs::set_permissions(house.path("pw"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let email = format!("server: 127.0.0.1, port: {port}, from: probe@example.com, to: ops@example.com{keys}");
    house.write("config.yml", &format!("prober: edge-1\nstate_dir: state\nlogging: {{ email: {{ {email} }} }}\n"));
    house
}

#[tokio::test]
async fn a_test_message_arrives_marked_as_one_and_leaves_no_trace() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    for arguments in [&[][..], &["email"]] {
        let (said, house) = notify_test(server.port, "", arguments).await;
        assert_eq!((said.status, said.stdout.as_str()), (Some(0), "email: delivered\n"), "{}", said.stderr);
        let mail = server.next("mail").await["mail"].as_str().unwrap().to_owned();
        let version = format!("Version      {}", env!("CARGO_PKG_VERSION"));
        for words in ["Subject: [vpnprobe] TEST from edge-1: nothing is wrong", "This is a test", &version] {
            assert!(mail.replace("=\r\n", "").contains(words) || words == version, "{words}: {mail}");
        }
        assert!(mail.contains(env!("CARGO_PKG_VERSION")), "{mail}");
        assert!(!house.path("state/alerts.json").exists() && !house.path("results").exists());
    }
    let (unknown, _) = notify_test(server.port, "", &["emial"]).await;
    assert!(unknown.status == Some(2) && unknown.stderr.contains("did you mean `email`?"), "{unknown:?}");
    let house = House::empty();
    house.write("config.yml", "prober: edge-1\n");
    let none = house.run(&["notify-test"]).await;
    assert!(none.status == Some(2) && none.stderr.contains("has no channel"), "{none:?}");
}

#[tokio::test]
async fn a_test_message_that_does_not_arrive_says_why_and_what_to_look_at() {
    let _alone = alone().await;
    let strict = MailServer::start("starttls", Some(("probe", "another password")), &[]).await;
    let ca = strict.ca_file();
    let login = format!(", tls: starttls, username: probe, password_file: pw, ca_file: {}", ca.display());
    let (refused, _) = notify_test(strict.port, &login, &[]).await;
    assert_eq!(refused.status, Some(1));
    for words in ["email: NOT delivered: ", "did not accept the login", "535", "hint: `username` and the password"] {
        assert!(refused.stdout.contains(words), "{words}: {}", refused.stdout);
    }
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    let other = MailServer::start("starttls", None, &[]).await;
    let wrong = format!(", tls: starttls, ca_file: {}", ca.display());
    let (untrusted, _) = notify_test(other.port, &wrong, &[]).await;
    assert!(untrusted.status == Some(1) && untrusted.stdout.contains("hint: `ca_file`"), "{untrusted:?}");
}

#[tokio::test]
async fn a_test_message_waits_for_whoever_holds_the_routes_and_says_so() {
    let _alone = alone().await;
    let mut server = MailServer::start("none", None, &[]).await;
    let busy = House::with_sites("  a: { client: stubborn }");
    let mut told = busy.told();
    let mut probing = busy.command(["test"]).spawn().unwrap();
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap().as_deref(), Some("started"));
    let house = notifying(server.port, "");
    let mut waiting = house.command(["notify-test"]).spawn().unwrap();
    let mut log = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let said = timeout(LIMIT, log.next_line()).await.unwrap().unwrap().unwrap();
    assert!(said.contains("waiting for it"), "{said}");
    // Nothing is sent while the client lives.
    assert!(server.seen_before_a_marker().await.iter().all(|fact| fact.get("mail").is_none()));
    let pid = i32::try_from(probing.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM).unwrap();
    probing.wait().await.unwrap();
    let output = waiting.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"email: delivered\n"[..]));
    server.next("mail").await;
}
