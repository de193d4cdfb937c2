//! The schema against the fixtures of the loader, by a validator that is not ours (Debian's python3-jsonschema), and
//! against the loader itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use vpnprobe::config::{Environment, load_str, schema};

/// Bad fixtures that the schema accepts, each with what only the loader can tell.
const BEYOND_THE_SCHEMA: [(&str, &str); 12] = [
    ("alias.yml", "no YAML"),
    ("channels-without-mail.yml", "two blocks together"),
    ("fields.yml", "what a client's profile asks of a site"),
    ("empty-as-toml.toml", "a table without keys is no configuration"),
    ("home.yml", "what a path may begin with"),
    ("mail-no-user.yml", "two keys together"),
    ("missing.yml", "what a site needs may stand in `defaults`"),
    ("site-names.yml", "names of sites"),
    ("no-connected.yml", "what a dialogue needs as a whole"),
    ("report-of-nothing.yml", "what a block needs as a whole"),
    ("two-passwords.yml", "two keys together"),
    ("unknown-client.yml", "names of the user's own profiles"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures(dir: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("fixtures/config").join(dir)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending != "txt")).collect();
    files.sort();
    files
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// What an editor sees in the file; none where it can't read it either.
fn document(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).unwrap();
    match path.extension().unwrap().to_str() {
        Some("toml") if toml::de::DeTable::parse(&text).is_err() => None,
        Some("toml") => Some(json!({ "toml": text })),
        Some("json") => serde_json::from_str(&text).ok(),
        _ => serde_saphyr::from_str(text.trim_start_matches('\u{feff}')).ok(),
    }
}

/// Empty for each valid document, else the first fault.
async fn faults_of(documents: &[Value], quick: &[&str]) -> Vec<String> {
    faults_by(&schema(), documents, quick).await
}

/// The same by a schema.
pub(crate) async fn faults_by(schema: &Value, documents: &[Value], quick: &[&str]) -> Vec<String> {
    let mut python = Command::new("/usr/bin/python3");
    python.arg(root().join("tests/it/validate.py")).args(quick).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    let lines: Vec<String> = std::iter::once(schema).chain(documents).map(|value| format!("{value}\n")).collect();
    let mut stdin = python.stdin.take().unwrap();
    let writing = tokio::spawn(async move { stdin.write_all(lines.concat().as_bytes()).await });
    let output = python.wait_with_output().await.unwrap();
    writing.await.unwrap().unwrap();
    assert!(output.status.success(), "needs python3-jsonschema: run scripts/test");
    let faults: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(faults.len(), documents.len());
    faults
}

#[tokio::test]
async fn the_schema_accepts_the_example_and_every_good_fixture() {
    let mut paths = fixtures("good");
    paths.push(root().join("config.yml.example"));
    let documents: Vec<_> = paths.iter().map(|path| document(path).unwrap_or_else(|| panic!("{path:?}"))).collect();
    for (path, fault) in paths.iter().zip(faults_of(&documents, &[]).await) {
        assert_eq!(fault, "", "{}", path.display());
    }
}

#[tokio::test]
async fn the_schema_refuses_every_bad_fixture_but_those_whose_fault_is_beyond_it() {
    let readable = |path: PathBuf| document(&path).map(|document| (path, document));
    let (paths, documents): (Vec<_>, Vec<_>) = fixtures("bad").into_iter().filter_map(readable).unzip();
    assert!(paths.len() > 20, "{} files", paths.len());
    let beyond = |name: &str| BEYOND_THE_SCHEMA.iter().any(|(file, _)| *file == name);
    let mut wrong = Vec::new();
    for (path, fault) in paths.iter().zip(faults_of(&documents, &[]).await) {
        let name = name_of(path);
        if fault.is_empty() != beyond(&name) {
            wrong.push(format!("{name}: {}", if fault.is_empty() { "accepted" } else { &fault }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Values of every sort, right and wrong.
fn samples() -> Vec<Value> {
    let long = "x".repeat(40);
    let scalars = json!([
        0,
        1,
        2,
        5,
        60,
        99,
        100,
        101,
        600,
        1000,
        1001,
        3600,
        3601,
        65535,
        65536,
        1e9,
        -1,
        0.001,
        0.01,
        0.5,
        1.5,
        true,
        false,
        "",
        " ",
        "0",
        "5",
        "0123",
        "true",
        "Yes",
        "OFF",
        "none",
        "tls",
        "tcp",
        "starttls",
        "abc",
        "a b",
        "a/b",
        "a:443",
        "a@b.example",
        "10m",
        "200ms",
        "1h30m",
        "30m1h",
        "5 m",
        "2d",
        "1.5s",
        ".5",
        "5.",
        "+5",
        "-5",
        "1e3",
        "INT",
        "SIGINT",
        "auth-rejected",
        "nonsense",
        "ALWAYS",
        "Mon-Fri 7:00-19:00",
        " fri - monday 22:00 - 06:00,Sat1:00-2:00 ",
        "99.9500",
        "UTC",
        "Europe/Paris",
        "europe/paris",
        "startct",
        "ssl-vpn",
        "ipsec",
        "10.0.0.1",
        "2001:db8::1",
        "[2001:db8::1]:443",
        "vpn.example.com.",
        "SHA1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
        "sha-1=00112233445566778899AABBCCDDEEFF00112233",
        "SHA256[00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF]",
        "pin-sha256:S65v3gSQFYTRf9GaXCSDvB32aEd5xE4wu7CdXhQmmUU=",
        "a\nb",
        "a\n",
        "a\tb",
        "tun*",
        "2026-11-22T02:00",
        "2026-11-22 3:00:30 +01:00",
        "2026-11-22",
        "sunday 2:00",
        "Sun 02:00:30",
        "Sun",
        "all",
        "{username}",
        "(",
        long,
        "ü",
        null,
    ]);
    let scalars = scalars.as_array().unwrap().clone();
    let lists = scalars.iter().step_by(3).map(|one| json!([one, one]));
    let mut all: Vec<Value> = scalars.iter().cloned().chain(lists).collect();
    all.extend(json!([[], {}, [[]], ["a", ["b"]], { "a": 1 }, { "a": null }, [{ "name": "x" }], { "expect": "a", "connected": true }])
        .as_array().unwrap().clone());
    all
}

/// A configuration in which every block of the schema stands.
fn base() -> Value {
    json!({
        "logging": { "email": { "server": "mx", "from": "a@b.example", "to": "c@d.example" } },
        "alerts": {}, "resolv_conf": {}, "uplink": {}, "sla": {},
        "maintenance": [{ "sites": "all", "weekly": "Sun 02:00", "duration": "2h" }, { "sites": "a", "start": "2026-11-22T02:00", "end": "2026-11-22T04:00" }], "defaults": {},
        "clients": { "mine": { "command": "x", "leave": {}, "adopt": [{ "name": "x" }],
            "dialogue": [{ "expect": "up", "connected": true }, { "expect": "x", "send": "y" }] } },
        "sites": { "a": { "vpn_gw": "gw:443", "username": "u", "realm": "r", "password_env": "PW", "ping": {}, "gateway": {}, "client": "mine",
            "checks": [{ "http": "https://a.example/" }, { "dns": "a.example" }, { "tcp": "a.example:1" }] } },
    })
}

/// Every key of the schema, by the path at which it may stand in [`base`].
fn places() -> Vec<String> {
    let schema = schema();
    let blocks = [
        ("", ""),
        ("/logging", "logging"),
        ("/logging/email", "email"),
        ("/sites/a", "site"),
        ("/defaults", "site"),
        ("/sites/a/ping", "ping"),
        ("/sites/a/gateway", "gateway"),
        ("/sites/a/checks/0", "check"),
        ("/sites/a/checks/1", "check"),
        ("/sites/a/checks/2", "check"),
        ("/alerts", "alerts"),
        ("/resolv_conf", "resolv_conf"),
        ("/maintenance/0", "maintenance"),
        ("/maintenance/1", "maintenance"),
        ("/uplink", "uplink"),
        ("/sla", "sla"),
        ("/clients/mine", "profile"),
        ("/clients/mine/leave", "leave"),
        ("/clients/mine/dialogue/1", "rule"),
        ("/clients/mine/adopt/0", "adopt"),
    ];
    let mut places = Vec::new();
    for (place, name) in blocks {
        let block = if name.is_empty() { &schema } else { &schema["definitions"][name] };
        places.extend(block["properties"].as_object().unwrap().keys().map(|key| format!("{place}/{key}")));
    }
    places
}

#[tokio::test]
async fn what_the_schema_refuses_the_loader_refuses_too() {
    let mut cases = Vec::new();
    for place in places() {
        for sample in samples() {
            let mut document = base();
            let (block, key) = place.rsplit_once('/').unwrap();
            document.pointer_mut(block).unwrap()[key] = sample;
            cases.push((place.clone(), document));
        }
    }
    let documents: Vec<_> = cases.iter().map(|(_, document)| document.clone()).collect();
    let faults = faults_of(&documents, &["--quick"]).await;
    let (mut both, mut false_alarms) = (0, Vec::new());
    for ((place, document), _) in cases.iter().zip(faults).filter(|(_, fault)| !fault.is_empty()) {
        both += 1;
        if load_str(&document.to_string(), Path::new("/"), "c.json", &Environment::default()).is_ok() {
            let value = document.pointer(place).cloned().unwrap_or_default();
            false_alarms.push(format!("{place}: {value}"));
        }
    }
    assert!(false_alarms.is_empty(), "{}", false_alarms.join("\n"));
    assert!(both > cases.len() / 3, "{both} of {} refused: the samples are too kind", cases.len());
}
