//! What is looked at beyond echo requests: TLS and certificates, and the checks through a tunnel.
//!
//! `certificate` and `answer` are pure; the rest acts on sockets that a network context made. Must not open a socket or
//! resolve a name by the host's own means, and must not know a cycle.

mod answer;
mod certificate;
mod dns;
mod http;
mod inside;
mod roots;
mod tcp;
mod tls;
mod way;

pub use certificate::{Demand, Distrust, Trusted, facts_of, judge};
pub use inside::Inside;
pub use roots::{Roots, RootsError};
pub use tls::{Handshake, Seen, TlsTrouble, Wanted, handshake};
pub use way::{Astray, Way};
