//! Which processes are ours: pure.
//!
//! Ours is a process that we started, or one that a profile adopts. What we started is known by several marks, because
//! a client can shed each of them: by its descent (also over generations), by its session, by the mark in its
//! environment, and, where its parents have died, by having been given to us as their subreaper.

use std::collections::BTreeSet;

use super::{Process, ProcessId};
use crate::config::Adopt;

/// Name of the environment variable that marks a client and its descendants; its value is the cycle's id.
pub const MARK: &str = "VPNPROBE_CYCLE";

/// What makes a process ours.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// The value of our mark.
    pub mark: Option<String>,
    /// The client's first process, which began a session of its own.
    pub leader: Option<ProcessId>,
    /// Processes that were found to be ours before.
    pub known: BTreeSet<ProcessId>,
    /// This prober's own process id, when orphans of the client are given to it.
    pub subreaper: Option<i32>,
    /// Strangers that count as leftovers.
    pub adopt: Vec<Adopt>,
}

/// The processes that the claim covers, zombies included; never `own` (the prober) itself.
pub fn ours(processes: &[Process], claim: &Claim, own: i32) -> Vec<Process> {
    let prober = processes.iter().find(|p| p.id.pid == own);
    let directly = |p: &Process| {
        claim.known.contains(&p.id)
            || claim.mark.is_some() && p.mark == claim.mark
            || claim.leader.is_some_and(|leader| p.id == leader || in_session_of(p, leader))
            || claim.subreaper == Some(p.parent) && was_given_to_us(p, prober, claim)
            || p.here == Some(true) && claim.adopt.iter().any(|adopt| adopt.covers(p))
    };
    let mut claimed: BTreeSet<i32> = processes.iter().filter(|p| directly(p)).map(|p| p.id.pid).collect();
    claimed.remove(&own);
    // Descendants of what is claimed, until there are no more.
    loop {
        let more: Vec<i32> = processes
            .iter()
            .filter(|p| p.id.pid != own && !claimed.contains(&p.id.pid) && claimed.contains(&p.parent))
            .map(|p| p.id.pid)
            .collect();
        if more.is_empty() {
            break;
        }
        claimed.extend(more);
    }
    processes.iter().filter(|p| claimed.contains(&p.id.pid)).cloned().collect()
}

/// A session keeps the id of the process that began it, also when that one is gone; the id can only be given again
/// when the session is empty, and then to a process that starts later than any of ours.
fn in_session_of(process: &Process, leader: ProcessId) -> bool {
    process.session == leader.pid && process.id.start_time >= leader.start_time
}

/// A child of the prober that it did not start itself: the prober's own children stay in its session, or bear the mark of
/// another cycle, or are only about to. Only while a client of ours runs or ran (there is a leader) and only what is
/// younger than it.
fn was_given_to_us(process: &Process, prober: Option<&Process>, claim: &Claim) -> bool {
    let Some(leader) = claim.leader else { return false };
    let own_child = prober.is_some_and(|prober| prober.session == process.session);
    let of_another_cycle = process.mark.is_some() && process.mark != claim.mark;
    !own_child && !of_another_cycle && !is_being_started(process, prober) && process.id.start_time >= leader.start_time
}

/// Another cycle's client between fork and exec is a session's leader already and has the prober's own arguments and
/// environment, so no mark yet. What it will be, the next look tells.
fn is_being_started(process: &Process, prober: Option<&Process>) -> bool {
    process.in_exec || prober.is_some_and(|prober| !process.args.is_empty() && process.args == prober.args)
}

impl Adopt {
    /// Whether this process is such a stranger.
    pub fn covers(&self, process: &Process) -> bool {
        let base = process.args.first().map(|a| a.rsplit('/').next().unwrap_or(a));
        // `comm` holds 15 bytes: a longer name is compared as far as it goes.
        let short: String = self.name.chars().take(15).collect();
        (process.name == short || base == Some(self.name.as_str()))
            && self.arg.as_deref().is_none_or(|wanted| process.args.iter().any(|arg| arg.contains(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32, name: &str) -> Process {
        Process {
            id: ProcessId { pid, start_time: u64::try_from(pid).unwrap() },
            parent,
            session,
            zombie: false,
            name: name.into(),
            args: vec![format!("/usr/bin/{name}")],
            mark: None,
            here: Some(true),
            in_exec: false,
        }
    }

    const OWN: i32 = 100;

    fn pids(processes: &[Process], claim: &Claim) -> Vec<i32> {
        ours(processes, claim, OWN).iter().map(|p| p.id.pid).collect()
    }

    fn claim() -> Claim {
        let leader = ProcessId { pid: 200, start_time: 200 };
        Claim { mark: Some("c1".into()), leader: Some(leader), subreaper: Some(OWN), ..Claim::default() }
    }

    #[test]
    fn a_client_with_its_whole_tree_is_ours_and_the_prober_is_not() {
        let all = [
            process(OWN, 1, OWN, "vpnprobe"),
            process(101, OWN, OWN, "ping"),
            process(200, OWN, 200, "startct"),
            process(201, 200, 200, "java"),
            process(202, 201, 202, "AvConnect"),
            process(300, 1, 300, "java"),
        ];
        assert_eq!(pids(&all, &claim()), [200, 201, 202]);
    }

    #[test]
    fn an_orphan_in_its_own_session_is_known_by_its_mark_or_because_it_was_given_to_us() {
        let mut marked = process(400, 1, 400, "helper");
        marked.mark = Some("c1".into());
        let given = process(401, OWN, 401, "helper");
        let unrelated = process(402, 1, 402, "helper");
        let all = [process(OWN, 1, OWN, "vpnprobe"), marked, given, unrelated];
        assert_eq!(pids(&all, &claim()), [400, 401]);
    }

    #[test]
    fn another_cycles_client_is_not_ours() {
        let mut other = process(500, OWN, 500, "openconnect");
        other.mark = Some("c2".into());
        assert_eq!(pids(&[process(OWN, 1, OWN, "vpnprobe"), other], &claim()), Vec::<i32>::new());
    }

    #[test]
    fn an_orphan_of_another_cycle_is_not_ours_whatever_its_session() {
        let mut orphan = process(501, OWN, 500, "helper");
        orphan.mark = Some("c2".into());
        assert_eq!(pids(&[process(OWN, 1, OWN, "vpnprobe"), orphan], &claim()), Vec::<i32>::new());
    }

    #[test]
    fn another_cycles_client_is_not_ours_before_it_has_its_mark() {
        // After the fork: the prober's arguments, in a session of its own.
        let mut forked = process(500, OWN, 500, "tokio-rt-worker");
        forked.args = vec!["/usr/bin/vpnprobe".into()];
        // In the midst of exec: neither arguments nor environment.
        let mut in_exec = process(501, OWN, 501, "openconnect");
        in_exec.in_exec = true;
        in_exec.args.clear();
        let all = [process(OWN, 1, OWN, "vpnprobe"), forked, in_exec];
        assert_eq!(pids(&all, &claim()), Vec::<i32>::new());
    }

    #[test]
    fn an_orphan_that_wiped_its_arguments_is_ours() {
        let mut wiped = process(401, OWN, 401, "helper");
        wiped.args.clear();
        assert_eq!(pids(&[process(OWN, 1, OWN, "vpnprobe"), wiped], &claim()), [401]);
    }

    #[test]
    fn what_ran_before_the_client_is_not_in_its_session() {
        let mut old = process(150, 1, 200, "cron");
        old.id.start_time = 150;
        assert_eq!(pids(&[old], &claim()), Vec::<i32>::new());
    }

    #[test]
    fn an_unrelated_java_is_not_adopted() {
        let adopt = Adopt { name: "java".into(), arg: Some("SnwlConnect.jar".into()) };
        let mut client = process(600, 1, 600, "java");
        client.args.push("/usr/local/Aventail/ui/SnwlConnect.jar".into());
        let unrelated = process(601, 1, 601, "java");
        let mut elsewhere = client.clone();
        elsewhere.id.pid = 602;
        elsewhere.here = Some(false);
        let claim = Claim { adopt: vec![adopt], ..Claim::default() };
        assert_eq!(pids(&[client, unrelated, elsewhere], &claim), [600]);
    }

    #[test]
    fn nothing_is_ours_without_a_claim() {
        let all = [process(OWN, 1, OWN, "vpnprobe"), process(300, OWN, 300, "java"), process(301, 1, 1, "x")];
        assert_eq!(pids(&all, &Claim::default()), Vec::<i32>::new());
    }
}
