//! Stage `login`: the client is started and talked with until it says that the tunnel is up, and the tunnel is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::{Client, CycleState, StageEnd};
use crate::client::{ClientCommand, Dialogue, Fields, Session, SessionEvent, SpawnError};
use crate::config::{Secret, SslVpn, split_host_port};
use crate::net::{Interface, NetChanges, NetSnapshot, matches_glob};
use crate::process::{MARK, ProcessId, Tree};
use crate::record::{FailureKind, FaultDomain, MalfunctionKind, Outcome};

/// Runs the stage.
pub(super) async fn run(cx: &mut CycleState<'_>) -> StageEnd {
    if let Some(end) = rests(cx) {
        return end;
    }
    if let Err(end) = start(cx) {
        return end;
    }
    let deadline = spawned(cx) + cx.vpn.timeout;
    // Written beside the dialogue: a sync of the disk must not delay an answer.
    let journal = save_leader(cx);
    let end = log_in(cx, deadline).await;
    if let Some(journal) = journal {
        let _ = journal.await;
    }
    note_account(cx, &end);
    end
}

/// The account rests after the gateway refused it: another login with the same password could lock it.
fn rests(cx: &CycleState<'_>) -> Option<StageEnd> {
    if cx.force {
        return None;
    }
    let secret = cx.password.as_ref()?;
    match cx.around.accounts.resting(&cx.vpn.account, secret, cx.around.clock.now()) {
        Ok(resting) => resting.map(|r| StageEnd::because(MalfunctionKind::AccountPaused, r.to_string())),
        // Without the book nobody knows: better no login than one too many.
        Err(e) => Some(StageEnd::because(MalfunctionKind::AccountPaused, crate::error::chain(&e))),
    }
}

/// A refused account rests from now on, an accepted one does not.
fn note_account(cx: &CycleState<'_>, end: &StageEnd) {
    let (accounts, account, now) = (&cx.around.accounts, &cx.vpn.account, cx.around.clock.now());
    let noted = match (end.outcome, &cx.password) {
        (Outcome::Failed(reason), Some(secret)) if reason.fault_domain() == FaultDomain::Identity => {
            accounts.refused(account, secret, reason, now)
        }
        // The client's word is enough: what is wrong with the tunnel says nothing against the account.
        (_, Some(secret)) if cx.login.is_some() => accounts.accepted(account, secret, now),
        _ => Ok(()),
    };
    if let Err(e) = noted {
        tracing::error!(error = crate::error::chain(&e), "whether the account rests could not be noted");
    }
}

/// Starts the client.
fn start(cx: &mut CycleState<'_>) -> Result<(), StageEnd> {
    let password = cx.password.clone().unwrap_or_else(|| Secret::new(""));
    let fields = fields(cx.site.name.as_str(), cx.vpn, password.clone());
    let command = command(cx, &fields);
    let dialogue = Dialogue::new(cx.vpn.client.dialogue.clone(), fields, cx.vpn.fingerprints.clone())
        .map_err(|e| StageEnd::because(MalfunctionKind::UnexpectedPrompt, e.to_string()))?;
    let secrets = vec![("password".to_owned(), password)];
    let session = Session::start(&command, cx.around.net.pre_exec(), dialogue, secrets).map_err(|e| not_started(&e))?;
    let mut claim = cx.journal.as_ref().map(crate::cleanup::Journal::claim).unwrap_or_default();
    claim.leader = ProcessId::of(session.pid());
    if let Some(journal) = &mut cx.journal {
        journal.leader = claim.leader;
    }
    cx.client = Some(Client { session, tree: Tree::new(claim, Arc::clone(&cx.around.net)), connected: false });
    Ok(())
}

fn not_started(error: &SpawnError) -> StageEnd {
    let kind = match error {
        SpawnError::Missing { .. } => MalfunctionKind::ClientMissing,
        SpawnError::NoPty { .. } => MalfunctionKind::NoPty,
    };
    StageEnd::because(kind, crate::error::chain(error))
}

fn spawned(cx: &CycleState<'_>) -> Instant {
    cx.client.as_ref().map_or_else(Instant::now, |c| c.session.spawned())
}

/// Notes the client's first process in the journal.
fn save_leader(cx: &CycleState<'_>) -> Option<tokio::task::JoinHandle<()>> {
    let (file, journal) = (cx.journal_file.clone()?, cx.journal.clone()?);
    Some(tokio::task::spawn_blocking(move || {
        if let Err(e) = file.write(&journal) {
            // The mark in the client's environment still finds it.
            tracing::warn!(journal = %file.path().display(), error = %e, "cannot note the client's process");
        }
    }))
}

/// What the client is run with. A group of arguments is left out when the site has no value for a field in it.
fn command(cx: &CycleState<'_>, fields: &Fields) -> ClientCommand {
    let profile = &cx.vpn.client;
    let expand = |group: &Vec<_>| group.iter().map(|t| fields.expand_plain(t)).collect::<Result<Vec<_>, _>>().ok();
    let mut args: Vec<String> = profile.args.iter().filter_map(expand).flatten().collect();
    args.extend(cx.vpn.client_args.iter().cloned());
    let mut env: BTreeMap<String, String> = cx.around.client_env.clone();
    for (name, template) in &profile.env {
        if let Ok(value) = fields.expand_plain(template) {
            env.insert(name.clone(), value);
        }
    }
    env.insert(MARK.to_owned(), cx.cycle.id.to_string());
    ClientCommand { program: profile.command.clone(), args, env }
}

/// The values of the site's keys.
fn fields(site: &str, vpn: &SslVpn, password: Secret) -> Fields {
    // The configuration lets only gateways through that can be split.
    let (host, port) = split_host_port(&vpn.vpn_gw).unwrap_or((&vpn.vpn_gw, None));
    let mut fields = Fields::default();
    for (name, value) in &vpn.params {
        fields = fields.with(name, value);
    }
    fields = fields
        .with("site", site)
        .with("vpn_gw", &vpn.vpn_gw)
        .with("vpn_gw_host", host)
        .with("username", &vpn.account.username)
        .with_secret("password", password);
    if let Some(port) = port {
        fields = fields.with("vpn_gw_port", port.to_string());
    }
    match &vpn.account.realm {
        Some(realm) => fields.with("realm", realm),
        None => fields,
    }
}

async fn log_in(cx: &mut CycleState<'_>, deadline: Instant) -> StageEnd {
    let Some(client) = cx.client.as_mut() else { return StageEnd::passed() };
    let session = &mut client.session;
    let at = loop {
        match timeout_at(deadline, session.event()).await {
            Ok(Some(SessionEvent::Connected { at })) => break at,
            Ok(Some(SessionEvent::Failed { reason, text })) => {
                return StageEnd::because(reason, session.blanked(&text));
            }
            Ok(Some(SessionEvent::Ended { status })) => return ended(session, status),
            Ok(None) => return ended(session, None),
            Ok(Some(SessionEvent::Lost { .. })) => {}
            Err(_) => return timed_out(session),
        }
    };
    let login = at.saturating_duration_since(session.spawned());
    client.connected = true;
    cx.login = Some(login);
    match cx.vpn.client.interface.clone() {
        Some(glob) => tunnel_up(cx, &glob, deadline).await,
        None => StageEnd::passed_with(format!("{:.3} ms", login.as_secs_f64() * 1000.0)),
    }
}

/// The client ended before it was connected.
fn ended(session: &Session, status: Option<std::process::ExitStatus>) -> StageEnd {
    let how = status.map_or_else(|| "the client ended".to_owned(), |s| format!("the client ended ({s})"));
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

fn timed_out(session: &Session) -> StageEnd {
    if let Some(question) = session.open_question() {
        return StageEnd::because(MalfunctionKind::UnexpectedPrompt, format!("the client asks: {question}"));
    }
    let words = session.last_line().map_or_else(|| "the client said nothing".into(), |l| format!("last words: {l}"));
    StageEnd::because(FailureKind::LoginTimeout, words)
}

/// Waits until the client's word is true: its interface has an address and a route.
async fn tunnel_up(cx: &mut CycleState<'_>, glob: &str, deadline: Instant) -> StageEnd {
    let before = cx.baseline.as_ref().map(|b| b.network.clone()).unwrap_or_default();
    let mut changes = match cx.around.net.watch() {
        Ok(changes) => changes,
        Err(e) => return StageEnd::because(FailureKind::NoInterface, format!("cannot watch interfaces: {e}")),
    };
    loop {
        match cx.around.net.snapshot() {
            Ok(now) => {
                if let Some(tunnel) = tunnel_in(&before, &now, glob) {
                    let address = tunnel.addresses.first().map(|(a, _)| a.to_string()).unwrap_or_default();
                    let words = format!("{} {address}", tunnel.name);
                    cx.tunnel = Some(tunnel.clone());
                    return StageEnd::passed_with(words);
                }
            }
            Err(e) => return StageEnd::because(FailureKind::NoInterface, format!("cannot look at interfaces: {e}")),
        }
        if let Some(end) = next_change(cx, &mut *changes, glob, deadline).await {
            return end;
        }
    }
}

/// Waits for the next change of the network; an end when there will be none that helps.
async fn next_change(
    cx: &mut CycleState<'_>,
    changes: &mut dyn NetChanges,
    glob: &str,
    deadline: Instant,
) -> Option<StageEnd> {
    let client = cx.client.as_mut()?;
    let no_interface = || format!("the client says connected, but no interface `{glob}` has an address and a route");
    tokio::select! {
        next = timeout_at(deadline, changes.changed()) => match next {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(StageEnd::because(FailureKind::NoInterface, format!("cannot watch interfaces: {e}"))),
            Err(_) => Some(StageEnd::because(FailureKind::NoInterface, no_interface())),
        },
        event = client.session.event() => match event {
            Some(SessionEvent::Connected { .. }) => None,
            Some(SessionEvent::Lost { reason, text } | SessionEvent::Failed { reason, text }) => {
                client.connected = false;
                Some(StageEnd::because(reason, client.session.blanked(&text)))
            }
            Some(SessionEvent::Ended { .. }) | None => {
                client.connected = false;
                let words = client.session.last_line().unwrap_or_default();
                Some(StageEnd::because(FailureKind::Disconnected, format!("the client ended after connecting: {words}")))
            }
        },
    }
}

/// The interface that carries the tunnel: new, of the client's name, with an address and a route.
fn tunnel_in<'a>(before: &NetSnapshot, now: &'a NetSnapshot, glob: &str) -> Option<&'a Interface> {
    now.interfaces
        .iter()
        .filter(|i| before.interface(i.index).is_none() && matches_glob(glob, &i.name))
        .find(|i| i.up && !i.addresses.is_empty() && now.has_route_by(i.index))
}
