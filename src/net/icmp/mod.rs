//! Echo requests: sent at a steady pace, timed by the kernel, with unreachable told apart from silence.
//!
//! Three ways, by what the host allows: an ICMP datagram socket, a raw socket, the `ping` program
//! (docs/decisions/0004). The codec and the bookkeeping are pure; `socket` and `program` are the edge.

mod clock;
mod codec;
mod ledger;
mod program;
mod program_output;
mod roll;
mod series;
mod socket;
mod words;

pub(super) use codec::Version;
pub(super) use program::ping as ping_by_program;
pub(super) use series::ping as ping_by_socket;
pub(super) use socket::{EchoSocket, OpenError};
