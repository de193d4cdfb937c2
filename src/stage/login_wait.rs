//! Waiting for the tunnel: what the client says, and what the network shows.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{StageEnd, VpnCycle, login_account as account};
use crate::client::{Session, SessionEvent};
use crate::net::{Interface, NetChanges, NetSnapshot, matches_glob};
use crate::record::{FailureKind, MalfunctionKind, Reason};

/// A client whose word comes after its interface says it within this time; later words are answers, or reconnections.
const LAST_CLAIM: Duration = Duration::from_secs(1);

/// The client's word that the tunnel is up, and how much it is worth.
#[derive(Debug, Clone, Copy)]
struct Claim {
    at: Instant,
    credible: bool,
}

/// Waits until the client says that it is connected and its interface proves it. What it says is a claim: it falls with
/// the next question for credentials, and of several the last one counts.
pub(super) async fn log_in(cx: &mut VpnCycle<'_>, deadline: Instant) -> StageEnd {
    let glob = cx.vpn.client.interface.clone();
    let mut claim: Option<Claim> = None;
    let mut changes: Option<Box<dyn NetChanges>> = None;
    loop {
        if let Some(claim) = claim {
            let proof = match &glob {
                Some(glob) => tunnel_up(cx, glob, &mut changes),
                // Without an interface there is only the client's word: one that could have been a banner is not enough.
                None => claim.credible.then(|| StageEnd::passed_with(in_words(cx.login))),
            };
            if let Some(end) = proof {
                if let Some(client) = cx.client.as_mut().filter(|_| end.outcome.is_passed()) {
                    client.session.settle();
                    client.proved = Some(Instant::now());
                }
                return end;
            }
        }
        let Some(client) = cx.client.as_mut() else { return StageEnd::passed() };
        let session = &mut client.session;
        let next = async {
            match &mut changes {
                Some(changes) => tokio::select! {
                    event = session.event() => Next::Event(event),
                    looked = changes.changed() => Next::Network(looked),
                },
                None => Next::Event(session.event().await),
            }
        };
        let Ok(next) = timeout_at(deadline, next).await else { return timed_out(session, claim, glob.as_deref()) };
        let event = match next {
            Next::Network(Ok(())) => continue,
            Next::Network(Err(e)) => return cannot_look(&e),
            Next::Event(event) => event,
        };
        match event {
            Some(SessionEvent::Connected { at, credible }) => {
                claim = Some(Claim { at, credible });
                client.connected = true;
            }
            Some(SessionEvent::Withdrawn) => {
                (claim, changes) = (None, None);
                client.connected = false;
            }
            Some(SessionEvent::AskedAgain) => {
                let granted = account::may_type_again(cx);
                if let Some(client) = &cx.client {
                    client.session.permit(granted);
                }
            }
            Some(SessionEvent::Failed { reason, text } | SessionEvent::Lost { reason, text }) => {
                client.connected = false;
                if matches!(reason, Reason::Failure(kind) if kind != FailureKind::Disconnected) {
                    // Refused after all: what said connected before was not the client.
                    cx.login = None;
                }
                return StageEnd::because(reason, client.session.blanked(&text));
            }
            Some(SessionEvent::Ended { .. }) | None => {
                let status = event.and_then(|event| event.status());
                client.connected = false;
                return ended(&client.session, status, claim.is_some());
            }
        }
        cx.login = claim.map(|claim| claim.at.saturating_duration_since(super::login::spawned(cx)));
    }
}

/// The last word by the time at which the tunnel was seen, or right after it, was the client's own: one before it was
/// something else's, a banner for instance, and made the login look too short. To be asked when the cycle has gone on for
/// a while. The last word and the sight of the tunnel may have come at once, in either order.
pub(super) fn hear_last_claim(cx: &mut VpnCycle<'_>) {
    let Some(client) = &cx.client else { return };
    let Some((proved, claim)) = client.proved.zip(client.session.last_claim()) else { return };
    if claim.saturating_duration_since(proved) <= LAST_CLAIM {
        cx.login = Some(claim.saturating_duration_since(client.session.spawned()));
    }
}

/// What the login waits for.
enum Next {
    Event(Option<SessionEvent>),
    Network(std::io::Result<()>),
}

fn in_words(login: Option<Duration>) -> String {
    login.map(|login| format!("{:.3} ms", login.as_secs_f64() * 1000.0)).unwrap_or_default()
}

fn cannot_look(error: &std::io::Error) -> StageEnd {
    StageEnd::because(MalfunctionKind::PrepareFailed, format!("cannot look at interfaces: {error}"))
}

/// The client ended before its tunnel was seen.
fn ended(session: &Session, status: Option<std::process::ExitStatus>, claimed: bool) -> StageEnd {
    let when = if claimed { " after connecting" } else { "" };
    let how = status.map_or_else(|| format!("the client ended{when}"), |s| format!("the client ended{when} ({s})"));
    let words = match session.last_line() {
        Some(line) => format!("{how}: {line}"),
        None => format!("{how} without a word"),
    };
    if session.has_heard() {
        StageEnd::because(FailureKind::Disconnected, words)
    } else {
        StageEnd::because(MalfunctionKind::ClientExited, words)
    }
}

fn timed_out(session: &Session, claim: Option<Claim>, glob: Option<&str>) -> StageEnd {
    if let (Some(_), Some(glob)) = (claim, glob) {
        let words = format!("the client says connected, but no interface `{glob}` has an address and a route");
        return StageEnd::because(FailureKind::NoInterface, words);
    }
    if let Some(question) = session.open_question() {
        return StageEnd::because(MalfunctionKind::UnexpectedPrompt, format!("the client asks: {question}"));
    }
    if claim.is_some() {
        let words = "something said connected before any credentials were asked for, and nothing followed";
        return StageEnd::because(FailureKind::LoginTimeout, words);
    }
    let words = session.last_line().map_or_else(|| "the client said nothing".into(), |l| format!("last words: {l}"));
    StageEnd::because(FailureKind::LoginTimeout, words)
}

/// Whether the client's word is true: its interface has an address and a route. `None`: not yet.
fn tunnel_up(cx: &mut VpnCycle<'_>, glob: &str, changes: &mut Option<Box<dyn NetChanges>>) -> Option<StageEnd> {
    if changes.is_none() {
        // Before the first look, so that no change is missed.
        match cx.around.net.watch() {
            Ok(watch) => *changes = Some(watch),
            Err(e) => return Some(cannot_look(&e)),
        }
    }
    let now = match cx.around.net.snapshot() {
        Ok(now) => now,
        Err(e) => return Some(cannot_look(&e)),
    };
    let before = cx.baseline.as_ref().map(|b| &b.network);
    let tunnel = tunnel_in(before.unwrap_or(&NetSnapshot::default()), &now, glob)?;
    let address = tunnel.addresses.first().map(|(a, _)| a.to_string()).unwrap_or_default();
    let words = format!("{} {address}", tunnel.name);
    cx.tunnel = Some(tunnel.clone());
    Some(StageEnd::passed_with(words))
}

/// The interface that carries the tunnel: new, of the client's name, with an address and a route.
fn tunnel_in<'a>(before: &NetSnapshot, now: &'a NetSnapshot, glob: &str) -> Option<&'a Interface> {
    now.interfaces
        .iter()
        .filter(|i| before.interface(i.index).is_none() && matches_glob(glob, &i.name))
        .find(|i| i.up && !i.addresses.is_empty() && now.has_route_by(i.index))
}
