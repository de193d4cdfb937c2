//! What is looked at beyond echo requests: the checks through a tunnel.
//!
//! `answer` is pure; the rest acts on sockets that a network context made. Must not open a socket or
//! resolve a name by the host's own means, and must not know a cycle.

mod answer;
mod dns;
mod http;
mod inside;
mod tcp;
mod way;

pub use inside::Inside;
pub use way::{Astray, Way};
