// SPDX-License-Identifier: Apache-2.0
//! Signature schemes as the configuration limits them.

use std::sync::Arc;

use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use super::context::{CertificateSource, Shown, Wants};
use crate::x509::pss::{self, Hash, Limits};

/// The schemes with these numbers.
pub fn schemes(numbers: &[u16]) -> Vec<SignatureScheme> {
    numbers.iter().copied().map(SignatureScheme::from).collect()
}

/// What a server may sign its handshakes with, and in whose order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// Most preferred first.
    pub schemes: Vec<SignatureScheme>,
    /// The order of `schemes` counts, not the client's.
    pub own_order: bool,
}

impl Signatures {
    /// Those of `offered` that are allowed, most preferred first.
    fn shared(&self, offered: &[SignatureScheme]) -> Vec<SignatureScheme> {
        let (first, second) = if self.own_order {
            (&self.schemes[..], offered)
        } else {
            (offered, &self.schemes[..])
        };
        let both = first.iter().filter(|scheme| second.contains(scheme));
        both.copied().collect()
    }

    /// What a client that verifies `offered` is shown, with a key that signs with one scheme alone.
    ///
    /// In TLS 1.3 the most preferred scheme chooses the certificate, as with OpenSSL (t1_lib.c, tls_choose_sigalg). In
    /// TLS 1.2 it does not: there the kind of key goes with the cipher suite.
    pub fn select(
        &self,
        source: &dyn CertificateSource,
        offered: &[SignatureScheme],
        wants: &Wants,
        tls13: bool,
    ) -> Option<(Shown, SignatureScheme)> {
        let shared = self.shared(offered);
        let (mut shown, scheme) = if tls13 {
            let mut each = shared.iter();
            each.find_map(|scheme| Some((source.select(&[*scheme], wants)?, *scheme)))?
        } else {
            let shown = source.select(&shared, wants)?;
            let mut each = shared.iter();
            let scheme = *each.find(|scheme| signs(&*shown.certified.key, **scheme))?;
            (shown, scheme)
        };
        shown.certified = narrowed(&shown.certified, scheme);
        Some((shown, scheme))
    }
}

/// Whether the key signs with the scheme.
pub fn signs(key: &dyn SigningKey, scheme: SignatureScheme) -> bool {
    key.choose_scheme(&[scheme]).is_some()
}

/// Whether a scheme is one of TLS 1.3, or else of TLS 1.2.
///
/// RFC 8446 4.2.3: those with PKCS#1 1.5 "are not defined for use in signed TLS handshake messages", nor is what has
/// SHA-1. draft-ietf-tls-mldsa 3: ML-DSA is of TLS 1.3 alone.
pub fn in_version(scheme: SignatureScheme, tls13: bool) -> bool {
    if !tls13 {
        return !ML_DSA.contains(&scheme);
    }
    !matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA1
            | SignatureScheme::ECDSA_SHA1_Legacy
            | SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
    )
}

/// RSASSA-PSS with keys that are for nothing else (RFC 8446 4.2.3), which rustls has no names for.
pub const RSA_PSS_PSS: [SignatureScheme; 3] = [
    SignatureScheme::Unknown(0x0809),
    SignatureScheme::Unknown(0x080a),
    SignatureScheme::Unknown(0x080b),
];

/// Those of [`RSA_PSS_PSS`] among the numbers that a client has offered.
pub fn unnamed(offered: &[u16]) -> Vec<SignatureScheme> {
    let offered = offered.iter().copied().map(SignatureScheme::from);
    offered
        .filter(|scheme| RSA_PSS_PSS.contains(scheme))
        .collect()
}

/// Those of [`RSA_PSS_PSS`] that are within the limits of a key. The salt is as long as the hash (RFC 8446 4.2.3).
pub fn within(limits: Limits) -> &'static [SignatureScheme] {
    let hashes = [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 64)];
    let mut each = RSA_PSS_PSS.chunks(1).zip(hashes);
    match limits {
        Limits::None => &RSA_PSS_PSS,
        _ => each
            .find(|(_, (hash, salt))| limits.admit(*hash, *salt))
            .map_or(&[], |(scheme, _)| scheme),
    }
}

/// The schemes of the key in a SubjectPublicKeyInfo; `None` where it is not for RSASSA-PSS alone.
pub fn of_pss_key(spki: &[u8]) -> Option<&'static [SignatureScheme]> {
    pss::limits(spki).map(within)
}

/// The schemes of ML-DSA, the shortest first.
pub const ML_DSA: [SignatureScheme; 3] = [
    SignatureScheme::ML_DSA_44,
    SignatureScheme::ML_DSA_65,
    SignatureScheme::ML_DSA_87,
];

/// A key, narrowed to one of its schemes.
#[derive(Debug)]
struct OneScheme {
    key: Arc<dyn SigningKey>,
    scheme: SignatureScheme,
}

/// The same pair, whose key signs with this scheme alone, which the client has offered.
pub fn narrowed(certified: &CertifiedKey, scheme: SignatureScheme) -> Arc<CertifiedKey> {
    let mut narrowed = CertifiedKey::clone(certified);
    let key = Arc::clone(&narrowed.key);
    narrowed.key = Arc::new(OneScheme { key, scheme });
    Arc::new(narrowed)
}

impl SigningKey for OneScheme {
    /// rustls asks with what its own cipher suites of TLS 1.2 know, which [`RSA_PSS_PSS`] is not.
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        if !offered.contains(&self.scheme) && !RSA_PSS_PSS.contains(&self.scheme) {
            return None;
        }
        self.key.choose_scheme(&[self.scheme])
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creds::tests::data;
    use crate::creds::{CertSet, challenge};
    use SignatureScheme as S;

    fn chosen(list: &[S], own_order: bool, offered: &[S], tls13: bool) -> Option<S> {
        let pair = |name: &str| {
            let file = |end: &str| data(&format!("{name}.{end}.pem"));
            let set = challenge::from_pem(&file("crt"), &file("pkcs8")).unwrap();
            Arc::clone(&set.pairs()[0])
        };
        let set = CertSet::new(vec![pair("p256"), pair("rsa")]);
        let list = Signatures {
            schemes: list.to_vec(),
            own_order,
        };
        let (shown, scheme) = list.select(&set, offered, &Wants::default(), tls13)?;
        let all = [S::RSA_PKCS1_SHA256, S::RSA_PSS_SHA512, S::RSA_PSS_SHA256];
        let all = [&all[..], &[S::ECDSA_NISTP256_SHA256, S::RSA_PSS_SHA384]].concat();
        let signer = shown.certified.key.choose_scheme(&all).unwrap();
        assert_eq!(signer.scheme(), scheme);
        assert!(shown.certified.key.choose_scheme(&[S::ED25519]).is_none());
        Some(scheme)
    }

    #[test]
    fn whose_order_counts() {
        let list = [S::RSA_PSS_SHA256, S::ECDSA_NISTP256_SHA256];
        let turned = [S::ECDSA_NISTP256_SHA256, S::RSA_PSS_SHA256];
        assert_eq!(chosen(&list, true, &turned, true), Some(list[0]));
        assert_eq!(chosen(&list, false, &turned, true), Some(turned[0]));
        assert_eq!(chosen(&turned, false, &list, true), Some(list[0]));
        let pss = [S::RSA_PSS_SHA256, S::RSA_PSS_SHA384, S::RSA_PKCS1_SHA256];
        let other = [S::RSA_PKCS1_SHA256, S::RSA_PSS_SHA384];
        assert_eq!(chosen(&pss, true, &other, false), Some(S::RSA_PSS_SHA384));
        assert_eq!(
            chosen(&pss, false, &other, false),
            Some(S::RSA_PKCS1_SHA256)
        );
    }

    #[test]
    fn the_kind_of_key_goes_first_in_tls12() {
        let list = [S::RSA_PSS_SHA256, S::ECDSA_NISTP256_SHA256];
        assert_eq!(chosen(&list, true, &list, false), Some(list[1]));
    }

    #[test]
    fn nothing_outside_of_the_list() {
        let list = [S::RSA_PSS_SHA256];
        assert_eq!(chosen(&list, true, &[S::ECDSA_NISTP256_SHA256], true), None);
        assert_eq!(chosen(&list, true, &[S::RSA_PSS_SHA512], false), None);
        assert_eq!(chosen(&[S::ED25519], true, &[S::ED25519], false), None);
    }
}
