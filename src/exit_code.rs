//! Exit statuses (contract: commands). Scripts hold on to them.

/// What was asked for is done, and well.
pub const OK: u8 = 0;
/// `test`, `status`: a site is down. `cleanup`: something remains. Elsewhere: anything that has no status of its own.
pub const FAILED: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// `test`: none is down, but one or more are unknown. `status`: no prober runs.
pub const UNKNOWN: u8 = 3;

/// `ipsec`: the list of tunnels is no list. MIPsec's, like the following.
pub const NOT_A_LIST: u8 = 2;
/// `ipsec`: something in the list is no text.
pub const NOT_A_NAME: u8 = 3;
/// `ipsec`: the list was opened and can't be parsed.
pub const NOT_PARSED: u8 = 4;
/// `ipsec`: no connection to the VICI socket.
pub const NO_VICI: u8 = 5;
/// `ipsec --daemon`: it can't go on.
pub const CRITICAL: u8 = 6;
