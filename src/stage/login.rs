//! Stage `login`: the client is started and talked with until it says that the tunnel is up, and the tunnel is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::login_account::Codes;
use super::login_wait::log_in;
use super::{Client, StageEnd, VpnCycle, login_account as account};
use crate::cleanup::Mode;
use crate::client::{ClientCommand, CodeSource, Dialogue, Fields, Session, SpawnError};
use crate::config::{Secret, SslVpn, split_host_port};
use crate::process::{MARK, ProcessId, Tree};
use crate::record::{MalfunctionKind, Outcome};

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    if let Some(end) = account::rests(cx) {
        return end;
    }
    // Before the client runs: waiting for the next code is no part of the login.
    let codes = match account::reserve_code(cx).await {
        Ok(codes) => codes,
        Err(end) => return end,
    };
    let mut end = once(cx, codes.as_ref(), None).await;
    if is_busy(&end) {
        // One instance a host: what is ours, or adopted, may have been on its way out. Exactly one more try.
        let deadline = spawned(cx) + cx.vpn.timeout;
        match make_way(cx, deadline).await {
            Ok(()) => end = once(cx, codes.as_ref(), Some(deadline)).await,
            Err(why) => end = StageEnd::because(MalfunctionKind::ClientBusy, why),
        }
    }
    account::note(cx, &end);
    end
}

/// Starts the client and logs in, until `deadline` (none: the site's `timeout` from now).
async fn once(cx: &mut VpnCycle<'_>, codes: Option<&Arc<Codes>>, deadline: Option<Instant>) -> StageEnd {
    if let Err(end) = start(cx, codes.cloned()) {
        return end;
    }
    let deadline = deadline.unwrap_or_else(|| spawned(cx) + cx.vpn.timeout);
    // Written beside the dialogue: a sync of the disk must not delay an answer.
    let journal = save_leader(cx);
    let end = log_in(cx, deadline).await;
    if let Some(journal) = journal {
        let _ = journal.await;
    }
    end
}

/// The client itself says that another instance of it runs.
fn is_busy(end: &StageEnd) -> bool {
    end.outcome == Outcome::Inconclusive(MalfunctionKind::ClientBusy)
}

/// Ends what is left of the client and of the strangers that its profile adopts; `Err`: what stays, in words.
async fn make_way(cx: &mut VpnCycle<'_>, deadline: Instant) -> Result<(), String> {
    let (around, adopt) = (cx.around, cx.vpn.client.adopt.clone());
    let Some(client) = cx.client.as_mut() else { return Ok(()) };
    let tidied = timeout_at(deadline, async {
        client.tree.terminate(around.endurance, &around.hurry).await;
        around.end_adopted(adopt, Mode::Repair).await
    });
    match tidied.await {
        Ok(report) if report.is_clean() => {
            tracing::warn!(site = %cx.site.name, done = ?report.done, "another instance of the client was running: starting once more");
            Ok(())
        }
        Ok(report) => Err(report.left_in_words()),
        Err(_) => Err("another instance of the client did not end in time".to_owned()),
    }
}

/// Starts the client.
fn start(cx: &mut VpnCycle<'_>, codes: Option<Arc<Codes>>) -> Result<(), StageEnd> {
    let secrets = secrets(cx);
    let mut fields = fields(cx.site.name.as_str(), cx.vpn, &secrets);
    if let Some(codes) = codes {
        fields = fields.with_code("otp", codes as Arc<dyn CodeSource>);
    }
    let command = command(cx, &fields);
    let dialogue = Dialogue::new(cx.vpn.client.dialogue.clone(), fields, cx.vpn.fingerprints.clone())
        .map_err(|e| StageEnd::because(MalfunctionKind::UnexpectedPrompt, e.to_string()))?;
    let session = Session::start(&command, cx.around.net.pre_exec(), dialogue, secrets, cx.around.watch.clone())
        .map_err(|e| not_started(&e))?;
    let mut claim = cx.journal.as_ref().map(crate::cleanup::Journal::claim).unwrap_or_default();
    claim.leader = ProcessId::of(session.pid());
    if let Some(journal) = &mut cx.journal {
        journal.leader = claim.leader;
    }
    let earlier = cx.client.take().map(|before| before.dialogue()).unwrap_or_default();
    let tree = Tree::new(claim, Arc::clone(&cx.around.net));
    cx.client = Some(Client { session, tree, connected: false, proved: None, earlier });
    Ok(())
}

fn not_started(error: &SpawnError) -> StageEnd {
    let kind = match error {
        SpawnError::Missing { .. } => MalfunctionKind::ClientMissing,
        SpawnError::NoPty { .. } => MalfunctionKind::NoPty,
    };
    StageEnd::because(kind, crate::error::chain(error))
}

pub(super) fn spawned(cx: &VpnCycle<'_>) -> Instant {
    cx.client.as_ref().map_or_else(Instant::now, |c| c.session.spawned())
}

/// Notes the client's first process in the journal.
fn save_leader(cx: &VpnCycle<'_>) -> Option<tokio::task::JoinHandle<()>> {
    let (file, journal) = (cx.journal_file.clone()?, cx.journal.clone()?);
    Some(tokio::task::spawn_blocking(move || {
        if let Err(e) = file.write(&journal) {
            // The mark in the client's environment still finds it.
            tracing::warn!(journal = %file.path().display(), error = %e, "cannot note the client's process");
        }
    }))
}

/// What the client is run with. A group of arguments is left out when the site has no value for a field in it.
fn command(cx: &VpnCycle<'_>, fields: &Fields) -> ClientCommand {
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

/// The site's secrets by the names of their fields.
fn secrets(cx: &VpnCycle<'_>) -> Vec<(String, Secret)> {
    let named = [("password", &cx.password), ("key_passphrase", &cx.key_passphrase)];
    named.into_iter().filter_map(|(name, secret)| Some((name.to_owned(), secret.clone()?))).collect()
}

/// The values of the site's keys.
fn fields(site: &str, vpn: &SslVpn, secrets: &[(String, Secret)]) -> Fields {
    // The configuration lets only gateways through that can be split.
    let (host, port) = split_host_port(&vpn.vpn_gw).unwrap_or((&vpn.vpn_gw, None));
    let mut fields = Fields::default();
    for (name, value) in &vpn.params {
        fields = fields.with(name, value);
    }
    fields = fields.with("site", site).with("vpn_gw", &vpn.vpn_gw).with("vpn_gw_host", host);
    for (name, secret) in secrets {
        fields = fields.with_secret(name, secret.clone());
    }
    if let Some(username) = &vpn.username {
        fields = fields.with("username", username);
    }
    if let Some(port) = port {
        fields = fields.with("vpn_gw_port", port.to_string());
    }
    match &vpn.account.realm {
        Some(realm) => fields.with("realm", realm),
        None => fields,
    }
}
