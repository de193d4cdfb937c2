//! Whom a chain of certificates may end at.

use std::path::{Path, PathBuf};

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// Certificate authorities, and certificates that are trusted as they are.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Authorities.
    pub(super) anchors: RootCertStore,
    /// The certificates of a `ca_file` as they stand there: a gateway's own, signed by itself, is no authority.
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

/// Why there are no roots: the prober's own trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RootsError {
    /// The file can't be read or holds no certificate.
    #[error("cannot read the certificates in `{path}`: {why}")]
    File {
        /// The `ca_file`.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system has none.
    #[error("this host has no certificate authorities (Debian: package ca-certificates){0}")]
    System(String),
}

impl Roots {
    /// Those of a `ca_file`, or the system's. Reads files; a few milliseconds.
    pub async fn load(ca_file: Option<&Path>) -> Result<Self, RootsError> {
        let ca_file = ca_file.map(Path::to_owned);
        let read = move || ca_file.map_or_else(Self::of_system, |path| Self::of_file(&path));
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|e| Err(RootsError::System(format!(": {e}"))))
    }

    fn of_file(path: &Path) -> Result<Self, RootsError> {
        let fault = |why: String| RootsError::File { path: path.to_owned(), why };
        let text = std::fs::read(path).map_err(|e| fault(e.to_string()))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let certificates = certificates.map_err(|e| fault(e.to_string()))?;
        if certificates.is_empty() {
            return Err(fault("no PEM certificate in it".to_owned()));
        }
        Ok(Self::of(certificates))
    }

    fn of_system() -> Result<Self, RootsError> {
        let found = rustls_native_certs::load_native_certs();
        let roots = Self::of(found.certs);
        if roots.anchors.is_empty() {
            let words: Vec<_> = found.errors.iter().map(|e| format!("; {e}")).collect();
            return Err(RootsError::System(words.join("")));
        }
        // A certificate of the system is an authority or nothing.
        Ok(Self { certificates: Vec::new(), ..roots })
    }

    /// Of these certificates. One that can't be an authority counts as itself alone.
    pub(super) fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(certificates.iter().cloned());
        Self { anchors, certificates }
    }
}
