//! A check by `http`: one GET, its status, its text, and the certificate of the server.
//!
//! No redirect is followed: where a page leads to is another page. No cookie, no credential is sent.

use std::pin::pin;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::Inside;
use super::inside::{Measured, Trouble, within};
use crate::config::HttpCheck;
use crate::net::BoxStream;
use crate::tls::{Demand, Roots, Wanted, facts_of, handshake, judge};

/// The most that is read of a page to find a text in it.
const MAX_BODY: usize = 1 << 20;
/// The most that is read of the answer's head.
const MAX_HEAD: usize = 64 << 10;

/// Runs it.
pub(super) async fn run(
    inside: &Inside<'_>,
    check: &HttpCheck,
    deadline: Instant,
    measured: &mut Measured,
) -> Result<String, Trouble> {
    // Read beforehand: a file of the prober's is not part of the measurement.
    let roots = if check.tls && check.verify {
        Some(Roots::load(inside.ca_file).await.map_err(|e| Trouble::Ours(e.to_string()))?)
    } else {
        None
    };
    let (address, stream, began) = inside.connect(&check.host, check.port, deadline).await?;
    let mut words = Vec::new();
    let stream = if check.tls {
        let wanted = Wanted::of(&check.host, address);
        let shaken = within(deadline, "end of the TLS handshake", handshake(stream, &wanted)).await?;
        let facts = shaken.seen.chain.first().and_then(|leaf| facts_of(leaf, inside.now));
        measured.cert_days_left = facts.as_ref().map(|facts| facts.days_left);
        let demand = Demand { pins: &[], roots: roots.as_ref() };
        // A certificate that is not right says more than the end of a handshake.
        if !shaken.seen.chain.is_empty() {
            judge(&shaken.seen, &wanted, demand, inside.now).map_err(|why| Trouble::Failed(why.to_string()))?;
        }
        let stream = shaken.stream.map_err(|why| Trouble::Failed(format!("no TLS: {why}")))?;
        words.extend(facts.map(|facts| facts.days_in_words()));
        lasts_long_enough(check, measured.cert_days_left)?;
        Box::new(stream) as BoxStream
    } else {
        stream
    };
    let status = exchange(stream, check, deadline).await?;
    measured.took = Some(began.elapsed());
    words.insert(0, format!("status {status}"));
    Ok(words.join(", "))
}

fn lasts_long_enough(check: &HttpCheck, days_left: Option<i64>) -> Result<(), Trouble> {
    match (check.cert_days, days_left) {
        (Some(wanted), Some(left)) if left < i64::from(wanted) => {
            Err(Trouble::Failed(format!("the certificate lasts {left} more days, {wanted} are wanted")))
        }
        (Some(_), None) => Err(Trouble::Failed("the days of the certificate can't be read".to_owned())),
        _ => Ok(()),
    }
}

/// Asks and judges the answer; its status.
async fn exchange(stream: BoxStream, check: &HttpCheck, deadline: Instant) -> Result<u16, Trouble> {
    let broken = |e: &hyper::Error| Trouble::Failed(format!("no HTTP answer: {}", crate::error::chain(e)));
    let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|e| broken(&e))?;
    let request = request(check)?;
    let asked = async {
        let answer = within(deadline, "answer", sender.send_request(request)).await?.map_err(|e| broken(&e))?;
        judge_answer(answer, check, deadline).await
    };
    // The connection has to be driven while the answer is read; it may be over before.
    let (mut connection, mut asked) = (pin!(connection), pin!(asked));
    tokio::select! {
        biased;
        done = &mut asked => done,
        _ = &mut connection => asked.await,
    }
}

fn request(check: &HttpCheck) -> Result<Request<Empty<Bytes>>, Trouble> {
    Request::get(&check.path)
        .header(HOST, check.authority())
        .header(USER_AGENT, concat!("vpnprobe/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|e| Trouble::Ours(format!("cannot ask for this page: {e}")))
}

async fn judge_answer(answer: Response<Incoming>, check: &HttpCheck, deadline: Instant) -> Result<u16, Trouble> {
    let status = answer.status().as_u16();
    if !check.status.iter().any(|wanted| wanted.contains(&status)) {
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        // What follows the question mark may be a secret.
        let to = to.and_then(|to| to.split('?').next()).map(|to| format!(" to {to}, which is not followed"));
        return Err(Trouble::Failed(format!("status {status}{}", to.unwrap_or_default())));
    }
    if let Some(wanted) = &check.contains
        && !within(deadline, "end of the page", holds(answer.into_body(), wanted.as_bytes())).await??
    {
        return Err(Trouble::Failed(format!("status {status}, but the page does not hold the text that is wanted")));
    }
    Ok(status)
}

/// Whether the page holds this text, as far as it is read.
async fn holds(mut body: Incoming, wanted: &[u8]) -> Result<bool, Trouble> {
    let mut page: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Trouble::Failed(format!("the page breaks off: {}", crate::error::chain(&e))))?;
        let Ok(data) = frame.into_data() else { continue };
        // The text may begin in what came before.
        let from = page.len().saturating_sub(wanted.len());
        page.extend_from_slice(&data);
        if page[from..].windows(wanted.len()).any(|part| part == wanted) {
            return Ok(true);
        }
        if page.len() > MAX_BODY {
            return Ok(false);
        }
    }
    Ok(false)
}
