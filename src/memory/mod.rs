//! What the system is told, so that a prober that mostly waits does not hold on to what it once needed.

mod heap;
#[cfg(target_pointer_width = "64")]
mod mapped;

#[cfg(not(target_pointer_width = "64"))]
pub(crate) use heap::give_back as rest;
pub(crate) use heap::{give_back, on_a_passing_thread, share_one_heap};
#[cfg(target_pointer_width = "64")]
pub(crate) use mapped::rest;
