//! What `java` and `AvConnect` tell each other, over loopback: a line of JSON each.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// From `java` to its helper.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    Connect { server: String, user: String, password: String },
    Disconnect,
}

/// From the helper to `java`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Report {
    Connected,
    Rejected(String),
    Unreachable(String),
    /// The tunnel is gone, unasked.
    Lost,
    /// The tunnel is down, as ordered.
    Disconnected,
}

pub(crate) fn send<T: Serialize>(mut stream: &TcpStream, message: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Hands every message to `take`, until the other side is gone or `take` has enough.
pub(crate) fn receive<T: DeserializeOwned>(stream: TcpStream, mut take: impl FnMut(T) -> bool) {
    for line in BufReader::new(stream).lines() {
        let Some(message) = line.ok().and_then(|line| serde_json::from_str(&line).ok()) else { break };
        if !take(message) {
            break;
        }
    }
}
