//! Ending a client's whole process tree: TERM, a grace period, KILL, and who survived.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::exit::reap;
use super::{Claim, MARK, Process, ProcessExit, ours, scan};
use crate::net::NetContext;

/// How long a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endurance {
    /// After TERM. 5 s: Connect Tunnel's helper takes its routes back and restores resolv.conf in this time.
    pub term: Duration,
    /// After KILL, until a process that is stuck in the kernel is given up.
    pub kill: Duration,
}

impl Default for Endurance {
    fn default() -> Self {
        Self { term: Duration::from_secs(5), kill: Duration::from_secs(2) }
    }
}

/// What it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TerminateReport {
    /// Processes that were sent TERM, by name and id.
    pub terminated: Vec<String>,
    /// Processes that were sent KILL.
    pub killed: Vec<String>,
    /// Processes that are still there.
    pub survived: Vec<String>,
}

/// A client's process tree.
#[derive(Debug)]
pub struct Tree {
    claim: Claim,
    net: Arc<dyn NetContext>,
    own: i32,
}

impl Tree {
    /// The processes that `claim` covers.
    pub fn new(claim: Claim, net: Arc<dyn NetContext>) -> Self {
        Self { claim, net, own: std::process::id().try_into().unwrap_or(i32::MAX) }
    }

    /// Those that live now. What was found once stays ours, however it hides later.
    pub fn living(&mut self) -> Vec<Process> {
        let all = scan(MARK, |pid| self.net.contains_process(pid));
        let mut mine = ours(&all, &self.claim, self.own);
        self.claim.known.extend(mine.iter().map(|p| p.id));
        let leader = self.claim.leader;
        for orphan in mine.iter().filter(|p| p.zombie && p.parent == self.own && Some(p.id) != leader) {
            reap(orphan.id.pid);
        }
        mine.retain(|p| !p.zombie);
        mine
    }

    /// Waits until none lives any more, `deadline` comes or `hurry` is said; `true` when all are gone.
    pub async fn all_gone(&mut self, deadline: Instant, hurry: &CancellationToken) -> bool {
        loop {
            let mut living = self.living();
            if living.is_empty() {
                // A look takes its time: of a process that starts another one meanwhile and ends it may miss both, as of
                // a client that ends and has its script tidy up. The next look finds the new one.
                living = self.living();
            }
            if living.is_empty() {
                return true;
            }
            let exits: Vec<_> = living.iter().filter_map(|p| ProcessExit::watch(p.id).ok()).collect();
            let ended = async {
                for exit in &exits {
                    exit.ended().await;
                }
            };
            tokio::select! {
                in_time = timeout_at(deadline, ended) => if in_time.is_err() {
                    return self.living().is_empty();
                },
                () = hurry.cancelled() => return self.living().is_empty(),
            }
            // Without a descriptor for any of them there is nothing to wait on.
            if exits.is_empty() {
                return self.living().is_empty();
            }
        }
    }

    /// Ends them all: TERM, `endurance.term`, KILL, `endurance.kill`. `hurry` cuts the first wait short.
    pub async fn terminate(&mut self, endurance: Endurance, hurry: &CancellationToken) -> TerminateReport {
        let terminated = self.signal_all(Signal::TERM, endurance.term, hurry).await;
        let killed = self.signal_all(Signal::KILL, endurance.kill, &CancellationToken::new()).await;
        let survived = self.living().iter().map(describe).collect();
        TerminateReport { terminated, killed, survived }
    }

    /// Signals all that live, waits for their end and says who was signalled.
    async fn signal_all(&mut self, signal: Signal, patience: Duration, hurry: &CancellationToken) -> Vec<String> {
        let living = self.living();
        for process in &living {
            if let Ok(exit) = ProcessExit::watch(process.id) {
                // EPERM (a setuid client, and we are not root) shows as a survivor.
                let _ = exit.signal(signal);
            }
        }
        if !living.is_empty() {
            self.all_gone(Instant::now() + patience, hurry).await;
        }
        living.iter().map(describe).collect()
    }
}

fn describe(process: &Process) -> String {
    format!("{} ({})", process.name, process.id.pid)
}
