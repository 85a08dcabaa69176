//! From a client's certificates to a verdict: webpki builds the path, the rest of mod_ssl's rules follow.

use std::cell::Cell;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath};

use super::anchors::Anchors;
use super::reason;
use super::revocation::{Depth, Revocation};
use super::verdict::{Outcome, Verdict};
use crate::x509::Certificate;

/// Everything a chain is judged by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub anchors: &'a Anchors,
    pub revocation: &'a Revocation,
    /// Certificates that may stand above the client's own.
    pub depth: u32,
    pub algorithms: &'a WebPkiSupportedAlgorithms,
    /// What the certificate has to be good for.
    pub purpose: Purpose,
}

/// Extended key usages (RFC 5280 4.2.1.12) that we ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Of a client that connects to us.
    Client,
    /// Of a backend that we connect to.
    Server,
}

impl Purpose {
    fn usage(self) -> KeyUsage {
        match self {
            Purpose::Client => KeyUsage::client_auth(),
            Purpose::Server => KeyUsage::server_auth(),
        }
    }
}

impl Rules<'_> {
    /// Judges `chain`, the client's certificate first. Never [`Outcome::Generous`]: that is the policy's word.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        let Some((leaf, rest)) = chain.split_first() else {
            return Verdict::default();
        };
        let Some(certificate) = Certificate::parse(leaf) else {
            return Verdict::failed(reason::UNREADABLE);
        };
        if certificate.is_self_issued() && self.anchors.holds_self_signed(leaf) {
            return self.judge_own_anchor(&certificate, now);
        }
        match self.build(leaf, rest, now) {
            Ok(verdict) => verdict,
            Err(reason) => Verdict::failed(self.refine(reason, &certificate, rest)),
        }
    }

    /// A self-signed certificate that is listed itself. webpki has no notion of it; the listing is the proof.
    fn judge_own_anchor(&self, certificate: &Certificate, now: UnixTime) -> Verdict {
        let now = seconds(now);
        let not_after = certificate.not_after.seconds().unwrap_or(0);
        if now > not_after {
            return Verdict::failed(reason::EXPIRED);
        }
        if now < certificate.not_before.seconds().unwrap_or(i64::MAX) {
            return Verdict::failed(reason::NOT_YET_VALID);
        }
        if self.revocation.depth() != Depth::None {
            let lists = self.revocation.lists();
            match lists.find(certificate.issuer_content(), &certificate.serial) {
                Some(true) => return Verdict::failed(reason::REVOKED),
                None if !self.revocation.missing_ok() => return Verdict::failed(reason::NO_CRL),
                _ => {}
            }
        }
        Verdict {
            outcome: Outcome::Success,
            depth: 0,
            not_after,
            ..Verdict::default()
        }
    }

    fn build(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Verdict, &'static str> {
        let end_entity = EndEntityCert::try_from(leaf).map_err(|error| reason::describe(&error))?;
        let links: Vec<CertificateDer<'_>> =
            rest.iter().chain(self.anchors.links()).cloned().collect();
        let lists = self.revocation.lists();
        if self.revocation.depth() != Depth::None
            && lists.is_empty()
            && !self.revocation.missing_ok()
        {
            return Err(reason::NO_CRL);
        }
        let refusal = Cell::new(None);
        let check = |path: &VerifiedPath<'_>| {
            self.check_path(path, seconds(now)).map_err(|why| {
                refusal.set(Some(why));
                Error::MaximumPathDepthExceeded
            })
        };
        self.revocation.with_options(&lists, |options| {
            let built = end_entity.verify_for_usage(
                self.algorithms.all,
                self.anchors.trusted(),
                &links,
                now,
                self.purpose.usage(),
                options,
                Some(&check),
            );
            match built {
                Ok(path) => Ok(self.accept(&path)),
                Err(error) => Err(refusal.get().unwrap_or_else(|| reason::describe(&error))),
            }
        })
    }

    /// What webpki leaves to its callers: the depth, and the validity of the anchor.
    fn check_path(&self, path: &VerifiedPath<'_>, now: i64) -> Result<(), &'static str> {
        if depth_of(path) > self.depth {
            return Err(reason::TOO_LONG);
        }
        match self.anchors.validity(path.anchor()) {
            Some((_, end)) if now > end => Err(reason::EXPIRED),
            Some((start, _)) if now < start => Err(reason::NOT_YET_VALID),
            _ => Ok(()),
        }
    }

    fn accept(&self, path: &VerifiedPath<'_>) -> Verdict {
        let end = |der: &[u8]| Certificate::parse(der).and_then(|c| c.not_after.seconds());
        let anchor = self.anchors.validity(path.anchor()).map(|(_, end)| end);
        let links = path
            .intermediate_certificates()
            .filter_map(|link| end(&link.der()));
        let not_after = links
            .chain(end(&path.end_entity().der()))
            .chain(anchor)
            .min();
        Verdict {
            outcome: Outcome::Success,
            depth: depth_of(path),
            not_after: not_after.unwrap_or(0),
            ..Verdict::default()
        }
    }

    /// OpenSSL tells apart why no issuer was found.
    fn refine(
        &self,
        reason: &'static str,
        leaf: &Certificate,
        rest: &[CertificateDer<'_>],
    ) -> &'static str {
        let self_signed = |der: &CertificateDer<'_>| {
            Certificate::parse(der).is_some_and(|certificate| certificate.is_self_issued())
        };
        let untrusted = reason == reason::NO_ISSUER || leaf.is_self_issued();
        if untrusted && leaf.is_self_issued() {
            reason::SELF_SIGNED
        } else if untrusted && rest.iter().any(self_signed) {
            reason::SELF_SIGNED_IN_CHAIN
        } else {
            reason
        }
    }
}

fn depth_of(path: &VerifiedPath<'_>) -> u32 {
    u32::try_from(path.intermediate_certificates().count())
        .map_or(u32::MAX, |links| links.saturating_add(1))
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
