// SPDX-License-Identifier: Apache-2.0
//! Own keys that are for RSASSA-PSS alone (RFC 4055, 1.2), which neither rustls nor AWS-LC's interface for Rust reads:
//! what is inside is an RSA key like any other, and signs under the names that RFC 8446, 4.2.3 has for such keys.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::alg_id;
use rustls::sign::{Signer, SigningKey, public_key_to_spki};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::{
    AlgorithmIdentifier, PrivateKeyDer, PrivatePkcs1KeyDer, SubjectPublicKeyInfoDer,
};

use crate::tls::signatures::{RSA_PSS_PSS, of_pss_key, within};
use crate::x509::outline::public_key_bits;
use crate::x509::pss::Limits;

/// id-RSASSA-PSS without parameters.
const UNLIMITED: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);

/// A key of RSA that signs as RSASSA-PSS alone.
#[derive(Debug)]
pub(super) struct PssKey {
    rsa: Arc<dyn SigningKey>,
    spki: SubjectPublicKeyInfoDer<'static>,
}

impl PssKey {
    /// Of an RSAPrivateKey and what its PKCS#8 says of its use. `None` where AWS-LC does not take the numbers, or no
    /// scheme of TLS is within the limits.
    pub(super) fn new(rsa: &[u8], limits: Limits) -> Option<Self> {
        let identifier = match within(limits) {
            [_] => within(limits).first().and_then(|scheme| limited(*scheme))?,
            [] => return None,
            _ => UNLIMITED,
        };
        let der = PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(rsa));
        let rsa = any_supported_type(&der).ok()?;
        let plain = rsa.public_key()?;
        let spki = public_key_to_spki(&identifier, public_key_bits(plain.as_ref())?);
        Some(Self { rsa, spki })
    }
}

/// With the salt of RFC 8446, 4.2.3.
fn limited(scheme: SignatureScheme) -> Option<AlgorithmIdentifier> {
    let known = [
        alg_id::RSA_PSS_SHA256,
        alg_id::RSA_PSS_SHA384,
        alg_id::RSA_PSS_SHA512,
    ];
    let mut known = RSA_PSS_PSS.iter().zip(known);
    known.find(|(own, _)| **own == scheme).map(|(_, id)| id)
}

impl SigningKey for PssKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let own = of_pss_key(self.spki.as_ref())?;
        let scheme = *own.iter().find(|scheme| offered.contains(scheme))?;
        let plain = match scheme {
            SignatureScheme::Unknown(0x0809) => SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::Unknown(0x080a) => SignatureScheme::RSA_PSS_SHA384,
            _ => SignatureScheme::RSA_PSS_SHA512,
        };
        let signer = self.rsa.choose_scheme(&[plain])?;
        Some(Box::new(PssSigner { signer, scheme }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(self.spki.as_ref()))
    }

    /// What goes with the cipher suites of RSA.
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

/// The signatures are the same, by another name.
#[derive(Debug)]
struct PssSigner {
    signer: Box<dyn Signer>,
    scheme: SignatureScheme,
}

impl Signer for PssSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.signer.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
