//! The small blocks: `ping`, `alerts`, `resolv_conf`, and where secrets come from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fields::Fields;
use super::keys::{ALERTS, KEY_PASSPHRASE, OTP_SECRET, PASSWORD, PING, RESOLV_CONF};
use super::{AlertRules, PingConfig, ResolvConfConfig, Secret, SecretSource};

/// Longest time that a key about alerts may hold.
const LONGEST: Duration = Duration::from_hours(30 * 24);

/// Reads the block `ping` of a site.
pub(super) fn read_ping(site: &Fields<'_>) -> PingConfig {
    let ping = site.block("ping", &PING);
    let built_in = PingConfig::default();
    // Faster than 10 ms is a load on the network, not a measurement.
    let times = Duration::from_millis(10)..=Duration::from_mins(1);
    PingConfig {
        count: ping.integer("count", &(1..=1000)).unwrap_or(built_in.count),
        interval: ping.duration("interval", &times).unwrap_or(built_in.interval),
        timeout: ping.duration("timeout", &times).unwrap_or(built_in.timeout),
        max_loss_pct: ping.get("max_loss_pct").and_then(|v| v.number(&(0.0..=100.0))).unwrap_or(built_in.max_loss_pct),
        mtu: ping.get("mtu").and_then(|value| value.flag()).unwrap_or(built_in.mtu),
    }
}

/// The block `alerts` of the file, of `defaults` or of a site, checked.
pub(super) fn alerts_block<'a>(fields: &Fields<'a>) -> Fields<'a> {
    fields.block("alerts", &ALERTS)
}

/// Reads a block `alerts`.
pub(super) fn read_alerts(alerts: &Fields<'_>) -> AlertRules {
    let built_in = AlertRules::default();
    AlertRules {
        after: alerts.integer("after", &(1..=1000)).unwrap_or(built_in.after),
        resolve_after: alerts.integer("resolve_after", &(1..=1000)).unwrap_or(built_in.resolve_after),
        blind_after: alerts
            .duration("blind_after", &(Duration::from_secs(1)..=LONGEST))
            .unwrap_or(built_in.blind_after),
        reminder: alerts.duration("reminder", &(Duration::ZERO..=LONGEST)).unwrap_or(built_in.reminder),
    }
}

/// Reads the block `resolv_conf`.
pub(super) fn read_resolv_conf(top: &Fields<'_>, base: &Path) -> ResolvConfConfig {
    let block = top.block("resolv_conf", &RESOLV_CONF);
    ResolvConfConfig {
        path: block.file("path", base).unwrap_or_else(|| PathBuf::from("/etc/resolv.conf")),
        restore_command: block.get("restore_command").and_then(|command| command.command()),
    }
}

/// What a mapping says about a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SecretGiven {
    /// Nothing.
    Not,
    /// Something wrong, which is noted as a fault.
    Wrong,
    /// Where it comes from.
    From(SecretSource),
}

impl SecretGiven {
    /// Where it comes from, when that could be read.
    pub(super) fn source(self) -> Option<SecretSource> {
        match self {
            Self::From(source) => Some(source),
            Self::Not | Self::Wrong => None,
        }
    }
}

/// Reads where the password comes from: exactly one key may say so. A site that says anything itself takes nothing about
/// it from `defaults`.
pub(super) fn read_password(fields: &Fields<'_>, base: &Path) -> SecretGiven {
    read_secret(fields, base, PASSWORD, "the password")
}

/// The same for the secret of one-time codes, which a site need not have.
pub(super) fn read_otp_secret(fields: &Fields<'_>, base: &Path) -> SecretGiven {
    read_secret(fields, base, OTP_SECRET, "the secret of the one-time codes")
}

/// The same for the passphrase of the client's private key, which a site need not have.
pub(super) fn read_key_passphrase(fields: &Fields<'_>, base: &Path) -> SecretGiven {
    read_secret(fields, base, KEY_PASSPHRASE, "the passphrase of the key")
}

pub(super) fn read_secret(fields: &Fields<'_>, base: &Path, known: [&'static str; 5], what: &str) -> SecretGiven {
    let given = |fields: &Fields<'_>| known.into_iter().filter(|key| fields.get(key).is_some()).collect::<Vec<_>>();
    let Some((fields, keys)) = fields
        .each()
        .map(|one| (given(&one), one))
        .find_map(|(keys, one)| if keys.is_empty() { None } else { Some((one, keys)) })
    else {
        return SecretGiven::Not;
    };
    let [key] = keys.as_slice() else {
        for value in keys.iter().skip(1).filter_map(|key| fields.get(key)) {
            let hint = format!("keep one of {}", keys.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "));
            value.sink.fault(&value.path, value.named_at, format!("{what} comes from another key already"), Some(hint));
        }
        return SecretGiven::Wrong;
    };
    read_source(&fields, key, base).map_or(SecretGiven::Wrong, SecretGiven::From)
}

fn read_source(fields: &Fields<'_>, key: &str, base: &Path) -> Option<SecretSource> {
    let value = fields.get(key)?;
    // `password_file`, `otp_secret_file`: the last word says what the value is.
    match key.rsplit('_').next().unwrap_or_default() {
        "file" => value.path(base).map(SecretSource::File),
        "command" => value.command().map(SecretSource::Command),
        "env" => {
            let name = value.text()?;
            if name.contains(['=', ' ']) {
                value.not(name, "is not the name of an environment variable", None);
                return None;
            }
            Some(SecretSource::Env(name.to_owned()))
        }
        "credential" => {
            let name = value.text()?;
            if !super::secret::is_plain_name(name) {
                value.not(name, "is not the plain name of a systemd credential", None);
                return None;
            }
            Some(SecretSource::Credential(name.to_owned()))
        }
        _ => value.text().map(|text| SecretSource::Inline(Secret::new(text))),
    }
}
