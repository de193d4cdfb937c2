//! End-to-end tests: real sockets, real namespaces, real clients, a real gateway. They need root.
//!
//! `scripts/test e2e` brings the lab of `scripts/lab` up and down around them. The tests of `net` make namespaces of
//! their own; all others share the lab's, one at a time, and prove before and after that it is clean (`lab`).

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod lab;
mod namespace;

mod certificate;
mod channels;
mod checks;
mod client_killed;
mod codes;
mod gateway;
mod grid;
mod hostile;
mod inside;
mod ipsec;
mod leftovers;
mod limits;
mod login;
mod mail;
#[cfg(feature = "e2e-long")]
mod mail_hangs;
mod maintenance;
mod matrix;
mod net;
mod openvpn;
mod openvpn_codes;
mod prober_killed;
#[cfg(feature = "e2e-long")]
mod real_grace;
mod resolv_conf;
mod resolv_conf_tools;
mod startct;
mod stopped;
mod strangers;
mod systemd_resolved;
mod terminal;
mod two_probers;
mod uplink;
