//! A TLS handshake that looks at everything and judges nothing.
//!
//! The chain is kept and judged afterwards (`certificate`), so that a certificate that nobody asked to verify is
//! reported and never in the way. Old gateways are met as far as rustls goes: TLS 1.2 with forward secrecy and AEAD;
//! SHA-1 signatures and keys that are too weak are taken note of and pass here. See docs/decisions/0018.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    AlertDescription, ClientConfig, DigitallySignedStruct, Error, ProtocolVersion, SignatureScheme,
};

use crate::net::BoxStream;

/// What was seen of the other side, however the handshake ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The certificates that it showed, its own first; empty when it came to none.
    pub chain: Vec<CertificateDer<'static>>,
    /// Why its signature does not prove that the first certificate is its own; `None`: it does.
    pub unproven: Option<String>,
    /// `TLS 1.3`; none before the end of the handshake.
    pub version: Option<&'static str>,
}

/// A handshake, and how it ended.
pub struct Handshake {
    /// What was seen.
    pub seen: Seen,
    /// The stream, or why there is none.
    pub stream: Result<TlsStream<BoxStream>, TlsTrouble>,
}

/// Why there is no TLS connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// The other side speaks TLS, but none that this prober can.
    #[error("it speaks TLS, but none that this prober can ({0})")]
    Incompatible(String),
    /// It showed its certificate and then wanted one of the client.
    #[error("it asks for a certificate of the client ({0})")]
    ClientCertificate(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Whom one wants to speak to.
#[derive(Debug, Clone)]
pub struct Wanted(ServerName<'static>);

impl Wanted {
    /// A name, told to the other side (SNI), or an address, which is not. What can be neither (a name with letters that
    /// no certificate has) is asked for by the address that it resolved to.
    pub fn of(host: &str, address: IpAddr) -> Self {
        let plain = host.strip_suffix('.').unwrap_or(host).to_owned();
        Self(ServerName::try_from(plain).unwrap_or_else(|_| ServerName::from(address)))
    }

    pub(super) const fn name(&self) -> &ServerName<'static> {
        &self.0
    }
}

/// Shakes hands. Has no deadline of its own; dropping it closes the connection.
pub async fn handshake(stream: BoxStream, wanted: &Wanted) -> Handshake {
    let capture = Arc::new(Capture::new());
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Capture>::clone(&capture);
    let provider = Arc::clone(&capture.provider);
    let config = match ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(builder) => builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth(),
        Err(e) => return Handshake { seen: Seen::default(), stream: Err(TlsTrouble::Failed(e.to_string())) },
    };
    let connected = TlsConnector::from(Arc::new(config)).connect(wanted.0.clone(), stream).await;
    let mut seen = capture.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Ok(stream) = &connected {
        seen.version = stream.get_ref().1.protocol_version().map(version_in_words);
    }
    let stream = connected.map_err(|error| trouble(&error, !seen.chain.is_empty()));
    Handshake { seen, stream }
}

const fn version_in_words(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "TLS",
    }
}

fn trouble(error: &io::Error, has_certificate: bool) -> TlsTrouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::AlertReceived(alert)) if has_certificate && wants_certificate(*alert) => {
            TlsTrouble::ClientCertificate(format!("alert {alert:?}"))
        }
        Some(Error::AlertReceived(
            alert @ (AlertDescription::HandshakeFailure
            | AlertDescription::ProtocolVersion
            | AlertDescription::InsufficientSecurity),
        )) => TlsTrouble::Incompatible(format!("alert {alert:?}")),
        Some(Error::PeerIncompatible(why)) => TlsTrouble::Incompatible(format!("{why:?}")),
        Some(Error::AlertReceived(alert)) => TlsTrouble::Failed(format!("it answered with the alert {alert:?}")),
        Some(Error::InvalidMessage(_)) => TlsTrouble::Failed("what it answers is no TLS".to_owned()),
        Some(other) => TlsTrouble::Failed(other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            TlsTrouble::Failed("it closed the connection during the handshake".to_owned())
        }
        None => TlsTrouble::Failed(error.to_string()),
    }
}

/// Alerts with which a server of TLS 1.2 turns a client without a certificate away.
const fn wants_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::HandshakeFailure
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// Takes note of the chain and lets everything pass.
#[derive(Debug)]
struct Capture {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

impl Capture {
    fn new() -> Self {
        Self { provider: Arc::new(ring::default_provider()), seen: Mutex::default() }
    }

    fn note(&self, verified: Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        verified.unwrap_or_else(|error| {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).unproven = Some(error.to_string());
            HandshakeSignatureValid::assertion()
        })
    }
}

impl ServerCertVerifier for Capture {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.clone().into_owned()).collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).chain = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.note(verify_tls12_signature(message, cert, dss, algorithms)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        Ok(self.note(verify_tls13_signature(message, cert, dss, algorithms)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        // Gateways of another age: met, and never trusted, since nothing here can verify these.
        schemes.extend([
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ECDSA_SHA1_Legacy,
        ]);
        schemes
    }
}
