//! A daemon for tests that does what a real one can't be made to do. Its messages are written as `swanctl --raw` shows
//! them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::codec::{Packet, frames};
use super::{Endpoint, MessageWriter, Strongswan};
use crate::net::{HostNet, NetContext};

/// A place for a socket, and who listens there.
pub(super) struct Server {
    dir: TempDir,
    listener: Option<UnixListener>,
}

impl Server {
    /// Nobody listens yet.
    pub(super) fn absent() -> Self {
        Self { dir: TempDir::new().unwrap(), listener: None }
    }

    pub(super) fn start() -> Self {
        let mut server = Self::absent();
        server.listen();
        server
    }

    /// One that hangs, with as many connections as its queue holds.
    pub(super) fn with_a_full_queue() -> (Self, Vec<std::os::unix::net::UnixStream>) {
        let mut server = Self::absent();
        let socket = std::os::unix::net::UnixListener::bind(server.path()).unwrap();
        // The queue holds one more than it is told.
        nix::sys::socket::listen(&socket, nix::sys::socket::Backlog::new(1).unwrap()).unwrap();
        let connect = |_| std::os::unix::net::UnixStream::connect(server.path()).unwrap();
        let waiting = (0..2).map(connect).collect();
        socket.set_nonblocking(true).unwrap();
        server.listener = Some(UnixListener::from_std(socket).unwrap());
        (server, waiting)
    }

    pub(super) fn listen(&mut self) {
        let _ = std::fs::remove_file(self.path());
        self.listener = Some(UnixListener::bind(self.path()).unwrap());
    }

    /// Ends as a killed daemon does: the socket's file stays.
    pub(super) fn die(&mut self) {
        self.listener = None;
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("vici")
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(self.path())
    }

    pub(super) fn client(&self) -> Strongswan {
        Strongswan::new(self.endpoint(), host())
    }

    /// Waits for somebody to connect.
    pub(super) async fn accept(&self) -> Peer {
        Peer::over(self.listener.as_ref().unwrap().accept().await.unwrap().0)
    }

    /// Whether nobody connects for an hour.
    pub(super) async fn is_left_alone(&self) -> bool {
        timeout(Duration::from_hours(1), self.listener.as_ref().unwrap().accept()).await.is_err()
    }
}

/// The network of the test.
pub(super) fn host() -> Arc<dyn NetContext> {
    Arc::new(HostNet::new("/etc/resolv.conf".into()).unwrap())
}

/// Somebody who has connected.
pub(super) struct Peer(Framed<UnixStream, LengthDelimitedCodec>);

impl Peer {
    pub(super) fn over(stream: UnixStream) -> Self {
        Self(Framed::new(stream, frames()))
    }

    /// The next packet, shown.
    pub(super) async fn receive(&mut self) -> String {
        match self.0.next().await {
            Some(frame) => shown(&frame.unwrap()),
            None => "closed".into(),
        }
    }

    pub(super) async fn expect(&mut self, packet: &str) {
        assert_eq!(self.receive().await, packet);
    }

    pub(super) async fn send(&mut self, packet: Packet<'_>) {
        self.0.send(packet.encode().unwrap().as_slice()).await.unwrap();
    }

    /// As many bytes as the test wants, packet or not.
    pub(super) async fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    pub(super) async fn event(&mut self, name: &str, text: &str) {
        self.send(Packet::Event(name.as_bytes(), message(text).bytes())).await;
    }

    pub(super) async fn respond(&mut self, text: &str) {
        self.send(Packet::Response(message(text).bytes())).await;
    }

    pub(super) async fn confirm(&mut self, packet: &str) {
        self.expect(packet).await;
        self.send(Packet::Confirmed).await;
    }

    /// Answers `list-conns` or `list-sas` with these.
    pub(super) async fn list(&mut self, command: &str, items: &[&str]) {
        let event = command.strip_suffix('s').unwrap();
        self.confirm(&format!("register {event}")).await;
        self.expect(&format!("{command} ")).await;
        for item in items {
            self.event(event, item).await;
        }
        self.respond("").await;
    }

    /// Lets it ask for all that `Events` asks for.
    pub(super) async fn let_register(&mut self) {
        for name in ["child-updown", "ike-updown", "child-rekey"] {
            self.confirm(&format!("register {name}")).await;
        }
    }
}

fn shown(packet: &[u8]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match Packet::decode(packet).unwrap() {
        Packet::Register(name) => format!("register {}", text(name)),
        Packet::Unregister(name) => format!("unregister {}", text(name)),
        Packet::Request(name, message) => format!("{} {}", text(name), raw(message)),
        other => format!("{other:?}"),
    }
}

fn raw(message: &[u8]) -> String {
    let values = super::Section::parse(message).unwrap().entries().map(|entry| match entry {
        super::Entry::Value(name, value) => {
            format!("{}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
        }
        other => format!("{other:?}"),
    });
    values.collect::<Vec<_>>().join(" ")
}

/// A message as `swanctl --raw` shows it; an underscore stands for a blank within a value.
pub(super) fn message(text: &str) -> MessageWriter {
    let mut out = MessageWriter::default();
    let mut list: Option<(String, Vec<String>)> = None;
    let spaced = text.replace('{', " { ").replace('}', " } ");
    let mut words = spaced.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if let Some((name, items)) = &mut list {
            let item = word.trim_end_matches(']');
            items.extend((!item.is_empty()).then(|| item.to_owned()));
            if word.ends_with(']') {
                out.list(name.as_bytes(), items.iter().map(String::as_bytes)).unwrap();
                list = None;
            }
        } else if word == "}" {
            out.end_section();
        } else if let Some((name, first)) = word.split_once("=[") {
            let item = first.trim_end_matches(']').to_owned();
            let items: Vec<String> = (!item.is_empty()).then_some(item).into_iter().collect();
            if first.ends_with(']') {
                out.list(name.as_bytes(), items.iter().map(String::as_bytes)).unwrap();
            } else {
                list = Some((name.to_owned(), items));
            }
        } else if let Some((name, value)) = word.split_once('=') {
            out.value(name.as_bytes(), value.replace('_', " ").as_bytes()).unwrap();
        } else {
            assert_eq!(words.next(), Some("{"), "after {word}");
            out.begin_section(word.as_bytes()).unwrap();
        }
    }
    out
}
