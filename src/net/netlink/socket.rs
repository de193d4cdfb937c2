//! One rtnetlink socket and its three kinds of exchange: dump, look up, execute.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, connect, recv, send, setsockopt, socket,
    sockopt,
};
use nix::sys::time::TimeVal;

use super::decode::{Message, messages};

/// How long the kernel may take for one datagram. It answers while the request is being sent, so this only keeps a
/// kernel bug from hanging a cycle.
const RECEIVE_TIMEOUT: TimeVal = TimeVal::new(2, 0);

/// How often a dump is repeated that the kernel calls inconsistent (`NLM_F_DUMP_INTR`) or that overran the buffer.
const DUMP_ATTEMPTS: u32 = 10;

/// A socket for requests to the kernel's routing tables.
pub(super) struct RouteSocket {
    fd: OwnedFd,
    sequence: u32,
}

/// How an exchange ended.
enum End {
    Done,
    /// Entries came or went while the kernel was listing them.
    Inconsistent,
}

impl RouteSocket {
    /// Opens a socket in the calling thread's network namespace. Needs no privilege.
    pub(super) fn open() -> io::Result<Self> {
        let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
        setsockopt(&fd, sockopt::ReceiveTimeout, &RECEIVE_TIMEOUT)?;
        // Connected to the kernel (port 0), so that no other process can send to it.
        connect(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        Ok(Self { fd, sequence: 0 })
    }

    /// Lists what `request` asks for; `decode` picks what is wanted.
    pub(super) fn dump<T>(
        &mut self,
        request: &RouteNetlinkMessage,
        mut decode: impl FnMut(u16, &[u8], &mut Vec<T>),
    ) -> io::Result<Vec<T>> {
        for _ in 0..DUMP_ATTEMPTS {
            let mut found = Vec::new();
            match self.exchange(request, NLM_F_DUMP, |kind, payload| decode(kind, payload, &mut found)) {
                Ok(End::Done) => return Ok(found),
                Ok(End::Inconsistent) => {}
                // The list did not fit into the receive buffer. It may still be going on: begin anew beside it.
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => *self = Self::open()?,
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("the kernel's tables changed during each of {DUMP_ATTEMPTS} listings")))
    }

    /// Asks for one thing; `decode` picks it out of the answer.
    pub(super) fn look_up<T>(
        &mut self,
        request: &RouteNetlinkMessage,
        mut decode: impl FnMut(u16, &[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut found = None;
        self.exchange(request, NLM_F_ACK, |kind, payload| found = found.take().or_else(|| decode(kind, payload)))?;
        Ok(found)
    }

    /// Has the kernel change something.
    pub(super) fn execute(&mut self, request: &RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.exchange(request, NLM_F_ACK | flags, |_, _| {}).map(drop)
    }

    fn exchange(
        &mut self,
        request: &RouteNetlinkMessage,
        flags: u16,
        mut on_answer: impl FnMut(u16, &[u8]),
    ) -> io::Result<End> {
        self.send(request, flags)?;
        let mut interrupted = false;
        loop {
            let datagram = match receive(&self.fd) {
                Ok(datagram) => datagram,
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) => return Err(io::Error::new(io::ErrorKind::TimedOut, "rtnetlink did not answer")),
                Err(errno) => return Err(errno.into()),
            };
            for message in messages(&datagram) {
                let Message { kind, flags, sequence, payload } = message?;
                if sequence != self.sequence {
                    continue;
                }
                interrupted |= flags & NLM_F_DUMP_INTR != 0;
                match super::decode::end_of_answer(kind, payload) {
                    None => on_answer(kind, payload),
                    Some(Ok(())) => return Ok(if interrupted { End::Inconsistent } else { End::Done }),
                    Some(Err(errno)) => return Err(errno.into()),
                }
            }
        }
    }

    fn send(&mut self, request: &RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.sequence_number = self.sequence;
        header.flags = NLM_F_REQUEST | flags;
        let mut message = NetlinkMessage::new(header, request.clone().into());
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        send(self.fd.as_raw_fd(), &bytes, MsgFlags::empty())?;
        Ok(())
    }
}

/// Receives one whole datagram, however long it is.
fn receive(fd: &OwnedFd) -> nix::Result<Vec<u8>> {
    let length = recv(fd.as_raw_fd(), &mut [], MsgFlags::MSG_PEEK | MsgFlags::MSG_TRUNC)?;
    let mut datagram = vec![0; length];
    let received = recv(fd.as_raw_fd(), &mut datagram, MsgFlags::empty())?;
    datagram.truncate(received);
    Ok(datagram)
}
