//! From a URL to a connection: name, TCP, TLS.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::UnixTime;

use super::{Step, WebError};
use crate::config::WebUrl;
use crate::net::BoxStream;
use crate::tls::{Demand, Roots, Wanted, handshake, judge};

/// Connects, and shakes hands where the URL says so. `step` says how far it came.
pub(super) async fn connect(
    url: &WebUrl,
    ca_file: Option<&Path>,
    now: UnixTime,
    deadline: Instant,
    step: &mut Step,
) -> Result<BoxStream, WebError> {
    let roots = if url.tls { Some(read_roots(url, ca_file).await?) } else { None };
    let addresses = resolve(url).await?;
    *step = Step::Connection;
    let (address, stream) = first_that_answers(url, &addresses, deadline).await?;
    // What is asked is one write; none waits for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let Some(roots) = roots else { return Ok(Box::new(stream)) };
    *step = Step::Tls;
    let failed = |why: String| WebError::new(url, Step::Tls, why);
    let wanted = Wanted::of(&url.host, address.ip());
    let shaken = handshake(Box::new(stream), &wanted).await;
    // A certificate that is not right says more than the end of a handshake.
    if !shaken.seen.chain.is_empty() {
        let demand = Demand { pins: &[], roots: Some(&roots) };
        judge(&shaken.seen, &wanted, demand, now).map_err(|why| failed(format!("the certificate is {why}")))?;
    }
    Ok(Box::new(shaken.stream.map_err(|why| failed(why.to_string()))?))
}

/// Read anew for each message, so that a renewed authority counts at once.
async fn read_roots(url: &WebUrl, ca_file: Option<&Path>) -> Result<Roots, WebError> {
    let ours = |why: String| WebError { permanent: true, ..WebError::new(url, Step::Tls, why) };
    Roots::load(ca_file).await.map_err(|error| ours(error.to_string()))
}

async fn resolve(url: &WebUrl) -> Result<Vec<SocketAddr>, WebError> {
    let failed = |why: &str| WebError::new(url, Step::Name, why);
    let found = lookup_host((url.host.as_str(), url.port)).await;
    let addresses: Vec<_> = found.map_err(|error| failed(&error.to_string()))?.collect();
    if addresses.is_empty() { Err(failed("it has no address")) } else { Ok(addresses) }
}

/// The addresses one after the other, each with an equal share of the time that is left.
async fn first_that_answers(
    url: &WebUrl,
    addresses: &[SocketAddr],
    deadline: Instant,
) -> Result<(SocketAddr, TcpStream), WebError> {
    let mut last = String::new();
    for (index, address) in addresses.iter().enumerate() {
        let shares = u32::try_from(addresses.len() - index).unwrap_or(1);
        let now = Instant::now();
        let until = now + deadline.saturating_duration_since(now) / shares;
        last = match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((*address, stream)),
            Ok(Err(error)) => in_words(&error),
            Err(_) => "no answer in time".to_owned(),
        };
    }
    Err(WebError::new(url, Step::Connection, last))
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused: nobody listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "it was reset".to_owned(),
        _ => error.to_string(),
    }
}
