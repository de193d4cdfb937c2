//! A real mail server (Debian's python3-aiosmtpd) for one test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use vpnprobe::alert::{OutgoingMail, SendError, send_mail};
use vpnprobe::config::{Email, Secret, SmtpTls};

/// Longest wait for anything of it; only a fault of the test itself takes so long.
const LIMIT: Duration = Duration::from_secs(20);
const PYTHON: &str = "/usr/bin/python3";

/// A mail server, killed when dropped.
pub(crate) struct MailServer {
    pub(crate) port: u16,
    facts: mpsc::UnboundedReceiver<Value>,
    certificates: TempDir,
    _process: Child,
}

impl MailServer {
    /// `tls`: `none`, `starttls` or `tls`. With a login and TLS nothing is accepted before it; without TLS it is offered.
    pub(crate) async fn start(tls: &str, login: Option<(&str, &str)>, refused: &[&str]) -> Self {
        Self::open(json!({ "tls": tls, "login": login.map(|(user, password)| [user, password]), "refused": refused }))
            .await
    }

    /// One without TLS on this port, that answers every mail with what this file holds while it is there.
    pub(crate) async fn start_at(port: u16, answer: &Path) -> Self {
        Self::open(json!({ "tls": "none", "refused": [], "port": port, "answer": answer })).await
    }

    async fn open(mut settings: Value) -> Self {
        let found = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status().await;
        assert!(found.is_ok_and(|status| status.success()), "needs python3-aiosmtpd: run scripts/test");
        let certificates = make_certificates().await;
        settings["cert"] = json!(certificates.path().join("server.pem"));
        settings["key"] = json!(certificates.path().join("server.key"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_server.py");
        let mut command = Command::new(PYTHON);
        command
            .args([script.as_os_str(), settings.to_string().as_ref()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let facts = facts_of(process.stdout.take().unwrap());
        let mut server = Self { port: 0, facts, certificates, _process: process };
        server.port = u16::try_from(server.next("port").await["port"].as_u64().unwrap()).unwrap();
        server
    }

    /// The next fact that has this key; others are skipped.
    pub(crate) async fn next(&mut self, key: &str) -> Value {
        let read = async {
            loop {
                let fact = self.facts.recv().await.expect("the mail server ended");
                if fact.get(key).is_some() {
                    return fact;
                }
            }
        };
        timeout(LIMIT, read).await.unwrap_or_else(|_| panic!("the mail server saw no {key}"))
    }

    /// Everything it saw until now: a mail that follows on another connection is the mark.
    pub(crate) async fn seen_before_a_marker(&mut self) -> Vec<Value> {
        let marker = OutgoingMail { subject: "marker".into(), ..mail() };
        send(&self.email(SmtpTls::None), None, &marker).await.unwrap();
        let mut seen = vec![];
        loop {
            let fact = timeout(LIMIT, self.facts.recv()).await.unwrap().unwrap();
            if fact["mail"].as_str().is_some_and(|text| text.contains("Subject: marker")) {
                return seen;
            }
            seen.push(fact);
        }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.certificates.path().join("ca.pem")
    }

    pub(crate) fn email(&self, tls: SmtpTls) -> Email {
        Email {
            server: "127.0.0.1".into(),
            port: self.port,
            tls,
            from: "probe@example.com".into(),
            to: vec!["ops@example.com".into(), "night@example.com".into()],
            login: None,
            ca_file: None,
        }
    }

    pub(crate) fn email_with_ca(&self, tls: SmtpTls) -> Email {
        Email { ca_file: Some(self.ca_file()), ..self.email(tls) }
    }
}

/// What it says, a line each. It is read all the time, so that it never waits for a reader.
fn facts_of(stdout: ChildStdout) -> mpsc::UnboundedReceiver<Value> {
    let (sender, facts) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            // Nobody may want to know any more.
            let _ = sender.send(serde_json::from_str(&line).unwrap());
        }
    });
    facts
}

/// A certificate authority and a certificate for 127.0.0.1, made by openssl.
async fn make_certificates() -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("san"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].join(" ");
    for arguments in [
        format!("req -x509 {key} -days 2 -subj /CN=test-ca -keyout ca.key -out ca.pem"),
        format!("req {key} -subj /CN=127.0.0.1 -keyout server.key -out server.csr"),
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem".into(),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).current_dir(dir.path());
        let output = openssl.output().await.expect("needs openssl: run scripts/test");
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    dir
}

/// A mail.
pub(crate) fn mail() -> OutgoingMail {
    OutgoingMail {
        message_id: "paris.1.up".into(),
        in_reply_to: Some("paris.1.down".into()),
        date: "2026-11-20T06:15:30Z".parse().unwrap(),
        subject: "[vpnprobe] Zürich is up again".into(),
        body: "Zürich is up again.\n.\n..dots\n".into(),
        html: None,
        attachment: None,
    }
}

/// Sends one by this server.
pub(crate) async fn send(email: &Email, password: Option<&str>, mail: &OutgoingMail) -> Result<(), SendError> {
    let password = password.map(Secret::new);
    send_mail(email, password.as_ref(), mail, Instant::now() + LIMIT).await
}
