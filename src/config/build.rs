//! From the tree to the checked configuration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::zone::Zone;

use super::blocks::{alerts_block, read_resolv_conf};
use super::channels::read_channels;
use super::environment::Environment;
use super::fault::{LoadError, Sink};
use super::fields::Fields;
use super::ipsec::read_ipsec_block;
use super::keys::{SITE, TOP};
use super::logging::read_logging;
use super::maintenance::read_maintenance;
use super::profile::{Profiles, built_in, read_profiles};
use super::report::read_report;
use super::site::{FREQUENCY, Surroundings, check_defaults, read_site};
use super::sla::read_sla;
use super::suggest::did_you_mean;
use super::tree::{Node, NodeKind};
use super::uplink::read_uplink;
use super::value::Value;
use super::{AlertChannel, Config, Logging, SecretSource, Site};

/// Start to start, where the file says nothing.
const DEFAULT_FREQUENCY: Duration = Duration::from_mins(10);

/// Variables that hold secrets of this program, whatever the configuration says: no client gets them.
const SECRET_VARIABLES: [&str; 4] =
    ["VPN_SENTINEL_API_KEY", "TELEGRAM_BOT_TOKEN", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"];

/// Walks the whole tree. The configuration counts only when the sink has no fault in the end.
pub(super) fn build(
    node: &Node,
    sink: &Sink,
    base: &Path,
    environment: &Environment,
) -> Result<Option<Config>, LoadError> {
    let root = Value::root(node, sink);
    if let NodeKind::Null = node.kind {
        root.fault("holds no configuration");
        return Ok(None);
    }
    let built_in = built_in()?;
    let Some(top) = Fields::of(&root, &TOP) else { return Ok(None) };
    let frequency = top.duration("frequency", &FREQUENCY).unwrap_or(DEFAULT_FREQUENCY);
    let clients = read_profiles(top.get("clients").as_ref(), &built_in);
    let logging = read_logging(&top, base);
    let sites = read_sites(&top, base, frequency, &clients);
    let timezone = top.get("timezone").and_then(|value| read_timezone(&value)).unwrap_or(Zone::utc());
    warn_unavailable_fields(&top, &sites, &clients);
    let channels = read_channels(&top, base, &site_names(&top), logging.email.is_some());
    Ok(Some(Config {
        frequency,
        maintenance: Arc::new(read_maintenance(&top, &timezone, &site_names(&top))),
        uplink: read_uplink(&top),
        report: read_report(&top, logging.email.as_ref()),
        sla: read_sla(&top, base, environment.now().and_then(|now| timezone.local(now)).map(|now| now.date())),
        timezone,
        prober: top.text("prober").unwrap_or_else(|| environment.host_name().to_owned()),
        state_dir: top.file("state_dir", base).unwrap_or_else(|| default_state_dir(environment)),
        secret_env: secret_env(&logging, &channels, &sites),
        logging,
        channels,
        sites,
        clients,
        resolv_conf: read_resolv_conf(&top, base),
        ipsec: read_ipsec_block(&top, base),
    }))
}

fn read_sites(top: &Fields<'_>, base: &Path, frequency: Duration, profiles: &Profiles) -> Vec<Arc<Site>> {
    let defaults = top.block("defaults", &SITE);
    let clients = top.get("clients").and_then(|value| Fields::open(&value)).map(|clients| clients.entries());
    let named_clients = clients.unwrap_or_default().into_iter().map(|(name, _)| name.to_owned()).collect();
    let around = Surroundings { named_clients, base, frequency, alerts: alerts_block(top), defaults, profiles };
    // Noted also where no site falls back to them.
    let _ = super::blocks::read_alerts(&around.alerts);
    check_defaults(&around);
    let sites = top.get("sites").and_then(|value| Fields::open(&value)).map(|sites| sites.entries());
    let read = |(name, value): (&str, Value<'_>)| read_site(name, &value, &around).map(Arc::new);
    sites.unwrap_or_default().into_iter().filter_map(read).collect()
}

/// Names under `sites`, faulty sites included.
fn site_names<'a>(top: &Fields<'a>) -> Vec<&'a str> {
    match top.get("sites").map(|sites| &sites.node.kind) {
        Some(NodeKind::Mapping(sites)) => sites.iter().map(|site| site.key.as_str()).collect(),
        _ => Vec::new(),
    }
}

fn read_timezone(value: &Value<'_>) -> Option<Zone> {
    let text = value.text()?;
    let zone = text.parse().ok();
    if zone.is_none() {
        value.not(text, "is not an IANA time zone", did_you_mean(text, Zone::names().iter().map(String::as_str)));
    }
    zone
}

/// `$STATE_DIRECTORY` (systemd gives several, separated by colons), else `./state`.
fn default_state_dir(environment: &Environment) -> PathBuf {
    let given = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').find(|dir| !dir.is_empty()));
    let dir = PathBuf::from(given.unwrap_or("state"));
    std::path::absolute(&dir).unwrap_or(dir)
}

fn secret_env(logging: &Logging, channels: &[AlertChannel], sites: &[Arc<Site>]) -> Vec<String> {
    let mail = logging.email.as_ref().and_then(|email| email.login.as_ref()).map(|(_, source)| source);
    let logins = sites.iter().filter_map(|site| site.ssl_vpn());
    let sites = logins.flat_map(super::SslVpn::secrets);
    let variables =
        sites.chain(mail).chain(channels.iter().flat_map(|channel| channel.kind.secrets())).filter_map(|source| {
            match source {
                SecretSource::Env(name) => Some(name.as_str()),
                SecretSource::Inline(_)
                | SecretSource::File(_)
                | SecretSource::Command(_)
                | SecretSource::Credential(_) => None,
            }
        });
    let names: BTreeSet<&str> = variables.chain(SECRET_VARIABLES).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// An argument of one's own profile with a field that no site has is left out everywhere: a slip, most likely.
fn warn_unavailable_fields(top: &Fields<'_>, sites: &[Arc<Site>], clients: &Profiles) {
    let own = top.get("clients").and_then(|value| Fields::open(&value)).map(|clients| clients.entries());
    for (name, value) in own.unwrap_or_default() {
        // What it takes from another profile is no slip of its own.
        if Fields::open(&value).is_none_or(|profile| profile.get("args").is_none()) {
            continue;
        }
        let users: Vec<_> =
            sites.iter().filter_map(|site| site.ssl_vpn()).filter(|target| target.client.name == name).collect();
        let Some(client) = clients.get(name).filter(|_| !users.is_empty()) else { continue };
        let fields: BTreeSet<&str> = client.args.iter().flatten().flat_map(super::Template::fields).collect();
        for field in fields {
            let known = super::template::SITE_FIELDS.contains(&field);
            if !known && !users.iter().any(|target| target.params.contains_key(field)) {
                let message = format!("no site has a value for `{{{field}}}`, so its arguments are always left out");
                value.sink.warning(&value.path, value.named_at, message, super::rules::similar_field(field));
            }
        }
    }
}
