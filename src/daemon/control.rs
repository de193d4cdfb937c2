//! The control socket: commands that change what a running prober owns go through it.
//!
//! One request and one answer per connection, each one line of JSON. Only the prober's own user can connect.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::config::Site;
use crate::record::CycleRecord;
use crate::runner::Sink;

/// A request may be so long: a record with its dialogue is some ten kilobytes.
const LARGEST_REQUEST: u64 = 1024 * 1024;
/// A request that is not whole, or not answered, by then is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What may be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    /// Take this record (`test --record`).
    Record(Box<CycleRecord>),
}

/// The answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done,
    Refused(String),
}

/// Why a record could not be handed over.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// The prober can't be reached.
    #[error("cannot reach the running prober at `{}`", socket.display())]
    Unreachable {
        socket: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It refused.
    #[error("the running prober refused: {0}")]
    Refused(String),
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

/// Answers for ever.
pub(super) async fn serve(listener: UnixListener, sites: Vec<Arc<Site>>, sink: Arc<dyn Sink>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let answered = timeout(PATIENCE, answer(stream, &sites, &*sink)).await;
                if !matches!(answered, Ok(Ok(()))) {
                    tracing::warn!("a request on the control socket was not completed");
                }
            }
            Err(e) => {
                tracing::error!(error = %e, "the control socket is gone");
                return;
            }
        }
    }
}

async fn answer(mut stream: UnixStream, sites: &[Arc<Site>], sink: &dyn Sink) -> io::Result<()> {
    let mut line = String::new();
    let (reader, mut writer) = stream.split();
    BufReader::new(reader.take(LARGEST_REQUEST)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(Request::Record(record)) => match sites.iter().find(|s| s.name == record.site) {
            Some(site) => {
                sink.take(&record, site).await;
                Answer::Done
            }
            None => Answer::Refused(format!("it has no site `{}`", record.site)),
        },
        Err(e) => Answer::Refused(format!("it does not understand the request: {e}")),
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    writer.write_all(&bytes).await
}

/// Hands a record to the running prober.
pub(super) async fn hand_over(socket: &Path, record: &CycleRecord) -> Result<(), ControlError> {
    let exchange = async {
        let mut stream = UnixStream::connect(socket).await?;
        let mut bytes = serde_json::to_vec(&Request::Record(Box::new(record.clone())))?;
        bytes.push(b'\n');
        stream.write_all(&bytes).await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        Ok(serde_json::from_str::<Answer>(&line)?)
    };
    let unreachable = |source| ControlError::Unreachable { socket: socket.to_owned(), source };
    match timeout(PATIENCE, exchange).await {
        Ok(Ok(Answer::Done)) => Ok(()),
        Ok(Ok(Answer::Refused(why))) => Err(ControlError::Refused(why)),
        Ok(Err(e)) => Err(unreachable(e)),
        Err(_) => Err(unreachable(io::ErrorKind::TimedOut.into())),
    }
}
