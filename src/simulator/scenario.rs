//! A scenario: how this client behaves. YAML; every key may be left out. Examples: `fixtures/scenarios`.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::{Action, Manner};

/// How the client behaves. The default is a good day: one certificate question, name, password, up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, and independent of the others")]
pub struct Scenario {
    /// Certificates that it asks about, in this order. Default: the leaf alone.
    pub certificates: Vec<CertificateOf>,
    /// Shown instead of the true SHA-1 of the leaf: somebody sits in between.
    pub false_fingerprint: Option<String>,
    /// Shown as the subject of the leaf instead of the true one: what a certificate says of itself, its maker chose.
    pub false_subject: Option<String>,
    /// What the gateway has it print, beside the client's own words.
    pub banners: Vec<Banner>,
    /// Whether the user is asked for when the command line does not name one. Default yes; `false`: the user of the
    /// operating system's session is taken, as a client with a stored profile does.
    pub asks_user: bool,
    /// So often the credentials are asked for again although they are good, without a word. Default 0.
    pub asks_again: u32,
    /// A one-time code after the password. Default none.
    pub second_factor: Option<SecondFactor>,
    /// Told after the session is up.
    pub redirected_domains: Vec<String>,
    /// In which order it asks. Default: the usual one.
    pub order: DialogOrder,
    /// How all its texts come on the terminal, applied in this order. Default: plainly.
    pub manners: Vec<Manner>,
    /// What of the tunnel comes up (a matter of the carrier). Default: all.
    pub tunnel: TunnelShape,
    /// Whether `Connected` may come a few milliseconds before the tunnel is whole (a matter of the carrier), as with the
    /// real client. Default yes.
    pub claims_early: bool,
    /// Whether the tunnel rewrites resolv.conf (a matter of the carrier). Default yes.
    pub rewrites_resolv_conf: bool,
    /// Whether it puts resolv.conf back when it leaves (a matter of the carrier). Default yes.
    pub restores_resolv_conf: bool,
    /// What the client does when its terminal is closed, or the script that started it ends (a matter of the program).
    pub at_hangup: Fate,
    /// What the client and its helper do when they are told to end by SIGTERM (a matter of the program).
    pub at_terminate: Fate,
    /// What becomes of the helper and the tunnel when the client dies without leaving (a matter of the carrier).
    pub helper: Fate,
    /// How long a step takes before its text comes.
    pub delays: BTreeMap<Step, Delay>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            certificates: vec![CertificateOf::Leaf],
            false_fingerprint: None,
            false_subject: None,
            banners: Vec::new(),
            asks_user: true,
            asks_again: 0,
            second_factor: None,
            redirected_domains: vec!["inside.lab".into()],
            order: DialogOrder::Usual,
            manners: Vec::new(),
            tunnel: TunnelShape::Whole,
            claims_early: true,
            rewrites_resolv_conf: true,
            restores_resolv_conf: true,
            at_hangup: Fate::Stays,
            at_terminate: Fate::Leaves,
            helper: Fate::Stays,
            delays: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

/// In which order the dialogs come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialogOrder {
    /// Certificate, user, password.
    Usual,
    /// Certificate, password, user.
    PasswordFirst,
    /// User, password, certificate.
    CertificateLast,
}

/// What of the tunnel comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TunnelShape {
    /// Interface, address and routes.
    Whole,
    /// The session is there and no interface.
    NoInterface,
    /// The interface has no address.
    NoAddress,
    /// The interface has an address, and no route leads to it.
    NoRoute,
    /// The only route does not lead to the inside.
    OtherRoute,
    /// All of it, on an interface that outlives its client.
    Persistent,
}

/// Which certificate of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateOf {
    /// The authority.
    Root,
    /// The gateway.
    Leaf,
}

/// Words of the gateway's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Banner {
    /// Printed when this step begins, before its own text.
    pub at: Step,
    /// Exactly this: no line end is added.
    pub say: String,
    /// So often, one after the other. Default once.
    #[serde(default = "first")]
    pub times: u32,
}

/// A one-time code: always the same, or by time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// The question.
    #[serde(default = "default_code_prompt")]
    pub prompt: String,
    /// The code that is good.
    #[serde(default)]
    pub code: Option<String>,
    /// The key of codes that change with time (RFC 6238: SHA-1, six digits): the code of now is good.
    #[serde(default)]
    pub totp_key: Option<String>,
    /// How long each of them is good, in seconds.
    #[serde(default = "thirty")]
    pub period: u64,
}

const fn thirty() -> u64 {
    30
}

fn default_code_prompt() -> String {
    "One Time Password:".into()
}

impl SecondFactor {
    /// Whether this code is good at this time (seconds since 1970).
    pub fn takes(&self, code: &str, seconds: u64) -> bool {
        if let Some(good) = &self.code {
            return code == good;
        }
        let Some(key) = &self.totp_key else { return false };
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
        let tag = ring::hmac::sign(&key, &(seconds / self.period.max(1)).to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[tag.len() - 1] & 0xf);
        let number = tag[at..at + 4].iter().fold(0_u32, |number, &byte| number << 8 | u32::from(byte)) & 0x7fff_ffff;
        code == format!("{:06}", number % 1_000_000)
    }
}

/// What becomes of a process that has lost the one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It goes on, and the tunnel with it: the worst that was seen, and the default.
    Stays,
    /// It ends. A helper takes its tunnel down before.
    Leaves,
}

/// The client's way, step by step. A delay or a fault of a step comes before the step's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Before its first word.
    Start,
    /// The first word with the gateway.
    Contact,
    /// A certificate question.
    Certificate,
    /// `Username:`.
    Username,
    /// `Password:`.
    Password,
    /// The one-time code.
    Code,
    /// The menu after a dialog.
    Menu,
    /// `Connecting…`, then the login itself.
    Connecting,
    /// `Connected`: the carrier is up and the user does not know yet.
    Connected,
    /// The prompt `CONNECT`: the user knows.
    Prompt,
    /// The first packet has come back through the tunnel (where the carrier can tell).
    Traffic,
    /// After `quit`, before the tunnel is taken down.
    Leaving,
    /// `Disconnected` after `quit`: the tunnel is down.
    Disconnected,
}

/// Something goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// At this step, in place of its text.
    pub at: Step,
    /// When the step comes for the n-th time, counted from 1 (the default).
    #[serde(default = "first")]
    pub time: u32,
    /// This happens.
    #[serde(rename = "do")]
    pub action: Action,
}

const fn first() -> u32 {
    1
}

/// Why a scenario can't be had.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file can't be read.
    #[error("cannot read the scenario `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a scenario.
    #[error("`{}` is not a scenario", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
}

impl Scenario {
    /// Reads a scenario.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let text = fs::read_to_string(path).map_err(|source| ScenarioError::Read { path: path.into(), source })?;
        Self::from_yaml(&text).map_err(|source| ScenarioError::Parse { path: path.into(), source: Box::new(source) })
    }

    /// Reads a scenario's text.
    ///
    /// By way of a tree of values: the parser is generic over what it reads, and once is enough in the program.
    pub fn from_yaml(text: &str) -> Result<Self, serde_saphyr::Error> {
        let tree: serde_json::Value = serde_saphyr::from_str(text)?;
        serde_json::from_value(tree).map_err(de::Error::custom)
    }

    /// How long a step takes before its text comes.
    pub fn delay(&self, step: Step) -> Duration {
        self.delays.get(&step).map_or(Duration::ZERO, |delay| delay.0)
    }

    /// What goes wrong when this step comes for the n-th time, in this order.
    pub fn faults_at(&self, step: Step, time: u32) -> impl Iterator<Item = &Action> {
        self.faults.iter().filter(move |fault| fault.at == step && fault.time == time).map(|fault| &fault.action)
    }
}

/// A length of time: a bare number is seconds, or `200ms`, `3s`, `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay(pub Duration);

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DelayVisitor)
    }
}

struct DelayVisitor;

impl Visitor<'_> for DelayVisitor {
    type Value = Delay;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds, or a number with `ms`, `s` or `m`")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Delay, E> {
        Ok(Delay(Duration::from_secs(seconds)))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Delay, E> {
        let seconds = u64::try_from(seconds).map_err(|_| E::invalid_value(de::Unexpected::Signed(seconds), &self))?;
        self.visit_u64(seconds)
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Delay, E> {
        Duration::try_from_secs_f64(seconds)
            .map(Delay)
            .map_err(|_| E::invalid_value(de::Unexpected::Float(seconds), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Delay, E> {
        parse_delay(text).map(Delay).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn parse_delay(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(milliseconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_scenario_is_a_good_day() {
        assert_eq!(Scenario::from_yaml("{}").unwrap(), Scenario::default());
    }

    #[test]
    fn every_fixture_is_a_scenario() {
        let mut seen = 0;
        for entry in fs::read_dir("fixtures/scenarios").unwrap() {
            let path = entry.unwrap().path();
            Scenario::load(&path).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)));
            seen += 1;
        }
        assert!(seen > 5, "only {seen} fixtures");
    }

    #[test]
    fn delays_are_read_in_every_unit() {
        for (text, milliseconds) in [("200ms", 200), ("3", 3_000), ("3s", 3_000), ("0.5", 500), ("2m", 120_000)] {
            let scenario = Scenario::from_yaml(&format!("delays: {{ leaving: {text} }}")).unwrap();
            assert_eq!(scenario.delay(Step::Leaving), Duration::from_millis(milliseconds), "{text}");
        }
        for text in ["-1", "3 weeks", "ms", "[]"] {
            assert!(Scenario::from_yaml(&format!("delays: {{ leaving: {text} }}")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fault_strikes_at_its_time_alone() {
        let scenario = Scenario::from_yaml("faults: [ { at: password, time: 2, do: hang } ]").unwrap();
        let at = |step, time| scenario.faults_at(step, time).collect::<Vec<_>>();
        assert!(at(Step::Password, 1).is_empty() && at(Step::Username, 2).is_empty());
        assert_eq!(at(Step::Password, 2), [&Action::Hang]);
    }

    #[test]
    fn a_code_by_time_is_that_of_the_rfc() {
        let scenario = Scenario::from_yaml("second_factor: { totp_key: '12345678901234567890' }").unwrap();
        let factor = scenario.second_factor.unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert!(factor.takes(code, seconds) && !factor.takes("000000", seconds), "{seconds}");
        }
        let fixed = Scenario::from_yaml("second_factor: { code: '246810' }").unwrap().second_factor.unwrap();
        assert!(fixed.takes("246810", 0) && !fixed.takes("", 0));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(Scenario::from_yaml("certificate: []").unwrap_err().to_string().contains("certificate"));
    }
}
