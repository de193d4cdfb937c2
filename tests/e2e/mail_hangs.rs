//! `notify-test` against a mail server that takes the connection and falls silent at some step: it ends by itself, at
//! its own deadline of half a minute (`scripts/test --all`; `tests/it/mail.rs` has every step under a shorter one).

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tokio::time::Instant;

/// Says the lines of its arguments, each but the first when a line (after `354` a whole text) has come, and nothing more.
const SERVER: &str = r#"
import socket, sys
listener = socket.create_server(("127.0.0.1", 2525))
open("listens", "w")
client, _ = listener.accept()
lines = client.makefile("rb")
for number, answer in enumerate(sys.argv[1:]):
    if number:
        lines.readline()
    client.sendall(answer.replace("|", "\r\n").encode() + b"\r\n")
while lines.readline():
    pass
listener.accept()
"#;

/// In a network namespace of its own, so that no prober waits for another.
const ALONE: &str = "ip link set lo up; python3 server.py \"$@\" & server=$!
    until [ -e listens ]; do sleep 0.02; done
    \"$PROGRAM\" notify-test; code=$?; kill $server; wait $server; exit $code";

/// `notify-test` against a server that stops after these answers.
fn start(dir: &Path, answers: &[&str]) -> Child {
    fs::write(dir.join("server.py"), SERVER).unwrap();
    let email = "server: 127.0.0.1, port: 2525, from: probe@example.com, to: ops@example.com";
    fs::write(dir.join("config.yml"), format!("state_dir: state\nlogging: {{ email: {{ {email} }} }}\n")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--net", "sh", "-c", ALONE, "sh"]).args(answers).current_dir(dir);
    command
        .env("PROGRAM", env!("CARGO_BIN_EXE_vpnprobe"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_test_message_to_a_server_that_hangs_ends_within_its_own_limit_and_says_at_which_step() {
    let silent = "hint: the server is silent: is `port` right";
    let later = "hint: the server answered first and fell silent then";
    let cases: [(&[&str], &str, &str); 6] = [
        (&[], "the connection", silent),
        (&["220 hello"], "the connection", silent),
        (&["220 hello", "250-mail.test|250 STARTTLS", "220 go"], "STARTTLS", later),
        (&["220 hello", "250 mail.test", "250 sender"], "the recipient", later),
        (&["220 hello", "250 mail.test", "250 sender", "250 recipient"], "the message", later),
        (&["220 hello", "250 mail.test", "250 sender", "250 recipient", "354 go"], "the message", later),
    ];
    let began = Instant::now();
    let running = cases.map(|(answers, step, hint)| {
        let dir = tempfile::tempdir().unwrap();
        (start(dir.path(), answers), dir, step, hint)
    });
    for (child, _dir, step, hint) in running {
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        let words =
            format!("email: NOT delivered: the mail server `127.0.0.1:2525` did not answer {step} in time\n  {hint}");
        assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
        assert!(stdout.starts_with(&words), "not said: {words}\nbut {stdout}{stderr}");
        let took = began.elapsed().as_secs();
        assert!((29..40).contains(&took), "{took} s");
    }
}
