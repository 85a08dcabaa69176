//! `Credentials` for C++.

use std::sync::Arc;

use mod_tls_core::context::CertificateSource;

use crate::guard::guard_result;

/// The certificates of all virtual hosts.
pub struct Credentials(Vec<Arc<dyn CertificateSource>>);

impl Credentials {
    /// Certificates of one virtual host.
    pub(crate) fn source(&self, index: u32) -> Option<Arc<dyn CertificateSource>> {
        self.0.get(usize::try_from(index).ok()?).cloned()
    }
}

#[derive(Debug)]
struct One(Arc<rustls::sign::CertifiedKey>);

impl CertificateSource for One {
    fn select(
        &self,
        _schemes: &[rustls::SignatureScheme],
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// See the bridge.
pub fn load_pairs(certificates: &[String], keys: &[String]) -> Result<Box<Credentials>, String> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    guard_result(|| {
        let mut sources: Vec<Arc<dyn CertificateSource>> = Vec::new();
        for (certificate, key) in certificates.iter().zip(keys) {
            let chain = CertificateDer::pem_file_iter(certificate)
                .and_then(|certs| certs.collect::<Result<Vec<_>, _>>())
                .map_err(|e| format!("{certificate}: {e}"))?;
            let key = PrivateKeyDer::from_pem_file(key).map_err(|e| format!("{key}: {e}"))?;
            let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
                .map_err(|e| e.to_string())?;
            sources.push(Arc::new(One(Arc::new(rustls::sign::CertifiedKey::new(
                chain, key,
            )))));
        }
        Ok(Box::new(Credentials(sources)))
    })
}
