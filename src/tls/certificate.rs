//! What a chain of certificates says, and whether it is the right one. Pure: the time is handed in.

use std::fmt::Write as _;

use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::client::{
    WebPkiServerVerifier, verify_server_cert_signed_by_trust_anchor, verify_server_name,
};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, Error};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::{Roots, Seen, Wanted};
use crate::config::{Fingerprint, FingerprintAlgorithm};
use crate::record::{CertificateFacts, one_line};

const DAY: i64 = 86_400;

/// What is asked of a chain.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Certificates that are right whatever else is said of them.
    pub pins: &'a [Fingerprint],
    /// Whom the chain may end at; `None`: no chain is verified.
    pub roots: Option<&'a Roots>,
}

/// Why a chain is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trusted {
    /// Nobody asked.
    NotAsked,
    /// It is pinned.
    Pinned,
    /// It ends at a root, and is for the name.
    Verified,
}

/// Why a chain is not right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// A certificate of the chain has expired.
    #[error("{0}")]
    Expired(String),
    /// Anything else.
    #[error("{0}")]
    Untrusted(String),
}

/// Judges what was seen.
///
/// 1. Nothing is asked: whatever it is.
/// 2. The other side must have proved that the certificate is its own.
/// 3. A pinned certificate is right, also an expired one: the pin says "this very one", and the client that asks about
///    it is answered. A pin of another certificate of the chain counts when the chain is signed by that one.
/// 4. Else the chain must end at a root, where there are any to end at.
pub fn judge(seen: &Seen, wanted: &Wanted, demand: Demand<'_>, now: UnixTime) -> Result<Trusted, Distrust> {
    if demand.pins.is_empty() && demand.roots.is_none() {
        return Ok(Trusted::NotAsked);
    }
    let Some((leaf, others)) = seen.chain.split_first() else {
        return Err(Distrust::Untrusted("it showed no certificate".to_owned()));
    };
    if let Some(why) = &seen.unproven {
        return Err(Distrust::Untrusted(format!("it did not prove that the certificate is its own: {why}")));
    }
    if is_pinned(leaf, demand.pins) {
        return Ok(Trusted::Pinned);
    }
    if let Some(pinned) = others.iter().find(|certificate| is_pinned(certificate, demand.pins)) {
        let roots = Roots::of(vec![pinned.clone().into_owned()]);
        return signed_by(leaf, others, &roots, now).map(|()| Trusted::Pinned);
    }
    match demand.roots {
        Some(roots) => verify(leaf, others, wanted, roots, now).map(|()| Trusted::Verified),
        None => Err(Distrust::Untrusted(format!("SHA256:{} is not pinned", hex(leaf, &SHA256)))),
    }
}

fn is_pinned(certificate: &CertificateDer<'_>, pins: &[Fingerprint]) -> bool {
    pins.iter().any(|pin| match pin.algorithm {
        FingerprintAlgorithm::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref() == pin.hash,
        FingerprintAlgorithm::Sha256 => digest(&SHA256, certificate).as_ref() == pin.hash,
        FingerprintAlgorithm::PinSha256 => X509Certificate::from_der(certificate)
            .is_ok_and(|(_, parsed)| digest(&SHA256, parsed.public_key().raw).as_ref() == pin.hash),
    })
}

/// Whether the chain leads to a pinned authority; for which name is not asked, as the client asks about it by itself.
fn signed_by(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    roots: &Roots,
    now: UnixTime,
) -> Result<(), Distrust> {
    let algorithms = default_provider().signature_verification_algorithms;
    ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_cert_signed_by_trust_anchor(&leaf, &roots.anchors, others, now, algorithms.all))
        .map_err(|error| distrust(leaf, &error, now))
}

fn verify(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    wanted: &Wanted,
    roots: &Roots,
    now: UnixTime,
) -> Result<(), Distrust> {
    if roots.certificates.iter().any(|known| known.as_ref() == leaf.as_ref()) {
        return itself(leaf, wanted, now);
    }
    let provider = std::sync::Arc::new(default_provider());
    let anchors = std::sync::Arc::new(roots.anchors.clone());
    let verifier = WebPkiServerVerifier::builder_with_provider(anchors, provider)
        .build()
        .map_err(|error| Distrust::Untrusted(error.to_string()))?;
    match verifier.verify_server_cert(leaf, others, wanted.name(), &[], now) {
        Ok(_) => Ok(()),
        Err(error) => Err(distrust(leaf, &error, now)),
    }
}

/// A certificate that stands in the `ca_file` itself: its dates and its name are left to ask about.
fn itself(leaf: &CertificateDer<'_>, wanted: &Wanted, now: UnixTime) -> Result<(), Distrust> {
    if facts_of(leaf, now).is_none_or(|facts| facts.days_left < 0) {
        return Err(distrust(leaf, &CertificateError::Expired.into(), now));
    }
    ParsedCertificate::try_from(leaf)
        .and_then(|leaf| verify_server_name(&leaf, wanted.name()))
        .map_err(|error| distrust(leaf, &error, now))
}

fn distrust(leaf: &CertificateDer<'_>, error: &Error, now: UnixTime) -> Distrust {
    let facts = facts_of(leaf, now);
    let issuer = || facts.as_ref().map_or_else(|| "nobody known".to_owned(), |facts| facts.issuer.clone());
    let Error::InvalidCertificate(why) = error else { return Distrust::Untrusted(error.to_string()) };
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Distrust::Expired(match facts.as_ref().map(|facts| -facts.days_left) {
                Some(1) => "the certificate expired within the last day".to_owned(),
                Some(days) if days > 1 => format!("the certificate expired {} days ago", days - 1),
                _ => "a certificate of the chain has expired".to_owned(),
            })
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Distrust::Untrusted("a certificate of the chain is not valid yet".to_owned())
        }
        CertificateError::UnknownIssuer => Distrust::Untrusted(format!("issued by {}, which is not trusted", issuer())),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Distrust::Untrusted(format!("not for this name: {error}"))
        }
        _ => Distrust::Untrusted(error.to_string()),
    }
}

/// What a certificate says of itself; `None` for bytes that are none.
pub fn facts_of(certificate: &CertificateDer<'_>, now: UnixTime) -> Option<CertificateFacts> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let not_after = parsed.validity().not_after.timestamp();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    Some(CertificateFacts {
        subject: name_in_words(parsed.subject()),
        issuer: name_in_words(parsed.issuer()),
        not_after,
        days_left: not_after.saturating_sub(now).div_euclid(DAY),
        sha256: hex(certificate, &SHA256),
    })
}

fn name_in_words(name: &X509Name<'_>) -> String {
    const LONGEST: usize = 120;
    let words = one_line(&name.to_string());
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None if words.is_empty() => "nobody".to_owned(),
        None => words,
    }
}

fn hex(bytes: &[u8], algorithm: &'static Algorithm) -> String {
    let mut text = String::new();
    for byte in digest(algorithm, bytes).as_ref() {
        let colon = if text.is_empty() { "" } else { ":" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
