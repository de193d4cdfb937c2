//! The configuration: what the user wrote, checked as a whole.
//!
//! [`load()`] reads a file into a tree of nodes that know where they stand (`yaml`, `json`, `toml`, `tree`), walks it (`value`, `fields`,
//! then one file a block) and hands out either a [`Config`] that need not be checked again, or every fault at once. The
//! keys are in `keys`, the built-in client profiles in `clients.yml`. Fixtures: `fixtures/config`.
//!
//! Nothing here resolves a name, opens a socket or runs a program, or reads another file than the configuration and the
//! holidays that it names; only [`SecretSource::read`] does, when a secret is used.

mod address;
mod blocks;
mod build;
mod channel;
mod channel_kinds;
mod channels;
mod checks;
mod environment;
mod fault;
mod fields;
mod fingerprint;
mod gateway;
mod holidays;
mod ipsec;
mod json;
mod keys;
mod load;
mod local_time;
mod logging;
mod maintenance;
mod message_template;
mod model;
mod name_list;
mod ownership;
mod pattern;
mod profile;
mod profile_yaml;
mod report;
mod rules;
mod schema;
mod secret;
mod secret_read;
mod site;
mod site_fields;
mod sla;
mod suggest;
mod template;
mod toml;
mod tree;
mod units;
mod uplink;
mod value;
mod version;
mod web_url;
mod yaml;

#[cfg(test)]
mod tests;

pub use address::split_host_port;
pub use channel::{
    AlertChannel, Alertmanager, ChannelKind, Fallback, Hook, NotifyCommand, Route, Severity, Telegram, Webhook,
    WebhookFormat,
};
pub use checks::{Check, CheckKind, DnsCheck, HttpCheck};
pub use environment::Environment;
pub use fault::{Fault, LoadError};
pub use load::{DEFAULT_FILES, Loaded, find_config, load, load_str};
pub use model::{
    Account, Adopt, AlertRules, Config, DialogueRule, Email, Fingerprint, FingerprintAlgorithm, GatewayConfig,
    GatewayProtocol, Ipsec, IpsecConfig, Leave, Logging, PingConfig, Probes, Profile, Reaction, ResolvConfConfig,
    RestartPolicy, Site, SiteTarget, SmtpTls, SslVpn, Template, TemplatePart, UplinkConfig,
};
pub use name_list::{NameListFault, parse_name_list};
pub use ownership::{OwnershipError, check_ownership};
pub use pattern::Pattern;
pub use profile::built_in_profile_names;
pub use report::{ReportsByMail, Rhythm};
pub use schema::schema;
pub use secret::{Secret, SecretError, SecretSource};
pub use sla::{Credentials, Sla, Target, TargetError};
pub use web_url::{WebUrl, WebUrlFault};

pub(crate) use maintenance::start_of_window;
pub(crate) use message_template::MESSAGE_FIELDS;
pub(crate) use suggest::did_you_mean;
pub(crate) use units::parse_duration;
use version::unsupported;
