//! Stage `restart`: brings a fallen or stale tunnel back, within what `ipsec::decide` allows.
//!
//! A tunnel that is installed and silent is asked again before anything is touched: one lost packet is no reason. One
//! that carries anything at all is not restarted, whatever the asked host says. In the end `sa` and `internal` are
//! measured anew: the state at the end of the cycle counts.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::sa::{PATIENCE, end_of, unreachable};
use super::{Measured, StageEnd, Surroundings, TunnelCycle, internal};
use crate::config::{PingConfig, Probes};
use crate::ipsec::{
    Assessment, By, Decision, Flow, Inside, NotRestored, Plan, Probe, Refusal, Restart, Seen, Situation, Step, Wait,
    decide, look, restart, watch_recovery,
};
use crate::net::BoxFuture;
use crate::record::{FailureKind, MalfunctionKind, Outcome, Stage, one_line};
use crate::uplink;
use crate::vici::View;

/// A silent inside is asked so many times more before a tunnel is called stale.
const REPETITIONS: usize = 2;
/// Beside strongSwan's own recovery, for the whole stage: attempts with their pauses and time limits.
const LONGEST: Duration = Duration::from_mins(3);
/// How a tunnel that has just come up is asked: quickly, and more than once.
const QUICKLY: PingConfig = PingConfig {
    count: 3,
    interval: Duration::from_millis(100),
    timeout: Duration::from_secs(1),
    max_loss_pct: 99.0,
    mtu: false,
};

/// Runs the stage.
pub(super) async fn run(cx: &mut TunnelCycle<'_>) -> StageEnd {
    if let Some(words) = own_uplink(cx).await {
        return StageEnd::because(MalfunctionKind::OwnUplinkDown, words);
    }
    let mut silent_since = None;
    if is_up(cx) {
        match ask_again(cx).await {
            Again::Answered(end) => return end,
            Again::Silent(asked) => silent_since = Some(asked),
        }
    }
    let until = Instant::now() + cx.tunnel.restart.grace + LONGEST;
    loop {
        let (view, assessment) = match look(&*cx.around.ike, &cx.target, Instant::now() + PATIENCE).await {
            Ok(seen) => seen,
            Err(error) => return unreachable(&error),
        };
        let inside = silent_since.map_or(Inside::NotAsked, |asked: Instant| Inside::Silent { asked: asked.elapsed() });
        let decision = decision(cx, &view, &assessment, inside);
        cx.seen = Some((view, assessment));
        match decision {
            Decision::Nothing => match measured_anew(cx).await {
                Ok(()) => return back(cx, "came up by itself"),
                Err(_) if Instant::now() < until => silent_since = Some(Instant::now()),
                Err(end) => return failed(&end),
            },
            Decision::OnlyWatched => return left_alone("it is only watched"),
            Decision::Leave { why, .. } if cx.order.dry_run => {
                return left_alone(&format!("would be left to strongSwan first: {why}"));
            }
            Decision::Leave { why, until: free } => {
                let site = &cx.site.name;
                tracing::info!(%site, tunnel = cx.target.child, "left to strongSwan for now: {why}");
                let wait = free.signed_duration_since(cx.around.clock.now()).to_std().unwrap_or_default();
                if let Err(end) = wait_for(cx, &why, (Instant::now() + wait).min(until)).await {
                    return end;
                }
                if Instant::now() >= until {
                    return StageEnd::because(FailureKind::RestartFailed, why.to_string());
                }
            }
            Decision::Refused(refusal) => return refused(&refusal),
            Decision::Act(plan) if cx.order.dry_run => {
                return left_alone(&format!("would do: {}", plan.steps().join(", then ")));
            }
            Decision::Act(plan) => return act(cx, &plan, until).await,
        }
    }
}

/// What was heard when the inside was asked again.
enum Again {
    /// Something: the stage is over.
    Answered(StageEnd),
    /// Nothing; when the last repetition began.
    Silent(Instant),
}

fn is_up(cx: &TunnelCycle<'_>) -> bool {
    cx.seen.as_ref().is_some_and(|(_, assessment)| assessment.is_up())
}

/// What came in through the tunnel so far, packets.
fn inbound(cx: &TunnelCycle<'_>) -> Option<(u32, u64)> {
    match &cx.seen.as_ref()?.1 {
        Assessment::Up(up) => Some((up.child.unique_id, up.inbound.packets)),
        _ => None,
    }
}

async fn ask_again(cx: &mut TunnelCycle<'_>) -> Again {
    if answered(&cx.measured) {
        return Again::Answered(not_the_tunnel("the tunnel carries traffic: what failed lies behind it"));
    }
    let before = inbound(cx);
    let mut began = Instant::now();
    for _ in 0..REPETITIONS {
        began = Instant::now();
        match measured_anew(cx).await {
            Ok(()) => return Again::Answered(back(cx, "answered when it was asked again")),
            Err(end) if answered(&cx.measured) => {
                let words = end.detail.unwrap_or_default();
                return Again::Answered(not_the_tunnel(&format!("the tunnel carries traffic: {words}")));
            }
            Err(_) => {}
        }
    }
    if let Ok((view, assessment)) = look(&*cx.around.ike, &cx.target, Instant::now() + PATIENCE).await {
        cx.seen = Some((view, assessment));
    }
    match (before, inbound(cx)) {
        (Some((id, packets)), Some((now, more))) if id == now && more > packets => {
            Again::Answered(not_the_tunnel(&format!(
                "{} packets came in through the tunnel meanwhile: what was asked lies behind it and is silent",
                more - packets
            )))
        }
        _ => Again::Silent(began),
    }
}

/// Whether anything at all answered through the tunnel.
pub(super) fn answered(measured: &Measured) -> bool {
    measured.internal.is_some_and(|stats| stats.received > 0)
        || measured.checks.iter().any(|check| check.outcome.is_passed())
}

/// Asks everything inside again, for the record; why it did not pass.
async fn measured_anew(cx: &mut TunnelCycle<'_>) -> Result<(), StageEnd> {
    if !cx.site.probes.ask_inside() {
        return Ok(());
    }
    let end = internal::ask(&cx.site.probes, cx.around, None, &mut cx.measured).await;
    if end.outcome.is_passed() { Ok(()) } else { Err(end) }
}

/// The host's own way out is down: then no tunnel is to blame.
async fn own_uplink(cx: &TunnelCycle<'_>) -> Option<String> {
    uplink::is_down(&*cx.around.net, &cx.around.uplink.targets, peer_of(cx)).await
}

/// The peer's address, where it is configured as one.
pub(super) fn peer_of(cx: &TunnelCycle<'_>) -> Option<IpAddr> {
    let (view, _) = cx.seen.as_ref()?;
    let config = crate::ipsec::resolve(view, &cx.target).ok()?;
    config.remote_addrs.iter().find_map(|address| address.parse().ok())
}

fn decision(cx: &TunnelCycle<'_>, view: &View, assessment: &Assessment, inside: Inside) -> Decision {
    let (around, now) = (cx.around, cx.around.clock.now());
    let history = around.ledger.observe(view, Seen { target: &cx.target, assessment, inside }, now);
    let stale = around.ledger.stale(view, now);
    decide(&Situation {
        target: &cx.target,
        view,
        assessment,
        inside,
        policy: &cx.tunnel.restart,
        history: &history,
        stale: &stale,
        uplink_down: false,
        maintenance: around.maintenance.at(now, &cx.site.name).is_some_and(|window| window.pause_restarts),
        now,
    })
}

/// Waits for strongSwan, as long as it is at work and no longer.
async fn wait_for(cx: &TunnelCycle<'_>, why: &Wait, until: Instant) -> Result<(), StageEnd> {
    if matches!(why, Wait::Recovering(_)) {
        return watch_recovery(&*cx.around.ike, &cx.target, until).await.map(drop).map_err(|error| unreachable(&error));
    }
    sleep(until.saturating_duration_since(Instant::now()).min(Duration::from_secs(1))).await;
    Ok(())
}

async fn act(cx: &mut TunnelCycle<'_>, plan: &Plan, until: Instant) -> StageEnd {
    let (site, around) = (cx.site, cx.around);
    let observer = |step: &Step| tracing::info!(site = %site.name, "{step}");
    let probe = AsksInside { probes: &site.probes, around };
    let done = restart(&Restart {
        control: &*around.ike,
        ledger: &around.ledger,
        clock: &*around.clock,
        plan,
        policy: &cx.tunnel.restart,
        probe: &probe,
        observer: &observer,
        deadline: until,
    })
    .await;
    let restored = match done {
        Ok(restored) => restored,
        Err(NotRestored::Refused(refusal)) => return refused(&refusal),
        Err(NotRestored::Failed(failed)) => {
            cx.restarts = u32::from(failed.attempts > 0);
            return StageEnd::because(FailureKind::RestartFailed, failed.to_string());
        }
    };
    cx.restarts = u32::from(restored.by == By::Us);
    cx.restore = Some(cx.began.elapsed());
    // For the record: how it is at the end of the cycle.
    match look(&*cx.around.ike, &cx.target, Instant::now() + PATIENCE).await {
        Ok((view, assessment)) => {
            let end = end_of(&view, &assessment, &cx.target.child);
            cx.seen = Some((view, assessment));
            if !end.outcome.is_passed() {
                return failed(&end);
            }
        }
        Err(error) => return unreachable(&error),
    }
    if let Err(end) = measured_anew(cx).await {
        return failed(&end);
    }
    let ms = restored.after.as_millis();
    StageEnd::passed_with(match restored.by {
        By::Us => format!("restored within {ms} ms, attempt {}", restored.attempts),
        By::Itself => format!("came up by itself within {ms} ms"),
    })
}

/// It carries traffic again, and nobody touched it.
fn back(cx: &mut TunnelCycle<'_>, words: &str) -> StageEnd {
    cx.restore = Some(cx.began.elapsed());
    StageEnd::passed_with(words)
}

/// Nothing was done, for a reason that is nobody's fault.
fn left_alone(words: &str) -> StageEnd {
    StageEnd { outcome: Outcome::Skipped { because_of: Stage::Sa }, detail: Some(one_line(words)) }
}

/// Nothing was done: the tunnel does its work.
fn not_the_tunnel(words: &str) -> StageEnd {
    StageEnd { outcome: Outcome::Skipped { because_of: Stage::Internal }, ..left_alone(words) }
}

fn failed(end: &StageEnd) -> StageEnd {
    let words = end.detail.as_deref().unwrap_or(end.outcome.as_str());
    StageEnd::because(FailureKind::RestartFailed, format!("{}: {words}", end.outcome.as_str()))
}

fn refused(refusal: &Refusal) -> StageEnd {
    let words = refusal.to_string();
    match refusal {
        Refusal::NotConfigured | Refusal::Ambiguous => StageEnd::because(MalfunctionKind::TunnelNotConfigured, words),
        Refusal::UplinkDown => StageEnd::because(MalfunctionKind::OwnUplinkDown, words),
        Refusal::Limit { .. } => StageEnd::because(FailureKind::RestartLimit, words),
        Refusal::NoPeerAddress | Refusal::Maintenance | Refusal::AnotherInstance { .. } => left_alone(&words),
    }
}

/// Whether a tunnel that has just come up carries traffic.
struct AsksInside<'a> {
    probes: &'a Probes,
    around: &'a Surroundings,
}

impl Probe for AsksInside<'_> {
    fn ask(&self) -> BoxFuture<'_, Flow> {
        Box::pin(async {
            if !self.probes.ask_inside() {
                return Flow::NotAsked;
            }
            let quick = Probes { ping: QUICKLY, checks: Vec::new(), ..self.probes.clone() };
            let rest = Probes { internal_ip: None, ..self.probes.clone() };
            for _ in 0..REPETITIONS {
                for probes in [&quick, &rest].into_iter().filter(|probes| probes.ask_inside()) {
                    let mut measured = Measured::nothing();
                    internal::ask(probes, self.around, None, &mut measured).await;
                    if answered(&measured) {
                        return Flow::Answered;
                    }
                }
            }
            Flow::Silent
        })
    }
}
