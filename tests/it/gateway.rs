//! The stage `gateway` against real TLS servers (OpenSSL's `s_server`) of every age, and against what is none.

use std::path::Path;
use std::process::Stdio;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::house::{House, alone};

/// A TLS server that goes with this value.
struct Server {
    _process: Child,
    port: u16,
}

impl Server {
    /// `openssl s_server` with this certificate of the directory.
    async fn start(dir: &Path, certificate: &str, arguments: &str) -> Self {
        let (pem, key) = (dir.join(format!("{certificate}.pem")), dir.join(format!("{certificate}.key")));
        let mut process = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(pem)
            .arg("-key")
            .arg(key)
            .args(arguments.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl is installed");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("s_server listens");
            if let Some(port) = line.strip_prefix("ACCEPT 127.0.0.1:") {
                break port.trim().parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _process: process, port }
    }
}

/// A listener that answers whatever comes with these words, or, without any, never.
async fn listener(words: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Some(words) = words {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(words.as_bytes()).await;
            } else {
                open.push(stream);
            }
        }
    });
    port
}

fn write_certificates(house: &House) {
    let params = |until| {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = until;
        params
    };
    let mut authority = params(date_time_ymd(2049, 1, 1));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    house.write("ca.pem", &ca.pem());
    for (name, until) in [("good", date_time_ymd(2049, 1, 1)), ("expired", date_time_ymd(2021, 1, 1))] {
        let key = KeyPair::generate().unwrap();
        house.write(&format!("{name}.pem"), &params(until).signed_by(&key, &ca).unwrap().pem());
        house.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// Keys of another age, which nothing but OpenSSL makes any more.
async fn write_old_certificate(house: &House) {
    let request = "req -x509 -newkey rsa:1024 -sha1 -nodes -subj /CN=old -days 30 -out old.pem -keyout old.key";
    let made = Command::new("openssl").args(request.split(' ')).current_dir(house.path(".")).output().await.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn stage<'a>(cycle: &'a Value, name: &str) -> &'a Value {
    cycle["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == name).unwrap()
}

#[tokio::test]
async fn gateways_of_every_age_are_told_from_what_is_none() {
    let house = House::with_sites("");
    write_certificates(&house);
    write_old_certificate(&house).await;
    let dir = house.path(".");
    let old = "-cipher ALL:@SECLEVEL=0";
    let modern = Server::start(&dir, "good", "").await;
    let expired = Server::start(&dir, "expired", "").await;
    let tls12 = Server::start(&dir, "good", "-tls1_2").await;
    let weak = Server::start(&dir, "old", &format!("-tls1_2 {old}")).await;
    let no_secrecy = Server::start(&dir, "old", "-tls1_2 -cipher AES128-SHA:@SECLEVEL=0").await;
    let tls10 = Server::start(&dir, "old", &format!("-tls1 {old}")).await;
    let client_certificate = Server::start(&dir, "good", "-tls1_2 -Verify 1 -verify_return_error").await;
    let (silent, http) = (listener(None).await, listener(Some("HTTP/1.0 400 Bad Request\r\n\r\n")).await);
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let sha256 = "SHA256:0000000000000000000000000000000000000000000000000000000000000000";
    let cases = [
        (modern.port, "", "passed", "not verified"),
        (modern.port, "ca_file: ca.pem", "passed", "trusted"),
        (modern.port, "fingerprint: NAME", "certificate-untrusted", "is not pinned"),
        (modern.port, "fingerprint: NAME, gateway: { speaks: tls, verify: false }", "passed", "not verified"),
        (modern.port, "ca_file: good.key", "prepare-failed", "no PEM certificate"),
        (expired.port, "", "passed", "certificate expired"),
        (expired.port, "ca_file: ca.pem", "certificate-expired", "days ago"),
        (tls12.port, "ca_file: ca.pem", "passed", "trusted"),
        (weak.port, "", "passed", "not verified"),
        (weak.port, "ca_file: ca.pem", "certificate-untrusted", "did not prove"),
        (no_secrecy.port, "", "passed", "speaks TLS, but none that this prober can"),
        (tls10.port, "", "passed", "speaks TLS, but none that this prober can"),
        (tls10.port, "ca_file: ca.pem", "tls-failed", "its certificate can't be verified"),
        (client_certificate.port, "ca_file: ca.pem", "passed", "trusted; it asks for a certificate of the client"),
        (silent, "gateway: { speaks: tls, timeout: 300ms }", "tls-failed", "no answer to the TLS handshake within"),
        (silent, "gateway: { speaks: tcp }", "passed", "tcp"),
        (http, "", "tls-failed", "is no TLS"),
        (refusing, "", "connect-refused", "127.0.0.1"),
    ];
    let sites = cases.iter().enumerate().map(|(number, (port, keys, _, _))| {
        let speaks = if keys.contains("speaks") { "" } else { "gateway: { speaks: tls }, " };
        let keys = keys.replace("NAME", sha256);
        format!("  s{number}: {{ client: good, vpn_gw: \"127.0.0.1:{port}\", {speaks}{keys} }}\n")
    });
    house.configure(&sites.collect::<String>().replace(",  }", " }"));
    let _alone = alone().await;
    let said = house.run(&["test", "--json"]).await;
    let cycles: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cycles.len(), cases.len(), "{}", said.stderr);
    for ((_, keys, outcome, detail), cycle) in cases.iter().zip(&cycles) {
        let gateway = stage(cycle, "gateway");
        assert_eq!(gateway["outcome"], *outcome, "{keys}: {gateway}");
        assert!(gateway["detail"].as_str().unwrap().contains(detail), "{keys}: {gateway}");
        assert_eq!(stage(cycle, "login")["outcome"], "passed", "a login is tried whatever the gateway looks like");
    }
    assert_eq!(cycles[1]["gateway"]["tls_version"], "TLS 1.3");
    assert_eq!(cycles[7]["gateway"]["tls_version"], "TLS 1.2");
    assert!(cycles[0]["cert_days_left"].as_i64().unwrap() > 8000, "{}", cycles[0]);
    assert!(cycles[5]["cert_days_left"].as_i64().unwrap() < -2000, "{}", cycles[5]);
    assert_eq!(cycles[11]["cert_days_left"], Value::Null, "nobody saw it");
}
