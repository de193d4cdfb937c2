//! One pass over a list of tunnels: which are up, and what comes of the others. What `vpnprobe ipsec` does.
//!
//! A name of the list is a CHILD_SA's. Where several connections have a child of that name (two gateways, one of which
//! is enough) it is up when one of them is, and they are tried in their order until one is.
//!
//! Nothing inside is known of these tunnels: up is what strongSwan has installed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::{StreamExt, iter};
use tokio::time::{Instant, sleep};

use super::note::Note;
use super::{
    Assessment, Decision, History, Inside, Ledger, NoProbe, NotRestored, Plan, Refusal, Restart, RestartPolicy, Seen,
    Situation, Step, Unresolved, decide, look_all, resolve, restart,
};
use crate::clock::Clock;
use crate::net::NetContext;
use crate::uplink;
use crate::vici::{ChildRef, IkeControl, IkeState, ViciError, View};

/// For one look at all of them.
const LOOK_LIMIT: Duration = Duration::from_secs(10);
/// Between two looks while strongSwan is at work.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Connections on which something is restarted at once: as many changes as strongSwan is asked for at once.
const AT_ONCE: usize = 4;
/// Longest that one attempt takes: two CHILD_SAs and an IKE_SA with their limits (`sequence`).
const ATTEMPT: Duration = Duration::from_secs(30);

/// What to do with a tunnel that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bring it back; where strongSwan is at work on it, wait for that.
    Wait,
    /// Bring it back; where strongSwan is at work on it, leave it to the next pass, which [`Passed::again`] calls for.
    Return,
    /// Only say what would be done.
    DryRun,
}

/// What a pass needs.
pub struct Pass<'a> {
    /// The daemon.
    pub control: &'a dyn IkeControl,
    /// The network in which the daemon's packets leave.
    pub net: &'a dyn NetContext,
    /// What is remembered.
    pub ledger: &'a Ledger,
    /// The wall clock.
    pub clock: &'a dyn Clock,
    /// What is allowed.
    pub policy: &'a RestartPolicy,
    /// What to do with a tunnel that is down.
    pub mode: Mode,
    /// Is told what is found and done.
    pub tell: &'a (dyn Fn(&Note<'_>) + Send + Sync),
}

/// What a tunnel is at the end of the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was up.
    Up,
    /// It was down and is up, by our doing or not.
    Restored,
    /// It is down.
    Down,
}

/// What came of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// A tunnel each, in the order of the list.
    pub tunnels: Vec<Ended>,
    /// When a tunnel that was left to strongSwan is to be looked at again.
    pub again: Option<DateTime<Utc>>,
}

/// What is to be done next about one tunnel.
enum Next {
    End(Ended),
    Wait(DateTime<Utc>),
    Act(Vec<Plan>),
}

/// What came of a restart.
enum Tried {
    Up,
    Refused,
    Failed,
}

/// A tunnel of which nothing final is known yet.
struct Open {
    place: usize,
    /// CHILD_SAs of its name.
    candidates: Vec<ChildRef>,
    is_left: bool,
}

impl Pass<'_> {
    /// Looks at the tunnels, brings back those that are down, as far as they may be, and tells what each is then.
    ///
    /// # Errors
    ///
    /// The daemon can't be asked, at the beginning or while something is waited for.
    pub async fn run(&self, names: &[String]) -> Result<Passed, ViciError> {
        let mut ended = vec![Ended::Down; names.len()];
        let mut again = None;
        let mut open: Vec<_> = names.iter().enumerate().map(|(place, name)| Open::new(place, name)).collect();
        let mut is_first = true;
        // strongSwan's recovery ends by then, or is ended.
        let until = Instant::now() + self.policy.grace + LOOK_LIMIT;
        while !open.is_empty() {
            let (view, assessed) = self.look(&mut open).await?;
            let histories = self.histories(&view, &open, &assessed);
            let stale = self.ledger.stale(&view, self.clock.now());
            let cut_off = self.cut_off(&view, &open, &assessed).await;
            let (mut waiting, mut acting, mut earliest) = (Vec::new(), Vec::new(), None::<DateTime<Utc>>);
            for ((mut tunnel, assessed), histories) in open.into_iter().zip(assessed).zip(histories) {
                let name = names.get(tunnel.place).map_or("", String::as_str);
                if is_first && let Some(found) = assessed.iter().find(|it| it.is_up()).or(assessed.first()) {
                    (self.tell)(&Note::Found(name, found));
                }
                let decided = self.decided(&view, &tunnel.candidates, &assessed, &histories, &stale, &cut_off);
                let next = self.next(name, &mut tunnel, &decided, is_first);
                match next {
                    Next::End(end) => set(&mut ended, tunnel.place, end),
                    Next::Wait(at) => {
                        earliest = Some(earliest.map_or(at, |earliest| earliest.min(at)));
                        waiting.push(tunnel);
                    }
                    Next::Act(plans) => acting.push((tunnel.place, plans)),
                }
            }
            for (place, end) in self.act(names, &view, acting).await {
                set(&mut ended, place, end);
            }
            open = waiting;
            is_first = false;
            if self.mode != Mode::Wait || Instant::now() >= until {
                again = earliest.filter(|_| !open.is_empty());
                break;
            }
            if let Some(earliest) = earliest {
                let left = earliest.signed_duration_since(self.clock.now()).to_std().unwrap_or_default();
                sleep(left.min(LOOK_EVERY)).await;
            }
        }
        Ok(Passed { tunnels: ended, again })
    }

    /// One look at all that are open; names of several CHILD_SAs are told apart by it.
    async fn look(&self, open: &mut [Open]) -> Result<(View, Vec<Vec<Assessment>>), ViciError> {
        loop {
            let targets: Vec<_> = open.iter().flat_map(|tunnel| tunnel.candidates.iter().cloned()).collect();
            let (view, assessed) = look_all(self.control, &targets, Instant::now() + LOOK_LIMIT).await?;
            let mut assessed = assessed.into_iter();
            let of_each: Vec<Vec<_>> =
                open.iter().map(|tunnel| assessed.by_ref().take(tunnel.candidates.len()).collect()).collect();
            let mut is_clear = true;
            for (tunnel, assessed) in open.iter_mut().zip(&of_each) {
                if let [Assessment::Ambiguous { .. }] = assessed.as_slice() {
                    is_clear = false;
                    tunnel.tell_apart(&view);
                }
            }
            if is_clear {
                return Ok((view, of_each));
            }
        }
    }

    /// What is remembered of each, this look taken in. Of several CHILD_SAs of one name, those that nobody misses are
    /// left out: they are not ill.
    fn histories(&self, view: &View, open: &[Open], assessed: &[Vec<Assessment>]) -> Vec<Vec<History>> {
        let is_missed = |all: &[Assessment], one: &Assessment| one.is_up() || !all.iter().any(Assessment::is_up);
        let pairs = || {
            open.iter().zip(assessed).flat_map(|(tunnel, all)| {
                tunnel.candidates.iter().zip(all).map(move |(target, one)| (target, all, one))
            })
        };
        let seen: Vec<_> = pairs()
            .filter(|(_, all, one)| is_missed(all, one))
            .map(|(target, _, assessment)| Seen { target, assessment, inside: Inside::NotAsked })
            .collect();
        let mut histories = self.ledger.observe_all(view, &seen, self.clock.now()).into_iter();
        let of_one = |all: &[Assessment], one: &Assessment| {
            if is_missed(all, one) { histories.next().unwrap_or_default() } else { History::default() }
        };
        let mut of_one = of_one;
        assessed.iter().map(|all| all.iter().map(|one| of_one(all, one)).collect()).collect()
    }

    /// What may be done about each CHILD_SA of a name.
    fn decided(
        &self,
        view: &View,
        candidates: &[ChildRef],
        assessed: &[Assessment],
        histories: &[History],
        stale: &BTreeSet<u32>,
        cut_off: &BTreeMap<Option<IpAddr>, bool>,
    ) -> Vec<Decision> {
        let known = assessed.iter().zip(histories);
        let decided = candidates.iter().zip(known).map(|(target, (assessment, history))| {
            decide(&Situation {
                target,
                view,
                assessment,
                inside: Inside::NotAsked,
                policy: self.policy,
                history,
                stale,
                uplink_down: peer_of(view, target).is_ok_and(|peer| cut_off.get(&peer) == Some(&true)),
                maintenance: false,
                now: self.clock.now(),
            })
        });
        decided.collect()
    }

    /// Peers to which the own uplink leads no packet, of the tunnels that are down.
    async fn cut_off(
        &self,
        view: &View,
        open: &[Open],
        assessed: &[Vec<Assessment>],
    ) -> BTreeMap<Option<IpAddr>, bool> {
        let mut peers = BTreeMap::new();
        let all = open.iter().zip(assessed).flat_map(|(tunnel, all)| tunnel.candidates.iter().zip(all));
        for (target, _) in all.filter(|(_, assessment)| !assessment.is_up()) {
            if let Ok(peer) = peer_of(view, target)
                && !peers.contains_key(&peer)
            {
                let why = uplink::is_down(self.net, &[], peer).await;
                peers.insert(peer, why.is_some());
            }
        }
        peers
    }

    fn next(&self, name: &str, tunnel: &mut Open, decided: &[Decision], is_first: bool) -> Next {
        if decided.contains(&Decision::Nothing) {
            if !is_first {
                (self.tell)(&Note::Back(name));
            }
            return Next::End(if is_first { Ended::Up } else { Ended::Restored });
        }
        let plans: Vec<_> = decided
            .iter()
            .filter_map(|it| if let Decision::Act(plan) = it { Some((**plan).clone()) } else { None })
            .collect();
        // One of them is being brought up: to begin with another would make two.
        let left = decided.iter().find_map(|it| match it {
            Decision::Leave { until, why } => Some((*until, why)),
            _ => None,
        });
        if let Some((until, why)) = left {
            if !std::mem::replace(&mut tunnel.is_left, true) {
                (self.tell)(&Note::Left(name, why));
            }
            return Next::Wait(until);
        }
        if plans.is_empty() {
            let refusal = decided.iter().find_map(|it| if let Decision::Refused(why) = it { Some(why) } else { None });
            // That it is not configured was said already.
            if let Some(refusal) = refusal.filter(|refusal| **refusal != Refusal::NotConfigured) {
                (self.tell)(&Note::Refused(name, refusal));
            }
            return Next::End(Ended::Down);
        }
        if self.mode == Mode::DryRun {
            for plan in &plans {
                (self.tell)(&Note::Would(name, plan));
            }
            return Next::End(Ended::Down);
        }
        Next::Act(plans)
    }

    /// Restarts, several connections at once, the tunnels of one connection one after the other: they may share an
    /// IKE_SA.
    async fn act(&self, names: &[String], view: &View, acting: Vec<(usize, Vec<Plan>)>) -> Vec<(usize, Ended)> {
        let mut connections: BTreeMap<Option<String>, Vec<_>> = BTreeMap::new();
        for (place, plans) in acting {
            let connection = plans.first().and_then(|plan| plan.tunnel.ike.clone());
            connections.entry(connection).or_default().push((place, plans));
        }
        let ended: Vec<Vec<_>> =
            iter(connections.into_values().map(|tunnels| self.act_on_connection(names, view, tunnels)))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
        ended.into_iter().flatten().collect()
    }

    async fn act_on_connection(
        &self,
        names: &[String],
        view: &View,
        tunnels: Vec<(usize, Vec<Plan>)>,
    ) -> Vec<(usize, Ended)> {
        let mut dead: Option<String> = None;
        let mut ended = Vec::new();
        for (place, plans) in tunnels {
            let name = names.get(place).map_or("", String::as_str);
            if let Some(other) = &dead {
                (self.tell)(&Note::NotTried(name, other));
                ended.push((place, Ended::Down));
                continue;
            }
            let mut end = Ended::Down;
            for plan in &plans {
                match self.restart(name, view, plan).await {
                    Tried::Up => {
                        end = Ended::Restored;
                        break;
                    }
                    Tried::Failed if plans.len() == 1 && self.is_peer_away(plan).await => dead = Some(name.to_owned()),
                    Tried::Failed | Tried::Refused => {}
                }
            }
            ended.push((place, end));
        }
        ended
    }

    async fn restart(&self, name: &str, view: &View, plan: &Plan) -> Tried {
        let observer = |step: &Step| (self.tell)(&Note::Step(step));
        let done = restart(&Restart {
            control: self.control,
            ledger: self.ledger,
            clock: self.clock,
            plan,
            policy: self.policy,
            probe: &NoProbe,
            observer: &observer,
            deadline: Instant::now() + longest(self.policy),
        })
        .await;
        match done {
            Ok(_) => Tried::Up,
            Err(NotRestored::Refused(refusal)) => {
                (self.tell)(&Note::Refused(name, &refusal));
                Tried::Refused
            }
            Err(NotRestored::Failed(failed)) => {
                // One without an attempt was not counted.
                if failed.attempts > 0 {
                    self.forgive(view, plan);
                }
                Tried::Failed
            }
        }
    }

    /// A restart that failed and had nothing to take down has harmed nothing: it does not count towards the limit, or
    /// the tunnel of a peer that is away for a while would stay down for up to an hour after its return.
    fn forgive(&self, view: &View, plan: &Plan) {
        let now = self.clock.now();
        let beginning: BTreeSet<_> = view
            .installed
            .iter()
            .filter(|ike| matches!(ike.state, IkeState::Created | IkeState::Connecting))
            .map(|ike| ike.unique_id)
            .collect();
        let harmless =
            plan.children.is_empty() && plan.ike_first.union(&plan.ike_then).all(|id| beginning.contains(id));
        if harmless && let Some(at) = self.ledger.restarts(&plan.tunnel, now).last() {
            self.ledger.withdraw_restart(&plan.tunnel, *at, now);
        }
    }

    /// After a failure: whether no IKE_SA of the connection is up. Then what else it has would fail as slowly.
    async fn is_peer_away(&self, plan: &Plan) -> bool {
        let view = self.control.view(Instant::now() + LOOK_LIMIT).await;
        view.is_ok_and(|view| {
            let mut ikes = view.installed.iter().filter(|ike| Some(&ike.name) == plan.tunnel.ike.as_ref());
            !ikes.any(|ike| ike.state == IkeState::Established)
        })
    }
}

impl Open {
    fn new(place: usize, name: &str) -> Self {
        Self { place, candidates: vec![ChildRef { ike: None, child: name.to_owned() }], is_left: false }
    }

    /// All CHILD_SAs of its name, in the order of strongSwan's configuration.
    fn tell_apart(&mut self, view: &View) {
        let Some(child) = self.candidates.first().map(|it| it.child.clone()) else { return };
        let named = view.configured.iter().filter(|config| config.child == child);
        self.candidates = named.map(|it| ChildRef { ike: Some(it.ike.clone()), child: it.child.clone() }).collect();
    }
}

/// The peer's address, where it is configured as one.
fn peer_of(view: &View, target: &ChildRef) -> Result<Option<IpAddr>, Unresolved> {
    let config = resolve(view, target)?;
    Ok(config.remote_addrs.iter().find_map(|address| address.parse().ok()))
}

fn set(ended: &mut [Ended], place: usize, end: Ended) {
    if let Some(slot) = ended.get_mut(place) {
        *slot = end;
    }
}

/// For all attempts at one tunnel, with the pauses between them.
fn longest(policy: &RestartPolicy) -> Duration {
    const MOST: Duration = Duration::from_hours(1);
    let mut longest = Duration::ZERO;
    let mut delay = policy.retry_delay;
    for _ in 0..policy.max_retries {
        longest = longest.saturating_add(ATTEMPT).saturating_add(delay);
        delay = delay.saturating_mul(2);
        if longest >= MOST {
            return MOST;
        }
    }
    longest
}

#[cfg(test)]
#[path = "pass_tests.rs"]
mod tests;
