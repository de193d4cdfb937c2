//! Exit statuses (contract: commands). Scripts hold on to them.

/// What was asked for is done, and well.
pub const OK: u8 = 0;
/// `test`: a site is down. `cleanup`: something remains. Elsewhere: anything that has no status of its own.
pub const FAILED: u8 = 1;
/// Usage or configuration.
pub const USAGE: u8 = 2;
/// `test`: none is down, but one or more are unknown.
pub const UNKNOWN: u8 = 3;
