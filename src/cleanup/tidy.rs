//! Compares the host with its baseline and puts right what a client left.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Baseline, Judgement, NetDiff, ResolvConf, ResolvState, Witness, net_diff};
use crate::net::{Interface, NetContext};
use crate::process::{Endurance, Tree};
use crate::record::LeftoverKind;

/// After the last process of a client the kernel takes its interface away by itself; only then is it removed.
const INTERFACE_GOES: Duration = Duration::from_secs(1);

/// Whether to change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Put things right.
    Repair,
    /// Only say what would be done (`cleanup --dry-run`).
    DryRun,
}

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TidyReport {
    /// Each thing done (or, in a dry run, to be done), in words.
    pub done: Vec<String>,
    /// Each thing that remains, in words.
    pub left: Vec<(LeftoverKind, String)>,
    /// resolv.conf as it remains, where it could not be restored.
    pub resolv_conf_left: Option<ResolvState>,
}

impl TidyReport {
    /// Whether nothing remains.
    pub const fn is_clean(&self) -> bool {
        self.left.is_empty()
    }

    /// The kinds of what remains, each once.
    pub fn leftovers(&self) -> Vec<LeftoverKind> {
        let mut kinds: Vec<_> = self.left.iter().map(|(kind, _)| *kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// What remains, in one line.
    pub fn left_in_words(&self) -> String {
        self.left.iter().map(|(_, words)| words.as_str()).collect::<Vec<_>>().join("; ")
    }

    fn leave(&mut self, kind: LeftoverKind, words: String) {
        self.left.push((kind, words));
    }
}

/// One tidying up.
#[derive(Debug)]
pub struct Tidy<'a> {
    /// The network.
    pub net: &'a Arc<dyn NetContext>,
    /// What stood there before; without it only processes are looked at.
    pub baseline: Option<&'a Baseline>,
    /// The profile's `interface`.
    pub interface: Option<&'a str>,
    /// resolv.conf.
    pub resolv_conf: &'a ResolvConf,
    /// What was seen of it meanwhile.
    pub witness: Witness<'a>,
    /// How long processes may take.
    pub endurance: Endurance,
    /// Cuts grace periods short.
    pub hurry: &'a CancellationToken,
    /// Whether to change anything.
    pub mode: Mode,
}

impl Tidy<'_> {
    /// Ends `tree`, then puts interfaces, routes and resolv.conf right, in that order: what lives would change them
    /// again.
    pub async fn run(&self, tree: &mut Tree) -> TidyReport {
        let mut report = TidyReport::default();
        self.processes(tree, &mut report).await;
        if let Some(baseline) = self.baseline {
            if let Err(e) = self.network(baseline, tree, &mut report).await {
                report.leave(LeftoverKind::RouteLeft, format!("cannot look at interfaces and routes: {e}"));
            }
            self.resolv_conf(baseline, &mut report).await;
        }
        report
    }

    async fn processes(&self, tree: &mut Tree, report: &mut TidyReport) {
        let living = tree.living();
        if self.mode == Mode::DryRun {
            report.done.extend(living.iter().map(|p| format!("end process {} ({})", p.name, p.id.pid)));
            return;
        }
        if living.is_empty() {
            return;
        }
        let ended = tree.terminate(self.endurance, self.hurry).await;
        report.done.extend(ended.terminated.iter().map(|p| format!("sent TERM to {p}")));
        report.done.extend(ended.killed.iter().map(|p| format!("sent KILL to {p}")));
        if !ended.survived.is_empty() {
            report.leave(LeftoverKind::ClientSurvived, format!("still running: {}", ended.survived.join(", ")));
        }
    }

    async fn network(&self, baseline: &Baseline, tree: &mut Tree, report: &mut TidyReport) -> std::io::Result<()> {
        let diff = self.settled(baseline).await?;
        if self.mode == Mode::DryRun {
            let ours = diff.interfaces.iter().filter(|i| self.strangers(i, tree).is_empty());
            report.done.extend(ours.map(|i| format!("remove interface {}", i.name)));
            report.done.extend(diff.added.iter().map(|r| format!("remove route {r}")));
            report.done.extend(diff.missing.iter().map(|r| format!("put route {r} back")));
            report.done.extend(diff.added_rules.iter().map(|r| format!("remove rule {r}")));
            report.done.extend(diff.missing_rules.iter().map(|r| format!("put rule {r} back")));
            return Ok(());
        }
        for interface in &diff.interfaces {
            self.remove_interface(interface, tree, report);
        }
        self.rules(&diff, report);
        // Routes of a removed interface are gone with it; what differs now is to be put right one by one.
        for route in &net_diff(&baseline.network, &self.net.snapshot()?, self.interface).added {
            match self.net.remove_route(route) {
                Ok(()) => report.done.push(format!("removed route {route}")),
                Err(e) => report.leave(LeftoverKind::RouteLeft, format!("cannot remove route {route}: {e}")),
            }
        }
        for route in in_order(&net_diff(&baseline.network, &self.net.snapshot()?, self.interface)) {
            match self.net.add_route(route) {
                Ok(()) => report.done.push(format!("put route {route} back")),
                Err(e) => report.leave(LeftoverKind::RouteLeft, format!("cannot put route {route} back: {e}")),
            }
        }
        self.verify(&net_diff(&baseline.network, &self.net.snapshot()?, self.interface), report);
        Ok(())
    }

    /// Policy rules: no interface takes them along.
    fn rules(&self, diff: &NetDiff, report: &mut TidyReport) {
        for rule in &diff.added_rules {
            match self.net.remove_rule(rule) {
                Ok(()) => report.done.push(format!("removed rule {rule}")),
                Err(e) => report.leave(LeftoverKind::RouteLeft, format!("cannot remove rule {rule}: {e}")),
            }
        }
        for rule in &diff.missing_rules {
            match self.net.add_rule(rule) {
                Ok(()) => report.done.push(format!("put rule {rule} back")),
                Err(e) => report.leave(LeftoverKind::RouteLeft, format!("cannot put rule {rule} back: {e}")),
            }
        }
    }

    /// The differences, once the kernel has had its time to take a dead client's interface away.
    async fn settled(&self, baseline: &Baseline) -> std::io::Result<NetDiff> {
        let look = || Ok::<_, std::io::Error>(net_diff(&baseline.network, &self.net.snapshot()?, self.interface));
        if self.mode == Mode::DryRun {
            return look();
        }
        let mut changes = self.net.watch()?;
        let deadline = Instant::now() + INTERFACE_GOES;
        loop {
            let diff = look()?;
            if diff.interfaces.is_empty() || !matches!(timeout_at(deadline, changes.changed()).await, Ok(Ok(()))) {
                return Ok(diff);
            }
        }
    }

    fn remove_interface(&self, interface: &Interface, tree: &mut Tree, report: &mut TidyReport) {
        let name = &interface.name;
        let strangers = self.strangers(interface, tree);
        if !strangers.is_empty() {
            // Another's tunnel that came up meanwhile under a name of the client's: not ours, so nothing is left.
            tracing::info!(interface = %name, ?strangers, "a new interface belongs to another's process and is left alone");
            return;
        }
        match self.net.remove_interface(interface.index) {
            Ok(()) => report.done.push(format!("removed interface {name}")),
            Err(e) => report.leave(LeftoverKind::InterfaceLeft, format!("cannot remove interface {name}: {e}")),
        }
    }

    /// Who holds an interface and is not ours.
    fn strangers(&self, interface: &Interface, tree: &mut Tree) -> Vec<i32> {
        let ours: Vec<i32> = tree.living().iter().map(|p| p.id.pid).collect();
        self.net.holders(&interface.name).into_iter().filter(|pid| !ours.contains(pid)).collect()
    }

    /// What still differs and was not said yet.
    fn verify(&self, diff: &NetDiff, report: &mut TidyReport) {
        let said = |kind, report: &TidyReport| report.left.iter().any(|(k, _)| *k == kind);
        let ours = diff.interfaces.iter().filter(|i| self.net.holders(&i.name).is_empty());
        let names: Vec<_> = ours.map(|i| i.name.as_str()).collect();
        if !names.is_empty() && !said(LeftoverKind::InterfaceLeft, report) {
            report.leave(LeftoverKind::InterfaceLeft, format!("interface {} is still there", names.join(", ")));
        }
        let rules = diff.added_rules.iter().chain(&diff.missing_rules).map(|rule| format!("rule {rule}"));
        let routes: Vec<_> = diff.added.iter().chain(&diff.missing).map(ToString::to_string).chain(rules).collect();
        if !routes.is_empty() && !said(LeftoverKind::RouteLeft, report) {
            report.leave(LeftoverKind::RouteLeft, format!("routes still differ: {}", routes.join(", ")));
        }
    }

    async fn resolv_conf(&self, baseline: &Baseline, report: &mut TidyReport) {
        let before = &baseline.resolv_conf;
        match self.resolv_conf.judge(before, self.witness) {
            Judgement::Same => return,
            Judgement::Others => {
                tracing::info!("resolv.conf was changed by somebody else meanwhile and is kept");
                return;
            }
            Judgement::Clients => {}
        }
        if self.mode == Mode::DryRun {
            report.done.push("restore resolv.conf".into());
            return;
        }
        match self.resolv_conf.repair(before, self.witness).await {
            Ok(said) => report.done.push(said),
            Err(why) => {
                report.resolv_conf_left = self.resolv_conf.read().ok();
                report.leave(LeftoverKind::ResolvConfNotRestored, why);
            }
        }
    }
}

/// Missing routes in the order in which they can be put back: a next hop needs the route to it first.
fn in_order(diff: &NetDiff) -> Vec<&crate::net::Route> {
    let mut routes: Vec<_> = diff.missing.iter().collect();
    routes.sort_by_key(|r| (r.gateway.is_some(), std::cmp::Reverse(r.destination.1)));
    routes
}
