// SPDX-License-Identifier: Apache-2.0
//! Whether a backend is the one that was meant: trust, name and dates, each as configured.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::refusal::BackendRefusal;
use crate::creds::certificate::CertificateFields;
use crate::creds::names;
use crate::tls::context;
use crate::tls::signatures::RSA_PSS_PSS;
use crate::verify::checks::Purpose;
use crate::verify::path::Rules;
use crate::verify::{Anchors, Outcome, Revocation, Verdict, signature};

/// How much trust a backend has to prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BackendMode {
    /// None: whoever answers is believed (`SSLProxyVerify none`).
    #[default]
    None,
    /// A chain to one of the CAs.
    Required,
    /// A chain, but nobody need vouch for its end (`optional_no_ca`).
    OptionalNoCa,
}

/// Judges the certificates of backends for one client policy.
#[derive(Debug)]
pub(super) struct BackendVerifier {
    /// How much trust is asked for.
    pub mode: BackendMode,
    /// Certificates that may stand above the backend's own.
    pub depth: u32,
    /// Trusted CAs.
    pub anchors: Anchors,
    /// Revocation lists.
    pub revocation: Revocation,
    /// The name that the request is for must stand in subjectAltName.
    pub check_name: bool,
    /// Any common name is as good.
    pub common_names: bool,
    /// The backend's own certificate must be valid today, whatever `mode` says.
    pub check_dates: bool,
    /// Signature algorithms of certificates and handshakes.
    pub algorithms: WebPkiSupportedAlgorithms,
}

fn refuse(why: BackendRefusal) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

impl BackendVerifier {
    fn trust(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Verdict, BackendRefusal> {
        if self.mode == BackendMode::None {
            return Ok(Verdict::default());
        }
        let rules = Rules {
            anchors: &self.anchors,
            revocation: &self.revocation,
            depth: self.depth,
            purpose: Purpose::Server,
            tells_path: false,
        };
        let verdict = match self.mode {
            BackendMode::OptionalNoCa => rules.judge_unverified(chain, now),
            _ => rules.judge(chain, now),
        };
        match verdict.outcome {
            Outcome::Success | Outcome::Unverified => Ok(verdict),
            _ => Err(BackendRefusal::Unverified(verdict.reason, verdict.advice)),
        }
    }

    fn name(
        &self,
        leaf: &CertificateFields,
        host: &str,
        denied: bool,
    ) -> Result<(), BackendRefusal> {
        let named = !leaf.only_common_name && leaf.covers(host);
        if !self.check_name || named {
            return Ok(());
        }
        if self.common_name_covers(leaf, host) {
            // RFC 5280, 4.2.1.10: a CA that may vouch for some hosts alone must not do so by another field.
            return if denied {
                Err(BackendRefusal::NotPermitted(host.to_owned()))
            } else {
                Ok(())
            };
        }
        if !self.common_names && leaf.only_common_name {
            return Err(BackendRefusal::NoAltName(host.to_owned()));
        }
        Err(BackendRefusal::OtherName {
            covered: leaf.names_for_people(),
            host: host.to_owned(),
        })
    }

    /// mod_ssl matches common names even beside a subjectAltName (ssl_util_ssl.c, modssl_X509_match_name). No wildcard
    /// covers an address, and an address is written in one way.
    fn common_name_covers(&self, leaf: &CertificateFields, host: &str) -> bool {
        let covers = |name: &str| match names::address(host) {
            Some(_) => name.eq_ignore_ascii_case(host.trim_matches(['[', ']'])),
            None => names::covers(name, host),
        };
        self.common_names && leaf.common_names.iter().any(|name| covers(name))
    }

    fn dates(&self, leaf: &CertificateFields, now: UnixTime) -> Result<(), BackendRefusal> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if self.check_dates && now > leaf.not_after {
            return Err(BackendRefusal::Expired);
        }
        if self.check_dates && now < leaf.not_before {
            return Err(BackendRefusal::NotYetValid);
        }
        Ok(())
    }

    /// Judges a backend by its certificates, its own first; without a `host` no name is asked for.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        host: Option<&str>,
        now: UnixTime,
    ) -> Result<Verdict, BackendRefusal> {
        let verdict = self.trust(chain, now)?;
        let leaf = chain.first().ok_or(BackendRefusal::NoCertificate)?;
        if host.is_none() && !self.check_dates {
            return Ok(verdict);
        }
        let leaf = CertificateFields::parse(leaf).map_err(|_| BackendRefusal::Unreadable)?;
        self.dates(&leaf, now)?;
        host.map_or(Ok(()), |host| {
            self.name(&leaf, host, verdict.common_names_denied)
        })?;
        Ok(verdict)
    }
}

impl ServerCertVerifier for BackendVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity)
            .chain(intermediates)
            .cloned()
            .collect();
        // The name to verify comes from the request, and there may be none; what goes out as SNI may differ from it.
        let host = context::with(|context| context.server_name.clone()).flatten();
        let verdict = self.verify(&chain, host.as_deref(), now).map_err(refuse)?;
        context::with(|context| {
            context.verdict = Some(verdict);
            context.resumes = None;
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls12(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signature::verify_tls13(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        schemes.extend(RSA_PSS_PSS);
        schemes
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;
    use crate::backend::policy::algorithms;

    fn certificate(common_name: &str, names: &[&str]) -> CertificateDer<'static> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn backend_verifier(check_name: bool, common_names: bool) -> BackendVerifier {
        BackendVerifier {
            mode: BackendMode::None,
            depth: 1,
            anchors: Anchors::default(),
            revocation: Revocation::default(),
            check_name,
            common_names,
            check_dates: true,
            algorithms: algorithms(),
        }
    }

    #[test]
    fn names_that_a_backend_may_have() {
        let verdict = |common_names, leaf: &CertificateDer<'static>, host| {
            let chain = [leaf.clone()];
            backend_verifier(true, common_names).verify(&chain, Some(host), UnixTime::now())
        };
        let named = certificate("common.example", &["a.example", "*.b.example", "192.0.2.1"]);
        for (host, strict, lenient) in [
            ("a.example", true, true),
            ("A.Example.", true, true),
            ("x.b.example", true, true),
            ("192.0.2.1", true, true),
            ("common.example", false, true),
            ("b.example", false, false),
            ("192.0.2.2", false, false),
        ] {
            assert_eq!(verdict(false, &named, host).is_ok(), strict, "{host}");
            assert_eq!(verdict(true, &named, host).is_ok(), lenient, "{host}");
        }
        let nameless = certificate("*.0.2.1", &[]);
        assert!(verdict(true, &nameless, "192.0.2.1").is_err());
        assert!(verdict(true, &nameless, "x.0.2.1").is_ok());
        let why = verdict(false, &nameless, "x.0.2.1").unwrap_err();
        assert_eq!(why, BackendRefusal::NoAltName("x.0.2.1".to_owned()));
    }

    #[test]
    fn what_is_not_asked_is_not_looked_at() {
        let leaf = certificate("a.example", &["a.example"]);
        let chain = [leaf];
        let later = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1 << 40));
        let now = UnixTime::now();
        assert!(
            backend_verifier(false, false)
                .verify(&chain, Some("b"), now)
                .is_ok()
        );
        assert!(
            backend_verifier(true, false)
                .verify(&chain, None, now)
                .is_ok()
        );
        assert!(
            backend_verifier(true, false)
                .verify(&chain, None, later)
                .is_err()
        );
        let untimely = BackendVerifier {
            check_dates: false,
            ..backend_verifier(true, false)
        };
        assert!(untimely.verify(&chain, Some("a.example"), later).is_ok());
        assert!(untimely.verify(&[], None, now).is_err());
    }
}
