//! The simulated gateway's TLS: a real handshake over a pipe in memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Its certificate, signed by itself; until 2049.
const CERTIFICATE: &[u8] = include_bytes!("gateway.pem");
/// Its key: known to everybody, so it protects nothing.
const KEY: &[u8] = include_bytes!("gateway.key.pem");
/// From here to there and back.
const ROUND_TRIP: Duration = Duration::from_micros(8_100);

/// Connects to it.
pub(super) async fn connect() -> io::Result<DuplexStream> {
    let acceptor = acceptor()?;
    sleep(ROUND_TRIP).await;
    let (ours, theirs) = duplex(64 * 1024);
    tokio::spawn(async move {
        sleep(ROUND_TRIP).await;
        // The prober closes when it has seen enough.
        let _ = acceptor.accept(theirs).await;
    });
    Ok(ours)
}

fn acceptor() -> io::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE).collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(KEY).map_err(io::Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
