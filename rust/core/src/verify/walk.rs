//! Chains that do not verify: what OpenSSL would have complained of first, and what it would not have forgiven.

use rustls_pki_types::CertificateDer;

use super::anchors::Anchors;
use super::reason;
use crate::x509::{Certificate, Role};

/// The certificates that a peer sent, from its own upwards as far as they name each other as issuers.
pub struct Walk<'a> {
    leaf: &'a Certificate,
    above: Vec<Certificate>,
    /// Why the way leads to nobody who is trusted; `None` where it does lead there.
    untrusted: Option<&'static str>,
}

impl<'a> Walk<'a> {
    /// Walks from `leaf` through `rest` and the links that are listed, each of which is used once at most.
    pub fn new(leaf: &'a Certificate, rest: &[CertificateDer<'_>], anchors: &Anchors) -> Self {
        let mut unused: Vec<Certificate> = rest
            .iter()
            .chain(anchors.links())
            .filter_map(|der| Certificate::parse(der))
            .collect();
        let mut walk = Self {
            leaf,
            above: Vec::new(),
            untrusted: None,
        };
        walk.untrusted = loop {
            let top = walk.top();
            if top.is_self_issued() {
                break Some(if walk.above.is_empty() {
                    reason::SELF_SIGNED
                } else {
                    reason::SELF_SIGNED_IN_CHAIN
                });
            }
            if anchors.has_end(top.issuer_der()) {
                break None;
            }
            let issues = |other: &Certificate| other.subject_der() == top.issuer_der();
            match unused.iter().position(issues) {
                Some(place) => {
                    let next = unused.swap_remove(place);
                    walk.above.push(next);
                }
                None => break Some(reason::NO_ISSUER),
            }
        };
        walk
    }

    fn top(&self) -> &Certificate {
        self.above.last().unwrap_or(self.leaf)
    }

    /// The reason to give for a chain that was refused for `found`: that nobody vouches for it comes first.
    pub fn first_complaint(&self, found: &'static str, anchors: &Anchors) -> &'static str {
        match self.untrusted {
            _ if reason::is_of_trusted_path(found) => found,
            Some(why) => why,
            // Listed for himself, but no CA.
            None if !anchors.is_trusted(self.top().issuer_der()) => reason::NOT_A_CA,
            None => found,
        }
    }

    /// What is wrong with an untrusted chain besides that, at `now` in seconds since 1970: `optional_no_ca` does not
    /// forgive it.
    pub fn other_fault(&self, role: Role, now: i64) -> Option<&'static str> {
        if !self.leaf.serves(role) {
            return Some(reason::PURPOSE);
        }
        if !self.above.iter().all(Certificate::is_authority) {
            return Some(reason::NOT_A_CA);
        }
        // An upper end that did not sign itself is looked at by nobody.
        let ends_open = !self.top().is_self_issued();
        let judged = self.above.len().saturating_sub(usize::from(ends_open));
        std::iter::once(self.leaf)
            .chain(self.above.iter().take(judged))
            .find_map(|certificate| outside(certificate, now))
    }

    /// The reason that is shown of an untrusted chain which is let in.
    pub fn last_complaint(&self) -> &'static str {
        match self.untrusted {
            // OpenSSL goes on after the first complaint, and ends with this one where the client sent nothing else.
            Some(reason::NO_ISSUER) if self.above.is_empty() => reason::UNVERIFIABLE,
            Some(why) => why,
            None => "",
        }
    }
}

/// Why a certificate is not valid at `now`.
pub fn outside(certificate: &Certificate, now: i64) -> Option<&'static str> {
    if now > certificate.not_after.seconds().unwrap_or(0) {
        Some(reason::EXPIRED)
    } else if now < certificate.not_before.seconds().unwrap_or(i64::MAX) {
        Some(reason::NOT_YET_VALID)
    } else {
        None
    }
}
