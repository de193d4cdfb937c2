//! Sites, on top of `defaults`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::address::{is_host, split_host_port};
use super::blocks::{
    SecretGiven, alerts_block, read_alerts, read_key_passphrase, read_otp_secret, read_password, read_ping,
};
use super::channels::refuse_channels;
use super::checks::read_checks;
use super::fields::Fields;
use super::gateway::{GatewayKeys, read_gateway_keys};
use super::ipsec::{check_ipsec_defaults, read_ipsec, refuse_others};
use super::keys::SITE;
use super::profile::Profiles;
use super::site_fields::needs_login;
use super::suggest::did_you_mean;
use super::template::{SITE_FIELDS, is_field_name};
use super::value::Value;
use super::{Account, AlertRules, Fingerprint, Probes, Profile, Reaction, Site, SiteTarget, SslVpn, fingerprint};
use crate::record::{SiteKind, SiteName};

/// For the whole login; longer than an hour is a hung client, and blocks every other site.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// EpMonitoring's client, and ours where a site names none.
const CLIENT: &str = "startct";

/// Start to start; a month is longer than any report's period makes sense with.
pub(super) const FREQUENCY: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(31 * 24);

/// What a site may take from the rest of the file.
pub(super) struct Surroundings<'s, 'a> {
    /// Relative paths count from here.
    pub(super) base: &'s Path,
    /// The file's `frequency`.
    pub(super) frequency: Duration,
    /// The file's `alerts`.
    pub(super) alerts: Fields<'a>,
    /// `defaults`.
    pub(super) defaults: Fields<'a>,
    /// Names under `clients`, faulty ones included.
    pub(super) named_clients: BTreeSet<String>,
    /// Every client profile.
    pub(super) profiles: &'s Profiles,
}

/// What the keys of a site say, each by itself.
struct Draft {
    vpn_gw: Option<String>,
    realm: Option<String>,
    username: Option<String>,
    password: SecretGiven,
    otp_secret: SecretGiven,
    key_passphrase: SecretGiven,
    timeout: Duration,
    client: Option<Arc<Profile>>,
    client_args: Vec<String>,
    fingerprints: Vec<Fingerprint>,
    gateway: GatewayKeys,
    params: BTreeMap<String, String>,
}

/// What the keys say that every kind of site has.
struct Common {
    group: Option<String>,
    interval: Duration,
    interval_down: Option<Duration>,
    alerts: AlertRules,
    probes: Probes,
}

/// Checks `defaults` by itself: a fault there counts although no site falls back to it.
pub(super) fn check_defaults(around: &Surroundings<'_, '_>) {
    if kind_of(&around.defaults).is_some() {
        let _ = Common::read(&around.defaults, around);
        let _ = Draft::read(&around.defaults, around);
        check_ipsec_defaults(&around.defaults);
    }
}

/// Reads one site; none when it has a fault that leaves nothing to work with.
pub(super) fn read_site(name: &str, value: &Value<'_>, around: &Surroundings<'_, '_>) -> Option<Site> {
    let site_name = SiteName::new(name).map_err(|error| value.fault(error.to_string())).ok();
    let fields = Fields::open(value)?.or(&around.defaults);
    let kind = kind_of(&fields);
    let fields = Fields::of(value, &SITE)?.or(&around.defaults);
    let common = Common::read(&fields, around);
    if let Some(kind) = kind {
        refuse_others(&fields, kind);
    }
    let target = match kind {
        Some(SiteKind::Ipsec) => read_ipsec(&fields).map(SiteTarget::Ipsec),
        Some(SiteKind::SslVpn) => read_ssl_vpn(name, &fields, around).map(|vpn| SiteTarget::SslVpn(Box::new(vpn))),
        None => {
            // What another kind needs is not known; what is written is looked at all the same.
            let _ = Draft::read(&fields, around);
            return None;
        }
    };
    warn_of_silence(&fields);
    Some(Site {
        name: site_name?,
        group: common.group,
        interval: common.interval,
        interval_down: common.interval_down,
        alerts: common.alerts,
        probes: common.probes,
        target: target?,
    })
}

/// The site's kind; one that there is not is noted as a fault.
fn kind_of(fields: &Fields<'_>) -> Option<SiteKind> {
    let Some(kind) = fields.get("kind") else { return Some(SiteKind::SslVpn) };
    let known = [("ssl-vpn", Some(SiteKind::SslVpn)), ("ipsec", Some(SiteKind::Ipsec)), ("egress", None)];
    let chosen = kind.choice(&known)?;
    if chosen.is_none() {
        kind.not(kind.text().unwrap_or_default(), super::unsupported(), None);
    }
    chosen
}

fn read_ssl_vpn(name: &str, fields: &Fields<'_>, around: &Surroundings<'_, '_>) -> Option<SslVpn> {
    let draft = Draft::read(fields, around);
    draft.check(fields);
    let client = draft.client?;
    let account = draft.username.clone().unwrap_or_else(|| name.to_owned());
    Some(SslVpn {
        vpn_gw: draft.vpn_gw?,
        account: Account { username: account, realm: draft.realm },
        username: draft.username,
        password: draft.password.source(),
        key_passphrase: draft.key_passphrase.source(),
        otp_secret: draft.otp_secret.source(),
        timeout: draft.timeout,
        gateway: draft.gateway.complete(client.gateway),
        client,
        client_args: draft.client_args,
        fingerprints: draft.fingerprints,
        params: draft.params,
    })
}

impl Common {
    fn read(fields: &Fields<'_>, around: &Surroundings<'_, '_>) -> Self {
        let own = alerts_block(fields);
        refuse_channels(&own);
        let alerts = own.or(&around.alerts);
        Self {
            group: fields.text("group"),
            interval: fields.duration("frequency", &FREQUENCY).unwrap_or(around.frequency),
            interval_down: fields.duration("frequency_down", &FREQUENCY),
            alerts: read_alerts(&alerts),
            probes: read_probes(fields, around.base),
        }
    }
}

/// What can only be said about the site as a whole.
fn warn_of_silence(fields: &Fields<'_>) {
    if fields.get("internal_ip").is_none() && fields.get("checks").is_none_or(|value| value.items().is_empty()) {
        fields.warn(
            "has neither `internal_ip` nor `checks`: the site can be reported up while its tunnel carries nothing",
            None,
        );
    }
}

impl Draft {
    fn read(fields: &Fields<'_>, around: &Surroundings<'_, '_>) -> Self {
        let client = read_client(fields, around);
        let list = |key: &str| fields.get(key).map(|value| value.items()).unwrap_or_default();
        Self {
            vpn_gw: fields.get("vpn_gw").and_then(|value| read_gateway(&value)),
            realm: fields.text("realm"),
            username: fields.text("username"),
            password: read_password(fields, around.base),
            otp_secret: read_otp_secret(fields, around.base),
            key_passphrase: read_key_passphrase(fields, around.base),
            timeout: fields.duration("timeout", &TIMEOUT).unwrap_or(Duration::from_mins(1)),
            client_args: fields.get("client_args").and_then(|value| value.texts()).unwrap_or_default(),
            fingerprints: list("fingerprint").iter().filter_map(read_fingerprint).collect(),
            gateway: read_gateway_keys(fields),
            params: read_params(fields, client.as_deref(), around.base),
            client,
        }
    }

    /// What can only be said about the site as a whole.
    fn check(&self, fields: &Fields<'_>) {
        if fields.get("vpn_gw").is_none() {
            fields.fault(Some("vpn_gw"), "is missing: the gateway: host or host:port", None);
        }
        let needs = |key| self.client.as_ref().is_none_or(|client| needs_login(fields, client, key, &self.params));
        if fields.get("username").is_none() && needs("username") {
            fields.fault(Some("username"), "is missing: the test account's name", None);
        }
        if self.password == SecretGiven::Not && needs("password") {
            let hint =
                "add one of `password_file`, `password_env`, `password_command`, `password_credential`, `password`";
            fields.fault(Some("password"), "is missing", Some(hint.to_owned()));
        }
        self.gateway.check(fields, self.client.as_deref());
        if let Some(client) = &self.client {
            if !client.dialogue.iter().any(|rule| matches!(rule.reaction, Reaction::Connected)) {
                let message =
                    format!("the client `{}` has no rule with `connected: true`, so no login could pass", client.name);
                fields.fault(
                    Some("client"),
                    message,
                    Some("add the text with which it says that the tunnel is up".to_owned()),
                );
            }
            super::site_fields::check_fields(fields, client, self.vpn_gw.as_deref(), &self.params);
        }
    }
}

/// What is asked on both sides of the tunnel.
fn read_probes(fields: &Fields<'_>, base: &Path) -> Probes {
    Probes {
        external_ip: fields.get("external_ip").and_then(|value| read_host(&value)),
        external_required: fields.get("external_required").and_then(|value| value.flag()).unwrap_or(true),
        internal_ip: fields.get("internal_ip").and_then(|value| read_address(&value)),
        checks: read_checks(fields),
        ca_file: fields.file("ca_file", base),
        ping: read_ping(fields),
    }
}

fn read_gateway(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if split_host_port(text).is_none() {
        let hint = text.contains("://").then(|| "leave out the scheme and the path".to_owned());
        value.not(text, "is not a host or host:port", hint);
        return None;
    }
    Some(text.to_owned())
}

fn read_host(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if !is_host(text) {
        value.not(text, "is not an IP address or host name", None);
        return None;
    }
    Some(text.to_owned())
}

/// An address and no name: while a client holds the host's resolver, the prober resolves no name for itself.
fn read_address(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.parse::<IpAddr>().is_err() {
        let hint = is_host(text).then(|| "write the address: no name is resolved while the tunnel is up".to_owned());
        value.not(text, "is not an IP address", hint);
        return None;
    }
    Some(text.to_owned())
}

fn read_client(fields: &Fields<'_>, around: &Surroundings<'_, '_>) -> Option<Arc<Profile>> {
    let profiles = around.profiles;
    let Some(value) = fields.get("client") else { return profiles.get(CLIENT).cloned() };
    let name = value.text()?;
    let found = profiles.get(name).cloned();
    // A profile with a fault of its own is named there, and only there.
    if found.is_none() && !around.named_clients.contains(name) {
        let names: Vec<_> = profiles.keys().map(|name| format!("`{name}`")).collect();
        let hint = did_you_mean(name, profiles.keys().map(String::as_str));
        value.not(name, "is not a client profile", hint.or_else(|| Some(format!("there are {}", names.join(", ")))));
    }
    found
}

fn read_fingerprint(value: &Value<'_>) -> Option<Fingerprint> {
    let text = value.text()?;
    let parsed = Fingerprint::parse(text);
    if parsed.is_none() {
        value.not(text, "is not a fingerprint", fingerprint::FORMS.to_owned());
    }
    parsed
}

fn read_params(fields: &Fields<'_>, client: Option<&Profile>, base: &Path) -> BTreeMap<String, String> {
    let is_path = |name: &str| client.is_some_and(|client| client.paths.contains(name));
    let mut params = BTreeMap::new();
    for layer in fields.each().collect::<Vec<_>>().into_iter().rev() {
        let Some(block) = layer.get("params").and_then(|value| Fields::open(&value)) else { continue };
        for (name, value) in block.entries() {
            if SITE_FIELDS.contains(&name) {
                value.fault("is a field of the site itself, not one of `params`");
            } else if !is_field_name(name) {
                value.fault("cannot be the name of a field: use letters, digits, `_` and `-`");
            } else if is_path(name) {
                // Text is what it came from, so nothing is lost.
                params.extend(value.path(base).map(|path| (name.to_owned(), path.to_string_lossy().into_owned())));
            } else if let Some(text) = value.line() {
                params.insert(name.to_owned(), text.to_owned());
            }
        }
    }
    params
}
