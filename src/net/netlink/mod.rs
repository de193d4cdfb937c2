//! Interfaces, addresses and routes by rtnetlink: synchronous requests that each end within seconds.
//!
//! A socket belongs to the network namespace of the thread that made it, so everything here is a plain function that
//! a thread inside a namespace can call. Must not decide what is a leftover: it reports and does what it is told.

mod decode;
mod request;
mod rules;
mod socket;

pub(super) use request::{add_route, remove_interface, remove_route, route_to, snapshot};
pub(super) use rules::{add_rule, remove_rule};
