//! Certificates of a connection, for the variables.

use mod_tls_core::x509;

use crate::ffi::{CertificateField, NamedField};
use crate::guard::guard;

/// See [`x509::Identity`].
pub struct Identity(pub x509::Identity);

impl Identity {
    pub fn client_certificates(&self) -> usize {
        self.0.client_certificates()
    }

    pub fn field(&self, client: bool, name: &[u8], legacy: bool, now: i64) -> CertificateField {
        guard(missing, || {
            let value = std::str::from_utf8(name)
                .ok()
                .and_then(|name| self.0.field(side(client), name, style(legacy), now));
            value.map_or_else(missing, |value| CertificateField { found: true, value })
        })
    }

    pub fn exported(&self, client: bool, legacy: bool, now: i64) -> Vec<NamedField> {
        guard(Vec::new, || {
            let fields = self.0.exported(side(client), style(legacy), now);
            let named = |(name, value): (String, Vec<u8>)| NamedField {
                name: name.into(),
                value,
            };
            fields.into_iter().map(named).collect()
        })
    }

    pub fn extensions(&self, client: bool, name: &[u8]) -> Vec<NamedField> {
        guard(Vec::new, || {
            let Ok(text) = std::str::from_utf8(name) else {
                return Vec::new();
            };
            let values = self.0.extensions(side(client), text);
            values
                .into_iter()
                .map(|value| NamedField {
                    name: name.to_vec(),
                    value,
                })
                .collect()
        })
    }
}

fn missing() -> CertificateField {
    CertificateField {
        found: false,
        value: Vec::new(),
    }
}

fn side(client: bool) -> x509::Side {
    if client {
        x509::Side::Client
    } else {
        x509::Side::Server
    }
}

fn style(legacy: bool) -> x509::DnStyle {
    if legacy {
        x509::DnStyle::Legacy
    } else {
        x509::DnStyle::Rfc2253
    }
}
