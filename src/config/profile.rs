//! Client profiles: the built-in ones and the user's own, by the same code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::fault::{LoadError, Sink};
use super::fields::Fields;
use super::gateway::read_protocol;
use super::keys::{ADOPT, LEAVE, PROFILE};
use super::rules::{Place, read_rules, read_template};
use super::suggest::did_you_mean;
use super::template::{SITE_FIELDS, is_field_name};
use super::tree::NodeKind;
use super::value::Value;
use super::{Adopt, DialogueRule, GatewayProtocol, Leave, Profile, Reaction, Template};

/// Profiles by name.
pub(super) type Profiles = BTreeMap<String, Arc<Profile>>;

/// The built-in profiles, in the form in which a user writes his own.
const BUILT_IN: &str = include_str!("clients.yml");

/// How long a client's processes may take to leave, where the profile says nothing.
const GRACE: Duration = Duration::from_secs(10);

/// Signals that ask a process to leave.
const SIGNALS: [(&str, &str); 6] =
    [("INT", "INT"), ("TERM", "TERM"), ("HUP", "HUP"), ("QUIT", "QUIT"), ("USR1", "USR1"), ("USR2", "USR2")];

/// The profiles that come with the program, read once.
pub(super) fn built_in() -> Result<Profiles, LoadError> {
    static PROFILES: LazyLock<Result<Profiles, LoadError>> = LazyLock::new(read_built_in);
    PROFILES.clone()
}

fn read_built_in() -> Result<Profiles, LoadError> {
    let sink = Sink::built_in("built-in clients.yml");
    let profiles = super::yaml::parse(BUILT_IN, &sink).map(|node| {
        let root = Value::root(&node, &sink);
        read_profiles(Some(&root), &Profiles::new())
    });
    sink.finish()?;
    Ok(profiles.unwrap_or_default())
}

/// The names of the built-in profiles.
pub fn built_in_profile_names() -> Vec<String> {
    built_in().map(|profiles| profiles.into_keys().collect()).unwrap_or_default()
}

/// Reads `clients` on top of the profiles that are there already; one of the same name takes its place (and may extend
/// the one it replaces).
pub(super) fn read_profiles(clients: Option<&Value<'_>>, known: &Profiles) -> Profiles {
    let mut drafts = BTreeMap::new();
    for (name, value) in clients.and_then(Fields::open).map(|fields| fields.entries()).unwrap_or_default() {
        if let Some(draft) = Draft::read(name, &value) {
            drafts.insert(name.to_owned(), draft);
        }
    }
    let mut done = known.clone();
    for name in drafts.keys() {
        if let Some(profile) = (Resolver { drafts: &drafts, known }).resolve(name, &mut Vec::new()) {
            done.insert(name.clone(), Arc::new(profile));
        }
    }
    done
}

/// A profile as it was written.
struct Draft<'a> {
    fields: Fields<'a>,
    command: Option<String>,
    args: Option<Vec<Vec<Template>>>,
    env: BTreeMap<String, Template>,
    dialogue: Vec<DialogueRule>,
    leave: Fields<'a>,
    adopt: Option<Vec<Adopt>>,
    paths: BTreeSet<String>,
    login_optional_with: BTreeSet<String>,
    /// Written without a value, it takes away that of the extended profile.
    interface: Option<String>,
    gateway: Option<GatewayProtocol>,
}

impl<'a> Draft<'a> {
    fn read(name: &str, value: &Value<'a>) -> Option<Self> {
        let fields = Fields::of(value, &PROFILE)?;
        if name.is_empty() || name.chars().any(char::is_control) {
            value.fault("a profile needs a name without control characters");
        }
        let leave = fields.block("leave", &LEAVE);
        // Its values are read when it is known what they fall back to; wrong ones are noted now.
        let _ = read_leave(&leave, None);
        Some(Self {
            command: fields.get("command").and_then(|command| read_program(&command)),
            args: fields.get("args").map(|args| read_args(&args)),
            env: fields.get("env").map(|env| read_env(&env)).unwrap_or_default(),
            dialogue: fields.get("dialogue").map(|dialogue| read_rules(&dialogue)).unwrap_or_default(),
            adopt: fields.get("adopt").map(|adopt| adopt.items().iter().filter_map(read_adopt).collect()),
            paths: fields.get("paths").map(|names| read_names(&names)).unwrap_or_default(),
            login_optional_with: fields.get("login_optional_with").map(|names| read_names(&names)).unwrap_or_default(),
            interface: fields.get("interface").and_then(|interface| read_interface(&interface)),
            gateway: fields.get("gateway").and_then(|gateway| read_protocol(&gateway)),
            leave,
            fields,
        })
    }

    /// The profile, on top of the one it extends.
    fn complete(&self, name: &str, base: Option<&Profile>) -> Option<Profile> {
        let command = self.command.clone().or_else(|| base.map(|base| base.command.clone()));
        if command.is_none() && self.fields.get("command").is_none() {
            self.fields.fault(Some("command"), "is missing", None);
        }
        let mut env = base.map(|base| base.env.clone()).unwrap_or_default();
        env.extend(self.env.clone());
        let profile = Profile {
            name: name.to_owned(),
            command: command?,
            args: self.args.clone().or_else(|| base.map(|base| base.args.clone())).unwrap_or_default(),
            env,
            dialogue: self.dialogue_on(base),
            leave: read_leave(&self.leave, base.map(|base| &base.leave)),
            adopt: self.adopt.clone().or_else(|| base.map(|base| base.adopt.clone())).unwrap_or_default(),
            paths: with_those_of(&self.paths, base.map(|base| &base.paths)),
            login_optional_with: with_those_of(&self.login_optional_with, base.map(|base| &base.login_optional_with)),
            interface: match (self.fields.get("interface"), base) {
                (None, Some(base)) => base.interface.clone(),
                _ => self.interface.clone(),
            },
            gateway: self.gateway.or_else(|| base.map(|base| base.gateway)).unwrap_or_default(),
        };
        self.judge(&profile);
        Some(profile)
    }

    /// Its own rules first (the first listed wins where two match at the same place), then those of the extended profile
    /// whose `expect` it does not repeat.
    fn dialogue_on(&self, base: Option<&Profile>) -> Vec<DialogueRule> {
        let own = |rule: &&DialogueRule| !self.dialogue.iter().any(|o| o.expect.as_str() == rule.expect.as_str());
        let inherited = base.into_iter().flat_map(|base| &base.dialogue).filter(own);
        self.dialogue.iter().chain(inherited).cloned().collect()
    }

    fn judge(&self, profile: &Profile) {
        // With a rule that could not be read, nothing can be said about the whole.
        let rules_read = self.fields.get("dialogue").map_or(0, |dialogue| dialogue.items().len());
        let all_read = rules_read == self.dialogue.len();
        if all_read && !profile.dialogue.iter().any(|rule| matches!(rule.reaction, Reaction::Connected)) {
            let hint = "add the text with which the client says that the tunnel is up".to_owned();
            self.fields.warn("has no rule with `connected: true`: only `client try` can use it, no site", Some(hint));
        }
        if profile.interface.is_none() {
            self.fields.warn(
                "has no `interface`: the client's word alone counts as a login, and nothing proves that the internal \
                 ping went through the tunnel",
                None,
            );
        }
    }
}

/// Follows `extends`.
struct Resolver<'r, 'a> {
    drafts: &'r BTreeMap<String, Draft<'a>>,
    known: &'r Profiles,
}

impl<'r> Resolver<'r, '_> {
    fn resolve(&self, name: &'r str, above: &mut Vec<&'r str>) -> Option<Profile> {
        let draft = self.drafts.get(name)?;
        let Some(extends) = draft.fields.get("extends") else { return draft.complete(name, None) };
        let base_name = extends.text()?;
        above.push(name);
        let base = match (self.drafts.get_key_value(base_name), self.known.get(base_name)) {
            (Some((own, _)), _) if !above.contains(&own.as_str()) => self.resolve(own, above),
            // Its own name: the built-in profile that it replaces.
            (Some((own, _)), Some(known)) if own == name => Some(Profile::clone(known)),
            (Some(_), _) => {
                extends.fault(format!("goes round in a circle: {} → {base_name}", above.join(" → ")));
                None
            }
            (None, Some(known)) => Some(Profile::clone(known)),
            (None, None) => {
                let names = self.drafts.keys().chain(self.known.keys()).map(String::as_str);
                extends.not(base_name, "is not a client profile", did_you_mean(base_name, names));
                None
            }
        };
        above.pop();
        draft.complete(name, Some(&base?))
    }
}

fn read_program(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.contains(char::is_whitespace) {
        let hint = "no shell reads it: put what follows the program into `args`".to_owned();
        value.not(text, "has spaces in it, but it is run as one program", hint);
        return None;
    }
    Some(text.to_owned())
}

fn read_args(value: &Value<'_>) -> Vec<Vec<Template>> {
    if matches!(&value.node.kind, NodeKind::Scalar(text) if text.contains(char::is_whitespace)) {
        value.fault_with("is one argument with spaces in it", "write a list: [\"-s\", \"{vpn_gw}\"]".to_owned());
    }
    let word = |value: &Value<'_>| read_template(value, value.line()?, Place::Visible);
    let group = |value: &Value<'_>| value.items().iter().filter_map(word).collect();
    value.items().iter().map(group).collect()
}

fn read_env(value: &Value<'_>) -> BTreeMap<String, Template> {
    let read = |(name, value): (&str, Value<'_>)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
            value.fault("is not the name of an environment variable");
            return None;
        }
        Some((name.to_owned(), read_template(&value, value.line()?, Place::Visible)?))
    };
    Fields::open(value).map(|env| env.entries().into_iter().filter_map(read).collect()).unwrap_or_default()
}

fn read_leave(leave: &Fields<'_>, base: Option<&Leave>) -> Leave {
    let line = leave.get("send").and_then(|send| send.line().map(str::to_owned));
    let signal = leave.get("signal").and_then(|signal| signal.choice(&SIGNALS)).map(str::to_owned);
    let grace = leave.duration("grace", &(Duration::ZERO..=Duration::from_mins(10)));
    Leave {
        send: line.or_else(|| base.and_then(|base| base.send.clone())),
        signal: signal.or_else(|| base.and_then(|base| base.signal.clone())),
        grace: grace.or_else(|| base.map(|base| base.grace)).unwrap_or(GRACE),
    }
}

fn read_adopt(value: &Value<'_>) -> Option<Adopt> {
    /// Programs that run others: their name says nothing about whose process it is.
    const INTERPRETERS: [&str; 8] = ["java", "python", "python3", "perl", "ruby", "node", "sh", "bash"];
    if let NodeKind::Scalar(_) = value.node.kind {
        return Some(Adopt { name: warn_broad(value, value.text()?, &INTERPRETERS), arg: None });
    }
    let fields = Fields::of(value, &ADOPT)?;
    let Some(name) = fields.get("name") else {
        fields.fault(Some("name"), "is missing", Some("the name of the process".to_owned()));
        return None;
    };
    let name = name.text()?;
    match fields.get("arg") {
        Some(arg) => Some(Adopt { name: name.to_owned(), arg: Some(arg.text()?.to_owned()) }),
        None => Some(Adopt { name: warn_broad(value, name, &INTERPRETERS), arg: None }),
    }
}

fn warn_broad(value: &Value<'_>, name: &str, interpreters: &[&str]) -> String {
    if interpreters.contains(&name) {
        let message =
            format!("every `{name}` process of this network counts as a leftover of the client and is killed");
        value.sink.warning(&value.path, value.named_at, message, Some("add `arg`, a text of its arguments".to_owned()));
    }
    name.to_owned()
}

/// Names of `params`.
fn read_names(value: &Value<'_>) -> BTreeSet<String> {
    let read = |value: &Value<'_>| {
        let name = value.text()?;
        if !is_field_name(name) || SITE_FIELDS.contains(&name) {
            value.not(name, "cannot be the name of one of `params`", None);
            return None;
        }
        Some(name.to_owned())
    };
    value.items().iter().filter_map(read).collect()
}

fn with_those_of(own: &BTreeSet<String>, base: Option<&BTreeSet<String>>) -> BTreeSet<String> {
    own.iter().chain(base.into_iter().flatten()).cloned().collect()
}

fn read_interface(value: &Value<'_>) -> Option<String> {
    // Longer names can't be (IFNAMSIZ 16 with its final zero, linux/if.h).
    const LONGEST: usize = 15;
    if let NodeKind::Null = value.node.kind {
        return None;
    }
    let text = value.text()?;
    if text.len() > LONGEST || text.contains(|c: char| c.is_whitespace() || c == '/') {
        value.not(text, "cannot be the name of an interface", None);
        return None;
    }
    Some(text.to_owned())
}
