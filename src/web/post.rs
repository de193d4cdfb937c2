//! The request and its answer, over a connection.

use std::path::Path;
use std::pin::pin;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::UnixTime;

use super::answer::{Answer, retry_after};
use super::connect::connect;
use super::{Step, WebError};
use crate::config::WebUrl;
use crate::error::chain;
use crate::net::BoxStream;

/// The most that is read of an answer's text: its first words are all that is told of it.
const MAX_TEXT: usize = 4 << 10;
/// The most that is read of an answer's head.
const MAX_HEAD: usize = 64 << 10;

/// What is asked.
pub(crate) struct Post<'a> {
    /// Whom.
    pub(crate) url: &'a WebUrl,
    /// Whom its certificate may end at; none: the system's roots.
    pub(crate) ca_file: Option<&'a Path>,
    /// What the body is, where no header says so.
    pub(crate) content_type: &'static str,
    /// Further headers.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// What time it is, for certificates and `Retry-After`.
    pub(crate) now: UnixTime,
}

/// Asks. Never takes longer than until `deadline`; dropping the future closes the connection.
pub(crate) async fn post(post: Post<'_>, deadline: Instant) -> Result<Answer, WebError> {
    let url = post.url.clone();
    let mut step = Step::Name;
    let ended = timeout_at(deadline, exchange(post, deadline, &mut step)).await;
    ended.unwrap_or_else(|_| Err(WebError::new(&url, step, "no answer in time")))
}

async fn exchange(post: Post<'_>, deadline: Instant, step: &mut Step) -> Result<Answer, WebError> {
    let (url, now) = (post.url, post.now);
    let stream: BoxStream = connect(url, post.ca_file, now, deadline, step).await?;
    *step = Step::Request;
    let request = request(post)?;
    let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|e| WebError::new(url, Step::Request, chain(&e)))?;
    let asked = async {
        // From here on the request is on its way, and an answer is what is waited for.
        *step = Step::Answer;
        let answer = sender.send_request(request).await.map_err(|e| broken(url, &e))?;
        Ok(read(answer, now).await)
    };
    // The connection has to be driven while the answer is read; it may be over before.
    let (mut connection, mut asked) = (pin!(connection), pin!(asked));
    tokio::select! {
        biased;
        done = &mut asked => done,
        _ = &mut connection => asked.await,
    }
}

fn broken(url: &WebUrl, error: &hyper::Error) -> WebError {
    let why = if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        "it closed the connection without an answer".to_owned()
    } else if error.is_parse() {
        "what it answers is no HTTP".to_owned()
    } else {
        chain(error)
    };
    WebError::new(url, Step::Answer, why)
}

fn request(post: Post<'_>) -> Result<Request<Full<Bytes>>, WebError> {
    // hyper would send the path and query as they are; the error of a bad one would show it.
    let unusable =
        |_| WebError { permanent: true, ..WebError::new(post.url, Step::Request, "its URL can't be asked for") };
    let mut request = Request::post(&post.url.path)
        .header(HOST, post.url.authority())
        .header(USER_AGENT, concat!("vpnprobe/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .header(CONTENT_TYPE, post.content_type)
        .body(Full::new(Bytes::from(post.body)))
        .map_err(unusable)?;
    for (name, value) in post.headers {
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// The head is the answer: a text that breaks off, or never ends, changes nothing of it.
async fn read(answer: Response<Incoming>, now: UnixTime) -> Answer {
    let (head, mut body) = answer.into_parts();
    let mut text: Vec<u8> = Vec::new();
    // Of one that was taken nothing is told.
    while !head.status.is_success() && text.len() < MAX_TEXT {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Ok(data) = frame.into_data() {
            text.extend_from_slice(&data[..data.len().min(MAX_TEXT - text.len())]);
        }
    }
    Answer { status: head.status.as_u16(), retry_after: retry_after(&head.headers, now), text }
}
