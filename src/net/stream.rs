//! TCP connections and UDP sockets: made by plain functions, awaited by futures.
//!
//! A socket belongs to the network namespace of the thread that makes it, so making one is a plain function that a
//! thread inside a namespace can call. Must not know what is said over it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::errno::Errno;
use tokio::net::{TcpSocket, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::{BoxStream, ConnectError};

/// A TCP socket in the calling thread's network namespace, not connected yet.
pub(super) fn tcp_socket(to: SocketAddr) -> Result<TcpSocket, ConnectError> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    socket.map_err(|error| classify(&error))
}

/// Connects it.
pub(super) async fn connect(socket: TcpSocket, to: SocketAddr, deadline: Instant) -> Result<BoxStream, ConnectError> {
    match timeout_at(deadline, socket.connect(to)).await {
        Ok(Ok(stream)) => {
            // A request is one write; none waits for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
            Ok(Box::new(stream))
        }
        Ok(Err(error)) => Err(classify(&error)),
        Err(_) => Err(ConnectError::TimedOut),
    }
}

/// A UDP socket in the calling thread's network namespace that is connected to `to`.
pub(super) fn udp_socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(to)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

fn classify(error: &io::Error) -> ConnectError {
    let errno = error.raw_os_error().map(Errno::from_raw);
    let words = || errno.map_or_else(|| error.to_string(), |errno| errno.desc().to_lowercase());
    match errno {
        // A reset before the connection stood is a refusal by a firewall.
        Some(Errno::ECONNREFUSED | Errno::ECONNRESET) => ConnectError::Refused,
        Some(Errno::ETIMEDOUT) => ConnectError::TimedOut,
        Some(
            Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            | Errno::EADDRNOTAVAIL
            | Errno::ENOPROTOOPT
            | Errno::EACCES
            | Errno::EINVAL,
        ) => ConnectError::Unreachable(words()),
        _ => ConnectError::Io(words()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn connect_to(to: SocketAddr, within: Duration) -> Result<(), ConnectError> {
        connect(tcp_socket(to)?, to, Instant::now() + within).await.map(drop)
    }

    #[tokio::test]
    async fn refused_is_told_from_connected() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        assert_eq!(connect_to(to, Duration::from_secs(10)).await, Ok(()));
        drop(listener);
        assert_eq!(connect_to(to, Duration::from_secs(10)).await, Err(ConnectError::Refused));
    }

    #[test]
    fn the_networks_word_is_told_from_the_hosts_own_trouble() {
        for (errno, expected) in [
            (Errno::ECONNREFUSED, ConnectError::Refused),
            (Errno::ETIMEDOUT, ConnectError::TimedOut),
            (Errno::EHOSTUNREACH, ConnectError::Unreachable("no route to host".into())),
            (Errno::ENETUNREACH, ConnectError::Unreachable("network is unreachable".into())),
            (Errno::EMFILE, ConnectError::Io("too many open files".into())),
            (Errno::EPERM, ConnectError::Io("operation not permitted".into())),
        ] {
            assert_eq!(classify(&io::Error::from_raw_os_error(errno as i32)), expected, "{errno}");
        }
    }
}
