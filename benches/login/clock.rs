//! Logins alone, with the instants at which the product began and ended its measurement.

use std::path::Path;

use nix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::time::Instant;
use vpnprobe::client::{ClientCommand, Dialogue, Fields, Session, SessionEvent};
use vpnprobe::config::{Config, Environment, Secret, Site};
use vpnprobe::error::chain;

/// Logs in `count` times, one after the other.
pub(super) async fn run(config: &Config, stamps: &Path, count: u32) -> Result<(), String> {
    let site = config.sites.first().ok_or("the configuration has no sites")?;
    for number in 0..count {
        let file = stamps.join(format!("library-{number}"));
        let (spawned, heard) = log_in(site, &file).await?;
        super::print(&json!({ "stamps": file, "spawned_ns": spawned, "heard_ns": heard }))?;
    }
    Ok(())
}

/// One login: when spawn returned and when the client's word was there, both as the record takes them, on the clock of
/// the client's stamps.
async fn log_in(site: &Site, stamps: &Path) -> Result<(u64, u64), String> {
    let vpn = site.ssl_vpn().ok_or("the site has no login")?;
    let source = vpn.password.as_ref().ok_or("the site has no password")?;
    let password = source.read(&Environment::of_process()).await.map_err(|e| chain(&e))?;
    let fields = Fields::default()
        .with("site", site.name.as_str())
        .with("vpn_gw", &vpn.vpn_gw)
        .with("username", &vpn.account.username)
        .with_secret("password", password.clone());
    let command = command(vpn, &fields, stamps);
    let dialogue = Dialogue::new(vpn.client.dialogue.clone(), fields, vpn.fingerprints.clone())
        .map_err(|e| format!("cannot read the dialogue: {e}"))?;
    let secrets: Vec<(String, Secret)> = vec![("password".to_owned(), password)];
    let mut session = Session::start(&command, None, dialogue, secrets, None).map_err(|e| chain(&e))?;
    let heard = loop {
        match session.event().await {
            Some(SessionEvent::Connected { at, .. }) => break at,
            Some(SessionEvent::Withdrawn | SessionEvent::AskedAgain) => {}
            other => return Err(format!("the login failed: {other:?}; last words: {:?}", session.last_line())),
        }
    };
    session.type_line("quit");
    while !matches!(session.event().await, Some(SessionEvent::Ended { .. }) | None) {}
    Ok((monotonic(session.spawned())?, monotonic(heard)?))
}

fn command(vpn: &vpnprobe::config::SslVpn, fields: &Fields, stamps: &Path) -> ClientCommand {
    let expand = |group: &Vec<_>| group.iter().map(|t| fields.expand_plain(t)).collect::<Result<Vec<_>, _>>().ok();
    let args = vpn.client.args.iter().filter_map(expand).flatten().collect();
    let mut env: std::collections::BTreeMap<String, String> = std::env::vars().collect();
    env.insert("BENCH_STAMPS".to_owned(), stamps.to_string_lossy().into_owned());
    ClientCommand { program: vpn.client.command.clone(), args, env }
}

/// An instant on the client's clock, in nanoseconds. `Instant` is that clock on Linux but does not tell its reading, so
/// both are read now: the distance between the two readings, below a microsecond, is the error.
fn monotonic(instant: Instant) -> Result<u64, String> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_err(|e| format!("cannot read the clock: {e}"))?;
    let ago = instant.elapsed();
    let now = std::time::Duration::from(now);
    u64::try_from(now.saturating_sub(ago).as_nanos()).map_err(|e| e.to_string())
}
