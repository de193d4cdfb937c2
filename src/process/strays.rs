//! Orphans that were given to us and that nobody takes note of: a subreaper, or the first process of a container, gets
//! those of everybody below it, and each that has ended takes a place in the process table until its parent asks.

use std::collections::BTreeSet;

use super::ProcessId;
use super::exit::reap;
use super::scan::ended_children_of;

/// Those seen at the last look.
#[derive(Debug, Default)]
pub struct Strays {
    seen: BTreeSet<ProcessId>,
}

impl Strays {
    /// Takes note of ended children that had ended at the last look, too: whoever waits for a child of its own takes note
    /// within milliseconds, so nobody waits for these. To be called now and then, as after each cycle.
    pub fn look(&mut self) {
        let own = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
        let ended: BTreeSet<_> = ended_children_of(own).collect();
        for stray in ended.intersection(&self.seen) {
            reap(stray.pid);
        }
        self.seen = ended;
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    use nix::unistd::Pid;

    use super::*;

    #[test]
    #[expect(clippy::zombie_processes, reason = "it is to be a stray")]
    fn only_what_nobody_took_note_of_since_the_last_look_is_taken_note_of() {
        let child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        // Until it has ended, and without taking note of it.
        waitid(Id::Pid(Pid::from_raw(pid)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let is_there = || ended_children_of(own).any(|id| id.pid == pid);
        let mut strays = Strays::default();
        strays.look();
        assert!(is_there());
        strays.look();
        assert!(!is_there());
    }
}
