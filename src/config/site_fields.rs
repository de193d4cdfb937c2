//! Whether a site has what its client's profile names in braces.

use std::collections::{BTreeMap, BTreeSet};

use super::address::split_host_port;
use super::fields::Fields;
use super::rules::similar_field;
use super::suggest::did_you_mean;
use super::value::Value;
use super::{Profile, Reaction, Template};

/// Notes what the site lacks. A group of arguments is left out then; a line to type or a variable can't be.
pub(super) fn check_fields(
    site: &Fields<'_>,
    client: &Profile,
    vpn_gw: Option<&str>,
    params: &BTreeMap<String, String>,
) {
    let has = |name: &str| match name {
        "realm" => site.get("realm").is_some(),
        "vpn_gw_port" => vpn_gw.is_none_or(|gateway| split_host_port(gateway).is_some_and(|(_, port)| port.is_some())),
        // Where one that is needed is missing, that is a fault of its own; whether a gateway asks
        // for a code, or a key for its passphrase, is known when they do.
        "otp" | "vpn_gw" | "vpn_gw_host" | "username" | "password" | "key_passphrase" | "site" => true,
        other => has_param(site, params, other),
    };
    for name in must_have(client).into_iter().filter(|name| !has(name)) {
        let hint = match name {
            "realm" => "add `realm`".to_owned(),
            "vpn_gw_port" => "write `vpn_gw` as host:port".to_owned(),
            other => similar_field(other).unwrap_or_else(|| format!("add `{other}` under `params`")),
        };
        site.fault(
            None,
            format!("has no value for `{{{name}}}`, which the client `{}` needs", client.name),
            Some(hint),
        );
    }
    warn_unused(site, client);
}

/// Whether a site must have this key (`username`, `password`): its client types it or is started with it, and nothing
/// else under `params` lets one in.
pub(super) fn needs_login(site: &Fields<'_>, client: &Profile, key: &str, params: &BTreeMap<String, String>) -> bool {
    let arguments = client.args.iter().flatten().flat_map(Template::fields);
    let asked = must_have(client).into_iter().chain(arguments).any(|name| name == key);
    asked && !client.login_optional_with.iter().any(|name| has_param(site, params, name))
}

/// Names in lines to type and in the environment.
fn must_have(client: &Profile) -> BTreeSet<&str> {
    let lines = client.dialogue.iter().filter_map(|rule| match &rule.reaction {
        Reaction::Send { line, .. } => Some(line),
        Reaction::Failed(_) | Reaction::Connected => None,
    });
    lines.chain(client.env.values()).flat_map(Template::fields).collect()
}

/// A parameter of the site itself that its client never asks for is a slip, most likely.
fn warn_unused(site: &Fields<'_>, client: &Profile) {
    let arguments = client.args.iter().flatten().flat_map(Template::fields);
    let asked: BTreeSet<&str> = must_have(client).into_iter().chain(arguments).collect();
    let own = site.own().get("params").and_then(|value| Fields::open(&value)).map(|block| block.entries());
    for (name, value) in own.unwrap_or_default() {
        if !asked.contains(name) {
            let message = format!("the client `{}` has no field of this name, so it has no effect", client.name);
            value.sink.warning(&value.path, value.named_at, message, did_you_mean(name, asked.iter().copied()));
        }
    }
}

/// Whether the site has this parameter: a wrong value is a fault already.
fn has_param(site: &Fields<'_>, params: &BTreeMap<String, String>, name: &str) -> bool {
    params.contains_key(name) || site.get("params").is_some_and(|block| named(&block, name))
}

/// Whether a block names it at all.
fn named(block: &Value<'_>, name: &str) -> bool {
    Fields::open(block).is_some_and(|block| block.get(name).is_some())
}
