//! The certificates of the CAs that clients may come from.

use rustls_pki_types::{CertificateDer, TrustAnchor};

use crate::x509::{Certificate, first_content};

const NO_ROOT: &str =
    "is of an intermediate CA, and the one above it is not listed: list its root too";

/// Where a chain may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// At any CA that is listed.
    #[default]
    Anywhere,
    /// At one that signed itself, as OpenSSL has it.
    AtRoots,
}

/// One trusted CA.
#[derive(Debug)]
struct Anchor {
    der: CertificateDer<'static>,
    not_before: i64,
    not_after: i64,
}

/// Trusted CAs, and the CAs beneath them that stand in the same files.
///
/// OpenSSL follows a chain up to a certificate that signed itself. A CA below one that is listed too is therefore no
/// anchor but a link, which counts for the depth and need not be sent by clients. One whose own issuer is not listed
/// is an anchor all the same where `Ends::Anywhere` says so. A certificate that is no CA's vouches for itself alone,
/// whoever lists it: webpki takes anchors as they come, and the owner of one would be a CA of ours.
#[derive(Debug, Default)]
pub struct Anchors {
    /// As webpki wants them; same order as `details`.
    trusted: Vec<TrustAnchor<'static>>,
    details: Vec<Anchor>,
    links: Vec<CertificateDer<'static>>,
    /// All listed certificates that signed themselves, also those that are no CA's, with their subjects.
    self_signed: Vec<(CertificateDer<'static>, Vec<u8>)>,
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
        let parsed: Vec<Option<Certificate>> = certificates
            .iter()
            .map(|der| Certificate::parse(der))
            .collect();
        let listed = |name: &[u8]| {
            parsed
                .iter()
                .flatten()
                .any(|other| other.subject_der() == name)
        };
        for (index, (der, certificate)) in certificates.iter().zip(&parsed).enumerate() {
            let Some(certificate) = certificate else {
                refused.push((index, "is no X.509 certificate".to_owned()));
                continue;
            };
            let subject = certificate.subject_der().to_vec();
            if !anchors.subjects.contains(&subject) {
                anchors.subjects.push(subject.clone());
            }
            if certificate.is_self_issued() {
                anchors.self_signed.push((der.clone(), subject));
                if !certificate.is_authority() {
                    continue;
                }
            } else if listed(certificate.issuer_der()) {
                anchors.links.push(der.clone());
                continue;
            } else if ends == Ends::AtRoots {
                refused.push((index, NO_ROOT.to_owned()));
                continue;
            } else if !certificate.is_authority() {
                refused.push((index, "is no CA's and did not sign itself".to_owned()));
                continue;
            }
            if let Err(error) = anchors.trust(der, certificate) {
                refused.push((index, format!("cannot be used as a CA: {error}")));
            }
        }
        (anchors, refused)
    }

    fn trust(
        &mut self,
        der: &CertificateDer<'static>,
        certificate: &Certificate,
    ) -> Result<(), webpki::Error> {
        let anchor = webpki::anchor_from_trusted_cert(der)?.to_owned();
        self.trusted.push(anchor);
        self.details.push(Anchor {
            der: der.clone(),
            not_before: certificate.not_before.seconds().unwrap_or(i64::MAX),
            not_after: certificate.not_after.seconds().unwrap_or(0),
        });
        Ok(())
    }

    /// Whether there is nobody to come from.
    pub fn is_empty(&self) -> bool {
        self.trusted.is_empty() && self.self_signed.is_empty()
    }

    /// The anchors for webpki.
    pub fn trusted(&self) -> &[TrustAnchor<'static>] {
        &self.trusted
    }

    /// CAs beneath the anchors.
    pub fn links(&self) -> &[CertificateDer<'static>] {
        &self.links
    }

    /// DER names of the listed CAs, for the request that is sent to clients.
    pub fn subjects(&self) -> &[Vec<u8>] {
        &self.subjects
    }

    /// Whether `der` is listed, byte by byte, and signed itself: it then vouches for itself.
    pub fn holds_self_signed(&self, der: &CertificateDer<'_>) -> bool {
        self.self_signed
            .iter()
            .any(|(listed, _)| listed.as_ref() == der.as_ref())
    }

    /// Whether a chain may end at one who calls himself `subject` (DER), be he a CA or not.
    pub fn has_end(&self, subject: &[u8]) -> bool {
        self.self_signed.iter().any(|(_, name)| name == subject) || self.is_trusted(subject)
    }

    /// Whether one who calls himself `subject` (DER) is a trusted CA.
    pub fn is_trusted(&self, subject: &[u8]) -> bool {
        let content = first_content(subject);
        self.trusted
            .iter()
            .any(|anchor| Some(anchor.subject.as_ref()) == content)
    }

    /// First and last second of the validity of the anchor that a path ended in. webpki does not judge it, OpenSSL does.
    pub fn validity(&self, anchor: &TrustAnchor<'_>) -> Option<(i64, i64)> {
        let same = |(trusted, _): &(&TrustAnchor<'_>, &Anchor)| {
            trusted.subject == anchor.subject
                && trusted.subject_public_key_info == anchor.subject_public_key_info
        };
        let found = self.trusted.iter().zip(&self.details).find(same);
        found.map(|(_, details)| (details.not_before, details.not_after))
    }

    /// DER of everything that decides who is trusted, for digests.
    pub fn ders(&self) -> impl Iterator<Item = &[u8]> {
        let anchors = self.details.iter().map(|anchor| anchor.der.as_ref());
        let own = self.self_signed.iter().map(|(der, _)| der);
        anchors.chain(self.links.iter().chain(own).map(AsRef::as_ref))
    }
}
