//! TLS from files: the certificate with its chain and the key, both PEM. They are read again on a
//! reload, so that a renewed certificate needs no restart.

use std::sync::{Arc, PoisonError, RwLock};

use base::{Code, Error, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// The certificate that the server shows.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    now: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// If they cannot be read, hold no certificate or key, or do not belong together.
    pub fn read(files: &TlsFiles) -> Result<Self> {
        Ok(Self { files: files.clone(), now: RwLock::new(read(files)?) })
    }

    /// Reads the files again, for connections to come.
    ///
    /// # Errors
    /// As [`Tls::read`]; the old certificate stays then.
    pub fn reload(&self) -> Result<()> {
        let next = read(&self.files)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// What shakes hands with a new connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>> {
    let wrong = |what: &str, path: &std::path::Path, error: &dyn std::fmt::Display| {
        Error::new(Code::InvalidInput, format!("cannot read the {what} `{}`", path.display()))
            .because(error)
            .hint("give PEM files, as `openssl` and ACME clients write them")
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("certificate", &files.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong("key", &files.key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal("cannot set TLS up").because(error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("certificate", &files.certificate, &error))?;
    Ok(Arc::new(config))
}
