//! Where the daemon listens. Pure.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Longest path of a Unix socket: `sun_path` has 108 bytes, its terminating zero included (unix(7)).
const LONGEST_PATH: usize = 107;

/// Where the daemon listens (`charon.plugins.vici.socket` of strongswan.conf).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A Unix socket. The same one from every network namespace.
    Unix(PathBuf),
    /// A TCP port, in the network namespace of whoever connects. VICI has no encryption and no login.
    Tcp(SocketAddr),
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Nothing is there.
    #[error("is empty: write a path or `tcp://127.0.0.1:4502`")]
    Empty,
    /// Another scheme than the two.
    #[error("`{0}://` is not known: write a path, `unix:///path` or `tcp://127.0.0.1:4502`")]
    Scheme(String),
    /// `tcp://` and something that is not an address with its port. Names are not resolved: VICI belongs on loopback.
    #[error("`{0}` is not an IP address and port: write it like `tcp://127.0.0.1:4502` or `tcp://[::1]:4502`")]
    Address(String),
    /// Port 0.
    #[error("port 0 can't be connected to")]
    NoPort,
    /// Beyond `sun_path`.
    #[error("a path of {0} bytes is too long for a Unix socket: {LONGEST_PATH} at most")]
    TooLong(usize),
    /// A zero byte in a path.
    #[error("holds a zero byte")]
    Zero,
}

impl Endpoint {
    /// Where Debian's strongSwan listens. `/var/run` is `/run`.
    pub const DEFAULT: &'static str = "/var/run/charon.vici";

    /// Reads `/var/run/charon.vici`, `unix:///var/run/charon.vici`, `tcp://127.0.0.1:4502`.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        let path = match text.split_once("://") {
            Some(("tcp", address)) => return tcp(address),
            Some(("unix", path)) => path,
            // A path may hold the three characters too, but no scheme holds a slash.
            Some((scheme, _)) if !scheme.contains('/') => return Err(EndpointError::Scheme(scheme.to_owned())),
            _ => text,
        };
        match path.len() {
            0 => Err(EndpointError::Empty),
            _ if path.contains('\0') => Err(EndpointError::Zero),
            length if length > LONGEST_PATH => Err(EndpointError::TooLong(length)),
            _ => Ok(Self::Unix(path.into())),
        }
    }

    /// The same, where a relative path counts from this directory.
    #[must_use]
    pub fn relative_to(self, directory: &Path) -> Self {
        match self {
            Self::Unix(path) => Self::Unix(directory.join(path)),
            Self::Tcp(_) => self,
        }
    }
}

fn tcp(address: &str) -> Result<Endpoint, EndpointError> {
    let address: SocketAddr = address.parse().map_err(|_| EndpointError::Address(address.to_owned()))?;
    if address.port() == 0 { Err(EndpointError::NoPort) } else { Ok(Endpoint::Tcp(address)) }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self::Unix(Self::DEFAULT.into())
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_strongswan_knows_are_read_and_shown() {
        for (text, shown) in [
            ("/var/run/charon.vici", "/var/run/charon.vici"),
            ("unix:///run/charon.vici", "/run/charon.vici"),
            (" charon.vici ", "charon.vici"),
            ("/odd://name", "/odd://name"),
            ("tcp://127.0.0.1:4502", "tcp://127.0.0.1:4502"),
            ("tcp://[::1]:4502", "tcp://[::1]:4502"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Endpoint::default(), Endpoint::parse(Endpoint::DEFAULT).unwrap());
    }

    #[test]
    fn what_is_no_endpoint_is_told_with_the_way_to_write_one() {
        let long = "x".repeat(108);
        for (text, words) in [
            ("", "is empty: write a path or `tcp://127.0.0.1:4502`"),
            ("unix://", "is empty: write a path or `tcp://127.0.0.1:4502`"),
            ("http://127.0.0.1:4502", "`http://` is not known: write a path, `unix:///path` or `tcp://127.0.0.1:4502`"),
            (
                "tcp://localhost:4502",
                "`localhost:4502` is not an IP address and port: write it like `tcp://127.0.0.1:4502` or `tcp://[::1]:4502`",
            ),
            (
                "tcp://127.0.0.1",
                "`127.0.0.1` is not an IP address and port: write it like `tcp://127.0.0.1:4502` or `tcp://[::1]:4502`",
            ),
            ("tcp://127.0.0.1:0", "port 0 can't be connected to"),
            (&long, "a path of 108 bytes is too long for a Unix socket: 107 at most"),
            ("/a\0b", "holds a zero byte"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn a_relative_path_counts_from_the_directory_it_is_told() {
        let at = |text: &str| Endpoint::parse(text).unwrap().relative_to(Path::new("/etc/vpnprobe")).to_string();
        assert_eq!(at("charon.vici"), "/etc/vpnprobe/charon.vici");
        assert_eq!(at("/run/charon.vici"), "/run/charon.vici");
        assert_eq!(at("tcp://127.0.0.1:4502"), "tcp://127.0.0.1:4502");
    }
}
