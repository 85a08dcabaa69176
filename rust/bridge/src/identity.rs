// SPDX-License-Identifier: Apache-2.0
//! Certificates of a connection, for the variables.

pub(crate) mod boundary;

use std::sync::Arc;

use mod_tls_core::tls::hello::Offered;
use mod_tls_core::x509::http;
use mod_tls_core::{verify, x509};

use crate::guard::{Thrown, guard, guard_result};
use crate::verifier::ClientVerifier;
use crate::verifier::boundary::ffi::{ClientMode, Outcome, Verdict};
use boundary::ffi::{CertificateField, NamedField};

named_in_cpp!(Identity, "tls::rs::Identity");

/// See [`x509::Identity`].
#[derive(Default)]
pub(crate) struct Identity {
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

    pub(crate) fn judge(
        &self,
        by: &ClientVerifier,
        section_mode: ClientMode,
        depth: u32,
    ) -> Verdict {
        let (chain, mode) = (self.certificates.chain(), section_mode.into());
        let judge = || self.sections.judge_by(by.authorities(), chain, mode, depth);
        let failed = || verify::Verdict::failed("internal error");
        guard(failed, judge).into()
    }

    pub(crate) fn hello(&self, name: &[u8]) -> CertificateField {
        guard(missing, || {
            let name = std::str::from_utf8(name).ok();
            let value = name.and_then(|name| self.offered.as_ref()?.value(name));
            value.map(String::into_bytes).into()
        })
    }

    pub(crate) fn client_certificates(&self) -> usize {
        guard(|| 0, || self.certificates.client_certificates())
    }

    pub(crate) fn field(
        &self,
        client: bool,
        name: &[u8],
        legacy: bool,
        now: i64,
    ) -> CertificateField {
        let (all, side, style) = (&self.certificates, side(client), style(legacy));
        guard(missing, || {
            let name = std::str::from_utf8(name).ok();
            name.and_then(|name| all.field(side, name, style, now))
                .into()
        })
    }

    pub(crate) fn exported(&self, client: bool, legacy: bool, now: i64) -> Vec<NamedField> {
        guard(Vec::new, || {
            let fields = self.certificates.exported(side(client), style(legacy), now);
            let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
            fields.map(NamedField::from).collect()
        })
    }

    pub(crate) fn http_field(&self, chain: bool) -> Vec<u8> {
        let all = self.certificates.chain();
        guard(Vec::new, || http::write_client(all, chain))
    }

    /// Empty fields are none. Fields that cannot be read are an error, as is a chain without its beginning.
    pub(crate) fn forwarded(&self, certificate: &[u8], chain: &[u8]) -> Result<Box<Self>, Thrown> {
        guard_result(|| {
            let all = http::read_client(certificate, chain)?;
            let certificates = self.certificates.with_chain(all);
            Ok(Box::new(Self::new(certificates, self.offered.clone())))
        })
    }

    pub(crate) fn tells_cut(&self) -> bool {
        guard(|| false, || self.certificates.tells_cut())
    }

    pub(crate) fn extensions(&self, client: bool, name: &[u8]) -> Vec<NamedField> {
        guard(Vec::new, || {
            let text = std::str::from_utf8(name).unwrap_or_default();
            let values = self.certificates.extensions(side(client), text);
            let fields = values.into_iter().map(|value| (name.to_vec(), value));
            fields.map(NamedField::from).collect()
        })
    }
}

impl From<(Vec<u8>, Vec<u8>)> for NamedField {
    fn from((name, value): (Vec<u8>, Vec<u8>)) -> Self {
        Self { name, value }
    }
}

impl From<Option<Vec<u8>>> for CertificateField {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self {
            found: value.is_some(),
            value: value.unwrap_or_default(),
        }
    }
}

pub(crate) fn is_client_field(name: &[u8]) -> bool {
    guard(|| true, || http::is_client_field(name))
}

pub(crate) fn without_client_fields(connection: &[u8]) -> CertificateField {
    let without = || http::without_client_fields(connection).into();
    guard(missing, without)
}

impl From<verify::Verdict> for Verdict {
    fn from(verdict: verify::Verdict) -> Self {
        Self {
            outcome: verdict.outcome.into(),
            reason: verdict.reason.to_owned(),
            number: verdict.number(),
            advice: verdict.advice,
        }
    }
}

impl From<verify::Outcome> for Outcome {
    fn from(outcome: verify::Outcome) -> Self {
        match outcome {
            verify::Outcome::None => Self::None,
            verify::Outcome::Success => Self::Success,
            verify::Outcome::Unverified => Self::Unverified,
            verify::Outcome::Failed => Self::Failed,
        }
    }
}

fn missing() -> CertificateField {
    None.into()
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
