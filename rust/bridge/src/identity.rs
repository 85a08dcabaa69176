//! Certificates of a connection, for the variables.

use std::sync::Arc;

use mod_tls_core::tls::hello::Offered;
use mod_tls_core::{verify, x509};
use rustls::pki_types::UnixTime;

use crate::ffi::{CertificateField, ClientMode, NamedField, Outcome, Verdict};
use crate::guard::guard;
use crate::verifier::{self, ClientVerifier};

/// See [`x509::Identity`].
#[derive(Default)]
pub struct Identity {
    certificates: x509::Identity,
    sections: verify::Sections,
    offered: Option<Arc<Offered>>,
}

impl Identity {
    pub(crate) fn new(certificates: x509::Identity, offered: Option<Arc<Offered>>) -> Self {
        Self {
            certificates,
            offered,
            ..Self::default()
        }
    }

    pub fn judge(
        &self,
        verifier: &ClientVerifier,
        section_mode: ClientMode,
        depth: u32,
    ) -> Verdict {
        let failed = || verdict(&verify::Verdict::failed("internal error"));
        guard(failed, || {
            let Some(verifier) = verifier.authorities().current() else {
                return failed();
            };
            let chain = self.certificates.chain();
            let mode = verifier::mode(section_mode);
            verdict(
                &self
                    .sections
                    .judge(chain, &verifier, mode, depth, UnixTime::now()),
            )
        })
    }

    pub fn hello(&self, name: &[u8]) -> CertificateField {
        guard(missing, || {
            let name = std::str::from_utf8(name).ok();
            let value = name.and_then(|name| self.offered.as_ref()?.value(name));
            value.map_or_else(missing, |value| CertificateField {
                found: true,
                value: value.into_bytes(),
            })
        })
    }

    pub fn client_certificates(&self) -> usize {
        guard(|| 0, || self.certificates.client_certificates())
    }

    pub fn field(&self, client: bool, name: &[u8], legacy: bool, now: i64) -> CertificateField {
        guard(missing, || {
            let value = std::str::from_utf8(name).ok().and_then(|name| {
                self.certificates
                    .field(side(client), name, style(legacy), now)
            });
            value.map_or_else(missing, |value| CertificateField { found: true, value })
        })
    }

    pub fn exported(&self, client: bool, legacy: bool, now: i64) -> Vec<NamedField> {
        guard(Vec::new, || {
            let fields = self.certificates.exported(side(client), style(legacy), now);
            let named = |(name, value): (String, Vec<u8>)| NamedField {
                name: name.into(),
                value,
            };
            fields.into_iter().map(named).collect()
        })
    }

    pub fn tells_cut(&self) -> bool {
        guard(|| false, || self.certificates.tells_cut())
    }

    pub fn extensions(&self, client: bool, name: &[u8]) -> Vec<NamedField> {
        guard(Vec::new, || {
            let Ok(text) = std::str::from_utf8(name) else {
                return Vec::new();
            };
            let values = self.certificates.extensions(side(client), text);
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

/// What C++ sees of a verdict.
pub(crate) fn verdict(verdict: &verify::Verdict) -> Verdict {
    Verdict {
        outcome: match verdict.outcome {
            verify::Outcome::None => Outcome::None,
            verify::Outcome::Success => Outcome::Success,
            verify::Outcome::Unverified => Outcome::Unverified,
            verify::Outcome::Failed => Outcome::Failed,
        },
        reason: verdict.reason.to_owned(),
        number: verdict.number(),
        advice: verdict.advice.clone(),
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
