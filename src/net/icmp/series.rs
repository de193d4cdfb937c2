//! A series of echo requests over one socket: paced, awaited, closed.
//!
//! One task, no thread: between two requests it waits for whatever comes first, the next due time or a message. Must
//! not outlive `count` intervals and one time-out.

use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::clock::Stamp;
use super::codec::{Echo, HEADER, MAX_IPV4_HEADER};
use super::ledger::Ledger;
use super::socket::{EchoSocket, Kind, Peer, QueuedError, Received};
use super::words::{Refusal, errno_in_words};
use crate::fd::watch_fd;
use crate::net::{Fragments, PingError, PingReport, PingRequest};

/// Data of the largest echo message that fits an IPv4 packet (65,535 less the two headers).
const MAX_PAYLOAD: usize = 65_507;

/// Length of the random token at the start of the data.
const TOKEN: usize = 8;

/// Messages read in a row before the next request gets its turn.
const BATCH: u32 = 64;

/// Until the next try when the host has no room to send; about what a full queue of a slow line needs.
const BUSY: Duration = Duration::from_millis(1);

/// Sends the series that `request` describes, and waits for its replies.
pub(in crate::net) async fn ping(socket: EchoSocket, request: PingRequest) -> Result<PingReport, PingError> {
    if request.payload > MAX_PAYLOAD {
        return Err(PingError::Io(format!("{} bytes do not fit an echo request", request.payload)));
    }
    if request.fragments == Fragments::Forbidden {
        socket.forbid_fragments().map_err(|error| PingError::Io(error.to_string()))?;
    }
    let identity = Identity::random(&socket, request.payload)?;
    let (fd, peer) = socket.into_parts();
    let fd = watch_fd(fd, Interest::READABLE | Interest::ERROR).map_err(|error| PingError::Io(error.to_string()))?;
    let buffer = vec![0; (MAX_IPV4_HEADER + HEADER + request.payload).max(2048)];
    Series { fd, peer, identity, ledger: Ledger::new(request.timeout), buffer }.run(&request).await
}

struct Series {
    fd: AsyncFd<OwnedFd>,
    peer: Peer,
    identity: Identity,
    ledger: Ledger,
    buffer: Vec<u8>,
}

/// What tells the replies of this series from those of others.
struct Identity {
    socket: Kind,
    target: IpAddr,
    version: super::codec::Version,
    id: u16,
    data: Vec<u8>,
}

/// Whether the socket was read empty.
#[derive(PartialEq, Eq)]
enum Read {
    Empty,
    Perhaps,
}

impl Series {
    async fn run(mut self, request: &PingRequest) -> Result<PingReport, PingError> {
        let mut due = Stamp::now().steady;
        loop {
            self.read();
            let now = Stamp::now();
            let wait = if self.ledger.made() < request.count {
                match now.steady.checked_sub(due) {
                    None => due.saturating_sub(now.steady),
                    // A request for which there is no room is given up when the next one is due.
                    Some(late) if !self.send_next(late < request.interval) => BUSY,
                    Some(_) => {
                        // From due time to due time; after a stall without catching up in a burst.
                        due = due.saturating_add(request.interval);
                        if due < now.steady {
                            due = now.steady.saturating_add(request.interval);
                        }
                        Duration::ZERO
                    }
                }
            } else if let Some(wait) = self.ledger.waits(now) {
                wait
            } else {
                return self.ledger.close();
            };
            if wait.is_zero() {
                tokio::task::yield_now().await;
            } else {
                self.wait(wait).await?;
            }
        }
    }

    /// Waits until there is something to read, or for `wait`.
    async fn wait(&mut self, wait: Duration) -> Result<(), PingError> {
        let Ok(ready) = tokio::time::timeout(wait, self.fd.ready(Interest::READABLE | Interest::ERROR)).await else {
            return Ok(());
        };
        let mut ready = ready.map_err(|error| PingError::Io(error.to_string()))?;
        let Self { peer, identity, ledger, buffer, .. } = self;
        if read(ready.get_inner(), *peer, identity, ledger, buffer) == Read::Empty {
            ready.clear_ready();
        }
        Ok(())
    }

    fn read(&mut self) -> Read {
        read(self.fd.get_ref(), self.peer, &self.identity, &mut self.ledger, &mut self.buffer)
    }

    /// Makes the next request; `false` when there was no room and, as `may_retry` allows, it is to be tried again.
    fn send_next(&mut self, may_retry: bool) -> bool {
        let message = self.identity.request(self.ledger.next_sequence());
        let (at, sent) = self.send(&message);
        let Err(errno) = sent else {
            self.ledger.sent(at);
            return true;
        };
        let words = errno_in_words(errno);
        match Refusal::of(errno) {
            Refusal::NoWay => self.ledger.no_way(at, words),
            Refusal::Busy if may_retry => return false,
            Refusal::Busy | Refusal::Fault => self.ledger.not_sent(at, words),
        }
        true
    }

    /// Sends a message. An ICMP error that came in since the queue was read makes the kernel refuse the next send with
    /// its error number: then this message was not sent, and goes out after the queue was read.
    fn send(&mut self, message: &[u8]) -> (Stamp, nix::Result<()>) {
        let mut at = Stamp::now();
        let mut sent = self.peer.send(self.fd.get_ref().as_fd(), message);
        for _ in 0..3 {
            let Err(errno) = sent else { break };
            if Refusal::of(errno) == Refusal::Busy || !self.take_errors() {
                break;
            }
            at = Stamp::now();
            sent = self.peer.send(self.fd.get_ref().as_fd(), message);
        }
        (at, sent)
    }

    /// Reads the error queue; whether an error from the network was on it.
    fn take_errors(&mut self) -> bool {
        let mut any = false;
        for _ in 0..BATCH {
            match QueuedError::receive(self.fd.get_ref().as_fd(), &mut self.buffer) {
                Ok(Some(error)) => {
                    any = true;
                    self.identity.note_error(&error, &mut self.ledger);
                }
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        any
    }
}

/// Reads messages and errors until there are none, or a batch of them.
fn read(fd: &OwnedFd, peer: Peer, identity: &Identity, ledger: &mut Ledger, buffer: &mut [u8]) -> Read {
    let mut more_errors = true;
    for _ in 0..BATCH {
        if more_errors {
            match QueuedError::receive(fd.as_fd(), buffer) {
                Ok(Some(error)) => identity.note_error(&error, ledger),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => more_errors = false,
            }
            continue;
        }
        match peer.receive(fd.as_fd(), buffer) {
            Ok(message) => identity.note_reply(&message, ledger),
            Err(Errno::EAGAIN) => return Read::Empty,
            // The number of an ICMP error that came in meanwhile; its entry is on the queue.
            Err(_) => more_errors = true,
        }
    }
    Read::Perhaps
}

impl Identity {
    fn random(socket: &EchoSocket, payload: usize) -> Result<Self, PingError> {
        let mut random = [0; TOKEN + 2];
        getrandom(&mut random, GetRandomFlags::empty()).map_err(|errno| PingError::Io(errno.to_string()))?;
        let ([high, low], token) = random.split_first_chunk().map_or(([0, 0], &[][..]), |(id, token)| (*id, token));
        let filling = (0..=u8::MAX).cycle().skip(TOKEN);
        let data = token.iter().copied().chain(filling).take(payload).collect();
        let id = u16::from_be_bytes([high, low]);
        Ok(Self { socket: socket.kind(), target: socket.target(), version: socket.version(), id, data })
    }

    fn request(&self, sequence: u16) -> Vec<u8> {
        Echo { id: self.id, sequence, data: &self.data }.encode_request(self.version)
    }

    /// The kernel writes an id of its own on a datagram socket, and gives it no reply with another.
    fn is_own_id(&self, id: u16) -> bool {
        self.socket == Kind::Datagram || id == self.id
    }

    /// A reply is one of ours when it has our id and brings our data back. Data too short for a token proves little,
    /// so then it must come from the target; else it may come from another address of it, as `ping` has it.
    fn note_reply(&self, received: &Received<'_>, ledger: &mut Ledger) {
        let Some(echo) = Echo::parse_reply(self.version, received.message) else { return };
        let proves = self.data.len() >= TOKEN || received.from == Some(self.target);
        if self.is_own_id(echo.id) && echo.data == self.data && proves {
            ledger.answered(echo.sequence, received.arrived, Stamp::now());
        }
    }

    /// An error is about one of ours when it quotes our id, on the way to our target. Routers need not quote any data.
    fn note_error(&self, queued: &QueuedError<'_>, ledger: &mut Ledger) {
        let Some(echo) = Echo::parse_quoted_request(self.version, queued.quoted) else { return };
        if self.is_own_id(echo.id) && queued.target.is_none_or(|target| target == self.target) {
            ledger.unreachable(echo.sequence, queued.error.in_words());
        }
    }
}
