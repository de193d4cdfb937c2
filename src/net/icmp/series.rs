//! Series of echo requests to any number of targets over one socket: paced, awaited, closed.
//!
//! One task, no thread: between two requests it waits for whatever comes first, the next due time or a message. Must
//! not outlive the longest series' `count` intervals and one time-out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::clock::Stamp;
use super::codec::{Echo, HEADER, MAX_IPV4_HEADER};
use super::ledger::Ledger;
use super::roll::Roll;
use super::socket::{Channel, EchoSocket, Kind, QueuedError, Received};
use super::words::{Refusal, errno_in_words};
use crate::fd::watch_fd;
use crate::net::{Fragments, PingError, PingReport, PingRequest};

/// Data of the largest echo message that fits an IPv4 packet (65,535 less the two headers).
const MAX_PAYLOAD: usize = 65_507;

/// Messages read, and requests sent, in a row before the other gets its turn.
const BATCH: usize = 64;

/// Until the next try when the host has no room to send; about what a full queue of a slow line needs.
const BUSY: Duration = Duration::from_millis(1);

/// Sends the series that `requests` describe, all at once, and waits for their replies: one result a request, in the
/// same order. All targets are of the socket's IP version, and fragments are forbidden for all of them or for none.
pub(in crate::net) async fn ping(socket: EchoSocket, requests: &[PingRequest]) -> Vec<Result<PingReport, PingError>> {
    match Sweep::new(socket, requests) {
        Ok(sweep) => sweep.run().await,
        Err(error) => requests.iter().map(|_| Err(error.clone())).collect(),
    }
}

/// All series of one socket.
struct Sweep {
    fd: AsyncFd<OwnedFd>,
    channel: Channel,
    /// Of our messages; the kernel writes one of its own on a datagram socket.
    id: u16,
    series: Vec<Series>,
    roll: Roll,
    /// What is to be done next for which series, and when (`CLOCK_MONOTONIC`): a request, or looking whether it is over.
    agenda: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Series that are not over.
    under_way: usize,
    buffer: Vec<u8>,
}

/// One series.
struct Series {
    request: PingRequest,
    ledger: Ledger,
    /// When the next request should go out.
    due: Duration,
    over: bool,
}

/// Whether the socket was read empty.
#[derive(PartialEq, Eq)]
enum Read {
    Empty,
    Perhaps,
}

impl Sweep {
    fn new(socket: EchoSocket, requests: &[PingRequest]) -> Result<Self, PingError> {
        let io = |why: String| PingError::Io(why);
        if requests.iter().any(|request| request.fragments == Fragments::Forbidden) {
            socket.forbid_fragments().map_err(|error| io(error.to_string()))?;
        }
        let largest = requests.iter().map(|r| r.payload).filter(|&payload| payload <= MAX_PAYLOAD).max().unwrap_or(0);
        if requests.len() > 1 {
            socket.make_room_for(requests.len(), largest);
        }
        let mut random = [0; 10];
        getrandom(&mut random, GetRandomFlags::empty()).map_err(|errno| io(errno.to_string()))?;
        let [high, low, token @ ..] = random;
        let (fd, channel) = socket.into_parts();
        let fd = watch_fd(fd, Interest::READABLE | Interest::ERROR).map_err(|error| io(error.to_string()))?;
        let now = Stamp::now().steady;
        let mut sweep = Self {
            fd,
            channel,
            id: u16::from_be_bytes([high, low]),
            series: requests.iter().map(|request| Series::new(*request, now)).collect(),
            roll: Roll::new(u64::from_be_bytes(token), requests),
            agenda: BinaryHeap::with_capacity(requests.len()),
            under_way: 0,
            buffer: vec![0; (MAX_IPV4_HEADER + HEADER + largest).max(2048)],
        };
        for (index, series) in sweep.series.iter().enumerate().filter(|(_, series)| !series.over) {
            sweep.under_way += 1;
            sweep.agenda.push(Reverse((series.due, index)));
        }
        Ok(sweep)
    }

    async fn run(mut self) -> Vec<Result<PingReport, PingError>> {
        while self.under_way > 0 {
            let more = self.read();
            if self.under_way == 0 {
                break;
            }
            let wait = self.act();
            if wait.is_zero() || more == Read::Perhaps {
                tokio::task::yield_now().await;
            } else if let Err(error) = self.wait(wait).await {
                return self.series.iter().map(|_| Err(error.clone())).collect();
            }
        }
        self.series.into_iter().map(Series::close).collect()
    }

    /// Does what is due, a batch of it at most; how long until there is something to do again.
    fn act(&mut self) -> Duration {
        for _ in 0..BATCH {
            let Some(&Reverse((at, index))) = self.agenda.peek() else { return Duration::ZERO };
            let now = Stamp::now();
            if at > now.steady {
                return at.saturating_sub(now.steady);
            }
            self.agenda.pop();
            if self.series[index].over {
                continue;
            }
            match self.act_on(index, now) {
                Some(again) => self.agenda.push(Reverse((again, index))),
                None => self.end(index),
            }
        }
        Duration::ZERO
    }

    /// Sends the next request of a series, or looks whether it is over; when to look at it again, if ever.
    fn act_on(&mut self, index: usize, now: Stamp) -> Option<Duration> {
        let PingRequest { count, interval, .. } = self.series[index].request;
        if self.series[index].ledger.made() < count {
            let late = now.steady.saturating_sub(self.series[index].due);
            // A request for which there is no room is given up when the next one is due.
            if !self.send_next(index, late < interval) {
                return Some(now.steady.saturating_add(BUSY));
            }
            let series = &mut self.series[index];
            // From due time to due time; after a stall without catching up in a burst.
            series.due = series.due.saturating_add(interval);
            if series.due < now.steady {
                series.due = now.steady.saturating_add(interval);
            }
            if series.ledger.made() < count {
                return Some(series.due);
            }
        }
        self.series[index].ledger.waits(now).map(|wait| now.steady.saturating_add(wait))
    }

    fn end(&mut self, index: usize) {
        if !std::mem::replace(&mut self.series[index].over, true) {
            self.under_way -= 1;
        }
    }

    /// Waits until there is something to read, or for `wait`.
    async fn wait(&mut self, wait: Duration) -> Result<(), PingError> {
        let Ok(ready) = tokio::time::timeout(wait, self.fd.ready(Interest::READABLE | Interest::ERROR)).await else {
            return Ok(());
        };
        let mut ready = ready.map_err(|error| PingError::Io(error.to_string()))?;
        // Reading it empty is what follows; whatever comes in after this makes it ready again.
        ready.clear_ready();
        Ok(())
    }

    /// Makes the next request; `false` when there was no room and, as `may_retry` allows, it is to be tried again.
    fn send_next(&mut self, index: usize, may_retry: bool) -> bool {
        let sequence = self.series[index].ledger.next_sequence();
        let data = self.roll.data(index);
        let message = Echo { id: self.id, sequence, data: &data }.encode_request(self.channel.version);
        let (at, sent) = self.send(index, &message);
        let ledger = &mut self.series[index].ledger;
        let Err(errno) = sent else {
            ledger.sent(at);
            return true;
        };
        let words = errno_in_words(errno);
        match Refusal::of(errno) {
            Refusal::NoWay => ledger.no_way(at, words),
            Refusal::Busy if may_retry => return false,
            Refusal::Busy | Refusal::Fault => ledger.not_sent(at, PingError::Io(words)),
            Refusal::Forbidden => ledger.not_sent(at, PingError::Forbidden(words)),
        }
        true
    }

    /// Sends a message. An ICMP error that came in since the queue was read makes the kernel refuse the next send with
    /// its error number, whoever it is about: then this message was not sent, and goes out after the queue was read.
    fn send(&mut self, index: usize, message: &[u8]) -> (Stamp, nix::Result<()>) {
        let target = self.series[index].request.target;
        let mut at = Stamp::now();
        let mut sent = Channel::send(self.fd.get_ref().as_fd(), target, message);
        for _ in 0..3 {
            let Err(errno) = sent else { break };
            if Refusal::of(errno) == Refusal::Busy || !self.take_errors() {
                break;
            }
            at = Stamp::now();
            sent = Channel::send(self.fd.get_ref().as_fd(), target, message);
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
                    note_error(&error, self.channel, self.id, &self.roll, &mut self.series);
                }
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        any
    }

    /// Reads messages and errors until there are none, or a batch of them.
    fn read(&mut self) -> Read {
        let mut more_errors = true;
        for _ in 0..BATCH {
            if more_errors {
                more_errors = self.take_errors();
                continue;
            }
            match self.channel.receive(self.fd.get_ref().as_fd(), &mut self.buffer) {
                Ok(message) => {
                    let answered = note_reply(&message, self.channel, self.id, &self.roll, &mut self.series);
                    if let Some(index) = answered.filter(|&index| self.series[index].is_answered()) {
                        self.end(index);
                    }
                }
                Err(Errno::EAGAIN) => return Read::Empty,
                // The number of an ICMP error that came in meanwhile; its entry is on the queue.
                Err(_) => more_errors = true,
            }
        }
        Read::Perhaps
    }
}

impl Series {
    fn new(request: PingRequest, now: Duration) -> Self {
        let over = request.payload > MAX_PAYLOAD || request.count == 0;
        Self { request, ledger: Ledger::new(request.timeout), due: now, over }
    }

    /// Whether every request was made and nothing is waited for.
    fn is_answered(&self) -> bool {
        self.ledger.made() >= self.request.count && self.ledger.waits(Stamp::now()).is_none()
    }

    fn close(self) -> Result<PingReport, PingError> {
        match self.request.payload {
            payload if payload > MAX_PAYLOAD => {
                Err(PingError::Io(format!("{payload} bytes do not fit an echo request")))
            }
            _ => self.ledger.close(),
        }
    }
}

/// The kernel writes an id of its own on a datagram socket, and gives it no reply with another.
fn is_own_id(channel: Channel, own: u16, id: u16) -> bool {
    channel.kind == Kind::Datagram || id == own
}

/// A reply is one of ours when it has our id and brings our data back; whose it is.
fn note_reply(received: &Received<'_>, channel: Channel, id: u16, roll: &Roll, series: &mut [Series]) -> Option<usize> {
    let echo = Echo::parse_reply(channel.version, received.message)?;
    if !is_own_id(channel, id, echo.id) {
        return None;
    }
    let index = roll.whose(echo.data, received.from)?;
    series.get_mut(index)?.ledger.answered(echo.sequence, received.arrived, Stamp::now());
    Some(index)
}

/// An error is about one of ours when it quotes our id, on the way to our target. Routers need not quote any data.
fn note_error(error: &QueuedError<'_>, channel: Channel, id: u16, roll: &Roll, series: &mut [Series]) {
    let Some(echo) = Echo::parse_quoted_request(channel.version, error.quoted) else { return };
    if !is_own_id(channel, id, echo.id) || error.error.is_redirect() {
        return;
    }
    for index in roll.quoted(echo.data, error.target) {
        if let Some(series) = series.get_mut(index) {
            series.ledger.unreachable(echo.sequence, error.error.in_words());
        }
    }
}
