// SPDX-License-Identifier: Apache-2.0
//! The certificates of the CAs that peers may come from.

use std::collections::{HashMap, HashSet};

use rustls_pki_types::CertificateDer;

use super::certificate::PathCertificate;
use super::checks;

const NO_ROOT: &str =
    "is of an intermediate CA, and the one above it is not listed: list its root too";

const NO_CA: &str = "is no CA's and did not sign itself: list the one of the CA that issued it";

/// Where a chain may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// At any CA that is listed.
    #[default]
    Anywhere,
    /// At one that signed itself, as OpenSSL has it.
    AtRoots,
}

/// What a listed certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A path may end at it.
    Anchor,
    /// A path may lead through it.
    Link,
}

/// Trusted CAs, and the CAs beneath them that stand in the same files.
///
/// OpenSSL follows a chain up to a certificate that signed itself. A CA below one that is listed too is therefore no
/// anchor but a link, which counts for the depth and need not be sent by clients. One whose own issuer is not listed
/// is an anchor all the same where `Ends::Anywhere` says so. A certificate that is no CA's vouches for itself alone,
/// whoever lists it: what it issued is refused as an "invalid CA certificate".
#[derive(Debug, Default)]
pub struct Anchors {
    listed: Vec<(CertificateDer<'static>, Kind)>,
    /// Places in `listed` by canonical subject.
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    /// Places of those that signed themselves, by their octets.
    own: HashSet<CertificateDer<'static>>,
    /// DER names of all that are listed, in order, each once.
    subjects: Vec<Vec<u8>>,
}

impl Anchors {
    /// Sorts what the CA files hold. The second value says for each certificate that cannot be used why, by its index.
    pub fn new(
        certificates: &[CertificateDer<'static>],
        ends: Ends,
    ) -> (Self, Vec<(usize, String)>) {
        let mut anchors = Self::default();
        let mut refused = Vec::new();
        let parsed: Vec<Option<PathCertificate<'_>>> = certificates
            .iter()
            .map(|der| PathCertificate::parse(der))
            .collect();
        let names: HashSet<&[u8]> = parsed
            .iter()
            .flatten()
            .map(|certificate| certificate.subject.as_slice())
            .collect();
        let mut seen = HashSet::new();
        for (index, (der, certificate)) in certificates.iter().zip(&parsed).enumerate() {
            let Some(certificate) = certificate else {
                refused.push((index, "is no X.509 certificate".to_owned()));
                continue;
            };
            let subject = certificate.outline.subject.raw;
            if seen.insert(subject) {
                anchors.subjects.push(subject.to_vec());
            }
            let kind = if certificate.claims_own_signature() {
                anchors.own.insert(der.clone());
                Kind::Anchor
            } else if names.contains(certificate.issuer.as_slice()) {
                Kind::Link
            } else if !checks::is_authority(certificate, true) {
                refused.push((index, NO_CA.to_owned()));
                continue;
            } else if ends == Ends::AtRoots {
                refused.push((index, NO_ROOT.to_owned()));
                continue;
            } else {
                Kind::Anchor
            };
            if kind == Kind::Anchor
                && let Some(fault) = certificate.fault
            {
                refused.push((index, format!("cannot be used as a CA: {fault}")));
            }
            let places = anchors.by_subject.entry(certificate.subject.clone());
            places.or_default().push(anchors.listed.len());
            anchors.listed.push((der.clone(), kind));
        }
        (anchors, refused)
    }

    /// Whether there is nobody to come from.
    pub fn is_empty(&self) -> bool {
        self.listed.iter().all(|(_, kind)| *kind == Kind::Link)
    }

    /// What is listed under a canonical name.
    pub fn named(&self, subject: &[u8]) -> impl Iterator<Item = (&CertificateDer<'static>, Kind)> {
        let places = self.by_subject.get(subject).into_iter().flatten();
        places
            .filter_map(|place| self.listed.get(*place))
            .map(|(der, kind)| (der, *kind))
    }

    /// DER names of the listed CAs, for the request that is sent to clients.
    pub fn subjects(&self) -> &[Vec<u8>] {
        &self.subjects
    }

    /// Whether `der` is listed, byte by byte, and signed itself: it then vouches for itself.
    pub fn holds_self_signed(&self, der: &CertificateDer<'_>) -> bool {
        self.own.contains(der)
    }

    /// DER of everything that decides who is trusted, for digests; anchors first.
    pub fn ders(&self) -> impl Iterator<Item = &[u8]> {
        let of = |kind| {
            let listed = self.listed.iter().filter(move |(_, other)| *other == kind);
            listed.map(|(der, _)| der.as_ref())
        };
        of(Kind::Anchor)
            .chain(std::iter::once(&b"links"[..]))
            .chain(of(Kind::Link))
    }
}
