//! From a client's certificates to a verdict: webpki builds the path, the rest of mod_ssl's rules follow.

use std::cell::Cell;

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath};

use super::anchors::Anchors;
use super::reason;
use super::revocation::{Depth, Lists, Revocation};
use super::verdict::{Outcome, Verdict};
use super::walk::{Walk, outside};
use crate::x509::{Certificate, Role};

/// Bits of the shortest RSA key that a peer may prove possession of.
const SHORTEST_RSA: usize = 2048;

/// Everything a chain is judged by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub anchors: &'a Anchors,
    pub revocation: &'a Revocation,
    /// Certificates that may stand above the client's own.
    pub depth: u32,
    pub algorithms: &'a WebPkiSupportedAlgorithms,
    /// What the certificate has to be good for.
    pub role: Role,
}

fn usage(role: Role) -> KeyUsage {
    match role {
        Role::Client => KeyUsage::client_auth(),
        Role::Server => KeyUsage::server_auth(),
    }
}

impl Rules<'_> {
    /// Judges `chain`, the peer's certificate first. Never [`Outcome::Generous`].
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
        match self.build(leaf, &certificate, rest, now) {
            Ok(verdict) => verdict,
            Err(reason) => Verdict::failed(
                Walk::new(&certificate, rest, self.anchors).first_complaint(reason, self.anchors),
            ),
        }
    }

    /// Judges `chain` as `optional_no_ca` does: nobody need vouch for it. What is wrong with it besides is not forgiven.
    pub fn judge_generously(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        let verdict = self.judge(chain, now);
        if verdict.outcome != Outcome::Failed || !reason::is_untrusted(verdict.reason) {
            return verdict;
        }
        let parsed = chain
            .split_first()
            .and_then(|(leaf, rest)| Some((Certificate::parse(leaf)?, rest)));
        let Some((leaf, rest)) = parsed else {
            return verdict;
        };
        let walk = Walk::new(&leaf, rest, self.anchors);
        match walk.other_fault(self.role, seconds(now)) {
            Some(fault) => Verdict::failed(fault),
            None => Verdict {
                outcome: Outcome::Generous,
                reason: walk.last_complaint(),
                ..verdict
            },
        }
    }

    /// A self-signed certificate that is listed itself. webpki has no notion of it; the listing is the proof.
    fn judge_own_anchor(&self, certificate: &Certificate, now: UnixTime) -> Verdict {
        if !certificate.serves(self.role) {
            return Verdict::failed(reason::PURPOSE);
        }
        if let Some(why) = outside(certificate, seconds(now)) {
            return Verdict::failed(why);
        }
        if self.revocation.depth() != Depth::None {
            let lists = self.revocation.lists();
            if lists.are_early(certificate.issuer_content(), seconds(now)) {
                return Verdict::failed(reason::CRL_NOT_YET_VALID);
            }
            match lists.find(certificate.issuer_content(), &certificate.serial) {
                Some(true) => return Verdict::failed(reason::REVOKED),
                None if !self.revocation.missing_ok() => return Verdict::failed(reason::NO_CRL),
                _ => {}
            }
        }
        Verdict {
            outcome: Outcome::Success,
            depth: 0,
            not_after: certificate.not_after.seconds().unwrap_or(0),
            authority: certificate.issuer_content().to_vec(),
            ..Verdict::default()
        }
    }

    fn build(
        &self,
        leaf: &CertificateDer<'_>,
        certificate: &Certificate,
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
        let verdict = Cell::new(Verdict::default());
        let check = |path: &VerifiedPath<'_>| match self.check_path(
            path,
            certificate,
            &lists,
            seconds(now),
        ) {
            Ok(found) => {
                verdict.set(found);
                Ok(())
            }
            Err(why) => {
                refusal.set(Some(why));
                Err(Error::MaximumPathDepthExceeded)
            }
        };
        self.revocation.with_options(&lists, |options| {
            let built = end_entity.verify_for_usage(
                self.algorithms.all,
                self.anchors.trusted(),
                &links,
                now,
                usage(self.role),
                options,
                Some(&check),
            );
            match built {
                Ok(_) => Ok(verdict.take()),
                Err(error) => Err(refusal.get().unwrap_or_else(|| reason::describe(&error))),
            }
        })
    }

    /// What webpki leaves to its callers: the depth, key usages, and the validity of the anchor. The verdict holds until
    /// the first certificate of the path expires.
    fn check_path(
        &self,
        path: &VerifiedPath<'_>,
        leaf: &Certificate,
        lists: &Lists,
        now: i64,
    ) -> Result<Verdict, &'static str> {
        let depth = depth_of(path);
        if depth > self.depth {
            return Err(reason::TOO_LONG);
        }
        if !leaf.serves(self.role) {
            return Err(reason::PURPOSE);
        }
        // The signature algorithms of a handshake know no shorter ones.
        if leaf.rsa_bits().is_some_and(|bits| bits < SHORTEST_RSA) {
            return Err(reason::WEAK_KEY);
        }
        let is_early =
            |certificate: &Certificate| lists.are_early(certificate.issuer_content(), now);
        if self.revocation.depth() != Depth::None && is_early(leaf) {
            return Err(reason::CRL_NOT_YET_VALID);
        }
        let mut not_after = leaf.not_after.seconds().unwrap_or(0);
        for link in path.intermediate_certificates() {
            let link = Certificate::parse(&link.der()).ok_or(reason::UNREADABLE)?;
            if !link.may_sign() {
                return Err(reason::NOT_A_CA);
            }
            if self.revocation.depth() == Depth::Chain && is_early(&link) {
                return Err(reason::CRL_NOT_YET_VALID);
            }
            not_after = not_after.min(link.not_after.seconds().unwrap_or(0));
        }
        if let Some((start, end)) = self.anchors.validity(path.anchor()) {
            if now > end {
                return Err(reason::EXPIRED);
            }
            if now < start {
                return Err(reason::NOT_YET_VALID);
            }
            not_after = not_after.min(end);
        }
        Ok(Verdict {
            outcome: Outcome::Success,
            depth,
            not_after,
            authority: path.anchor().subject.to_vec(),
            ..Verdict::default()
        })
    }
}

fn depth_of(path: &VerifiedPath<'_>) -> u32 {
    u32::try_from(path.intermediate_certificates().count())
        .map_or(u32::MAX, |links| links.saturating_add(1))
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
