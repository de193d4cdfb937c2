//! One ICMP socket: opened by a plain function, read without blocking.
//!
//! A socket belongs to the network namespace of the thread that opened it. Must not wait, and must not keep count.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{self, sock_extended_err, sockaddr_in6};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, recvmsg, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover};

use super::codec::{Version, strip_ipv4_header};
use super::words::IcmpError;

/// What Linux books for a packet beside its data (`sizeof(struct sk_buff)` and the shared info, rounded up).
const SMALL_PACKET: usize = 1280;

/// No more room than this is asked for, whatever is awaited.
const LARGEST_ROOM: usize = 32 << 20;

/// A socket for echo messages of one IP version.
#[derive(Debug)]
pub(in crate::net) struct EchoSocket {
    fd: OwnedFd,
    version: Version,
    kind: Kind,
}

/// Datagram sockets are for echo alone: the kernel writes the id, sorts the replies and needs no privilege beyond
/// `net.ipv4.ping_group_range`. Raw sockets see every ICMP message and need `CAP_NET_RAW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Datagram,
    Raw,
}

/// Why there is no socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) enum OpenError {
    /// Neither kind is allowed.
    NotPermitted(String),
    /// Something else is wrong with the host.
    Io(String),
}

/// A message as it came in.
#[derive(Debug)]
pub(super) struct Received<'a> {
    /// The ICMP message.
    pub(super) message: &'a [u8],
    /// Who sent it.
    pub(super) from: Option<IpAddr>,
    /// When it came in, by the kernel's wall clock.
    pub(super) arrived: Option<Duration>,
}

/// An entry of the error queue that came from the network.
#[derive(Debug)]
pub(super) struct QueuedError<'a> {
    /// What the error says.
    pub(super) error: IcmpError,
    /// The request as far as the error quotes it.
    pub(super) quoted: &'a [u8],
    /// Where that request was going.
    pub(super) target: Option<IpAddr>,
}

impl EchoSocket {
    /// Opens a datagram socket, or a raw one where that is refused, in the calling thread's network namespace.
    pub(in crate::net) fn open(version: Version) -> Result<Self, OpenError> {
        let datagram = match open_as(version, Kind::Datagram) {
            Ok(socket) => return Ok(socket),
            Err(errno) => errno,
        };
        match open_as(version, Kind::Raw) {
            Ok(socket) => Ok(socket),
            Err(raw @ (Errno::EPERM | Errno::EACCES)) => Err(OpenError::NotPermitted(format!(
                "datagram socket: {}; raw socket: {}",
                datagram.desc().to_lowercase(),
                raw.desc().to_lowercase()
            ))),
            Err(raw) => Err(OpenError::Io(format!("cannot open an ICMP socket: {}", raw.desc().to_lowercase()))),
        }
    }

    /// From now on no packet is cut into pieces, whatever the kernel has learnt about the way.
    pub(in crate::net) fn forbid_fragments(&self) -> io::Result<()> {
        match self.version {
            Version::V4 => set_ip_mtu_discover(&self.fd, Ipv4PathMtuDiscovery::PROBE)?,
            Version::V6 => set_ipv6_mtu_discover(&self.fd, Ipv6PathMtuDiscovery::PROBE)?,
        }
        Ok(())
    }

    /// Makes room for this many replies that come in at once: the least that Linux takes for a small packet is 768
    /// bytes of the buffer, and what it grants without privilege is little. Without room replies are lost; that is all.
    pub(super) fn make_room_for(&self, replies: usize, payload: usize) {
        let bytes = replies.saturating_mul(payload.saturating_add(SMALL_PACKET)).min(LARGEST_ROOM);
        if setsockopt(&self.fd, sockopt::RcvBufForce, &bytes).is_err() {
            let _ = setsockopt(&self.fd, sockopt::RcvBuf, &bytes);
        }
    }

    /// The descriptor to wait on, and a reader and sender that goes with it.
    pub(super) fn into_parts(self) -> (OwnedFd, Channel) {
        (self.fd, Channel { version: self.version, kind: self.kind })
    }
}

/// What the calls on the descriptor need to know about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    /// Messages of this version alone.
    pub(super) version: Version,
    /// Which kind was allowed.
    pub(super) kind: Kind,
}

impl Channel {
    /// Sends one message.
    pub(super) fn send(fd: BorrowedFd<'_>, target: IpAddr, message: &[u8]) -> nix::Result<()> {
        let address = SockaddrStorage::from(SocketAddr::new(target, 0));
        sendto(fd.as_raw_fd(), message, &address, MsgFlags::MSG_DONTWAIT).map(drop)
    }

    /// The next message; `EAGAIN` when there is none. Any other error may stand for an ICMP error on the queue.
    pub(super) fn receive<'a>(self, fd: BorrowedFd<'_>, buffer: &'a mut [u8]) -> nix::Result<Received<'a>> {
        let mut control = cmsg_space!(TimeSpec);
        let (length, from, arrived) = {
            let mut parts = [IoSliceMut::new(buffer)];
            let received =
                recvmsg::<SockaddrStorage>(fd.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
            let arrived = received.cmsgs().ok().and_then(|mut all| {
                all.find_map(|message| match message {
                    ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                    _ => None,
                })
            });
            (received.bytes, received.address.as_ref().and_then(ip), arrived)
        };
        let packet = buffer.get(..length).unwrap_or_default();
        let with_header = self.kind == Kind::Raw && self.version == Version::V4;
        let message = if with_header { strip_ipv4_header(packet).unwrap_or_default() } else { packet };
        Ok(Received { message, from, arrived })
    }
}

impl<'a> QueuedError<'a> {
    /// The next entry of the error queue: `None` for one that the host itself made, `EAGAIN` when there is none.
    pub(super) fn receive(fd: BorrowedFd<'_>, buffer: &'a mut [u8]) -> nix::Result<Option<Self>> {
        let mut control = cmsg_space!((sock_extended_err, sockaddr_in6), TimeSpec);
        let (length, target, error) = {
            let mut parts = [IoSliceMut::new(buffer)];
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let received = recvmsg::<SockaddrStorage>(fd.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
            let error = received.cmsgs().ok().and_then(|mut all| all.find_map(|message| icmp_error(&message)));
            (received.bytes, received.address.as_ref().and_then(ip), error)
        };
        let quoted = buffer.get(..length).unwrap_or_default();
        Ok(error.map(|error| QueuedError { error, quoted, target }))
    }
}

fn open_as(version: Version, kind: Kind) -> nix::Result<EchoSocket> {
    let (family, protocol) = match version {
        Version::V4 => (AddressFamily::Inet, SockProtocol::Icmp),
        Version::V6 => (AddressFamily::Inet6, SockProtocol::IcmpV6),
    };
    let style = match kind {
        Kind::Datagram => SockType::Datagram,
        Kind::Raw => SockType::Raw,
    };
    let fd = socket(family, style, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol)?;
    setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
    match version {
        Version::V4 => setsockopt(&fd, sockopt::Ipv4RecvErr, &true)?,
        Version::V6 => setsockopt(&fd, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(EchoSocket { fd, version, kind })
}

/// The error that came from the network, if this control message is one.
fn icmp_error(message: &ControlMessageOwned) -> Option<IcmpError> {
    let (raw, from, version) = match message {
        ControlMessageOwned::Ipv4RecvErr(raw, from) if raw.ee_origin == libc::SO_EE_ORIGIN_ICMP => {
            let from = from.filter(|from| i32::from(from.sin_family) == libc::AF_INET);
            (raw, from.map(|from| IpAddr::from(u32::from_be(from.sin_addr.s_addr).to_be_bytes())), Version::V4)
        }
        ControlMessageOwned::Ipv6RecvErr(raw, from) if raw.ee_origin == libc::SO_EE_ORIGIN_ICMP6 => {
            let from = from.filter(|from| i32::from(from.sin6_family) == libc::AF_INET6);
            (raw, from.map(|from| IpAddr::from(from.sin6_addr.s6_addr)), Version::V6)
        }
        _ => return None,
    };
    Some(IcmpError { version, kind: raw.ee_type, code: raw.ee_code, mtu: raw.ee_info, from })
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip())))
}
