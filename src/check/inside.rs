//! One check after the other, each under its own time-out, each proven to go through the tunnel.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::UnixTime;

use super::{Astray, Way, dns, http, tcp};
use crate::config::{Check, CheckKind};
use crate::net::{BoxStream, ConnectError};
use crate::record::{CheckRecord, FailureKind, MalfunctionKind, Outcome, one_line};

/// The inside, seen through a tunnel.
#[derive(Debug, Clone, Copy)]
pub struct Inside<'a> {
    /// Network and tunnel.
    pub way: Way<'a>,
    /// Whom certificates may end at; none: the system's roots.
    pub ca_file: Option<&'a Path>,
    /// What time it is.
    pub now: UnixTime,
}

/// What a check measured, however it ended.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// From the first packet to the end.
    pub(super) took: Option<Duration>,
    /// Days until the certificate ends.
    pub(super) cert_days_left: Option<i64>,
}

/// Why a check did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The other side's fault.
    Failed(String),
    /// The way there is not the tunnel, or the tunnel fell.
    Astray(Astray),
    /// The prober's own.
    Ours(String),
}

impl Inside<'_> {
    /// Runs one check. Never takes longer than its time-out.
    pub async fn run(&self, check: &Check) -> CheckRecord {
        let began = Instant::now();
        let deadline = began + check.timeout;
        let mut measured = Measured::default();
        let end = match &check.kind {
            CheckKind::Tcp { host, port } => tcp::run(self, host, *port, deadline, &mut measured).await,
            CheckKind::Http(http) => http::run(self, http, deadline, &mut measured).await,
            CheckKind::Dns(dns) => dns::run(self, dns, deadline, &mut measured).await,
        };
        let (outcome, words) = match end {
            Ok(words) => (Outcome::Passed, words),
            // Silence after the tunnel fell is not the inside's.
            Err(Trouble::Failed(words)) => match self.way.stands() {
                Ok(()) => (Outcome::Failed(FailureKind::CheckFailed), words),
                Err(Astray { reason, words }) => (Outcome::from_reason(reason), words),
            },
            Err(Trouble::Astray(Astray { reason, words })) => (Outcome::from_reason(reason), words),
            Err(Trouble::Ours(words)) => (Outcome::Inconclusive(MalfunctionKind::PrepareFailed), words),
        };
        CheckRecord {
            name: check.to_string(),
            outcome,
            took: measured.took.unwrap_or_else(|| began.elapsed()),
            detail: Some(one_line(&words)).filter(|words| !words.is_empty()),
            cert_days_left: measured.cert_days_left,
        }
    }

    /// Connects to a host inside, through the tunnel; the first address that takes the connection, and when it was
    /// asked.
    pub(super) async fn connect(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<(IpAddr, BoxStream, Instant), Trouble> {
        let mut refusals = Vec::new();
        for address in dns::addresses(self, host, deadline).await? {
            self.goes_through(address, deadline).await?;
            let to = SocketAddr::new(address, port);
            let began = Instant::now();
            match self.way.net.connect(to, deadline).await {
                Ok(stream) => return Ok((address, stream, began)),
                Err(ConnectError::Io(words)) => return Err(Trouble::Ours(format!("cannot connect to {to}: {words}"))),
                Err(ConnectError::TimedOut) => {
                    let waited = began.elapsed().as_millis();
                    refusals.push(format!("{to}: no answer to the connection within {waited} ms"));
                }
                Err(error) => refusals.push(format!("{to}: {error}")),
            }
        }
        Err(Trouble::Failed(refusals.join("; ")))
    }

    /// Proves that the way there is the tunnel.
    pub(super) async fn goes_through(&self, address: IpAddr, deadline: Instant) -> Result<(), Trouble> {
        let way = Way { routes_until: self.way.routes_until.min(deadline), ..self.way };
        way.is_the_tunnel(address).await.map_err(Trouble::Astray)
    }
}

/// Waits until the deadline for `what` to come.
pub(super) async fn within<T>(deadline: Instant, what: &str, work: impl Future<Output = T>) -> Result<T, Trouble> {
    let began = Instant::now();
    timeout_at(deadline, work)
        .await
        .map_err(|_| Trouble::Failed(format!("no {what} within {} ms", began.elapsed().as_millis())))
}
