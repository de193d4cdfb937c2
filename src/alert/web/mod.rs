//! Channels that are web servers: a webhook, Alertmanager, Telegram, Slack, Teams.
//!
//! What is sent is made by pure code, a file a kind; this file asks the server and says what its answer means.

mod alertmanager;
mod answer;
mod slack;
mod teams;
mod telegram;
mod webhook;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::UnixTime;

use super::email_words::base64;
use super::{Channel, Outgoing, SendError};
use crate::clock::Clock;
use crate::config::{ChannelKind, Environment, Hook, Secret, SecretSource, WebUrl};
use crate::error::chain;
use crate::net::BoxFuture;
use crate::web::{Post, Secrets, post};

/// What a body is, where nothing else is said.
const JSON: &str = "application/json";

/// A channel that is a web server.
pub struct WebChannel {
    name: String,
    kind: ChannelKind,
    environment: Environment,
    clock: Arc<dyn Clock>,
}

/// Whom to ask, and what may not be shown of it.
struct Server {
    url: WebUrl,
    secrets: Secrets,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl WebChannel {
    /// The channel; none for a kind that is no web server. Secrets are read anew for each message.
    pub fn new(name: &str, kind: &ChannelKind, environment: &Environment, clock: Arc<dyn Clock>) -> Option<Self> {
        match kind {
            ChannelKind::Webhook(_)
            | ChannelKind::Alertmanager(_)
            | ChannelKind::Telegram(_)
            | ChannelKind::Slack(_)
            | ChannelKind::Teams(_) => {
                Some(Self { name: name.to_owned(), kind: kind.clone(), environment: environment.clone(), clock })
            }
            ChannelKind::Email | ChannelKind::Command(_) => None,
        }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<(), SendError> {
        let body = match &self.kind {
            ChannelKind::Webhook(webhook) => webhook::body(&webhook.format, &self.name, outgoing),
            ChannelKind::Alertmanager(_) => alertmanager::body(&[outgoing]),
            ChannelKind::Telegram(telegram) => telegram::body(&telegram.chat_id, outgoing),
            ChannelKind::Slack(_) => slack::body(outgoing),
            ChannelKind::Teams(_) => teams::body(outgoing),
            // `new` makes none of these.
            ChannelKind::Email | ChannelKind::Command(_) => return Ok(()),
        };
        self.ask(body).await
    }

    async fn push(&self, going_on: &[Outgoing]) -> Result<(), SendError> {
        self.ask(alertmanager::body(&going_on.iter().collect::<Vec<_>>())).await
    }

    async fn ask(&self, body: Vec<u8>) -> Result<(), SendError> {
        let deadline = Instant::now() + self.timeout();
        let Server { url, secrets, headers } = self.server().await?;
        let seconds = u64::try_from(self.clock.now().timestamp()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let ca_file = self.ca_file();
        let asked = Post { url: &url, ca_file, content_type: JSON, headers, body, now };
        match post(asked, deadline).await {
            Ok(answer) => answer::judge(&url, &answer, &secrets),
            Err(error) if error.permanent => Err(SendError::permanent(error.to_string())),
            Err(error) => Err(SendError::transient(error.to_string())),
        }
    }

    fn timeout(&self) -> Duration {
        match &self.kind {
            ChannelKind::Telegram(telegram) => telegram.timeout,
            kind => hook_of(kind).map_or(Duration::ZERO, |hook| hook.timeout),
        }
    }

    fn ca_file(&self) -> Option<&std::path::Path> {
        match &self.kind {
            ChannelKind::Telegram(telegram) => telegram.ca_file.as_deref(),
            kind => hook_of(kind)?.ca_file.as_deref(),
        }
    }

    async fn server(&self) -> Result<Server, SendError> {
        if let ChannelKind::Telegram(telegram) = &self.kind {
            let token = self.read(&telegram.token).await?;
            let url = telegram::url(&telegram.api, token.reveal())?;
            let secrets = Secrets::of_url(&url).and(token.reveal());
            return Ok(Server { url, secrets, headers: Vec::new() });
        }
        let Some(hook) = hook_of(&self.kind) else { return Err(SendError::permanent("it is no web server")) };
        let source = self.read(&hook.url).await?;
        let unusable = |fault: crate::config::WebUrlFault| {
            SendError::permanent(format!("the URL from {} {}", hook.url, fault.message()))
        };
        let url = WebUrl::parse(source.reveal()).map_err(unusable)?;
        let secrets = Secrets::of_url(&url);
        match &self.kind {
            ChannelKind::Webhook(webhook) => {
                let secrets = webhook.headers.iter().fold(secrets, |all, (_, value)| all.and(value.reveal()));
                let headers = webhook.headers.iter().filter_map(|(name, value)| header(name, value.reveal())).collect();
                Ok(Server { url, secrets, headers })
            }
            ChannelKind::Alertmanager(am) => {
                let url = url.below(alertmanager::PATH);
                let Some((user, password)) = &am.login else {
                    return Ok(Server { url, secrets, headers: Vec::new() });
                };
                if !url.tls && !is_this_host(&url.host) {
                    return Err(SendError::permanent(format!(
                        "{url}: a password is sent over TLS only: write `https://`"
                    )));
                }
                let password = self.read(password).await?;
                let basic = base64(format!("{user}:{}", password.reveal()).as_bytes());
                let secrets = secrets.and(password.reveal()).and(&basic);
                let headers = header(AUTHORIZATION.as_str(), &format!("Basic {basic}")).into_iter().collect();
                Ok(Server { url, secrets, headers })
            }
            _ => Ok(Server { url, secrets, headers: Vec::new() }),
        }
    }

    async fn read(&self, source: &SecretSource) -> Result<Secret, SendError> {
        source.read(&self.environment).await.map_err(|error| SendError::permanent(chain(&error)))
    }
}

fn hook_of(kind: &ChannelKind) -> Option<&Hook> {
    match kind {
        ChannelKind::Webhook(webhook) => Some(&webhook.hook),
        ChannelKind::Alertmanager(am) => Some(&am.hook),
        ChannelKind::Slack(hook) | ChannelKind::Teams(hook) => Some(hook),
        ChannelKind::Telegram(_) | ChannelKind::Email | ChannelKind::Command(_) => None,
    }
}

/// Nobody sits in between.
fn is_this_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// One that can be none was refused with the configuration.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, value))
}

impl Channel for WebChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeat(&self) -> Option<Duration> {
        match &self.kind {
            ChannelKind::Alertmanager(am) => Some(am.repeat),
            ChannelKind::Email
            | ChannelKind::Webhook(_)
            | ChannelKind::Telegram(_)
            | ChannelKind::Slack(_)
            | ChannelKind::Teams(_)
            | ChannelKind::Command(_) => None,
        }
    }

    fn refresh<'a>(&'a self, going_on: &'a [Outgoing]) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.push(going_on))
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.deliver(outgoing))
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
