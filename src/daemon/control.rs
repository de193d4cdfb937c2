//! The control socket: what is asked of a running prober, and what changes what it owns, goes through it.
//!
//! One request and one answer a connection, each one line of JSON with the protocol's version. Only the prober's own
//! user and root are answered. What is asked is answered by the `Desk`.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::desk::Desk;
use crate::alert::Retried;
use crate::maintenance::{Added, Ended, NewWindow};
use crate::record::{CycleRecord, SiteName, one_line};
use crate::status::Status;

/// Version of the protocol. A request or an answer that another program could take for something else raises it.
const VERSION: u32 = 1;
/// A request may be so long: a record with its dialogue is some ten kilobytes.
const LARGEST_REQUEST: u64 = 1024 * 1024;
/// An answer may be so long: a thousand dead letters are some hundred kilobytes.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;
/// A request that is not whole, or not answered, by then is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many are answered at once; whoever comes then waits.
const AT_ONCE: usize = 16;

/// What may be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Request {
    /// Take this record (`test --record`).
    Record(Box<CycleRecord>),
    /// What do you know?
    Status,
    /// Send these messages again, or all (`outbox retry`).
    Retry { ids: Option<Vec<String>> },
    /// Take this maintenance window (`maintenance add`).
    AddWindow(Box<NewWindow>),
    /// End the maintenance windows of this name, or the one of this id (`maintenance end`).
    EndWindow { which: String },
    /// End the rest of the account of this site (`resume`).
    Resume { site: SiteName },
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Done,
    Status(Box<Status>),
    Retried(Retried),
    Added(Box<Added>),
    Ended(Vec<Ended>),
    Resumed { rested: bool },
}

/// A line to the prober.
#[derive(Serialize, Deserialize)]
struct Question<R> {
    version: u32,
    request: R,
}

/// A line from it: an answer or a refusal. A refusal is understood by every version.
#[derive(Serialize, Deserialize)]
struct Reply<A> {
    version: u32,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    answer: Option<A>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

const fn none<A>() -> Option<A> {
    None
}

/// What every version understands of a line.
#[derive(Deserialize)]
struct Head {
    version: Option<u32>,
    #[serde(default)]
    refused: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error("no prober runs on the state directory `{}`", state_dir.display())]
    NotRunning {
        /// Where it would.
        state_dir: PathBuf,
    },
    /// The prober can't be reached.
    #[error("cannot reach the running prober at `{}`", socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It refused.
    #[error("the running prober refused: {0}")]
    Refused(String),
    /// It speaks another protocol.
    #[error("the running prober is of another version of vpnprobe\n  hint: ask it with that version, or restart it")]
    OtherVersion,
}

/// Where the socket lies.
pub(super) fn socket_in(state_dir: &Path) -> PathBuf {
    state_dir.join("control.sock")
}

/// Binds the socket. The caller owns the state directory, so a socket that is there is a dead one.
pub(super) fn bind(state_dir: &Path) -> io::Result<UnixListener> {
    let socket = socket_in(state_dir);
    crate::files::remove(&socket)?;
    let listener = UnixListener::bind(&socket)?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers for ever. One that asks and then hangs holds nobody else up.
pub(super) async fn serve(listener: UnixListener, desk: Arc<Desk>) {
    let mut asked = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept(), if asked.len() < AT_ONCE => accepted,
            Some(_) = asked.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                asked.spawn(async move {
                    if !matches!(timeout(PATIENCE, answer(stream, &desk)).await, Ok(Ok(()))) {
                        tracing::warn!("a request on the control socket was not completed");
                    }
                });
            }
            Err(e) => {
                tracing::error!(error = %e, "the control socket is gone");
                return;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let user = stream.peer_cred()?.uid();
    let mut line = String::new();
    let (reader, mut writer) = stream.split();
    // The file's mode says so too, from a moment after it is made.
    let answered = if user == 0 || user == rustix::process::geteuid().as_raw() {
        BufReader::new(reader.take(LARGEST_REQUEST)).read_line(&mut line).await?;
        match request(&line) {
            Ok(request) => desk.answer(request).await,
            Err(refused) => Err(refused),
        }
    } else {
        Err("only its own user and root may ask it".to_owned())
    };
    let reply = match answered {
        Ok(answer) => Reply { version: VERSION, answer: Some(answer), refused: None },
        Err(refused) => Reply { version: VERSION, answer: None, refused: Some(refused) },
    };
    writer.write_all(&line_of(&reply)?).await
}

/// What is asked, or why that is not answered.
fn request(line: &str) -> Result<Request, String> {
    let not_understood = |e: serde_json::Error| format!("it does not understand the request: {e}");
    let head: Head = serde_json::from_str(line).map_err(not_understood)?;
    if head.version != Some(VERSION) {
        let theirs = head.version.map_or("none".to_owned(), |version| version.to_string());
        return Err(format!(
            "it speaks version {VERSION} of its protocol, and was asked in version {theirs}\n  hint: ask with the vpnprobe that runs, or restart it"
        ));
    }
    let question: Question<Request> = serde_json::from_str(line).map_err(not_understood)?;
    Ok(question.request)
}

/// How this program would ask what a line asks, or why a running prober refuses that line. For tests that have lines of anybody.
pub fn asked_again(line: &str) -> Result<String, String> {
    let request = request(line)?;
    serde_json::to_string(&Question { version: VERSION, request }).map_err(|e| e.to_string())
}

fn line_of(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Asks the prober that owns this state directory.
pub(super) async fn ask(state_dir: &Path, request: &Request) -> Result<Answer, ControlError> {
    let socket = socket_in(state_dir);
    let unreachable = |source| ControlError::Unreachable { socket: socket.clone(), source };
    let stream = UnixStream::connect(&socket).await.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            ControlError::NotRunning { state_dir: state_dir.to_owned() }
        }
        _ => unreachable(e),
    })?;
    match timeout(PATIENCE, exchange(stream, request)).await {
        Ok(Ok(line)) => {
            understood(&line).map_err(|e| e.unwrap_or_else(|| unreachable(io::ErrorKind::InvalidData.into())))
        }
        Ok(Err(e)) => Err(unreachable(e)),
        Err(_) => Err(unreachable(io::ErrorKind::TimedOut.into())),
    }
}

async fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<String> {
    stream.write_all(&line_of(&Question { version: VERSION, request })?).await?;
    let mut line = String::new();
    BufReader::new(stream.take(LARGEST_ANSWER)).read_line(&mut line).await?;
    Ok(line)
}

/// The answer in a line; without an error it is no line of any version.
fn understood<A: DeserializeOwned>(line: &str) -> Result<A, Option<ControlError>> {
    let head: Head = serde_json::from_str(line).map_err(|_| None)?;
    if let Some(refused) = head.refused {
        return Err(Some(ControlError::Refused(refused)));
    }
    if head.version != Some(VERSION) {
        return Err(Some(ControlError::OtherVersion));
    }
    let reply: Reply<A> = serde_json::from_str(line).map_err(|_| Some(ControlError::OtherVersion))?;
    reply.answer.ok_or(None)
}

impl ControlError {
    /// Whether that is so because nobody runs.
    pub const fn is_not_running(&self) -> bool {
        matches!(self, Self::NotRunning { .. })
    }

    /// The whole of it, with its cause, on one line but for a hint.
    pub fn text(&self) -> String {
        match self {
            Self::Refused(words) => {
                let (first, hint) = words.split_once("\n  hint: ").unwrap_or((words, ""));
                let hint = if hint.is_empty() { String::new() } else { format!("\n  hint: {}", one_line(hint)) };
                format!("the running prober refused: {}{hint}", one_line(first))
            }
            _ => crate::error::chain(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_of_another_version_is_refused_in_words_that_every_version_understands() {
        for (line, expected) in [
            (r#"{"version":2,"request":{"dance":1}}"#, "version 1 of its protocol, and was asked in version 2"),
            (r#"{"record":{}}"#, "was asked in version none"),
            (r#"{"version":1,"request":{"dance":1}}"#, "does not understand the request: unknown variant `dance`"),
            ("", "does not understand the request"),
        ] {
            let refused = request(line).unwrap_err();
            assert!(refused.contains(expected), "{line}: {refused}");
        }
        assert!(matches!(request(r#"{"version":1,"request":"status"}"#), Ok(Request::Status)));
        let of_a_later_one = r#"{"version":7,"refused":"no\nsuch thing","more":1}"#;
        let refused = understood::<Answer>(of_a_later_one).unwrap_err().unwrap();
        assert_eq!(refused.text(), "the running prober refused: no such thing");
    }

    #[test]
    fn what_is_asked_can_be_asked_again() {
        for asked in [
            r#""status""#,
            r#"{"retry":{"ids":null}}"#,
            r#"{"end_window":{"which":"m1"}}"#,
            r#"{"resume":{"site":"a"}}"#,
        ] {
            let line = format!("{{\"version\":{VERSION},\"request\":{asked}}}");
            assert_eq!(asked_again(&line).as_deref(), Ok(&*line));
        }
        assert!(asked_again("{}").unwrap_err().starts_with("it speaks version"));
    }

    #[test]
    fn an_answer_of_another_version_says_so() {
        for line in [r#"{"version":2,"answer":"done"}"#, r#"{"version":1,"answer":{"sung":1}}"#] {
            let error = understood::<Answer>(line).unwrap_err().unwrap();
            assert!(error.text().contains("of another version of vpnprobe\n  hint: "), "{line}: {}", error.text());
        }
        assert!(understood::<Answer>("").unwrap_err().is_none());
        assert!(matches!(understood(r#"{"version":1,"answer":"done"}"#), Ok(Answer::Done)));
    }
}
