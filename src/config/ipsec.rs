//! Sites of the kind `ipsec`, and where strongSwan is asked.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::fields::Fields;
use super::keys::{IPSEC, OF_IPSEC, OF_SSL_VPN, RESTART, holds_secret};
use super::value::Value;
use super::{Ipsec, IpsecConfig, RestartPolicy};
use crate::record::SiteKind;

/// strongSwan's own recovery; longer than an hour is no recovery.
const GRACE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(1);
/// Between two attempts.
const RETRY_DELAY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(10);

/// Reads the keys of a tunnel; none when a fault leaves nothing to work with.
pub(super) fn read_ipsec(site: &Fields<'_>) -> Option<Ipsec> {
    if site.get("child_sa").is_none() {
        site.fault(
            Some("child_sa"),
            "is missing: the name of the CHILD_SA configuration, as `swanctl --list-conns` shows it",
            None,
        );
    }
    let keys = read_keys(site);
    Some(Ipsec { child_sa: keys.child_sa?, ike_sa: keys.ike_sa, restart: keys.restart, watch: keys.watch })
}

/// What the keys of a tunnel say, each by itself.
struct Keys {
    child_sa: Option<String>,
    ike_sa: Option<String>,
    restart: RestartPolicy,
    watch: bool,
}

fn read_keys(fields: &Fields<'_>) -> Keys {
    let name = |key| fields.get(key).and_then(|value| read_name(&value));
    Keys {
        child_sa: name("child_sa"),
        ike_sa: name("ike_sa"),
        restart: read_restart(fields),
        watch: fields.get("watch").and_then(|value| value.flag()).unwrap_or(false),
    }
}

/// Checks what `defaults` say of tunnels, also where no site falls back to it.
pub(super) fn check_ipsec_defaults(defaults: &Fields<'_>) {
    let _ = read_keys(defaults);
}

/// Notes keys of the other kind: what is written and has no effect would promise what is not done. `defaults` may hold
/// keys of both.
pub(super) fn refuse_others(site: &Fields<'_>, kind: SiteKind) {
    for (key, value) in site.own().entries() {
        let other = match kind {
            SiteKind::SslVpn if OF_IPSEC.contains(&key) => SiteKind::Ipsec,
            SiteKind::Ipsec if OF_SSL_VPN.contains(&key) || key == "gateway" || holds_secret(key) => SiteKind::SslVpn,
            SiteKind::SslVpn | SiteKind::Ipsec => continue,
        };
        let hint = format!("remove it, or set `kind: {other}`");
        value.sink.fault(&value.path, value.named_at, format!("belongs to sites of `kind: {other}`"), Some(hint));
    }
}

/// A name of strongSwan's configuration.
fn read_name(value: &Value<'_>) -> Option<String> {
    let text = value.line()?.trim();
    if text.is_empty() {
        value.fault("must not be empty");
        return None;
    }
    Some(text.to_owned())
}

/// Reads the block `restart` of a site.
fn read_restart(site: &Fields<'_>) -> RestartPolicy {
    let block = site.block("restart", &RESTART);
    let built_in = RestartPolicy::default();
    RestartPolicy {
        enabled: block.get("enabled").and_then(|value| value.flag()).unwrap_or(built_in.enabled),
        grace: block.duration("grace", &GRACE).unwrap_or(built_in.grace),
        max_retries: block.integer("max_retries", &(1..=100)).unwrap_or(built_in.max_retries),
        retry_delay: block.duration("retry_delay", &RETRY_DELAY).unwrap_or(built_in.retry_delay),
        max_per_hour: block.integer("max_per_hour", &(0..=1000)).unwrap_or(built_in.max_per_hour),
    }
}

/// Reads the block `ipsec`.
pub(super) fn read_ipsec_block(top: &Fields<'_>, base: &Path) -> IpsecConfig {
    let block = top.block("ipsec", &IPSEC);
    let socket = block.get("socket").and_then(|value| read_socket(&value, base));
    IpsecConfig { socket: socket.unwrap_or_else(|| IpsecConfig::DEFAULT.to_owned()) }
}

/// A path, or `tcp://ADDRESS:PORT`.
fn read_socket(value: &Value<'_>, base: &Path) -> Option<String> {
    let text = value.text()?;
    let Some((scheme, address)) = text.split_once("://") else {
        return value.path(base).map(|path| path.to_string_lossy().into_owned());
    };
    let hint = match scheme {
        "tcp" if address.parse::<SocketAddr>().is_ok() => return Some(text.to_owned()),
        "tcp" => "write an address and a port: `tcp://127.0.0.1:4502`",
        "unix" => "write the path alone: `/var/run/charon.vici`",
        _ => "write a path or `tcp://127.0.0.1:4502`",
    };
    value.not(text, "is not a VICI socket", hint.to_owned());
    None
}
