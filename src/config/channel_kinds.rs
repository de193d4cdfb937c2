//! The kinds of channels in `alerts.channels`.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};

use super::blocks::read_secret;
use super::channel::{Alertmanager, ChannelKind, Hook, NotifyCommand, Telegram, Webhook, WebhookFormat};
use super::channels::wanted;
use super::fields::Fields;
use super::keys::{ALERTMANAGER, HOOK, NOTIFY_COMMAND, TELEGRAM, TOKEN, URL, WEBHOOK};
use super::logging::read_login;
use super::message_template::parse_message_template;
use super::tree::NodeKind;
use super::value::Value;
use super::{Secret, SecretSource, WebUrl, WebUrlFault};

/// For one message, where nothing else is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Shorter than the deadline that every message has.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(25);
/// From one saying that it still fires to the next, where nothing else is said; Alertmanager forgets after 5 min.
const DEFAULT_REPEAT: Duration = Duration::from_mins(1);
const REPEAT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// Where Telegram's bots are.
const TELEGRAM_API: &str = "https://api.telegram.org";
const FORM: &str = "write `https://host/path` or `http://host:port/path`";

/// Reads what stands under the key that names the kind.
pub(super) fn read_kind(kind: &str, value: &Value<'_>, base: &Path) -> Option<ChannelKind> {
    match kind {
        "webhook" => read_webhook(value, base).map(ChannelKind::Webhook),
        "alertmanager" => read_alertmanager(value, base).map(ChannelKind::Alertmanager),
        "telegram" => read_telegram(value, base).map(ChannelKind::Telegram),
        "slack" => read_hook(&Fields::of(value, &HOOK)?, base).map(ChannelKind::Slack),
        "teams" => read_hook(&Fields::of(value, &HOOK)?, base).map(ChannelKind::Teams),
        _ => read_command(value).map(ChannelKind::Command),
    }
}

/// The URL, which is a secret, and how the server is asked.
fn read_hook(fields: &Fields<'_>, base: &Path) -> Option<Hook> {
    let url = wanted(fields, read_secret(fields, base, URL, "the URL"), "url", "where the message goes");
    let timeout = read_timeout(fields);
    let ca_file = fields.file("ca_file", base);
    let url = url.filter(|source| check_url(source, fields))?;
    Some(Hook { url, ca_file, timeout })
}

fn read_timeout(fields: &Fields<'_>) -> Duration {
    fields.duration("timeout", &TIMEOUT).unwrap_or(DEFAULT_TIMEOUT)
}

/// One that stands in place is looked at now.
fn check_url(source: &SecretSource, fields: &Fields<'_>) -> bool {
    let SecretSource::Inline(url) = source else { return true };
    let fault = WebUrl::parse(url.reveal()).err();
    if let (Some(fault), Some(value)) = (fault, fields.get("url")) {
        url_fault(&value, fault);
    }
    fault.is_none()
}

fn url_fault(value: &Value<'_>, fault: WebUrlFault) {
    value.fault_with(fault.message(), (fault == WebUrlFault::NotOne).then(|| FORM.to_owned()));
}

fn read_webhook(value: &Value<'_>, base: &Path) -> Option<Webhook> {
    let fields = Fields::of(value, &WEBHOOK)?;
    let headers = fields.get("headers").map(|headers| read_headers(&headers)).unwrap_or_default();
    let format = read_format(&fields, base, &headers);
    Some(Webhook { hook: read_hook(&fields, base)?, format: format?, headers })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Alertmanager,
    Template,
}

fn read_format(fields: &Fields<'_>, base: &Path, headers: &[(String, Secret)]) -> Option<WebhookFormat> {
    let choices = [("json", Format::Json), ("alertmanager", Format::Alertmanager), ("template", Format::Template)];
    let given = ["template", "template_file"].map(|key| fields.get(key));
    let default = if given.iter().any(Option::is_some) { Format::Template } else { Format::Json };
    let format = match fields.get("format") {
        Some(format) => format.choice(&choices)?,
        None => default,
    };
    if format != Format::Template {
        for value in given.iter().flatten() {
            let hint = "write `format: template`, or leave this out".to_owned();
            value.sink.fault(&value.path, value.named_at, "is used by `format: template` alone", Some(hint));
        }
    }
    match format {
        Format::Json => Some(WebhookFormat::Json),
        Format::Alertmanager => Some(WebhookFormat::Alertmanager),
        Format::Template => read_template(fields, base, headers),
    }
}

fn read_template(fields: &Fields<'_>, base: &Path, headers: &[(String, Secret)]) -> Option<WebhookFormat> {
    let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
    let json = content_type.is_none_or(|(_, media_type)| media_type.reveal().to_ascii_lowercase().contains("json"));
    match (fields.get("template"), fields.get("template_file")) {
        (Some(value), None) => template(&value, value.raw()?, json),
        (None, Some(value)) => {
            let path = value.path(base)?;
            match super::load::read(&path) {
                Ok((bytes, _)) => template(&value, &String::from_utf8_lossy(&bytes), json),
                Err(message) => {
                    value.fault(format!("`{}` {message}", super::fault::shown(&path.display().to_string())));
                    None
                }
            }
        }
        (Some(_), Some(value)) => {
            let hint = "keep one of `template`, `template_file`".to_owned();
            value.sink.fault(&value.path, value.named_at, "is a second template", Some(hint));
            None
        }
        (None, None) => {
            let hint = "add `template` or `template_file`".to_owned();
            fields.fault(Some("template"), "is missing: what is sent", Some(hint));
            None
        }
    }
}

fn template(value: &Value<'_>, text: &str, json: bool) -> Option<WebhookFormat> {
    let text = match parse_message_template(text) {
        Ok(text) => text,
        Err(unknown) => {
            let fields = || format!("fields: {}", super::message_template::MESSAGE_FIELDS.join(", "));
            value.fault_with(format!("`{{{}}}` is no field", unknown.name), unknown.hint.unwrap_or_else(fields));
            return None;
        }
    };
    // Of a text and of a number alike.
    let trial = text.fill(|_| Some("0")).unwrap_or_default();
    if json && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&trial) {
        let hint = "put fields in quotes, or give a `Content-Type` under `headers` that is not JSON".to_owned();
        let (line, column) = (error.line(), error.column());
        value.fault_with(format!("is not JSON once its fields are filled in (line {line}, column {column})"), hint);
        return None;
    }
    Some(WebhookFormat::Template { text, json })
}

fn read_headers(value: &Value<'_>) -> Vec<(String, Secret)> {
    let fields = Fields::open(value).map(|fields| fields.entries()).unwrap_or_default();
    fields.iter().filter_map(|(name, value)| read_header(name, value)).collect()
}

fn read_header(name: &str, value: &Value<'_>) -> Option<(String, Secret)> {
    let told = |message: &str| {
        value.sink.fault(&value.path, value.named_at, message, None);
        None
    };
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else { return told("is no name of a header") };
    if [HOST, CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING].contains(&header) {
        return told("is set by the prober itself");
    }
    let text = value.text()?;
    if HeaderValue::from_str(text).is_err() || !text.is_ascii() {
        value.fault("holds characters that a header can't have (not shown)");
        return None;
    }
    Some((name.to_owned(), Secret::new(text)))
}

fn read_alertmanager(value: &Value<'_>, base: &Path) -> Option<Alertmanager> {
    let fields = Fields::of(value, &ALERTMANAGER)?;
    let login = read_login(&fields, base);
    let repeat = fields.duration("repeat", &REPEAT).unwrap_or(DEFAULT_REPEAT);
    Some(Alertmanager { hook: read_hook(&fields, base)?, login, repeat })
}

fn read_telegram(value: &Value<'_>, base: &Path) -> Option<Telegram> {
    let fields = Fields::of(value, &TELEGRAM)?;
    let token = wanted(&fields, read_secret(&fields, base, TOKEN, "the token"), "token", "the token of the bot");
    if fields.get("chat_id").is_none() {
        let hint = "a number such as \"-100123\", or `@name` of a public channel".to_owned();
        fields.fault(Some("chat_id"), "is missing: the chat that the message goes to", Some(hint));
    }
    let chat_id = fields.text("chat_id");
    let api = match fields.get("api") {
        Some(value) => WebUrl::parse(value.text()?).map_err(|fault| url_fault(&value, fault)).ok(),
        None => WebUrl::parse(TELEGRAM_API).ok(),
    };
    let (ca_file, timeout) = (fields.file("ca_file", base), read_timeout(&fields));
    Some(Telegram { token: token?, chat_id: chat_id?, api: api?, ca_file, timeout })
}

/// `[program, argument]`, or `{ run: […], timeout: 10s }`.
fn read_command(value: &Value<'_>) -> Option<NotifyCommand> {
    if !matches!(value.node.kind, NodeKind::Mapping(_)) {
        return value.command().map(|run| NotifyCommand { run, timeout: DEFAULT_TIMEOUT });
    }
    let fields = Fields::of(value, &NOTIFY_COMMAND)?;
    let timeout = read_timeout(&fields);
    let Some(run) = fields.get("run") else {
        fields.fault(Some("run"), "is missing: the program and its arguments", None);
        return None;
    };
    Some(NotifyCommand { run: run.command()?, timeout })
}
