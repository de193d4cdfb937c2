//! A profile written as a user writes one, whole: what it extends is resolved.

use serde_yaml::{Mapping, Value};

use super::units::format_duration;
use super::{Adopt, DialogueRule, GatewayProtocol, Leave, Profile, Reaction, Template, TemplatePart};

impl Profile {
    /// The profile as YAML that can stand under `clients:` unchanged; loaded from there it is the same profile.
    ///
    /// # Errors
    ///
    /// Never seen: the text of a profile can always be written.
    pub fn to_yaml(&self) -> Result<String, serde_yaml::Error> {
        let mut whole = Mapping::new();
        put(&mut whole, "command", self.command.as_str());
        put_list(&mut whole, "args", self.args.iter().map(|group| arguments(group)).collect());
        put_map(&mut whole, "env", self.env.iter().map(|(name, value)| (name.as_str(), text_of(value).into())));
        put_list(&mut whole, "dialogue", self.dialogue.iter().map(rule).collect());
        put_map(&mut whole, "leave", leave(&self.leave));
        put_list(&mut whole, "adopt", self.adopt.iter().map(adopt).collect());
        put_list(&mut whole, "paths", self.paths.iter().map(|name| name.as_str().into()).collect());
        let optional = self.login_optional_with.iter().map(|name| name.as_str().into()).collect();
        put_list(&mut whole, "login_optional_with", optional);
        if let Some(interface) = &self.interface {
            put(&mut whole, "interface", interface.as_str());
        }
        let gateway = match self.gateway {
            GatewayProtocol::Tls => "tls",
            GatewayProtocol::Tcp => "tcp",
            GatewayProtocol::None => "none",
        };
        put(&mut whole, "gateway", gateway);
        serde_yaml::to_string(&mapping([(self.name.as_str(), Value::Mapping(whole))]))
    }
}

fn put(map: &mut Mapping, key: &str, value: impl Into<Value>) {
    map.insert(key.into(), value.into());
}

/// Leaves out what is empty: so it is read too.
fn put_list(map: &mut Mapping, key: &str, items: Vec<Value>) {
    if !items.is_empty() {
        put(map, key, Value::Sequence(items));
    }
}

fn put_map<'a>(map: &mut Mapping, key: &str, entries: impl IntoIterator<Item = (&'a str, Value)>) {
    let inner = mapping(entries);
    if inner.as_mapping().is_some_and(|inner| !inner.is_empty()) {
        put(map, key, inner);
    }
}

fn mapping<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Mapping(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

/// A group of one is a plain text.
fn arguments(group: &[Template]) -> Value {
    match group {
        [single] => text_of(single).into(),
        several => Value::Sequence(several.iter().map(|one| text_of(one).into()).collect()),
    }
}

fn text_of(template: &Template) -> String {
    let text = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text.replace('{', "{{").replace('}', "}}"),
        TemplatePart::Field(name) => format!("{{{name}}}"),
    };
    template.parts.iter().map(text).collect()
}

fn rule(rule: &DialogueRule) -> Value {
    let mut all = vec![("expect", rule.expect.as_str().into())];
    match &rule.reaction {
        Reaction::Send { line, max, hidden, may_hide, again } => {
            all.push(("send", text_of(line).into()));
            if let Some((max, reason)) = max {
                all.extend([("max", (*max).into()), ("then", reason.as_str().into())]);
            }
            all.extend(hidden.then(|| ("hidden", true.into())));
            all.extend(may_hide.then(|| ("may_hide", true.into())));
            all.extend(again.then(|| ("again", true.into())));
        }
        Reaction::Failed(reason) => all.push(("failed", reason.as_str().into())),
        Reaction::Connected => all.push(("connected", true.into())),
    }
    mapping(all)
}

fn leave(leave: &Leave) -> Vec<(&str, Value)> {
    let send = leave.send.iter().map(|line| ("send", line.as_str().into()));
    let signal = leave.signal.iter().map(|name| ("signal", name.as_str().into()));
    let mut all: Vec<_> = send.chain(signal).collect();
    all.push(("grace", format_duration(leave.grace).into()));
    all
}

fn adopt(adopt: &Adopt) -> Value {
    let arg = adopt.arg.iter().map(|arg| ("arg", arg.as_str().into()));
    mapping(std::iter::once(("name", adopt.name.as_str().into())).chain(arg))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, Environment, load_str};

    fn load(text: &str) -> Config {
        load_str(text, Path::new("/"), "c.yml", &Environment::default())
            .unwrap_or_else(|e| panic!("{e}\n{text}"))
            .config
    }

    fn comes_back(config: &Config, name: &str) {
        let profile = &config.clients[name];
        let yaml = profile.to_yaml().unwrap();
        let indented: String = yaml.lines().flat_map(|line| ["  ", line, "\n"]).collect();
        let again = load(&format!("clients:\n{indented}"));
        assert_eq!(format!("{:?}", again.clients[name]), format!("{profile:?}"), "{indented}");
    }

    #[test]
    fn every_built_in_profile_comes_back_the_same() {
        let config = load("frequency: 60");
        assert!(config.clients.len() >= 3);
        for name in config.clients.keys() {
            comes_back(&config, name);
        }
    }

    #[test]
    fn a_profile_of_ones_own_comes_back_whole_with_all_that_yaml_might_mistake() {
        let own = r#"
clients:
  base: { command: c, dialogue: [{ expect: "up", connected: true }, { expect: "0123", failed: disconnected }] }
  mine:
    extends: base
    args: ["--x={{y}}", [null-ish, "0123", "yes", ""], "a: b # c", "{username}"]
    env: { A: "true", B: "{realm} {{}}" }
    dialogue:
      - { expect: "0123", send: "null" }
      - { expect: '^\s*"x"', send: "", max: 3, then: unexpected-prompt }
      - { expect: "Code", send: "{otp}", hidden: true }
      - { expect: "Token", send: "{otp}", may_hide: true }
    leave: { send: quit, grace: 1500ms }
    adopt: [{ name: java, arg: "/opt: x" }, y]
    paths: [no]
"#;
        let config = load(own);
        comes_back(&config, "mine");
        comes_back(&config, "base");
    }
}
