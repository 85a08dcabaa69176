// SPDX-License-Identifier: Apache-2.0
//! The verifier that rustls asks in a handshake.

use std::sync::Arc;

use ::aws_lc_rs::digest;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved,
    SignatureScheme,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::anchors::Anchors;
use super::checks::Purpose;
use super::path::Rules;
use super::reason;
use super::responders::{Pending, Responders, Standing};
use super::revocation::Revocation;
use super::signature;
use super::verdict::{Outcome, Verdict};
use super::work::Work;
use crate::fetch::access;
use crate::fetch::wants::Rule;
use crate::ticket::session_state::ClientVerdict;
use crate::tls::context;
use crate::tls::odd_name;
use crate::tls::signatures::RSA_PSS_PSS;

/// What a handshake asks of the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// No certificate.
    #[default]
    None,
    /// A certificate, if it has one; one that does not verify ends the handshake.
    Optional,
    /// A certificate that verifies.
    Required,
    /// A certificate, if it has one; nobody need vouch for it (`optional_no_ca`).
    OptionalNoCa,
    /// A certificate, if it has one; whatever is wrong with it, the connection lives and the verdict says so. What
    /// sections of a virtual host ask for is enforced per request.
    Any,
    /// The same, where some section is content with a certificate that nobody vouches for.
    AnyUnverified,
}

impl Mode {
    /// Whether a certificate that nobody vouches for passes.
    fn accepts_unverified(self) -> bool {
        matches!(self, Self::OptionalNoCa | Self::AnyUnverified)
    }

    /// Whether a bad certificate leaves the connection alive.
    fn is_soft(self) -> bool {
        matches!(self, Self::Any | Self::AnyUnverified)
    }
}

/// Everything that the judgement of client certificates follows from.
#[derive(Debug, Default)]
pub struct Spec {
    /// What the handshake asks for.
    pub mode: Mode,
    /// Certificates that may stand above the client's own.
    pub depth: u32,
    /// Trusted CAs.
    pub anchors: Anchors,
    /// DER names to send in the request; `None`: the subjects of the CAs.
    pub hints: Option<Vec<Vec<u8>>>,
    /// Revocation lists.
    pub revocation: Revocation,
    /// OCSP responders that are asked; `None`: none are.
    pub responders: Option<Responders>,
    /// What clients may sign with, most wanted first; none: all there are.
    pub signatures: Vec<SignatureScheme>,
}

/// Judges the certificates of the clients of one policy. Shared by all its connections.
#[derive(Debug)]
pub struct Verifier {
    id: [u8; 32],
    mode: Mode,
    depth: u32,
    anchors: Anchors,
    revocation: Revocation,
    responders: Option<Responders>,
    hints: Vec<DistinguishedName>,
    /// The schemes that are asked for.
    schemes: Vec<SignatureScheme>,
}

impl Verifier {
    /// A verifier for `spec` that accepts signatures by `algorithms`.
    pub fn new(spec: Spec, algorithms: WebPkiSupportedAlgorithms) -> Arc<Self> {
        let subjects = spec
            .hints
            .unwrap_or_else(|| spec.anchors.subjects().to_vec());
        let mut known = algorithms.supported_schemes();
        known.extend(RSA_PSS_PSS);
        let schemes = if spec.signatures.is_empty() {
            known
        } else {
            let asked = spec.signatures.into_iter();
            asked.filter(|scheme| known.contains(scheme)).collect()
        };
        let mut verifier = Self {
            id: [0; 32],
            mode: spec.mode,
            depth: spec.depth,
            anchors: spec.anchors,
            revocation: spec.revocation,
            responders: spec.responders,
            hints: subjects.into_iter().map(DistinguishedName::from).collect(),
            schemes,
        };
        verifier.id = verifier.digest();
        Arc::new(verifier)
    }

    /// What the handshake asks of the client.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The revocation lists, to replace them.
    pub fn revocation(&self) -> &Revocation {
        &self.revocation
    }

    /// How OCSP responders are asked about clients, where they are.
    pub fn rule(&self) -> Option<&Rule> {
        self.responders.as_ref().map(|responders| &*responders.rule)
    }

    /// Whether all that it wants fetched and asked is known to the process that does so.
    pub(super) fn is_ordered(&self) -> bool {
        let asked = self.responders.as_ref().is_none_or(Responders::is_ordered);
        asked && !self.revocation.wants_unordered()
    }

    /// Whether OCSP responders are asked about clients.
    pub fn asks_responders(&self) -> bool {
        self.responders.is_some()
    }

    /// Judges a chain as the handshake does, but waits for OCSP responders where they have to be asked.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        let (mut verdict, pending) = self.begin(chain, now, self.mode, self.depth);
        if let Some(mut pending) = pending {
            verdict.settle(pending.wait());
        }
        verdict
    }

    /// Judges a chain without asking responders; the second value is the work it took, in units of some microseconds.
    pub fn judge_counted(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> (Verdict, u64) {
        let mut work = Work::default();
        let verdict = self.judge_path(&mut work, chain, now, self.mode, self.depth);
        (verdict, work.spent())
    }

    /// Judges a chain by the CAs and lists of this verifier, and by mode and depth of a section of a virtual host, without
    /// waiting: a verdict that is good stands only when what is pending has come to a good end.
    pub(super) fn begin(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        mode: Mode,
        depth: u32,
    ) -> (Verdict, Option<Pending>) {
        let mut verdict = self.judge_path(&mut Work::default(), chain, now, mode, depth);
        let path = std::mem::take(&mut verdict.path);
        let Some(responders) = &self.responders else {
            return (verdict, None);
        };
        match verdict.outcome {
            Outcome::Success => match responders.judge(&path) {
                Standing::Settled(settled) => verdict.settle(settled),
                Standing::Asked(pending) => return (verdict, Some(pending)),
            },
            // As mod_ssl: who issued it is not at hand, so that nobody can be asked.
            Outcome::Unverified => verdict = Verdict::failed(reason::APPLICATION),
            Outcome::None | Outcome::Failed => {}
        }
        (verdict, None)
    }

    fn judge_path(
        &self,
        work: &mut Work,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
        mode: Mode,
        depth: u32,
    ) -> Verdict {
        let rules = Rules {
            anchors: &self.anchors,
            revocation: &self.revocation,
            depth,
            purpose: Purpose::Client,
            tells_path: self.responders.is_some(),
        };
        if mode.accepts_unverified() {
            rules.judge_unverified_within(work, chain, now)
        } else {
            rules.judge_within(work, chain, now)
        }
    }

    /// Changes whenever the revocation lists do, and, where responders are asked, with each certificate that turns out to
    /// be revoked; the CAs are part of the policy id.
    pub fn generation(&self) -> u64 {
        let lists = self.revocation.lists().generation();
        match self.responders {
            Some(_) => lists.wrapping_add(access::revocations()),
            None => lists,
        }
    }

    /// SHA-256 of mode, depth, CAs, hints, signatures and of how lists are used, but not of the lists: part of the policy
    /// id.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// RFC 8446 4.4.3: "the signature algorithm MUST be one of those present in the supported_signature_algorithms field"
    /// of the request. rustls leaves that to the verifier.
    fn check_scheme(&self, signed: &DigitallySignedStruct) -> Result<(), Error> {
        if self.schemes.contains(&signed.scheme) {
            return Ok(());
        }
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }

    fn digest(&self) -> [u8; 32] {
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut put = |part: &[u8]| {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        };
        put(&[
            self.mode as u8,
            self.revocation.depth() as u8,
            self.revocation.missing_ok().into(),
        ]);
        put(&self.depth.to_be_bytes());
        self.anchors.ders().for_each(&mut put);
        if let Some(responders) = &self.responders {
            put(b"responders");
            put(&[
                responders.lookup as u8,
                responders.none_ok.into(),
                responders.soft.into(),
            ]);
            put(&responders.id);
        }
        put(b"hints");
        self.hints.iter().for_each(|hint| put(hint.as_ref()));
        put(b"signatures");
        let schemes = self.schemes.iter();
        schemes.for_each(|scheme| put(&u16::from(*scheme).to_be_bytes()));
        let mut id = [0; 32];
        id.iter_mut()
            .zip(hash.finish().as_ref())
            .for_each(|(to, from)| *to = *from);
        id
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        self.mode != Mode::None
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mode == Mode::Required
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let chain: Vec<CertificateDer<'_>> = std::iter::once(end_entity)
            .chain(intermediates)
            .cloned()
            .collect();
        let (verdict, pending) = self.begin(&chain, now, self.mode, self.depth);
        // Where sections decide, it is their requests that wait: nobody is kept from what no section guards. What was asked
        // is asked on, so that the answer is there when a section wants it.
        let (pending, ahead) = match self.mode.is_soft() {
            true => (None, pending),
            false => (pending, None),
        };
        let refused = verdict.outcome == Outcome::Failed && !self.mode.is_soft();
        let error = refused.then(|| as_error(verdict.reason));
        let generation = self.generation();
        context::with(|connection| {
            connection.resumption.client = Some(ClientVerdict {
                code: verdict.code(),
                not_after: u64::try_from(verdict.not_after).unwrap_or(0),
                generation,
            });
            connection.verdict = Some(verdict);
            connection.pending = pending;
            connection.ahead = ahead;
            connection.refused = refused.then(|| end_entity.clone().into_owned());
        });
        error.map_or(Ok(ClientCertVerified::assertion()), Err)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_scheme(dss)?;
        signature::verify_tls12(&odd_name::restored(message), cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check_scheme(dss)?;
        signature::verify_tls13(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// The alert that fits a refusal (RFC 8446, 6.2).
pub(crate) fn as_error(why: &str) -> Error {
    let error = match why {
        reason::EXPIRED => CertificateError::Expired,
        reason::NOT_YET_VALID => CertificateError::NotValidYet,
        reason::REVOKED => CertificateError::Revoked,
        reason::UNREADABLE => CertificateError::BadEncoding,
        reason::APPLICATION => CertificateError::ApplicationVerificationFailure,
        _ => CertificateError::UnknownIssuer,
    };
    Error::InvalidCertificate(error)
}
