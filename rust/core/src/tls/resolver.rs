// SPDX-License-Identifier: Apache-2.0
//! With what a server shows itself: certificate and signature scheme.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::context;
use super::context::Shown;
use super::signatures::{Signatures, in_version, narrowed};

/// Takes the certificate from the virtual host that our own reading of the hello chose.
#[derive(Debug)]
pub struct FromContext {
    /// What may sign; `None`: whatever fits the key.
    pub signatures: Option<Signatures>,
}

impl ResolvesServerCert for FromContext {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        context::with(|context| {
            // Two parsers read this hello. Where they differ about the name, no certificate is safe to show.
            if context.server_name.as_deref() != hello.server_name() {
                return None;
            }
            let offered = hello.signature_schemes().iter();
            let offered: Vec<_> = offered
                .chain(&context.unnamed_schemes)
                .copied()
                .filter(|scheme| in_version(*scheme, context.tls13))
                .collect();
            let source = context.certificates.as_ref()?;
            let (shown, scheme) = match &self.signatures {
                Some(allowed) => {
                    allowed.select(&**source, &offered, &context.wants, context.tls13)?
                }
                None => {
                    let shown = source.select(&offered, &context.wants)?;
                    let scheme = shown.certified.key.choose_scheme(&offered)?.scheme();
                    (shown, scheme)
                }
            };
            let Shown { certified, packed } = shown;
            let certified = match context.unnamed_schemes.contains(&scheme) {
                true => narrowed(&certified, scheme),
                false => certified,
            };
            context.packed = Some(packed);
            context.signature_scheme = Some(scheme);
            context.presented = Some(certified.clone());
            Some(certified)
        })
        .flatten()
    }
}
