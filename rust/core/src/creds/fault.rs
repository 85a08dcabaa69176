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
    NoSuite {
        file: String,
        kind: String,
        needed: &'static str,
        alone: bool,
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
            Self::EncryptedKeyUnchecked { .. }
            | Self::NoIssuer {
                published: false, ..
            } => Severity::Notice,
            Self::OutOfOrder { strict: true, .. }
            | Self::NoSignature { alone: true, .. }
            | Self::NoSuite { alone: true, .. }
            | Self::NeedsTls13 { alone: true, .. } => Severity::Error,
            Self::OutOfOrder { .. }
            | Self::Unrelated { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::BadDates { .. }
            | Self::Unfit { .. }
            | Self::NoIssuer { .. }
            | Self::NamesNotCovered { .. }
            | Self::OnlyCommonName { .. }
            | Self::StapleRefused { .. }
            | Self::SameKind { .. }
            | Self::Lost { .. }
            | Self::NoSignature { .. }
            | Self::NoTls13Signature { .. }
            | Self::NoSuite { .. }
            | Self::NeedsTls13 { .. }
            | Self::OnlyTls13Keys { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The file with the fault.
    pub fn file(&self) -> &str {
        match self {
            Self::KeyMismatch { key, .. } | Self::KeyOfOtherUse { key, .. } => key,
            Self::Unreadable { file, .. }
            | Self::Empty { file }
            | Self::TooLarge { file, .. }
            | Self::Panicked { file }
            | Self::NotPem { file }
            | Self::IsDer { file }
            | Self::NoEnd { file, .. }
            | Self::Joined { file, .. }
            | Self::NotBase64 { file, .. }
            | Self::Headers { file, .. }
            | Self::Lost { file, .. }
            | Self::Unseen { file, .. }
            | Self::NoCertificate { file, .. }
            | Self::BadCertificate { file, .. }
            | Self::NoKey { file }
            | Self::NoKeyBeside { file }
            | Self::OnlyPublicKey { file }
            | Self::OpenSshKey { file }
            | Self::BadKey { file, .. }
            | Self::UnsupportedKey { file, .. }
            | Self::RsaSize { file, .. }
            | Self::EncryptedKey { file, .. }
            | Self::UnsupportedEncryption { file, .. }
            | Self::BadPkcs12 { file, .. }
            | Self::Instead { file, .. }
            | Self::EncryptedKeyUnchecked { file }
            | Self::LeafNotFirst { file, .. }
            | Self::OutOfOrder { file, .. }
            | Self::Unrelated { file, .. }
            | Self::Expired { file, .. }
            | Self::NotYetValid { file, .. }
            | Self::BadDates { file, .. }
            | Self::Unfit { file, .. }
            | Self::NoIssuer { file, .. }
            | Self::NamesNotCovered { file, .. }
            | Self::OnlyCommonName { file }
            | Self::StapleRefused { file, .. }
            | Self::SameKind { file, .. }
            | Self::NoSignature { file, .. }
            | Self::NoTls13Signature { file, .. }
            | Self::NoSuite { file, .. }
            | Self::NeedsTls13 { file, .. }
            | Self::OnlyTls13Keys { file, .. } => file,
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
