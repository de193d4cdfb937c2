//! `vpnprobe demo`: the main job on a simulated gateway. Needs no root, no VPN, no network.
//!
//! What is simulated is the world: a network whose interfaces are files in a directory ([`DemoNet`]) and a client that
//! speaks Connect Tunnel's dialogue on a real pseudo-terminal and makes those files ([`FileCarrier`]). Everything
//! between the two is the prober itself, as it runs on a host.

mod carrier;
mod gateway;
mod net;
mod story;
mod world;

pub use carrier::{FileCarrier, play_client};
pub use net::DemoNet;
pub use story::{Event, Printer, configuration, tell};
pub use world::World;
