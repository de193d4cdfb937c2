//! The block `alerts.channels`: ways to people beside mail, and what goes to each.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::blocks::SecretGiven;
use super::channel::{AlertChannel, ChannelKind, Fallback, Route, Severity};
use super::channel_kinds::read_kind;
use super::fields::Fields;
use super::keys::{CHANNEL, CHANNEL_KINDS, FALLBACK};
use super::report::has_mail_server;
use super::suggest::did_you_mean;
use super::value::Value;

/// The name of the channel that `logging.email` is.
const EMAIL: &str = "email";
/// The name of the channel that reports go by.
const REPORT: &str = "report";
/// Longest name of a channel.
const LONGEST_NAME: usize = 60;
/// Before a fallback, where nothing is said.
const DEFAULT_AFTER: Duration = Duration::from_mins(10);
/// A message is given up after a day.
const AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(23);

const ADD_EMAIL: &str = "add `logging.email` with `server`, `from` and `to`";

/// What may be named in the block.
struct Names<'a> {
    sites: &'a [&'a str],
    channels: Vec<&'a str>,
}

/// Reads the channels, mail first. `sites` are the names in the file, faulty sites included; `has_email`: `logging.email`
/// could be read.
pub(super) fn read_channels(top: &Fields<'_>, base: &Path, sites: &[&str], has_email: bool) -> Vec<AlertChannel> {
    let block = top.get("alerts").and_then(|alerts| Fields::open(&alerts)).and_then(|alerts| alerts.get("channels"));
    let entries = block.and_then(|block| Fields::open(&block)).map(|block| block.entries()).unwrap_or_default();
    let email = has_mail_server(top).then_some(EMAIL);
    let others = entries.iter().map(|(name, _)| *name).filter(|name| *name != EMAIL);
    let names = Names { sites, channels: email.into_iter().chain(others).collect() };
    let mut channels = Vec::new();
    let mut route_of_email = Route::default();
    for (name, value) in &entries {
        if *name == EMAIL {
            route_of_email = read_email_route(value, &names).unwrap_or_default();
        } else {
            channels.extend(read_channel(name, value, base, &names));
        }
    }
    if has_email {
        channels.insert(0, AlertChannel { name: EMAIL.to_owned(), kind: ChannelKind::Email, route: route_of_email });
    }
    refuse_cycles(&entries, &channels);
    channels
}

/// `alerts.channels` of a site or of `defaults`: whom to tell is said once, and a channel has `sites`.
pub(super) fn refuse_channels(alerts: &Fields<'_>) {
    for value in alerts.each().filter_map(|one| one.get("channels")) {
        let hint = "put the channel under the file's own `alerts`, with `sites` beside its kind".to_owned();
        value.sink.fault(&value.path, value.named_at, "stands in the file's own `alerts` alone", Some(hint));
    }
}

/// What `logging.email` is told of.
fn read_email_route(value: &Value<'_>, names: &Names<'_>) -> Option<Route> {
    let fields = Fields::of(value, &CHANNEL)?;
    for kind in CHANNEL_KINDS.iter().filter_map(|kind| fields.get(kind)) {
        let hint = "`logging.email` is the channel `email`: give this one another name".to_owned();
        kind.sink.fault(&kind.path, kind.named_at, "cannot be the kind of the channel `email`", Some(hint));
    }
    if !names.channels.contains(&EMAIL) {
        fields.fault(None, "is the channel of `logging.email`, which is not configured", Some(ADD_EMAIL.to_owned()));
    }
    Some(read_route(EMAIL, &fields, names))
}

fn read_channel(name: &str, value: &Value<'_>, base: &Path, names: &Names<'_>) -> Option<AlertChannel> {
    let is_name = check_name(name, value);
    let fields = Fields::of(value, &CHANNEL)?;
    let route = read_route(name, &fields, names);
    let given: Vec<_> = CHANNEL_KINDS.iter().filter_map(|kind| Some((*kind, fields.get(kind)?))).collect();
    match given.as_slice() {
        [(kind, value)] => {
            let kind = read_kind(kind, value, base)?;
            is_name.then(|| AlertChannel { name: name.to_owned(), kind, route })
        }
        [] => {
            let hint = format!("add one of {}", listed(&CHANNEL_KINDS));
            fields.fault(None, "says not how people are told", Some(hint));
            None
        }
        [_, others @ ..] => {
            let all: Vec<&str> = given.iter().map(|(kind, _)| *kind).collect();
            for (_, value) in others {
                let hint = format!("keep one of {}; the other is a channel of its own", listed(&all));
                value.sink.fault(&value.path, value.named_at, "is a second kind of this channel", Some(hint));
            }
            None
        }
    }
}

fn check_name(name: &str, value: &Value<'_>) -> bool {
    let fault = |message: &str, hint: &str| {
        value.sink.fault(&value.path, value.named_at, message, Some(hint.to_owned()));
        false
    };
    let is_word = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if !is_word || name.len() > LONGEST_NAME {
        return fault("is no name of a channel", "letters, digits, `-` and `_`, 60 at most");
    }
    name != REPORT || fault("cannot be the name of a channel", "reports by mail have it: take another name")
}

/// The names, where they are few enough to be read.
fn known_here(names: &[&str]) -> Option<String> {
    (!names.is_empty() && names.len() <= 8).then(|| format!("known here: {}", listed(names)))
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What goes to the channel, and what becomes of a message that it does not deliver.
fn read_route(name: &str, fields: &Fields<'_>, names: &Names<'_>) -> Route {
    let severities: Vec<_> = Severity::ALL.iter().map(|severity| (severity.as_str(), *severity)).collect();
    Route {
        sites: fields.get("sites").and_then(|value| read_sites(&value, names.sites)),
        severity: fields.get("severity").and_then(|value| value.choice(&severities)).unwrap_or_default(),
        fallback: fields.get("fallback").and_then(|value| read_fallback(name, &value, names)),
    }
}

fn read_sites(value: &Value<'_>, known: &[&str]) -> Option<BTreeSet<String>> {
    let items = value.items();
    if items.is_empty() {
        value.fault_with("names no site", "write names of sites, or leave the key out: all".to_owned());
        return None;
    }
    let mut all = false;
    let mut sites = BTreeSet::new();
    for item in &items {
        let Some(name) = item.text() else { continue };
        if name == "all" {
            all = true;
        } else if known.contains(&name) {
            sites.insert(name.to_owned());
        } else {
            let near = did_you_mean(name, known.iter().copied().chain(["all"]));
            item.not(name, "is not a site", near.or_else(|| known_here(known)));
        }
    }
    (!all).then_some(sites)
}

/// `NAME`, or `{ channel: NAME, after: 10m }`.
fn read_fallback(own: &str, value: &Value<'_>, names: &Names<'_>) -> Option<Fallback> {
    if let super::tree::NodeKind::Scalar(_) = value.node.kind {
        let channel = read_channel_name(own, value, names)?;
        return Some(Fallback { channel, after: DEFAULT_AFTER });
    }
    let fields = Fields::of(value, &FALLBACK)?;
    let after = fields.duration("after", &AFTER).unwrap_or(DEFAULT_AFTER);
    let Some(channel) = fields.get("channel") else {
        fields.fault(Some("channel"), "is missing: the name of another channel", None);
        return None;
    };
    Some(Fallback { channel: read_channel_name(own, &channel, names)?, after })
}

fn read_channel_name(own: &str, value: &Value<'_>, names: &Names<'_>) -> Option<String> {
    let name = value.text()?;
    if name == own {
        value.not(name, "is the channel itself", "name another channel".to_owned());
        return None;
    }
    if !names.channels.contains(&name) {
        let others = names.channels.iter().copied().filter(|other| *other != own);
        let all: Vec<&str> = others.clone().collect();
        let known = || if name == EMAIL { Some(ADD_EMAIL.to_owned()) } else { known_here(&all) };
        value.not(name, "is not a channel", did_you_mean(name, others).or_else(known));
        return None;
    }
    Some(name.to_owned())
}

/// Fallbacks must end somewhere: in a ring, a message that nobody takes would go round for a day.
fn refuse_cycles(entries: &[(&str, Value<'_>)], channels: &[AlertChannel]) {
    let next: BTreeMap<&str, &str> = channels
        .iter()
        .filter_map(|channel| Some((channel.name.as_str(), channel.route.fallback.as_ref()?.channel.as_str())))
        .collect();
    let mut told = BTreeSet::new();
    for (name, value) in entries {
        let mut ring = vec![*name];
        while let Some(after) = next.get(ring.last().unwrap_or(name)).filter(|after| !ring.contains(*after)) {
            ring.push(after);
        }
        let closes = ring.last().and_then(|last| next.get(last)).is_some_and(|after| after == name);
        if closes && !ring.iter().any(|member| told.contains(member)) {
            let round: Vec<_> = ring.iter().chain([name]).map(|name| format!("`{name}`")).collect();
            let hint = "let one of them have no `fallback`".to_owned();
            let message = format!("falls back in a ring: {}", round.join(" to "));
            value.sink.fault(&format!("{}.fallback", value.path), value.named_at, message, Some(hint));
            told.extend(ring);
        }
    }
}

/// What a block must say: exactly one of the keys that give a secret.
pub(super) fn wanted(fields: &Fields<'_>, given: SecretGiven, key: &str, what: &str) -> Option<super::SecretSource> {
    if given == SecretGiven::Not {
        let hint = format!("add one of `{key}_file`, `{key}_env`, `{key}_command`, `{key}_credential`, `{key}`");
        fields.fault(Some(key), format!("is missing: {what}"), Some(hint));
    }
    given.source()
}
