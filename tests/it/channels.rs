//! Channels of alerts beside mail: a whole prober that tells a webhook, and every fault that a receiver may have.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vpnprobe::alert::{Channel, CommandChannel, EmailChannel, SendError, WebChannel, test_message, try_channel};
use vpnprobe::clock::{Clock, SystemClock};
use vpnprobe::config::{ChannelKind, Email, Environment, SmtpTls, load_str};
use vpnprobe::zone::Zone;

use crate::house::{House, alone};
use crate::receiver::{Play, Receiver, closed_port, full_port};

/// Nothing that is told of a channel may hold it.
const SECRET: &str = "hunter2hunter2";
/// A channel's own timeout here; what hangs takes so long.
const TIMEOUT: &str = "1s";

/// A house whose site `down` refuses the login, with these channels (YAML, one line).
fn house(channels: &str) -> House {
    let house = House::with_sites("  down: { client: refusing }");
    tell(&house, channels);
    house
}

fn tell(house: &House, channels: &str) {
    let config = std::fs::read_to_string(house.path("config.yml")).unwrap();
    let config = config.split("alerts:").next().unwrap().to_owned();
    house.write("config.yml", &format!("{config}alerts: {{ channels: {{ {channels} }} }}\n"));
}

#[tokio::test]
async fn a_running_prober_tells_a_webhook_of_an_outage() {
    let _alone = alone().await;
    let mut receiver = Receiver::plain(&[Play::Answer(503, "", "later")]).await;
    let url = format!("http://127.0.0.1:{}/{SECRET}?key={SECRET}", receiver.port);
    let house = house(&format!("hook: {{ webhook: {{ url: \"{url}\" }} }}"));
    let mut prober = house.start();
    let first = receiver.next().await;
    assert!(first.head.starts_with(&format!("POST /{SECRET}?key={SECRET} HTTP/1.1")), "{}", first.head);
    let document = first.json();
    for (name, expected) in [
        ("version", json!(1)),
        ("kind", json!("triggered")),
        ("status", json!("firing")),
        ("severity", json!("critical")),
        ("site", json!("down")),
        ("prober", json!("here")),
        ("reason", json!("auth-rejected")),
        ("fault_domain", json!("identity")),
    ] {
        assert_eq!(document[name], expected, "{name}");
    }
    let said = prober.says("message not delivered").await;
    assert!(said.to_string().contains("answer: status 503: later"), "{said}");
    assert_eq!(receiver.next().await.json(), document, "the same message again, under the same id");
    prober.says("message delivered").await;
    prober.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    assert!(!house.everything_written().contains(SECRET) && !said.to_string().contains(SECRET));
}

/// A channel of this kind, read from a configuration: `webhook: { url: … }`.
fn channel(kind: &str) -> Arc<dyn Channel> {
    let text = format!("alerts: {{ channels: {{ c: {{ {kind} }} }} }}");
    let config =
        load_str(&text, Path::new("/"), "c.yml", &Environment::default()).unwrap_or_else(|e| panic!("{e}")).config;
    let configured = &config.channels[0];
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match &configured.kind {
        ChannelKind::Command(command) => Arc::new(CommandChannel::new("c", command.clone(), Vec::new())),
        kind => Arc::new(WebChannel::new("c", kind, &Environment::default(), clock).unwrap()),
    }
}

/// The channels that are web servers, for this place and with these further keys.
fn web_channels(at: &str, keys: &str) -> [(&'static str, Arc<dyn Channel>); 5] {
    let hook = |kind: &str| channel(&format!("{kind}: {{ url: \"{at}/{SECRET}\", timeout: {TIMEOUT}{keys} }}"));
    let telegram =
        format!("telegram: {{ token: \"12:{SECRET}\", chat_id: \"1\", api: \"{at}\", timeout: {TIMEOUT}{keys} }}");
    [
        ("webhook", hook("webhook")),
        ("alertmanager", hook("alertmanager")),
        ("telegram", channel(&telegram)),
        ("slack", hook("slack")),
        ("teams", hook("teams")),
    ]
}

async fn send(channel: &dyn Channel) -> Result<(), SendError> {
    let now = SystemClock.now();
    try_channel(channel, &test_message("edge-1", now, &Zone::utc())).await
}

/// What becomes of a message, as the table in `docs/alerts.md` has it.
fn cell(result: &Result<(), SendError>) -> &'static str {
    match result {
        Ok(()) => "delivered",
        Err(error) if error.retry_after.is_some() => "again, when it says",
        Err(error) if error.permanent => "again every 5 min",
        Err(_) => "again",
    }
}

/// A fault, and at which step it is met.
struct Fault {
    name: &'static str,
    tls_name: Option<&'static str>,
    play: Play,
    step: &'static str,
}

const fn fault(name: &'static str, play: Play, step: &'static str) -> Fault {
    Fault { name, tls_name: None, play, step }
}

fn faults() -> Vec<Fault> {
    let too_many = Play::Answer(429, "Retry-After: 7\r\n", "slowly");
    vec![
        fault("says nothing, over TLS", Play::HangAtOnce, "TLS: no answer in time"),
        fault("takes the message and says nothing", Play::HangBeforeAnswer, "answer: no answer in time"),
        fault("stops in the middle of its answer", Play::HangInAnswer, "answer: no answer in time"),
        fault("resets the connection", Play::Reset, "127.0.0.1:"),
        fault("speaks something else", Play::NoHttp, "answer: what it answers is no HTTP"),
        fault("answers with 10 MB", Play::Endless, "answer: status 500: xxx"),
        fault("400", Play::Answer(400, "", "bad"), "answer: status 400: bad"),
        fault("404, and shows the URL", Play::Answer(404, "", "no /hunter2hunter2"), "answer: status 404: no "),
        fault("408, 425", Play::Answer(408, "", ""), "answer: status 408"),
        fault("429 with `Retry-After`", too_many, "answer: status 429: slowly"),
        fault("5xx", Play::Answer(502, "", "<h1>Bad Gateway</h1>"), "answer: status 502: <h1>Bad Gateway</h1>"),
        fault("redirects", Play::Answer(302, "Location: /x\r\n", ""), "answer: status 302 (a redirect"),
        Fault {
            tls_name: Some("other.example.com"),
            ..fault("has a certificate for another name", Play::Take, "TLS: ")
        },
    ]
}

/// One row: the fault, then what becomes of a message to each kind of web server.
async fn row(fault: &Fault) -> (String, Vec<&'static str>) {
    let over_tls = fault.tls_name.or((fault.step.starts_with("TLS")).then_some("127.0.0.1"));
    let plays = [fault.play.clone()];
    let mut cells = Vec::new();
    for index in 0..5 {
        let receiver = match over_tls {
            Some(name) => Receiver::tls(&plays, name).await,
            None => Receiver::plain(&plays).await,
        };
        let scheme = if over_tls.is_some() { "https" } else { "http" };
        let keys =
            if over_tls.is_some() { format!(", ca_file: \"{}\"", receiver.ca_file().display()) } else { String::new() };
        let (kind, channel) = &web_channels(&format!("{scheme}://127.0.0.1:{}", receiver.port), &keys)[index];
        let result = send(channel.as_ref()).await;
        let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(fault.step) && text.contains("127.0.0.1"), "{} × {kind}: {text}", fault.name);
        assert!(!text.contains("hunter2"), "{} × {kind}: {text}", fault.name);
        cells.push(cell(&result));
        // Later it takes the message.
        if fault.tls_name.is_none() {
            assert_eq!(send(channel.as_ref()).await, Ok(()), "{} × {kind}", fault.name);
        }
    }
    (fault.name.to_owned(), cells)
}

/// What no receiver plays: there is none to speak to.
async fn rows_without_receiver() -> Vec<(String, Vec<&'static str>)> {
    let (full, _full) = full_port().await;
    let closed = closed_port().await;
    let mut rows = Vec::new();
    for (name, at, step) in [
        ("its name does not exist", "http://receiver.invalid:80".to_owned(), "receiver.invalid:80: name: "),
        ("nobody listens", format!("http://127.0.0.1:{closed}"), ": connection: refused"),
        ("takes no connection", format!("http://127.0.0.1:{full}"), ": connection: no answer in time"),
    ] {
        let mut cells = Vec::new();
        for (kind, channel) in web_channels(&at, "") {
            let result = send(channel.as_ref()).await;
            let text = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert!(text.contains(step) && !text.contains("hunter2"), "{name} × {kind}: {text}");
            cells.push(cell(&result));
        }
        rows.push((name.to_owned(), cells));
    }
    rows
}

fn table(rows: &[(String, Vec<&'static str>)]) -> String {
    let mut table =
        "| the receiver … | webhook | alertmanager | telegram | slack | teams |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (name, cells) in rows {
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    table
}

#[tokio::test]
async fn every_fault_of_a_receiver_ends_as_the_table_in_the_documents_says() {
    let mut rows = rows_without_receiver().await;
    for fault in faults() {
        rows.push(row(&fault).await);
    }
    let table = table(&rows);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- faults -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of faults -->").unwrap();
    let expected = format!("{before}<!-- faults -->\n{table}<!-- end of faults -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), expected, "UPDATE_DOCS=1 writes it");
}

#[tokio::test]
async fn over_tls_a_message_arrives_where_name_and_authority_are_right() {
    let mut receiver = Receiver::tls(&[], "localhost").await;
    let ca = receiver.ca_file();
    let keys = format!(", ca_file: \"{}\"", ca.display());
    let at = format!("https://localhost:{}", receiver.port);
    for (kind, channel) in web_channels(&at, &keys) {
        assert_eq!(send(channel.as_ref()).await, Ok(()), "{kind}");
        let request = receiver.next().await;
        assert!(request.head.to_ascii_lowercase().contains("content-type: application/json"), "{}", request.head);
        request.json();
    }
    // By the system's roots it is unknown.
    for (kind, channel) in web_channels(&at, "") {
        let error = send(channel.as_ref()).await.unwrap_err();
        assert!(error.text.contains("TLS: "), "{kind}: {error}");
        assert!(!receiver.was_asked(), "{kind}: nothing is sent to whom is not trusted");
    }
}

#[tokio::test]
async fn headers_and_an_own_text_arrive_as_they_were_written() {
    let mut receiver = Receiver::plain(&[]).await;
    let at = format!("http://127.0.0.1:{}", receiver.port);
    let keys = "headers: { Authorization: \"Bearer hunter2hunter2\", Content-Type: text/plain }, template: \"{site}: {subject}\"";
    send(channel(&format!("webhook: {{ url: \"{at}/\", {keys} }}")).as_ref()).await.unwrap();
    let request = receiver.next().await;
    let head = request.head.to_ascii_lowercase();
    assert!(
        head.contains("authorization: bearer hunter2hunter2") && head.contains("content-type: text/plain"),
        "{head}"
    );
    assert_eq!(request.body, "edge-1: [vpnprobe] TEST from edge-1: nothing is wrong");
    receiver.plays(&[Play::Answer(401, "", "Bearer hunter2hunter2 is unknown")]);
    let error = send(channel(&format!("webhook: {{ url: \"{at}/\", {keys} }}")).as_ref()).await.unwrap_err();
    assert!(error.text.ends_with("answer: status 401: <secret> is unknown"), "{error}");
}

#[tokio::test]
async fn alertmanager_gets_a_password_over_tls_or_on_this_host_alone() {
    let mut receiver = Receiver::plain(&[]).await;
    let am = |at: &str| channel(&format!("alertmanager: {{ url: \"{at}/am\", username: probe, password: {SECRET} }}"));
    send(am(&format!("http://127.0.0.1:{}", receiver.port)).as_ref()).await.unwrap();
    let head = receiver.next().await.head;
    // probe:hunter2hunter2
    assert!(head.contains("Basic cHJvYmU6aHVudGVyMmh1bnRlcjI="), "{head}");
    assert!(head.starts_with("POST /am/api/v2/alerts "), "{head}");
    let error = send(am("http://am.example.com").as_ref()).await.unwrap_err();
    assert!(error.permanent && error.text.contains("over TLS only") && !error.text.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn telegram_says_in_its_answer_when_to_come_again() {
    let text = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#;
    let mut receiver = Receiver::plain(&[Play::Answer(429, "", text)]).await;
    let at = format!("http://127.0.0.1:{}", receiver.port);
    let telegram = channel(&format!("telegram: {{ token: \"12:{SECRET}\", chat_id: \"-1\", api: \"{at}\" }}"));
    let error = send(telegram.as_ref()).await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(5)));
    let request = receiver.next().await;
    assert!(request.head.starts_with(&format!("POST /bot12:{SECRET}/sendMessage ")), "{}", request.head);
    assert_eq!((&request.json()["chat_id"], &request.json()["parse_mode"]), (&json!("-1"), &json!("HTML")));
}

/// What `notify-test` says with this configuration.
async fn notify_test(config: &str, arguments: &[&str]) -> crate::house::Said {
    let house = House::empty();
    house.write("config.yml", &format!("prober: edge-1\nstate_dir: state\n{config}"));
    let all: Vec<&str> = ["notify-test"].iter().chain(arguments).copied().collect();
    house.run(&all).await
}

#[tokio::test]
async fn a_test_message_goes_to_every_channel_and_a_bad_one_gets_a_hint() {
    let _alone = alone().await;
    let mut receiver = Receiver::plain(&[]).await;
    let good = format!("http://127.0.0.1:{}/{SECRET}", receiver.port);
    let bad = format!("http://127.0.0.1:{}/{SECRET}", closed_port().await);
    let config = format!(
        "alerts: {{ channels: {{ hook: {{ webhook: {{ url: \"{good}\" }} }}, team: {{ slack: {{ url: \"{bad}\" }} }},\n  script: {{ command: [\"sh\", \"-c\", \"cat >got\"] }}, gone: {{ command: /nonexistent/notify }} }} }}\n"
    );
    let said = notify_test(&config, &[]).await;
    assert_eq!(said.status, Some(1), "{said:?}");
    for line in [
        "hook: delivered\n",
        "script: delivered\n",
        "connection: refused: nobody listens there\n  hint: see host and port in the URL",
        "gone: NOT delivered: cannot run the command `/nonexistent/notify`",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    assert_eq!(receiver.next().await.json()["kind"], "test");
    let one = notify_test(&config, &["hook"]).await;
    assert_eq!((one.status, one.stdout.as_str()), (Some(0), "hook: delivered\n"), "{one:?}");
    let slip = notify_test(&config, &["hok"]).await;
    assert!(slip.status == Some(2) && slip.stderr.contains("did you mean `hook`?"), "{slip:?}");
}

#[tokio::test]
async fn a_mail_server_that_is_not_there_is_as_transient_as_a_web_server() {
    let email = |server: &str, port| Email {
        server: server.into(),
        port,
        tls: SmtpTls::None,
        from: "probe@example.com".into(),
        to: vec!["ops@example.com".into()],
        login: None,
        ca_file: None,
    };
    for email in [email("receiver.invalid", 25), email("127.0.0.1", closed_port().await)] {
        let error = send(&EmailChannel::new(email, None)).await.unwrap_err();
        assert_eq!(cell(&Err::<(), _>(error.clone())), "again", "{error}");
    }
}

#[tokio::test]
async fn the_document_of_a_running_prober_has_every_field_that_the_documents_name() {
    let mut receiver = Receiver::plain(&[]).await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    send(channel(&format!("webhook: {{ url: \"{url}\" }}")).as_ref()).await.unwrap();
    let Value::Object(document) = receiver.next().await.json() else { panic!("no object") };
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alerts.md")).unwrap();
    for name in document.keys() {
        assert!(page.contains(&format!("`{name}`")), "`{name}` is missing in docs/alerts.md");
    }
}
