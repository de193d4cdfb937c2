//! Mail over SMTP with lettre: one connection per message, under the caller's deadline.
//!
//! The dialogue is led here and not by lettre's transport, because three things must be certain: a password is never
//! sent without TLS; one refused recipient does not keep the message from the others; and a message that the server
//! took counts as delivered even when the server then hangs. lettre's pool is not used: a cancelled send would come
//! back from it in the middle of its dialogue.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lettre::address::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, To};
use lettre::message::{Attachment as MailAttachment, Body as MailBody, Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::email_words::{base64, subject_header};
use super::event::id_part;
use super::text::one_line;
use super::worker::SEND_DEADLINE;
use super::{Channel, Outgoing, SendError};
use crate::config::{Email, Secret, SecretError, SmtpTls};
use crate::net::BoxFuture;

/// How long the server may take to answer QUIT once it has taken the message: politeness only.
const QUIT_GRACE: Duration = Duration::from_millis(500);
/// Longest error text, in characters.
const MAX_ERROR: usize = 300;
/// The first thing that a server has to answer: with a banner, and to EHLO.
const CONNECTION: &str = "the connection";

/// Reads the password anew for each message, so that a rotated one counts at once.
pub type PasswordReader = Box<dyn Fn() -> BoxFuture<'static, Result<Secret, SecretError>> + Send + Sync>;

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// Left part of the `Message-ID`, the same over all attempts. Letters, digits and `. - _ =` only.
    pub message_id: String,
    /// Left part of the `Message-ID` of the first mail of the story.
    pub in_reply_to: Option<String>,
    /// `Date`.
    pub date: DateTime<Utc>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// The same as a page, where there is one.
    pub html: Option<String>,
    /// A file with it.
    pub attachment: Option<Attachment>,
}

/// A file that a mail brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, without a directory.
    pub name: String,
    /// What it is: `text/html; charset=utf-8`.
    pub media_type: &'static str,
    /// What it holds.
    pub content: Vec<u8>,
}

/// The channel `email`.
pub struct EmailChannel {
    email: Email,
    password: Option<PasswordReader>,
}

impl EmailChannel {
    /// The channel; `password` is asked where `email` has a login.
    pub fn new(email: Email, password: Option<PasswordReader>) -> Self {
        Self { email, password }
    }

    /// Sends one mail, within the deadline of every message.
    pub async fn deliver(&self, mail: &OutgoingMail) -> Result<(), SendError> {
        // A message that is taken at the last moment must not look lost because of the goodbye.
        let deadline = Instant::now() + SEND_DEADLINE.saturating_sub(QUIT_GRACE);
        let password = match &self.password {
            Some(read) => Some(read().await.map_err(|error| SendError::permanent(describe("", &error)))?),
            None => None,
        };
        send(&self.email, password.as_ref(), mail, deadline).await
    }
}

impl Channel for EmailChannel {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async { self.deliver(&OutgoingMail::from_outgoing(outgoing)).await })
    }
}

impl OutgoingMail {
    /// The mail of an event. The prober's name keeps two probers of one site apart.
    pub fn from_outgoing(outgoing: &Outgoing) -> Self {
        let prober = id_part(&outgoing.event.facts.prober);
        let id = |event: &str| format!("{event}.{prober}.vpnprobe");
        let event = &outgoing.event;
        Self {
            message_id: id(&event.id),
            in_reply_to: (event.thread != event.id).then(|| id(&event.thread)),
            date: outgoing.created_at,
            subject: outgoing.subject.clone(),
            body: outgoing.body.clone(),
            html: Some(outgoing.html.clone()),
            attachment: None,
        }
    }
}

/// Sends one mail to all recipients. Delivered means that the server took it for at least one of them; refused ones are
/// logged. Dropping the future closes the connection.
///
/// # Errors
/// Everything else, the deadline included; no text of it holds the password in any form that SMTP uses.
pub async fn send(
    email: &Email,
    password: Option<&Secret>,
    mail: &OutgoingMail,
    deadline: Instant,
) -> Result<(), SendError> {
    let login = match (&email.login, password) {
        (None, _) => None,
        (Some((user, _)), Some(password)) => Some((user.as_str(), password)),
        (Some(_), None) => return Err(SendError::permanent("there is no password for the mail server")),
    };
    let letter = Letter::compose(email, mail)?;
    let awaited = Awaited::default();
    let transmitted = timeout_at(deadline, transmit(email, login, &letter, &awaited)).await;
    let mut connection = transmitted.unwrap_or_else(|_| Err(awaited.too_late(email))).map_err(|e| blank(e, login))?;
    // The message is the server's now, whatever it says to QUIT.
    let _ = timeout(QUIT_GRACE, connection.quit()).await;
    Ok(())
}

/// What the server has to answer next: what is said when it does not.
#[derive(Default)]
struct Awaited(Mutex<Option<&'static str>>);

impl Awaited {
    fn now(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    fn too_late(&self, email: &Email) -> SendError {
        let (place, what) = (place(email), self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(CONNECTION));
        SendError::transient(format!("the mail server `{place}` did not answer {what} in time"))
    }
}

/// A composed mail and its envelope.
struct Letter {
    from: Address,
    to: Vec<Address>,
    content: Vec<u8>,
}

impl Letter {
    fn compose(email: &Email, mail: &OutgoingMail) -> Result<Self, SendError> {
        let refuse = |text: &str| SendError::permanent(one_line(text, MAX_ERROR));
        let from: Mailbox =
            email.from.parse().map_err(|_| refuse(&format!("the sender `{}` is no mail address", email.from)))?;
        let mut to = Vec::new();
        for recipient in &email.to {
            let mailboxes: Mailboxes =
                recipient.parse().map_err(|_| refuse(&format!("the recipient `{recipient}` is no mail address")))?;
            to.extend(mailboxes);
        }
        let envelope: Vec<Address> = to.iter().map(|mailbox| mailbox.email.clone()).collect();
        let full_id = |left: &str| format!("<{left}@{}>", from.email.domain());
        let mut message = lettre::Message::builder()
            .from(from.clone())
            .mailbox(To::from(to.into_iter().collect::<Mailboxes>()))
            .date(header_date(mail.date))
            .message_id(Some(full_id(&mail.message_id)))
            .raw_header(subject_header(one_line(&mail.subject, MAX_ERROR)))
            // RFC 3834: holiday notices are not sent back.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into()));
        if let Some(first) = &mail.in_reply_to {
            message = message.in_reply_to(full_id(first)).references(full_id(first));
        }
        let cannot = |error: &dyn std::error::Error| refuse(&describe("cannot compose the mail: ", error));
        let text = SinglePart::plain(mail.body.trim_end().to_owned());
        // A mail program shows the last part that it can.
        let page = mail
            .html
            .clone()
            .map(|html| MultiPart::alternative().singlepart(text.clone()).singlepart(SinglePart::html(html)));
        let file = mail.attachment.as_ref().map(attached).transpose().map_err(|error| cannot(&*error))?;
        let message = match (page, file) {
            (None, None) => message.singlepart(text),
            (Some(page), None) => message.multipart(page),
            (None, Some(file)) => message.multipart(MultiPart::mixed().singlepart(text).singlepart(file)),
            (Some(page), Some(file)) => message.multipart(MultiPart::mixed().multipart(page).singlepart(file)),
        };
        let message = message.map_err(|error| cannot(&error))?;
        Ok(Self { from: from.email, to: envelope, content: message.formatted() })
    }
}

/// In base64: a page has lines that are longer than a mail's may be, and must come out as it went in.
fn attached(file: &Attachment) -> Result<SinglePart, Box<dyn std::error::Error>> {
    let body = MailBody::new_with_encoding(file.content.clone(), ContentTransferEncoding::Base64)
        .map_err(|_| "the attachment can't be encoded")?;
    Ok(MailAttachment::new(file.name.clone()).body(body, ContentType::parse(file.media_type)?))
}

/// The whole dialogue up to the server's word that it took the message.
async fn transmit(
    email: &Email,
    login: Option<(&str, &Secret)>,
    letter: &Letter,
    awaited: &Awaited,
) -> Result<AsyncSmtpConnection, SendError> {
    let mut connection = connect(email, awaited).await?;
    if login.is_some() && !connection.is_encrypted() {
        return Err(SendError::permanent(format!(
            "the mail server `{}` offers no STARTTLS, and a password is sent over TLS only",
            place(email)
        )));
    }
    if let Some((user, password)) = login {
        let credentials = Credentials::new(user.to_owned(), password.reveal().to_owned());
        awaited.now("the login");
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|e| refused(email, "the login", &e))?;
    }
    hand_over(email, &mut connection, letter, awaited).await?;
    Ok(connection)
}

/// Connects and encrypts as configured.
async fn connect(email: &Email, awaited: &Awaited) -> Result<AsyncSmtpConnection, SendError> {
    match email.tls {
        SmtpTls::None => open(email, None).await,
        SmtpTls::Tls => open(email, Some(tls_parameters(email, true).await?)).await,
        SmtpTls::StartTls => {
            let mut connection = open(email, None).await?;
            if !connection.can_starttls() {
                return Err(SendError::permanent(format!("the mail server `{}` offers no STARTTLS", place(email))));
            }
            awaited.now("STARTTLS");
            start_tls(email, &mut connection, true).await?;
            Ok(connection)
        }
        SmtpTls::Opportunistic => connect_opportunistically(email, awaited).await,
    }
}

/// STARTTLS if offered. Without a CA file and without a password any certificate will do, and clear text when the
/// handshake fails: whoever could play the server could as well leave STARTTLS out (RFC 7435).
async fn connect_opportunistically(email: &Email, awaited: &Awaited) -> Result<AsyncSmtpConnection, SendError> {
    let strict = email.ca_file.is_some() || email.login.is_some();
    let mut connection = open(email, None).await?;
    if !connection.can_starttls() {
        return Ok(connection);
    }
    awaited.now("STARTTLS");
    match start_tls(email, &mut connection, strict).await {
        Ok(()) => Ok(connection),
        Err(error) if strict => Err(error),
        Err(error) => {
            tracing::warn!(server = %email.server, %error, "STARTTLS failed; the mail goes in the clear");
            awaited.now(CONNECTION);
            open(email, None).await
        }
    }
}

async fn open(email: &Email, tls: Option<TlsParameters>) -> Result<AsyncSmtpConnection, SendError> {
    let (address, client) = ((email.server.as_str(), email.port), ClientId::default());
    let connection = if tls.is_some() {
        AsyncSmtpConnection::connect_tokio1(address, None, &client, tls, None).await
    } else {
        let unreachable = |error| SendError::transient(describe(&did_not_accept(email, CONNECTION), &error));
        let stream = TcpStream::connect(address).await.map_err(unreachable)?;
        // lettre writes the end of a message after its text: it would wait until that is acknowledged, 40 ms.
        stream.set_nodelay(true).map_err(unreachable)?;
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &client).await
    };
    connection.map_err(|error| refused(email, CONNECTION, &error))
}

async fn start_tls(email: &Email, connection: &mut AsyncSmtpConnection, verify: bool) -> Result<(), SendError> {
    let parameters = tls_parameters(email, verify).await?;
    connection.starttls(parameters, &ClientId::default()).await.map_err(|error| refused(email, "STARTTLS", &error))
}

async fn tls_parameters(email: &Email, verify: bool) -> Result<TlsParameters, SendError> {
    let email = email.clone();
    // The system's roots are hundreds of files.
    tokio::task::spawn_blocking(move || read_tls_parameters(&email, verify))
        .await
        .unwrap_or_else(|error| Err(SendError::transient(describe("cannot set up TLS: ", &error))))
}

/// Reads the roots anew for each message, so that a renewed CA counts at once.
fn read_tls_parameters(email: &Email, verify: bool) -> Result<TlsParameters, SendError> {
    let mut builder = TlsParametersBuilder::new(email.server.clone());
    if let Some(path) = &email.ca_file {
        let unusable = |error: &dyn std::error::Error| {
            SendError::permanent(describe(&format!("cannot use `ca_file` `{}`: ", path.display()), error))
        };
        let pem = std::fs::read(path).map_err(|error| unusable(&error))?;
        let authority = Certificate::from_pem(&pem).map_err(|error| unusable(&error))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    if !verify {
        builder = builder.certificate_store(CertificateStore::None).dangerous_accept_invalid_certs(true);
    }
    builder.build().map_err(|error| SendError::permanent(describe("cannot set up TLS: ", &error)))
}

/// MAIL, RCPT, DATA. The message goes to every recipient that the server accepts.
async fn hand_over(
    email: &Email,
    connection: &mut AsyncSmtpConnection,
    letter: &Letter,
    awaited: &Awaited,
) -> Result<(), SendError> {
    awaited.now("the sender");
    connection
        .command(Mail::new(Some(letter.from.clone()), vec![]))
        .await
        .map_err(|error| refused(email, "the sender", &error))?;
    let mut accepted = 0;
    let mut refusals: Vec<SendError> = Vec::new();
    awaited.now("the recipient");
    for recipient in &letter.to {
        match connection.command(Rcpt::new(recipient.clone(), vec![])).await {
            Ok(_) => accepted += 1,
            Err(error) if error.status().is_some() => {
                refusals.push(refused(email, &format!("the recipient `{recipient}`"), &error));
            }
            Err(error) => return Err(refused(email, "the recipients", &error)),
        }
    }
    if accepted == 0 {
        let permanent = refusals.iter().all(|refusal| refusal.permanent);
        let text = refusals.into_iter().next().map_or_else(|| "there is no recipient".to_owned(), |r| r.text);
        return Err(SendError { permanent, text, retry_after: None });
    }
    awaited.now("the message");
    connection.command(Data).await.map_err(|error| refused(email, "the message", &error))?;
    connection.message(&letter.content).await.map_err(|error| refused(email, "the message", &error))?;
    for refusal in refusals {
        tracing::warn!(%refusal, "a recipient was refused; the others have the mail");
    }
    Ok(())
}

fn refused(email: &Email, what: &str, error: &SmtpError) -> SendError {
    let text = describe(&did_not_accept(email, what), error);
    SendError { permanent: error.is_permanent(), text, retry_after: None }
}

fn did_not_accept(email: &Email, what: &str) -> String {
    format!("the mail server `{}` did not accept {what}: ", place(email))
}

fn place(email: &Email) -> String {
    format!("{}:{}", email.server, email.port)
}

/// One line: the introduction, the error, and its sources as far as they say something new.
fn describe(introduction: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{introduction}{error}");
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    one_line(&text, MAX_ERROR)
}

/// The time for the `Date` header, which knows the years 1970 to 9999 only and panics beyond.
fn header_date(date: DateTime<Utc>) -> SystemTime {
    const LAST: u64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = u64::try_from(date.timestamp()).unwrap_or(0).min(LAST);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Shortest piece of an encoded password that is blanked: shorter ones are words of any sentence.
const MIN_ECHO: usize = 6;

/// Takes the password out of what the server said: servers echo what they don't understand.
fn blank(error: SendError, login: Option<(&str, &Secret)>) -> SendError {
    let Some((user, password)) = login else { return error };
    let password = password.reveal();
    let encoded = [base64(password.as_bytes()), base64(format!("\0{user}\0{password}").as_bytes())];
    let mut text = error.text;
    if !password.is_empty() {
        text = text.replace(password, "<password>");
    }
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let echoes: Vec<String> = text
        .split(|c| !is_base64(c))
        .filter(|word| word.len() >= MIN_ECHO && encoded.iter().any(|echo| echo.contains(*word)))
        .map(str::to_owned)
        .collect();
    for echo in echoes {
        text = text.replace(&echo, "<password>");
    }
    SendError { text, ..error }
}

#[cfg(test)]
#[path = "email_tests.rs"]
mod tests;
