//! Debian's Alertmanager, asked by its own API: an alert fires, goes on firing for longer than Alertmanager remembers by
//! itself, also over a restart of the prober, and is resolved.

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{Instant, interval, timeout};

use crate::house::{House, LIMIT, alone};
use crate::receiver::closed_port;

const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";
/// Alertmanager forgets what it does not hear of for so long.
const FORGETS_AFTER: Duration = Duration::from_secs(3);

/// It is asked so often.
const LOOK: Duration = Duration::from_millis(50);

/// A running Alertmanager, killed when dropped.
struct Alertmanager {
    port: u16,
    _dir: TempDir,
    _process: Child,
    _log: Lines<BufReader<ChildStderr>>,
}

impl Alertmanager {
    async fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let config = dir.path().join("am.yml");
        let seconds = FORGETS_AFTER.as_secs();
        let text = format!(
            "global: {{ resolve_timeout: {seconds}s }}\nroute: {{ receiver: none }}\nreceivers: [ {{ name: none }} ]\n"
        );
        std::fs::write(&config, text).unwrap();
        let port = closed_port().await;
        let mut command = Command::new(ALERTMANAGER);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", dir.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().expect("needs prometheus-alertmanager: run scripts/test");
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let listens = async {
            while let Some(line) = log.next_line().await.unwrap() {
                if line.contains("Listening on") || line.contains("msg=Listening") {
                    return;
                }
            }
            panic!("Alertmanager ended");
        };
        timeout(LIMIT, listens).await.expect("Alertmanager does not listen");
        Self { port, _dir: dir, _process: process, _log: log }
    }

    /// Its alerts, resolved ones left out, as its API has them.
    async fn alerts(&self) -> Vec<Value> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        stream.write_all(b"GET /api/v2/alerts HTTP/1.0\r\nHost: am\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    /// Asks until there are so many.
    async fn has(&self, count: usize) -> Vec<Value> {
        let asked = async {
            let mut again = interval(LOOK);
            loop {
                again.tick().await;
                let alerts = self.alerts().await;
                if alerts.len() == count {
                    return alerts;
                }
            }
        };
        timeout(LIMIT, asked).await.unwrap_or_else(|_| panic!("there never are {count} alerts"))
    }

    /// Asks all the time for so long: it fires every time.
    async fn goes_on_firing(&self, length: Duration) {
        let until = Instant::now() + length;
        let mut again = interval(LOOK);
        while Instant::now() < until {
            again.tick().await;
            assert_eq!(self.alerts().await.len(), 1, "it was forgotten");
        }
    }
}

fn configure(house: &House, client: &str, port: u16) {
    house.configure(&format!("  paris: {{ client: {client}, group: emea, frequency: 1h, frequency_down: 1h }}"));
    let config = std::fs::read_to_string(house.path("config.yml")).unwrap();
    let am = format!("am: {{ alertmanager: {{ url: \"http://127.0.0.1:{port}\", repeat: 1s }} }}");
    house.write("config.yml", &format!("{config}alerts: {{ channels: {{ {am} }} }}\n"));
}

#[tokio::test]
async fn an_alert_fires_in_alertmanager_until_the_site_is_up_again() {
    let _alone = alone().await;
    let alertmanager = Alertmanager::start().await;
    let house = House::with_sites("  paris: { client: refusing }");
    configure(&house, "refusing", alertmanager.port);
    let prober = house.start();
    let alert = alertmanager.has(1).await.remove(0);
    let labels = &alert["labels"];
    for (label, value) in [
        ("alertname", "VpnSiteDown"),
        ("site", "paris"),
        ("prober", "here"),
        ("kind", "ssl-vpn"),
        ("severity", "critical"),
        ("stage", "login"),
        ("reason", "auth-rejected"),
        ("fault_domain", "identity"),
        ("group", "emea"),
    ] {
        assert_eq!(labels[label], value, "{label}: {labels}");
    }
    assert!(alert["annotations"]["summary"].as_str().unwrap().contains("paris DOWN"), "{alert}");
    let row = &house.rows()[0];
    let start = |time: &Value| time.as_str().unwrap()[..23].to_owned();
    assert_eq!(start(&alert["startsAt"]), start(&row["time"]), "the true start");
    alertmanager.goes_on_firing(FORGETS_AFTER * 2).await;
    // Over a restart, too.
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let mut prober = house.start();
    alertmanager.has(1).await;
    alertmanager.goes_on_firing(FORGETS_AFTER * 2).await;
    assert_eq!(alertmanager.alerts().await[0]["startsAt"], alert["startsAt"]);
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    configure(&house, "good", alertmanager.port);
    let said = house.run(&["test", "--force", "--record"]).await;
    assert_eq!(said.status, Some(0), "{said:?}");
    alertmanager.has(0).await;
    prober = house.start();
    prober.says_cycle().await;
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new(), "nothing of it comes back");
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
}
