//! The process group of a program that is given a time: killed as a whole when it is given up.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Kills the group of a program when dropped, unless it was released.
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// That of a child that was started as the first of its group.
    pub(crate) fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// The child was waited for: its number may be another's by now, and what it left running on purpose is its own
    /// business.
    pub(crate) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An empty group is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
