//! vpnprobe: a synthetic prober for VPN gateways.
//!
//! It logs in at real SSL VPN gateways through the real client on a PTY, times the login, pings outside and inside,
//! leaves the host as clean as it found it, writes one CSV row per cycle and tells people once when a site is down and
//! once when it is over.
//!
//! ```text
//! config.yml ─▶ config ─▶ scheduler ─▶ runner ─▶ stage … ─▶ record ─┬▶ results  (CSV day files, durable)
//!                         (timetable)  (one worker per              └▶ alert    (policy ─▶ outbox ─▶ mail)
//!                                       network context)
//! ```
//!
//! The modules are listed in the order of that flow; `docs/architecture.md` draws it larger.

pub mod agreed;
pub mod clock;
pub mod config;
pub mod error;
mod fd;
mod files;
mod group;
pub mod hostload;
pub mod maintenance;
mod memory;
pub mod record;
pub mod zone;

pub mod net;
pub mod snapshot;
pub mod tls;
pub mod uplink;
pub mod vici;
mod web;

pub mod scheduler;

pub mod account;
pub mod check;
pub mod cleanup;
pub mod client;
pub mod ipsec;
pub mod process;
pub mod runner;
pub mod stage;

pub mod alert;
pub mod report;
pub mod results;
pub mod status;

pub mod cli;
pub mod daemon;
pub mod demo;
pub mod exit_code;
pub mod shutdown;
pub mod simulator;
pub mod telemetry;
