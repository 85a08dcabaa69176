// SPDX-License-Identifier: Apache-2.0
//! Certificates of a connection, for the variables.

use std::sync::Arc;

use mod_tls_core::tls::hello::Offered;
use mod_tls_core::x509::http;
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

    pub fn http_field(&self, chain: bool) -> Vec<u8> {
        guard(Vec::new, || {
            let all = self.certificates.chain();
            match all.split_first() {
                Some((own, _)) if !chain => http::write(own),
                Some((_, behind)) => http::write_list(behind.iter().map(AsRef::as_ref)),
                None => Vec::new(),
            }
        })
    }

    /// Empty fields are none. Fields that cannot be read are an error, as is a chain without its beginning.
    pub fn forwarded(&self, certificate: &[u8], chain: &[u8]) -> Result<Box<Self>, String> {
        let broken = |field: &str| {
            format!("its field {field} does not hold certificates as byte sequences (RFC 9440)")
        };
        guard(
            || Err("internal error".to_owned()),
            || {
                let mut all = Vec::new();
                if !certificate.is_empty() {
                    all.push(http::read(certificate).ok_or_else(|| broken("Client-Cert"))?);
                }
                if !chain.is_empty() {
                    if all.is_empty() {
                        return Err(
                            "it has a field Client-Cert-Chain without Client-Cert".to_owned()
                        );
                    }
                    let behind =
                        http::read_list(chain).ok_or_else(|| broken("Client-Cert-Chain"))?;
                    all.extend(behind);
                }
                let certificates = self.certificates.with_chain(all);
                Ok(Box::new(Self::new(certificates, self.offered.clone())))
            },
        )
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

pub(crate) fn is_client_field(name: &[u8]) -> bool {
    guard(|| true, || http::is_client_field(name))
}

pub(crate) fn without_client_fields(connection: &[u8]) -> CertificateField {
    guard(missing, || {
        http::without_client_fields(connection)
            .map_or_else(missing, |value| CertificateField { found: true, value })
    })
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
