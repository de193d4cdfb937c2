//! Stage `teardown`: the client is asked to leave in its own way, and made to leave if it does not.

use std::str::FromStr;

use nix::sys::signal::Signal;
use tokio::time::Instant;

use super::{Client, StageEnd, VpnCycle};
use crate::config::Leave;
use crate::process::ProcessExit;
use crate::record::LeftoverKind;

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    super::login_wait::hear_last_claim(cx);
    let around = cx.around;
    let leave = &cx.vpn.client.leave;
    let Some(client) = cx.client.as_mut() else { return StageEnd::passed() };
    if let Some(Err(e)) = cx.known_good.as_mut().map(|known| known.note_client(&around.resolv_conf)) {
        tracing::warn!(error = %e, "cannot note what the client made of resolv.conf");
    }
    let began = Instant::now();
    if client.tree.living().is_empty() {
        return StageEnd::passed_with("the client had ended already");
    }
    let asked = ask(client, leave);
    if asked && client.tree.all_gone(began + leave.grace, &around.hurry).await {
        return StageEnd::passed_with(format!("left by itself in {:.1} s", began.elapsed().as_secs_f64()));
    }
    let why = if asked {
        format!("did not leave within {:.1} s", began.elapsed().as_secs_f64())
    } else {
        "not connected".to_owned()
    };
    let report = client.tree.terminate(around.endurance, &around.hurry).await;
    client.connected = false;
    if !report.survived.is_empty() {
        cx.leftovers.push(LeftoverKind::ClientSurvived);
        let words = format!("survived KILL: {}", report.survived.join(", "));
        return StageEnd::left(LeftoverKind::ClientSurvived, words);
    }
    let killed = match report.killed.as_slice() {
        [] => String::new(),
        killed => format!(", KILL to {}", killed.join(", ")),
    };
    let terminated = report.terminated.join(", ");
    StageEnd::passed_with(format!("{why}: sent TERM to {terminated}{killed}"))
}

/// Asks the client to leave; `false` when there is no way of its own to ask it.
///
/// The line is typed only to a client that is connected: at a login prompt it would be a wrong password.
fn ask(client: &Client, leave: &Leave) -> bool {
    let mut asked = false;
    let hears_commands = client.connected && !client.session.waits_in_vain();
    if let (Some(line), true) = (&leave.send, hears_commands) {
        client.session.type_line(line);
        asked = true;
    }
    if let Some(signal) = leave.signal.as_deref().and_then(signal_named) {
        let leader = crate::process::ProcessId::of(client.session.pid());
        asked |= leader.and_then(|id| ProcessExit::watch(id).ok()).is_some_and(|exit| exit.signal(signal).is_ok());
    }
    asked
}

/// `INT`, `TERM`, …, with or without `SIG`.
fn signal_named(name: &str) -> Option<rustix::process::Signal> {
    let full = if name.starts_with("SIG") { name.to_owned() } else { format!("SIG{name}") };
    rustix::process::Signal::from_named_raw(Signal::from_str(&full).ok()? as i32)
}
