// SPDX-License-Identifier: Apache-2.0
//! What a file holds, judged by its octets and not by its name or its labels: in PEM or in DER.

use std::fmt;

use zeroize::Zeroizing;

use super::pem::{self, Block, Blocks, PemError};
use crate::x509::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, context};
use crate::x509::time::{GENERALIZED_TIME, UTC_TIME};
use crate::x509::uses::ANY_PURPOSE;

/// What DER octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// RFC 5280 4.1.
    Certificate,
    /// RFC 5280 5.1.
    List,
    /// RFC 2986 4: what a CA makes a certificate of.
    Request,
    /// RFC 5958 2, `PRIVATE KEY`.
    Pkcs8,
    /// RFC 8017 A.1.2, `RSA PRIVATE KEY`.
    Pkcs1,
    /// RFC 5915 3, `EC PRIVATE KEY`.
    Sec1,
    /// OpenSSL's own form of DSA keys.
    Dsa,
    /// RFC 5958 3, `ENCRYPTED PRIVATE KEY`.
    EncryptedKey,
    /// RFC 5280 4.1.2.7, or RFC 8017 A.1.1.
    PublicKey,
    /// RFC 2315: certificates in a wrapping.
    Pkcs7,
    /// RFC 7292: `.p12`, `.pfx`.
    Pkcs12,
    /// Nothing of these.
    Unknown,
}

/// Judges by the elements at the front, so that also what is damaged further behind gets its name.
pub fn what(der: &[u8]) -> What {
    judge(der).unwrap_or(What::Unknown)
}

/// 1.2.840.113549.1.7
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];

fn judge(der: &[u8]) -> Option<What> {
    let mut outer = Reader::new(der).enter(SEQUENCE)?;
    if let Some(oid) = outer.take(OID) {
        return oid.starts_with(PKCS7).then_some(What::Pkcs7);
    }
    if let Some(version) = outer.take(INTEGER) {
        return behind_number(version, outer);
    }
    let inner = outer.enter(SEQUENCE)?;
    if inner.peek(OID).is_some() {
        // An algorithm, and what is of it.
        let mut rest = outer;
        return match (rest.take(OCTET_STRING), rest.take(BIT_STRING)) {
            (Some(_), _) => Some(What::EncryptedKey),
            (None, Some(_)) => Some(What::PublicKey),
            _ => None,
        };
    }
    behind_wrapping(inner)
}

/// A structure that begins with a number.
fn behind_number(version: &[u8], mut rest: Reader<'_>) -> Option<What> {
    if rest.take(OCTET_STRING).is_some() {
        return Some(What::Sec1);
    }
    if let Some(mut next) = rest.enter(SEQUENCE) {
        let oid = next.take(OID)?;
        return if oid.starts_with(PKCS7) {
            Some(What::Pkcs12)
        } else {
            rest.take(OCTET_STRING).map(|_| What::Pkcs8)
        };
    }
    let numbers = std::iter::from_fn(|| rest.take(INTEGER)).count();
    match (version, numbers) {
        ([0 | 1], 8..) => Some(What::Pkcs1),
        ([0], 5) => Some(What::Dsa),
        (_, 1) => Some(What::PublicKey),
        _ => None,
    }
}

/// What is signed: a certificate, a list or a request.
fn behind_wrapping(mut body: Reader<'_>) -> Option<What> {
    let version = body.take(context(0)).is_some();
    let number = body.take(INTEGER);
    let first = body.enter(SEQUENCE)?;
    if version || (number.is_some() && first.peek(OID).is_some()) {
        // A number, an algorithm, a name, and then dates: one where a list has it, two in a sequence.
        body.take(SEQUENCE)?;
        let is_list = body.take(UTC_TIME).or_else(|| body.take(GENERALIZED_TIME));
        return Some(if is_list.is_some() {
            What::List
        } else {
            What::Certificate
        });
    }
    if number.is_some() {
        return Some(What::Request);
    }
    body.take(SEQUENCE)?;
    let time = body.take(UTC_TIME).or_else(|| body.take(GENERALIZED_TIME));
    time.map(|_| What::List)
}

/// Something of the kind that was looked for.
#[derive(Debug)]
pub struct Taken {
    /// Line of its BEGIN; 1 in a file in DER.
    pub line: usize,
    /// The element itself, and what stands behind it (OpenSSL's settings of trust).
    pub der: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Taken {
    /// Where there is an element at all, that one; else all octets, of which a parser will say what they are not.
    fn new(line: usize, der: Zeroizing<Vec<u8>>) -> Self {
        let length = Reader::new(&der)
            .peek(SEQUENCE)
            .map_or(der.len(), <[u8]>::len);
        Self { line, der, length }
    }

    /// The element alone.
    pub fn element(&self) -> &[u8] {
        self.der.get(..self.length).unwrap_or_default()
    }

    /// Whether OpenSSL's settings of trust behind the certificate (`openssl x509 -addtrust`, `-addreject`) let it vouch for
    /// this purpose (an OID of an extended key usage, DER contents). Without settings it may.
    pub fn may_vouch_for(&self, purpose: &[u8]) -> bool {
        let behind = self.der.get(self.length..).unwrap_or_default();
        let Some(mut settings) = Reader::new(behind).enter(SEQUENCE) else {
            return true;
        };
        let names = |mut list: Reader<'_>| {
            std::iter::from_fn(|| list.take(OID)).any(|oid| oid == purpose || oid == ANY_PURPOSE)
        };
        let trusted = settings.enter(SEQUENCE).map(names);
        let rejected = settings.enter(context(0)).is_some_and(names);
        !rejected && trusted.unwrap_or(true)
    }
}

/// What was looked for in a file, and what else is to be said of it.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order of the file.
    pub taken: Vec<Taken>,
    /// Blocks that are damaged.
    pub damaged: Vec<Damage>,
    /// Lines that look like the beginning of a block and are none.
    pub lost: Vec<usize>,
    /// What other blocks there are, for people.
    pub others: Vec<String>,
}

impl Found {
    /// ", but ..." where there is something else.
    pub fn instead(&self) -> String {
        match &self.others[..] {
            [] => String::new(),
            others => format!(", but \"{}\"", others.join("\", \"")),
        }
    }
}

/// What is wrong with a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It cannot be read.
    Pem(PemError),
    /// It has headers, as of encryption, where OpenSSL takes none. The number is the line of its BEGIN.
    Headers(usize),
}

impl std::error::Error for Damage {}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::Headers(line) => write!(
                f,
                "the block that begins in line {line} has header lines, which certificates and lists do not have; \
                 remove them and the empty line behind them"
            ),
        }
    }
}

/// What to say of a line that looks like the beginning of a block.
pub const LOST: &str = "looks like the beginning of a block, but is none: it has to stand in a line of its own, with five \
                        dashes before and behind, in ASCII (UTF-16: iconv -f UTF-16 -t UTF-8) with line ends of Unix or \
                        Windows";

/// Labels of certificates, as OpenSSL has them.
pub const CERTIFICATES: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];
/// Labels of revocation lists.
const LISTS: &[&str] = &["X509 CRL"];

/// The certificates of this server, or of a chain.
pub fn certificates(file: &[u8]) -> Found {
    find(file, pem::blocks(file), CERTIFICATES, What::Certificate)
}

/// Certificates of authorities: those that OpenSSL would see, and no others.
pub fn authorities(file: &[u8]) -> Found {
    find(
        file,
        pem::strict_blocks(file),
        CERTIFICATES,
        What::Certificate,
    )
}

/// Revocation lists.
pub fn lists(file: &[u8]) -> Found {
    find(file, pem::blocks(file), LISTS, What::List)
}

/// All blocks of `labels`, or the one element of a file in DER that is of the kind `kind`.
fn find(file: &[u8], mut blocks: Blocks<'_>, labels: &[&str], kind: What) -> Found {
    let mut found = Found::default();
    for block in blocks.by_ref() {
        match block {
            Err(error) => found.damaged.push(Damage::Pem(error)),
            Ok(block) if labels.contains(&block.label) => take(&block, &mut found),
            Ok(block) => found.others.push(block.label.to_owned()),
        }
    }
    found.lost.extend(blocks.lost());
    let nothing = found.taken.is_empty() && found.damaged.is_empty() && found.others.is_empty();
    if nothing && what(file) == kind {
        found
            .taken
            .push(Taken::new(1, Zeroizing::new(file.to_vec())));
    }
    found
}

fn take(block: &Block<'_>, found: &mut Found) {
    // OpenSSL takes any header for one of encryption.
    if !block.headers.is_empty() {
        found.damaged.push(Damage::Headers(block.line));
        return;
    }
    match block.decode() {
        Ok(der) => found.taken.push(Taken::new(block.line, der)),
        Err(error) => found.damaged.push(Damage::Pem(error)),
    }
}
