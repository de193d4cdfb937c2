//! Channels of alerts beside mail: a whole prober that tells a webhook, and what each kind is sent.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use vpnprobe::alert::{Channel, CommandChannel, SendError, WebChannel, test_message, try_channel};
use vpnprobe::clock::{Clock, SystemClock};
use vpnprobe::config::{ChannelKind, Environment, load_str};
use vpnprobe::zone::Zone;

use crate::house::{House, alone};
use crate::receiver::{Play, Receiver, closed_port};

/// Nothing that is told of a channel may hold it.
pub(crate) const SECRET: &str = "hunter2hunter2";
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
pub(crate) fn channel(kind: &str) -> Arc<dyn Channel> {
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
pub(crate) fn web_channels(at: &str, keys: &str) -> [(&'static str, Arc<dyn Channel>); 5] {
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

/// Sends it a test.
pub(crate) async fn send(channel: &dyn Channel) -> Result<(), SendError> {
    let now = SystemClock.now();
    try_channel(channel, &test_message("edge-1", now, &Zone::utc())).await
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
