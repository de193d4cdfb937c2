//! A check by `dns`, and names for the other checks: asked of the resolvers that the client pushed.
//!
//! By messages of our own, since the host's resolver library caches, reads its own files and tells nothing of whom it
//! asked. A resolver outside the tunnel is asked all the same: a client may leave it where it was.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use super::Inside;
use super::answer::{Question, Reply, servers_of};
use super::inside::{Measured, Trouble};
use crate::config::DnsCheck;
use crate::net::BoxStream;

const DOMAIN: u16 = 53;
/// The longest answer by UDP without EDNS is 512 bytes (RFC 1035, 4.2.1); one that sends more is read whole.
const MAX_DATAGRAM: usize = 4096;
/// Addresses of an answer that a detail names.
const SHOWN: usize = 4;

/// Runs the check.
pub(super) async fn run(
    inside: &Inside<'_>,
    check: &DnsCheck,
    deadline: Instant,
    measured: &mut Measured,
) -> Result<String, Trouble> {
    let servers = match check.server {
        Some((server, port)) => {
            // Named by the operator: then it is meant to lie inside.
            inside.goes_through(server, deadline).await?;
            vec![SocketAddr::new(server, port)]
        }
        None => pushed(inside)?,
    };
    let answer = ask_each(inside, &servers, &check.name, check.ipv6, deadline).await?;
    measured.took = Some(answer.ended - answer.began);
    let whom = answer.server.ip();
    let found = match answer.reply {
        Reply::Addresses(found) => found,
        Reply::NoSuchName => return Err(Trouble::Failed(format!("{whom} says that the name does not exist"))),
        _ => return Err(Trouble::Failed(format!("{whom} knows no {} address of it", kind(check.ipv6)))),
    };
    let mut words: Vec<_> = found.iter().take(SHOWN).map(ToString::to_string).collect();
    if found.len() > SHOWN {
        words.push(format!("and {} more", found.len() - SHOWN));
    }
    let words = format!("{} from {whom} {}", words.join(", "), inside.way.in_words(whom));
    if check.answers.is_empty() || check.answers.iter().any(|wanted| found.contains(wanted)) {
        return Ok(words);
    }
    Err(Trouble::Failed(format!("another answer than wanted: {words}")))
}

const fn kind(ipv6: bool) -> &'static str {
    if ipv6 { "IPv6" } else { "IPv4" }
}

/// The addresses of a host inside.
pub(super) async fn addresses(inside: &Inside<'_>, host: &str, deadline: Instant) -> Result<Vec<IpAddr>, Trouble> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let servers = pushed(inside)?;
    for ipv6 in [false, true] {
        let answer = ask_each(inside, &servers, host, ipv6, deadline).await?;
        match answer.reply {
            Reply::Addresses(found) => return Ok(found),
            Reply::NoSuchName => {
                let whom = answer.server.ip();
                return Err(Trouble::Failed(format!("{whom} says that the name `{host}` does not exist")));
            }
            _ => {}
        }
    }
    Err(Trouble::Failed(format!("the name `{host}` has no address")))
}

/// The resolvers in use while the tunnel is up.
fn pushed(inside: &Inside<'_>) -> Result<Vec<SocketAddr>, Trouble> {
    let path = inside.way.net.resolv_conf();
    let text = std::fs::read(path).map_err(|e| Trouble::Ours(format!("cannot read {}: {e}", path.display())))?;
    let servers = servers_of(&String::from_utf8_lossy(&text));
    if servers.is_empty() {
        return Err(Trouble::Failed(format!("{} names no resolver while the tunnel is up", path.display())));
    }
    Ok(servers.into_iter().map(|server| SocketAddr::new(server, DOMAIN)).collect())
}

/// An answer that decides, and who gave it.
struct Answer {
    reply: Reply,
    server: SocketAddr,
    began: Instant,
    ended: Instant,
}

/// Asks one resolver after the other, each within its share of the time that is left, until one knows.
async fn ask_each(
    inside: &Inside<'_>,
    servers: &[SocketAddr],
    name: &str,
    ipv6: bool,
    deadline: Instant,
) -> Result<Answer, Trouble> {
    let mut refusals = Vec::new();
    for (place, &server) in servers.iter().enumerate() {
        let began = Instant::now();
        let turns = u32::try_from(servers.len() - place).unwrap_or(u32::MAX);
        let until = began + deadline.saturating_duration_since(began) / turns;
        let why = match ask(inside, server, name, ipv6, until).await? {
            Ok(Reply::Refused(code)) => code,
            Ok(reply) => return Ok(Answer { reply, server, began, ended: Instant::now() }),
            Err(words) => words,
        };
        refusals.push(format!("{} {}: {why}", server.ip(), inside.way.in_words(server.ip())));
    }
    Err(Trouble::Failed(format!("no resolver answers for `{name}`: {}", refusals.join("; "))))
}

/// Asks one resolver; `Ok(Err)`: it does not answer, in words.
async fn ask(
    inside: &Inside<'_>,
    server: SocketAddr,
    name: &str,
    ipv6: bool,
    until: Instant,
) -> Result<Result<Reply, String>, Trouble> {
    let question = Question::new(name, ipv6, random_id()?);
    let Some((question, bytes)) = question.and_then(|q| q.encode().map(|bytes| (q, bytes))) else {
        return Err(Trouble::Failed(format!("`{name}` can be no name")));
    };
    let socket = match inside.way.net.datagrams(server) {
        Ok(socket) => socket,
        Err(e) if is_the_way(&e) => return Ok(Err(e.to_string())),
        Err(e) => return Err(Trouble::Ours(format!("no socket to ask {server}: {e}"))),
    };
    let mut datagram = vec![0; MAX_DATAGRAM];
    // Lost on the way there or back, it is asked once more.
    let halfway = Instant::now() + until.saturating_duration_since(Instant::now()) / 2;
    for limit in [halfway, until] {
        if let Err(e) = socket.send(&bytes).await {
            return Ok(Err(in_words(&e)));
        }
        loop {
            let length = match timeout_at(limit, socket.recv(&mut datagram)).await {
                Ok(Ok(length)) => length,
                Ok(Err(e)) => return Ok(Err(in_words(&e))),
                Err(_) => break,
            };
            match question.read(datagram.get(..length).unwrap_or_default()) {
                Some(Reply::Truncated) => return Ok(ask_by_tcp(inside, server, &question, &bytes, until).await),
                Some(reply) => return Ok(Ok(reply)),
                // Somebody guesses, or an answer to another question: the right one may still come.
                None => {}
            }
        }
    }
    Ok(Err("no answer".to_owned()))
}

async fn ask_by_tcp(
    inside: &Inside<'_>,
    server: SocketAddr,
    question: &Question,
    bytes: &[u8],
    until: Instant,
) -> Result<Reply, String> {
    let stream = inside.way.net.connect(server, until).await.map_err(|e| format!("by TCP: {e}"))?;
    match timeout_at(until, exchange(stream, bytes)).await {
        Ok(Ok(answer)) => match question.read(&answer) {
            Some(Reply::Truncated) | None => Err("by TCP: no answer to the question".to_owned()),
            Some(reply) => Ok(reply),
        },
        Ok(Err(e)) => Err(format!("by TCP: {e}")),
        Err(_) => Err("no answer by TCP".to_owned()),
    }
}

/// Messages are led in by their length (RFC 1035, 4.2.2).
async fn exchange(mut stream: BoxStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u16::try_from(bytes.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], bytes].concat()).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// Hard to guess for whoever would forge an answer.
fn random_id() -> Result<u16, Trouble> {
    let mut bytes = [0; 2];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|e| Trouble::Ours(format!("no random number: {e}")))?;
    Ok(u16::from_be_bytes(bytes))
}

/// Whether an error speaks of the way there, and not of this host.
fn is_the_way(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkDown, NetworkUnreachable};
    matches!(error.kind(), AddrNotAvailable | HostUnreachable | NetworkDown | NetworkUnreachable)
}

fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
