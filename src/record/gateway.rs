//! What the stage `gateway` saw.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The gateway, looked at without logging in. What was not reached is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayFacts {
    /// The address that took the connection.
    pub address: Option<SocketAddr>,
    /// From asking for the name to its addresses; none where an address is configured.
    pub resolve: Option<Duration>,
    /// From the first packet to the connection.
    pub tcp: Option<Duration>,
    /// From the connection to the end of the TLS handshake.
    pub tls: Option<Duration>,
    /// The version of TLS: `TLS 1.3`.
    pub tls_version: Option<String>,
    /// The certificate that it showed.
    pub certificate: Option<CertificateFacts>,
}

/// A certificate, as far as an operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Whose it is: one line.
    pub subject: String,
    /// Who issued it: one line.
    pub issuer: String,
    /// Its last second, since 1970.
    pub not_after: i64,
    /// Whole days until then; negative once it has expired.
    pub days_left: i64,
    /// SHA-256 of it, `AA:BB:…`.
    pub sha256: String,
}

impl GatewayFacts {
    /// What was reached, and how fast; empty when nothing was.
    pub fn in_words(&self) -> String {
        let phases = [("name", self.resolve), ("tcp", self.tcp), ("tls", self.tls)];
        let ms = |took: Duration| took.as_secs_f64() * 1000.0;
        let timed = |(name, took): (&str, Option<Duration>)| Some(format!("{name} {:.1} ms", ms(took?)));
        let mut words: Vec<_> = phases.into_iter().filter_map(timed).collect();
        words.extend(self.certificate.as_ref().map(CertificateFacts::days_in_words));
        words.join(", ")
    }
}

impl CertificateFacts {
    /// How long it lasts.
    pub fn days_in_words(&self) -> String {
        match self.days_left {
            0 => "certificate ends within a day".to_owned(),
            -1 => "certificate expired within the last day".to_owned(),
            ..=-2 => format!("certificate expired {} days ago", -self.days_left - 1),
            1 => "certificate 1 day".to_owned(),
            days => format!("certificate {days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_is_told_with_its_time() {
        let certificate = |days_left| {
            let text = String::new;
            Some(CertificateFacts { subject: text(), issuer: text(), not_after: 0, days_left, sha256: text() })
        };
        let ms = |tenths: u64| Some(Duration::from_micros(tenths * 100));
        let all = GatewayFacts {
            resolve: ms(12),
            tcp: ms(3),
            tls: ms(21),
            certificate: certificate(364),
            ..Default::default()
        };
        assert_eq!(all.in_words(), "name 1.2 ms, tcp 0.3 ms, tls 2.1 ms, certificate 364 days");
        let some = GatewayFacts { tcp: ms(3), certificate: certificate(-1), ..Default::default() };
        assert_eq!(some.in_words(), "tcp 0.3 ms, certificate expired within the last day");
    }
}
