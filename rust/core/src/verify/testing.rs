// SPDX-License-Identifier: Apache-2.0
//! CAs, certificates and lists that tests make, and a verifier over them.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::*;

/// 2026-01-01
pub(super) const NOW: u64 = 1_767_225_600;

pub(super) fn now() -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(NOW))
}

pub(super) fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2030, 1, 1);
    params
}

pub(super) fn ca_params(name: &str, serial: u64) -> CertificateParams {
    let mut params = params(name, serial);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

pub(super) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(super) fn root(name: &str) -> Issuer {
    CertifiedIssuer::self_signed(ca_params(name, 1), KeyPair::generate().unwrap()).unwrap()
}

pub(super) fn intermediate(name: &str, issuer: &Issuer) -> Issuer {
    CertifiedIssuer::signed_by(ca_params(name, 2), KeyPair::generate().unwrap(), issuer).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "as the tests write it")]
pub(super) fn client(params: CertificateParams, issuer: &Issuer) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, issuer).unwrap().der().clone()
}

pub(super) fn crl(issuer: &Issuer, revoked: &[u64], next_update: i32) -> Vec<u8> {
    crl_of(issuer, revoked, 2024, next_update, 1)
}

/// A list of January of one year to that of another.
pub(super) fn crl_of(
    issuer: &Issuer,
    revoked: &[u64],
    this_update: i32,
    next_update: i32,
    number: u64,
) -> Vec<u8> {
    let revoked = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2025, 1, 1),
        reason_code: None,
        invalidity_date: None,
    });
    CertificateRevocationListParams {
        this_update: date_time_ymd(this_update, 1, 1),
        next_update: date_time_ymd(next_update, 1, 1),
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
    .signed_by(issuer)
    .unwrap()
    .der()
    .to_vec()
}

pub(super) struct Setting {
    pub(super) mode: Mode,
    pub(super) depth: u32,
    pub(super) cas: Vec<CertificateDer<'static>>,
    pub(super) revocation: Revocation,
}

impl Setting {
    pub(super) fn of(cas: &[&Issuer]) -> Self {
        Self {
            mode: Mode::Required,
            depth: 1,
            cas: cas.iter().map(|ca| ca.der().clone()).collect(),
            revocation: Revocation::default(),
        }
    }

    pub(super) fn crls(
        mut self,
        depth: RevocationDepth,
        missing_ok: bool,
        ders: &[Vec<u8>],
    ) -> Self {
        let (revocation, refused) = Revocation::new(depth, missing_ok, ders);
        assert!(refused.is_empty(), "{refused:?}");
        self.revocation = revocation;
        self
    }

    pub(super) fn verifier(self) -> Arc<Verifier> {
        let (anchors, refused) = Anchors::new(&self.cas, Ends::Anywhere);
        assert!(refused.is_empty(), "{refused:?}");
        let spec = Spec {
            mode: self.mode,
            depth: self.depth,
            anchors,
            hints: None,
            revocation: self.revocation,
            responders: None,
            signatures: Vec::new(),
        };
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        Verifier::new(spec, algorithms)
    }

    pub(super) fn judge(self, chain: &[CertificateDer<'static>]) -> Verdict {
        self.verifier().judge(chain, now())
    }
}

pub(super) fn reason(verdict: &Verdict) -> &str {
    assert_eq!(verdict.outcome, Outcome::Failed, "{verdict:?}");
    verdict.reason
}
