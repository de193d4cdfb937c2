//! One connection to the daemon.
//!
//! A request takes the connection and gives it back with its answer. One that failed, came to its deadline or was given
//! up has no connection any more, so that a late answer can never be taken for another request's: VICI numbers none.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::codec::{Packet, frames};
use super::message::{Fault, Section};
use super::{Endpoint, ViciError};
use crate::net::{BoxStream, ConnectError, NetContext};

/// Room for what is read at once. Most packets are smaller; a larger one gets its own room.
const READ_SIZE: usize = 4 * 1024;

/// How often a daemon is tried whose queue of connections is full. There is nothing that could be waited for.
const BUSY: Duration = Duration::from_millis(50);

/// A connection on which nothing is under way.
pub(super) struct Connection {
    frames: Framed<BoxStream, LengthDelimitedCodec>,
}

/// Why a connection is of no use any more, or a request was refused.
#[derive(Debug)]
pub(super) enum Broken {
    /// The daemon ended, or closed it.
    Lost,
    /// What came is not VICI, or what should be sent does not fit into it.
    Fault(Fault),
    /// Nothing came for so long, although it was asked.
    Silent(Duration),
    /// The daemon does not want to, in its own words.
    Refused(String),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Broken {
    /// The same with what was asked of whom.
    pub(super) fn of(self, command: &str, endpoint: &Endpoint) -> ViciError {
        let command = command.to_owned();
        match self {
            Self::Lost => ViciError::ConnectionLost { command },
            Self::Fault(fault @ Fault::DoesNotFit) => ViciError::Refused { command, message: fault.to_string() },
            Self::Fault(fault) => ViciError::Malformed { endpoint: endpoint.to_string(), what: fault.to_string() },
            Self::Silent(after) => ViciError::TimedOut { command, after },
            Self::Refused(message) => ViciError::Refused { command, message },
        }
    }
}

/// What came, without its packet's head.
enum Received {
    Response(Bytes),
    UnknownCommand,
    Confirmed,
    UnknownEvent,
    Event { name: Bytes, message: Bytes },
}

impl Connection {
    /// Connects; to a daemon that is there and busy (or hangs) for as long as the caller waits. A Unix socket is the same
    /// from every network; TCP is of this one.
    pub(super) async fn open(endpoint: &Endpoint, net: &dyn NetContext, deadline: Instant) -> io::Result<Self> {
        let stream: BoxStream = match endpoint {
            Endpoint::Unix(path) => loop {
                match UnixStream::connect(path).await {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(BUSY).await,
                    result => break Box::new(result?),
                }
            },
            Endpoint::Tcp(address) => net.connect(*address, deadline).await.map_err(as_io)?,
        };
        Ok(Self::over(stream))
    }

    fn over(stream: BoxStream) -> Self {
        let mut frames = Framed::with_capacity(stream, frames(), READ_SIZE);
        frames.set_backpressure_boundary(READ_SIZE);
        Self { frames }
    }

    /// Sends a command and waits for its answer.
    pub(super) async fn request(mut self, command: &str, message: &[u8]) -> Result<(Self, Bytes), Broken> {
        self.feed(Packet::Request(command.as_bytes(), message)).await?;
        let answer = self.answer(|_, _| Ok(())).await?;
        Ok((self, answer))
    }

    /// Sends a command whose answer comes as events of the name `event`, and hands each of them to `on_item`.
    ///
    /// Asking for the events and the command go out together: over TCP the daemon takes 40 ms for each answer (Nagle's
    /// algorithm there, delayed acknowledgements here). It tells of these events only who sent the command, so that
    /// nothing comes of them later; they are asked for until the connection is closed.
    pub(super) async fn list(
        mut self,
        command: &str,
        event: &str,
        mut on_item: impl FnMut(Section<'_>) -> Result<(), Fault>,
    ) -> Result<Self, Broken> {
        self.feed(Packet::Register(event.as_bytes())).await?;
        self.feed(Packet::Request(command.as_bytes(), &[])).await?;
        self.confirmation().await?;
        self.answer(|name, item| if name == event.as_bytes() { on_item(item) } else { Ok(()) }).await?;
        Ok(self)
    }

    /// Asks for the events of this name. Such as come before the answer are lost.
    pub(super) async fn register(mut self, event: &str) -> Result<Self, Broken> {
        self.feed(Packet::Register(event.as_bytes())).await?;
        self.confirmation().await?;
        Ok(self)
    }

    async fn answer(
        &mut self,
        mut on_event: impl FnMut(&[u8], Section<'_>) -> Result<(), Fault>,
    ) -> Result<Bytes, Broken> {
        self.flush().await?;
        loop {
            match self.receive().await? {
                Received::Response(message) => {
                    Section::parse(&message)?;
                    return Ok(message);
                }
                Received::Event { name, message } => on_event(&name, Section::parse(&message)?)?,
                Received::UnknownCommand => {
                    return Err(Broken::Refused("the daemon does not know this command".into()));
                }
                Received::Confirmed | Received::UnknownEvent => return Err(Fault::NotAsked.into()),
            }
        }
    }

    async fn confirmation(&mut self) -> Result<(), Broken> {
        self.flush().await?;
        loop {
            match self.receive().await? {
                Received::Confirmed => return Ok(()),
                Received::Event { .. } => {}
                Received::UnknownEvent => return Err(Broken::Refused("the daemon does not know these events".into())),
                Received::Response(_) | Received::UnknownCommand => return Err(Fault::NotAsked.into()),
            }
        }
    }

    /// Sends a command without waiting for its answer, which [`Self::next`] passes over. Safe to give up.
    pub(super) async fn ask(&mut self, command: &str) -> Result<(), Broken> {
        self.feed(Packet::Request(command.as_bytes(), &[])).await
    }

    /// The next event, or none for an answer to [`Self::ask`]. Safe to give up: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Option<(Bytes, Bytes)>, Broken> {
        self.flush().await?;
        match self.receive().await? {
            Received::Event { name, message } => Ok(Some((name, message))),
            Received::Response(_) | Received::UnknownCommand => Ok(None),
            Received::Confirmed | Received::UnknownEvent => Err(Fault::NotAsked.into()),
        }
    }

    async fn feed(&mut self, packet: Packet<'_>) -> Result<(), Broken> {
        let packet = packet.encode()?;
        self.frames.feed(packet.as_slice()).await.map_err(|e| broken(&e))
    }

    async fn flush(&mut self) -> Result<(), Broken> {
        SinkExt::<&[u8]>::flush(&mut self.frames).await.map_err(|e| broken(&e))
    }

    async fn receive(&mut self) -> Result<Received, Broken> {
        match self.frames.next().await {
            Some(Ok(frame)) => Ok(received(frame)?),
            Some(Err(error)) => Err(broken(&error)),
            None => Err(Broken::Lost),
        }
    }
}

fn received(frame: BytesMut) -> Result<Received, Fault> {
    let frame = frame.freeze();
    let part = |bytes: &[u8]| frame.slice_ref(bytes);
    match Packet::decode(&frame)? {
        Packet::Response(message) => Ok(Received::Response(part(message))),
        Packet::UnknownCommand => Ok(Received::UnknownCommand),
        Packet::Confirmed => Ok(Received::Confirmed),
        Packet::UnknownEvent => Ok(Received::UnknownEvent),
        Packet::Event(name, message) => Ok(Received::Event { name: part(name), message: part(message) }),
        // These are a client's.
        Packet::Request(..) | Packet::Register(_) | Packet::Unregister(_) => Err(Fault::NotAsked),
    }
}

/// Whether a connection broke or what came over it is wrong: the decoder says the latter by `InvalidData`.
fn broken(error: &io::Error) -> Broken {
    match error.kind() {
        io::ErrorKind::InvalidData => Broken::Fault(Fault::TooLong),
        _ => Broken::Lost,
    }
}

fn as_io(error: ConnectError) -> io::Error {
    let kind = match error {
        ConnectError::Refused => io::ErrorKind::ConnectionRefused,
        ConnectError::TimedOut => io::ErrorKind::TimedOut,
        ConnectError::Unreachable(_) => io::ErrorKind::HostUnreachable,
        ConnectError::Io(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}
