//! What is configured of a channel of alerts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Secret, SecretSource, Template, WebUrl};

/// A way to people, and what goes there.
#[derive(Debug, Clone)]
pub struct AlertChannel {
    /// Its name: `email`, or the user's own.
    pub name: String,
    /// By which means.
    pub kind: ChannelKind,
    /// What goes there.
    pub route: Route,
}

/// What goes to a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The sites that it is told of; none: all.
    pub sites: Option<BTreeSet<String>>,
    /// The least that goes there. Default `info`.
    pub severity: Severity,
    /// Where a message goes too that it does not deliver.
    pub fallback: Option<Fallback>,
}

/// Where a message goes too that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// The other channel.
    pub channel: String,
    /// After so long. Default 10 min.
    pub after: Duration,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is to be done.
    #[default]
    Info,
    /// Something is to be looked at.
    Warning,
    /// Users are cut off.
    Critical,
}

impl Severity {
    /// Every one, from the least.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// By which means people are told.
#[derive(Debug, Clone)]
pub enum ChannelKind {
    /// `logging.email`.
    Email,
    /// A POST to a web server.
    Webhook(Webhook),
    /// Prometheus' Alertmanager, by its API.
    Alertmanager(Alertmanager),
    /// A chat of Telegram, by its bot API.
    Telegram(Telegram),
    /// An incoming webhook of Slack.
    Slack(Hook),
    /// A workflow of Microsoft Teams.
    Teams(Hook),
    /// A program.
    Command(NotifyCommand),
}

impl ChannelKind {
    /// Its key in the configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook(_) => "webhook",
            Self::Alertmanager(_) => "alertmanager",
            Self::Telegram(_) => "telegram",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Command(_) => "command",
        }
    }

    /// Where its secrets come from.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        let (first, second) = match self {
            Self::Email | Self::Command(_) => (None, None),
            Self::Webhook(webhook) => (Some(&webhook.hook.url), None),
            Self::Alertmanager(am) => (Some(&am.hook.url), am.login.as_ref().map(|(_, password)| password)),
            Self::Telegram(telegram) => (Some(&telegram.token), None),
            Self::Slack(hook) | Self::Teams(hook) => (Some(&hook.url), None),
        };
        first.into_iter().chain(second)
    }
}

/// Where a web server is, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its URL.
    pub url: SecretSource,
    /// Whom its certificate may end at, PEM; none: the system's roots.
    pub ca_file: Option<PathBuf>,
    /// For the whole request. Default 10 s.
    pub timeout: Duration,
}

/// A POST to a web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub hook: Hook,
    /// What is sent.
    pub format: WebhookFormat,
    /// Further headers; their values may be secrets.
    pub headers: Vec<(String, Secret)>,
}

/// What a webhook is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookFormat {
    /// The prober's own document.
    Json,
    /// What Alertmanager sends to a webhook, version 4.
    Alertmanager,
    /// The user's own text.
    Template {
        /// With fields.
        text: Template,
        /// Whether what is put into it is escaped as JSON.
        json: bool,
    },
}

/// Alertmanager's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alertmanager {
    /// Where it is; `/api/v2/alerts` is added.
    pub hook: Hook,
    /// User name and password, where it wants them.
    pub login: Option<(String, SecretSource)>,
    /// What still fires is said again so often. Default 1 min.
    pub repeat: Duration,
}

/// A chat of Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telegram {
    /// The bot's token.
    pub token: SecretSource,
    /// The chat.
    pub chat_id: String,
    /// The server. Default `https://api.telegram.org`.
    pub api: WebUrl,
    /// Whom its certificate may end at, PEM; none: the system's roots.
    pub ca_file: Option<PathBuf>,
    /// For the whole request. Default 10 s.
    pub timeout: Duration,
}

/// A program that is handed each message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyCommand {
    /// Program and arguments; no shell reads them.
    pub run: Vec<String>,
    /// After this it is killed with its process group. Default 10 s.
    pub timeout: Duration,
}
