// SPDX-License-Identifier: Apache-2.0
//! Everything that can be wrong with certificates and keys, in one table: how bad it is, and in `text` what is wrong and
//! what to do.

mod text;

use super::fitness::Unfit;
use super::severity::{Problem, Severity};

/// One row of the table. Strings name files as the configuration does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the texts below say it
pub enum Fault {
    Unreadable {
        file: String,
        cause: String,
    },
    Empty {
        file: String,
    },
    TooLarge {
        file: String,
        limit: String,
    },
    Panicked {
        file: String,
    },
    NotPem {
        file: String,
    },
    IsDer {
        file: String,
    },
    NoEnd {
        file: String,
        line: usize,
    },
    Joined {
        file: String,
        line: usize,
    },
    NotBase64 {
        file: String,
        line: usize,
    },
    Headers {
        file: String,
        line: usize,
    },
    Lost {
        file: String,
        line: usize,
    },
    Unseen {
        file: String,
        line: usize,
    },
    NoCertificate {
        file: String,
        holds: String,
    },
    BadCertificate {
        file: String,
        line: usize,
        cause: String,
    },
    NoKey {
        file: String,
    },
    NoKeyBeside {
        file: String,
    },
    OnlyPublicKey {
        file: String,
    },
    OpenSshKey {
        file: String,
    },
    BadKey {
        file: String,
        cause: String,
    },
    UnsupportedKey {
        file: String,
        kind: String,
    },
    RsaSize {
        file: String,
        bits: usize,
    },
    EncryptedKey {
        file: String,
        why: String,
    },
    UnsupportedEncryption {
        file: String,
        how: String,
    },
    BadPkcs12 {
        file: String,
        how: String,
    },
    Instead {
        file: String,
        wanted: &'static str,
        is: &'static str,
        remedy: String,
    },
    EncryptedKeyUnchecked {
        file: String,
    },
    KeyOfOtherUse {
        key: String,
        certificate: String,
        for_pss_alone: bool,
    },
    KeyMismatch {
        key: String,
        certificate: String,
        hint: String,
    },
    LeafNotFirst {
        file: String,
        position: usize,
    },
    OutOfOrder {
        file: String,
        position: usize,
        strict: bool,
    },
    Unrelated {
        file: String,
        position: usize,
        subject: String,
    },
    Expired {
        file: String,
        which: String,
        date: String,
        days: i64,
    },
    NotYetValid {
        file: String,
        which: String,
        date: String,
    },
    Unfit {
        file: String,
        which: String,
        why: Unfit,
    },
    BadDates {
        file: String,
        which: String,
    },
    NoIssuer {
        file: String,
        of: String,
        issuer: String,
        published: bool,
    },
    NamesNotCovered {
        file: String,
        missing: String,
        covered: String,
    },
    OnlyCommonName {
        file: String,
    },
    StapleRefused {
        file: String,
        cause: String,
    },
    SameKind {
        file: String,
        first: String,
        kind: String,
    },
    NoSignature {
        file: String,
        kind: String,
        needed: &'static str,
        alone: bool,
    },
    NoTls13Signature {
        file: String,
        needed: &'static str,
    },
    NeedsTls13 {
        file: String,
        kind: String,
        alone: bool,
    },
    OnlyTls13Keys {
        file: String,
        kind: String,
    },
}

impl Fault {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Fault::EncryptedKeyUnchecked { .. }
            | Fault::NoIssuer {
                published: false, ..
            } => Severity::Notice,
            Fault::OutOfOrder { strict: true, .. }
            | Fault::NoSignature { alone: true, .. }
            | Fault::NeedsTls13 { alone: true, .. } => Severity::Error,
            Fault::OutOfOrder { .. }
            | Fault::Unrelated { .. }
            | Fault::Expired { .. }
            | Fault::NotYetValid { .. }
            | Fault::BadDates { .. }
            | Fault::Unfit { .. }
            | Fault::NoIssuer { .. }
            | Fault::NamesNotCovered { .. }
            | Fault::OnlyCommonName { .. }
            | Fault::StapleRefused { .. }
            | Fault::SameKind { .. }
            | Fault::Lost { .. }
            | Fault::NoSignature { .. }
            | Fault::NoTls13Signature { .. }
            | Fault::NeedsTls13 { .. }
            | Fault::OnlyTls13Keys { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The file with the fault.
    pub fn file(&self) -> &str {
        match self {
            Fault::KeyMismatch { key, .. } | Fault::KeyOfOtherUse { key, .. } => key,
            Fault::Unreadable { file, .. }
            | Fault::Empty { file }
            | Fault::TooLarge { file, .. }
            | Fault::Panicked { file }
            | Fault::NotPem { file }
            | Fault::IsDer { file }
            | Fault::NoEnd { file, .. }
            | Fault::Joined { file, .. }
            | Fault::NotBase64 { file, .. }
            | Fault::Headers { file, .. }
            | Fault::Lost { file, .. }
            | Fault::Unseen { file, .. }
            | Fault::NoCertificate { file, .. }
            | Fault::BadCertificate { file, .. }
            | Fault::NoKey { file }
            | Fault::NoKeyBeside { file }
            | Fault::OnlyPublicKey { file }
            | Fault::OpenSshKey { file }
            | Fault::BadKey { file, .. }
            | Fault::UnsupportedKey { file, .. }
            | Fault::RsaSize { file, .. }
            | Fault::EncryptedKey { file, .. }
            | Fault::UnsupportedEncryption { file, .. }
            | Fault::BadPkcs12 { file, .. }
            | Fault::Instead { file, .. }
            | Fault::EncryptedKeyUnchecked { file }
            | Fault::LeafNotFirst { file, .. }
            | Fault::OutOfOrder { file, .. }
            | Fault::Unrelated { file, .. }
            | Fault::Expired { file, .. }
            | Fault::NotYetValid { file, .. }
            | Fault::BadDates { file, .. }
            | Fault::Unfit { file, .. }
            | Fault::NoIssuer { file, .. }
            | Fault::NamesNotCovered { file, .. }
            | Fault::OnlyCommonName { file }
            | Fault::StapleRefused { file, .. }
            | Fault::SameKind { file, .. }
            | Fault::NoSignature { file, .. }
            | Fault::NoTls13Signature { file, .. }
            | Fault::NeedsTls13 { file, .. }
            | Fault::OnlyTls13Keys { file, .. } => file,
        }
    }

    /// The problem that this fault is for one virtual host.
    pub fn into_problem(self, request: usize, place: &str) -> Problem {
        Problem {
            severity: self.severity(),
            request,
            place: place.to_owned(),
            file: self.file().to_owned(),
            text: self.text(),
        }
    }
}
