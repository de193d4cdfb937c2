//! What an IKE daemon said of a tunnel.

use serde::{Deserialize, Serialize};

/// What strongSwan said of a tunnel at the end of the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TunnelFacts {
    /// `CHILD_SA`s of the configuration that are up: more than one are duplicates.
    pub installed: u32,
    /// Bytes that came in by them.
    pub bytes_in: u64,
    /// Bytes that went out by them.
    pub bytes_out: u64,
    /// Packets that came in by them.
    pub packets_in: u64,
    /// Packets that went out by them.
    pub packets_out: u64,
}
