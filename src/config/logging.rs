//! The block `logging`: day files and mail.

use std::path::Path;

use lettre::message::Mailbox;

use super::address::is_host;
use super::blocks::{SecretGiven, read_password};
use super::fields::Fields;
use super::keys::{EMAIL, LOGGING};
use super::value::Value;
use super::{Email, Logging, SecretSource, SmtpTls};

/// Reads `logging`. Rows are written also where the block is left out.
pub(super) fn read_logging(top: &Fields<'_>, base: &Path) -> Logging {
    let fields = top.get("logging").and_then(|block| Fields::of(&block, &LOGGING));
    let dir = fields.as_ref().and_then(|f| f.file("dir", base));
    let file = fields.as_ref().and_then(|f| f.get("file")).and_then(|file| read_file_name(&file));
    let email = fields.as_ref().and_then(|f| f.get("email")).and_then(|email| read_email(&email, base));
    Logging {
        dir: dir.unwrap_or_else(|| base.join("results")),
        file: file.unwrap_or_else(|| "results".to_owned()),
        email,
    }
}

fn read_file_name(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.contains('/') {
        value.not(text, "is more than the first part of a file's name", "the directory goes into `dir`".to_owned());
        return None;
    }
    Some(text.to_owned())
}

fn read_email(value: &Value<'_>, base: &Path) -> Option<Email> {
    let fields = Fields::of(value, &EMAIL)?;
    for (key, what) in [("server", "the mail server"), ("from", "the sender"), ("to", "at least one recipient")] {
        if fields.get(key).is_none() {
            fields.fault(Some(key), format!("is missing: {what}"), None);
        }
    }
    let server = fields.get("server").and_then(|server| read_server(&server));
    let from = fields.get("from").and_then(|from| read_mailbox(&from));
    let to = fields.get("to").map(|to| read_recipients(&to));
    let login = read_login(&fields, base);
    let asked = fields
        .get("tls")
        .and_then(|tls| tls.choice(&[("starttls", SmtpTls::StartTls), ("tls", SmtpTls::Tls), ("none", SmtpTls::None)]));
    if let (Some(_), Some(SmtpTls::None), Some(tls)) = (&login, asked, fields.get("tls")) {
        tls.fault_with("a password is sent over TLS only", "write `starttls` or `tls`".to_owned());
    }
    // With a password, TLS is no matter of the server's offering it.
    let unasked = if login.is_some() { SmtpTls::StartTls } else { SmtpTls::Opportunistic };
    let tls = asked.unwrap_or(unasked);
    let port = fields.integer("port", &(1..=u32::from(u16::MAX))).and_then(|port| u16::try_from(port).ok());
    Some(Email {
        server: server?,
        port: port.unwrap_or(default_port(tls)),
        tls,
        from: from?,
        to: to?,
        login,
        ca_file: fields.file("ca_file", base),
    })
}

/// Submission with STARTTLS (RFC 6409), submission over TLS (RFC 8314), relay in all else.
const fn default_port(tls: SmtpTls) -> u16 {
    match tls {
        SmtpTls::StartTls => 587,
        SmtpTls::Tls => 465,
        SmtpTls::Opportunistic | SmtpTls::None => 25,
    }
}

fn read_server(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if !is_host(text) {
        value.not(text, "is not a host name or address", "a port goes into `port`".to_owned());
        return None;
    }
    Some(text.to_owned())
}

pub(super) fn read_recipients(value: &Value<'_>) -> Vec<String> {
    let items = value.items();
    if items.is_empty() {
        value.fault("names no recipient");
    }
    items.iter().filter_map(read_mailbox).collect()
}

fn read_mailbox(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.parse::<Mailbox>().is_err() {
        value.not(text, "is not a mail address", None);
        return None;
    }
    Some(text.to_owned())
}

/// A user name and its password, which go together.
pub(super) fn read_login(fields: &Fields<'_>, base: &Path) -> Option<(String, SecretSource)> {
    let username = fields.get("username");
    match (&username, read_password(fields, base)) {
        (Some(username), SecretGiven::From(password)) => Some((username.text()?.to_owned(), password)),
        (Some(username), SecretGiven::Not) => {
            username.fault_with("has no password beside it", "add `password_file` or another of its kind".to_owned());
            None
        }
        (None, SecretGiven::From(_)) => {
            fields.fault(Some("username"), "is missing beside the password", None);
            None
        }
        (None, SecretGiven::Not) | (_, SecretGiven::Wrong) => None,
    }
}
