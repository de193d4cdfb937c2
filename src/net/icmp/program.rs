//! The last way: the `ping` program, which may have the right (file capability or setuid) that we lack.
//!
//! Coarser than our own sockets: its round-trip times have the digits that it prints, and an interval below 200 ms is
//! raised to that, because older versions refuse a shorter one to anybody but root.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::program_output::{ProgramOutput, parse};
use crate::net::{Fragments, PingError, PingReport, PingRequest};

/// The shortest interval that every version allows every user (iputils before 20210722: `MINUSERINTERVAL`).
const MIN_INTERVAL: Duration = Duration::from_millis(200);

/// What the program may take beyond its own time-outs, until it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// The most that is read of each of its outputs; a line is about 70 bytes.
const MAX_OUTPUT: u64 = 4 << 20;

/// Runs `program` for the series that `request` describes. `refused` tells why there was no socket. `program` is handed
/// in with whatever it needs to get into its network namespace.
pub(in crate::net) async fn ping(
    mut program: Command,
    request: PingRequest,
    refused: &str,
) -> Result<PingReport, PingError> {
    let request = PingRequest { interval: request.interval.max(MIN_INTERVAL), ..request };
    program
        .args(arguments(&request))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let child = program.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            PingError::NoPermission(format!("{refused}; `ping`: {}", in_words(&error)))
        }
        _ => PingError::Io(format!("`ping`: {error}")),
    })?;
    let limit = request.interval.saturating_mul(request.count).saturating_add(request.timeout).saturating_add(GRACE);
    let (output, errors) = collect(child, limit).await;
    report(&request, &parse(&output, &errors), refused)
}

fn arguments(request: &PingRequest) -> Vec<String> {
    // Whole seconds: not every version takes a fraction here. A reply that is too late is left out afterwards.
    let timeout = request.timeout.as_secs().saturating_add(u64::from(request.timeout.subsec_nanos() > 0));
    let mut arguments = vec![
        "-n".to_owned(),
        "-c".to_owned(),
        request.count.to_string(),
        "-i".to_owned(),
        format!("{:.3}", request.interval.as_secs_f64()),
        "-W".to_owned(),
        timeout.max(1).to_string(),
        "-s".to_owned(),
        request.payload.to_string(),
    ];
    if request.fragments == Fragments::Forbidden {
        // Those that do not know it say so, and nothing is judged by them.
        arguments.extend(["-M".to_owned(), "do".to_owned()]);
    }
    arguments.push(request.target.to_string());
    arguments
}

/// What it printed until its end or until `limit`, at which it is killed.
async fn collect(mut child: Child, limit: Duration) -> (String, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read = async { tokio::join!(read_all(stdout, &mut output), read_all(stderr, &mut errors)) };
    // At the limit what came so far is used.
    let _ = tokio::time::timeout(limit, read).await;
    // Whether it can be killed or has ended by itself: either way it is over.
    let _ = child.kill().await;
    (String::from_utf8_lossy(&output).into_owned(), String::from_utf8_lossy(&errors).into_owned())
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        // An unreadable pipe reads as a program that said nothing more.
        let _ = pipe.take(MAX_OUTPUT).read_to_end(into).await;
    }
}

fn report(request: &PingRequest, output: &ProgramOutput, refused: &str) -> Result<PingReport, PingError> {
    if output.sent.is_none() && output.unreachable().is_none() {
        let words = output.complaint.clone().unwrap_or_else(|| "it said nothing".to_owned());
        return Err(if output.not_permitted {
            PingError::NoPermission(format!("{refused}; `ping`: {words}"))
        } else {
            PingError::Io(format!("`ping`: {words}"))
        });
    }
    let sent = output.sent.unwrap_or(request.count);
    Ok(PingReport { stats: output.stats(sent, request.timeout), unreachable: output.unreachable() })
}

fn in_words(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "not found",
        _ => "may not be run",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> PingRequest {
        PingRequest {
            target: "127.0.0.1".parse().unwrap(),
            count: 3,
            interval: Duration::from_millis(10),
            timeout: Duration::from_millis(1500),
            payload: 56,
            fragments: Fragments::Allowed,
        }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, "ping"]);
        command
    }

    #[test]
    fn it_is_asked_in_whole_seconds_and_numbers_only() {
        assert_eq!(arguments(&request()).join(" "), "-n -c 3 -i 0.010 -W 2 -s 56 127.0.0.1");
        let whole = PingRequest { payload: 1372, fragments: Fragments::Forbidden, ..request() };
        assert_eq!(arguments(&whole).join(" "), "-n -c 3 -i 0.010 -W 2 -s 1372 -M do 127.0.0.1");
    }

    #[tokio::test]
    async fn without_a_program_the_permission_is_what_is_missing() {
        let error = ping(Command::new("/nonexistent/ping"), request(), "raw socket: refused").await.unwrap_err();
        assert_eq!(error, PingError::NoPermission("raw socket: refused; `ping`: not found".to_owned()));
    }

    #[tokio::test]
    async fn a_program_that_is_not_permitted_either_says_so() {
        let program =
            shell("echo 'ping: socktype: SOCK_RAW' >&2; echo 'ping: socket: Operation not permitted' >&2; exit 2");
        let error = ping(program, request(), "refused").await.unwrap_err();
        assert_eq!(error, PingError::NoPermission("refused; `ping`: socket: Operation not permitted".to_owned()));
    }

    #[tokio::test]
    async fn its_replies_are_counted_and_it_speaks_c() {
        let program = shell(
            "echo \"64 bytes from $LC_ALL: icmp_seq=1 ttl=64 time=0.5 ms\"; \
             echo '64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=1600 ms'; \
             echo '3 packets transmitted, 2 received, 33% packet loss, time 20ms'; exit 1",
        );
        let report = ping(program, request(), "refused").await.unwrap();
        assert_eq!((report.stats.sent, report.stats.received), (3, 1), "the second one came after the time-out");
        assert_eq!(report.stats.rtt.unwrap().max, Duration::from_micros(500));
    }
}
