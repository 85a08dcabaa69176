// SPDX-License-Identifier: Apache-2.0
//! Whether clients take a certificate for a server's, or for that of an authority above it, whatever names and dates say.

use crate::x509::der::{OID, Reader};
use crate::x509::oid;
use crate::x509::outline::RawExtension;
use crate::x509::uses::{
    self, ANY_PURPOSE, DIGITAL_SIGNATURE, KEY_CERT_SIGN, MS_SGC, NETSCAPE_SGC, SERVER_AUTH,
};

/// What the extensions and the signature of a certificate say of its use (RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12).
#[derive(Clone, Copy, Debug, Default)]
pub struct Uses {
    /// What basicConstraints says; nothing where it is not there.
    pub authority: Option<bool>,
    /// Bits of keyUsage, as in [`uses`].
    pub key_usage: Option<u16>,
    /// Whether extendedKeyUsage names servers.
    pub servers: Option<bool>,
    /// It is signed by way of MD5 or SHA-1.
    pub old_signature: bool,
    /// It has a critical extension that is none of RFC 5280 or of the other ones of PKIX.
    pub odd_extension: bool,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is that of an authority.
    Authority,
    /// It issued another one, and is no authority's.
    NoAuthority,
    /// It is for other things than servers.
    Purpose,
    /// Its key must not sign.
    Silent,
    /// It is signed by way of MD5 or SHA-1.
    OldSignature,
    /// It has a critical extension that nobody knows.
    OddExtension,
}

impl Uses {
    /// Those of a certificate with this content of its signature's AlgorithmIdentifier.
    pub fn signed_with(algorithm: &[u8]) -> Self {
        let oid = Reader::new(algorithm).take(OID);
        Self {
            old_signature: oid.is_some_and(|oid| OLD.contains(&oid)),
            ..Self::default()
        }
    }

    /// Notes what an extension says. One that cannot be read is taken for one that is not there.
    pub(crate) fn note(&mut self, extension: &RawExtension<'_>) {
        let value = extension.value;
        match extension.oid {
            uses::BASIC_CONSTRAINTS => {
                self.authority = uses::basic_constraints(value).map(|(authority, _)| authority);
            }
            uses::KEY_USAGE => self.key_usage = uses::key_usage(value),
            uses::EXTENDED_KEY_USAGE => {
                let has_servers = |list| uses::has_purpose(list, &SERVERS);
                self.servers = uses::purposes(value).map(has_servers);
            }
            oid => {
                let known = oid.starts_with(OF_X509) || oid.starts_with(OF_PKIX);
                self.odd_extension |= extension.critical && !known;
            }
        }
    }

    /// What is wrong with it as a server's.
    pub fn of_server(self, self_issued: bool) -> Option<Unfit> {
        let lacks = |bit: u16| self.key_usage.is_some_and(|usage| usage & bit == 0);
        match () {
            () if self.servers == Some(false) => Some(Unfit::Purpose),
            // "openssl req -x509" makes authorities of all that sign themselves, whom clients are told to trust by hand.
            () if self.authority == Some(true) && !self_issued => Some(Unfit::Authority),
            () if lacks(DIGITAL_SIGNATURE) => Some(Unfit::Silent),
            () if self.odd_extension => Some(Unfit::OddExtension),
            () if self.old_signature && !self_issued => Some(Unfit::OldSignature),
            () => None,
        }
    }

    /// What is wrong with it as one that issued the certificate before it.
    pub fn of_issuer(self, self_issued: bool) -> Option<Unfit> {
        let signs = self
            .key_usage
            .is_none_or(|usage| usage & KEY_CERT_SIGN != 0);
        match () {
            // A root of X.509 v1 has no extensions.
            () if self.authority == Some(false) || !signs => Some(Unfit::NoAuthority),
            () if self.authority.is_none() && !self_issued => Some(Unfit::NoAuthority),
            () if self.odd_extension => Some(Unfit::OddExtension),
            () if self.old_signature && !self_issued => Some(Unfit::OldSignature),
            () => None,
        }
    }
}

impl Unfit {
    /// What is wrong and what to do, behind the name of the certificate.
    #[rustfmt::skip] // one row, one fault
    pub fn text(self) -> &'static str {
        match self {
            Self::Authority => "is an authority's (basicConstraints CA:TRUE), and many clients refuse such for a server; have one issued for \
                the server, with CA:FALSE",
            Self::NoAuthority => "is no authority's (basicConstraints CA:TRUE, keyUsage keyCertSign), so that clients refuse what it signed; \
                put the authority's own certificate there",
            Self::Purpose => "is not meant for servers: its extendedKeyUsage lacks serverAuth, and clients refuse it; have one issued for servers",
            Self::Silent => "must not sign: its keyUsage lacks digitalSignature, which each handshake needs, and many clients refuse it; have it \
                issued again with it",
            Self::OldSignature => "is signed by way of SHA-1 or MD5, and current clients refuse it; have it issued again, with SHA-256",
            Self::OddExtension => "has a critical extension that clients do not know, and they refuse it for that (\"openssl x509 -noout -text\" \
                shows it; a precertificate is not for use); have it issued without",
        }
    }
}

/// id-ce and id-pe.
const OF_X509: &[u8] = &[0x55, 0x1d];
const OF_PKIX: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1];

/// Purposes that servers are for; the last two are what browsers of the nineties looked for.
const SERVERS: [&[u8]; 4] = [SERVER_AUTH, ANY_PURPOSE, MS_SGC, NETSCAPE_SGC];

/// md5WithRSAEncryption, sha1WithRSAEncryption, and ecdsa-with-SHA1.
const OLD: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
    oid::ECDSA_SHA1,
];
