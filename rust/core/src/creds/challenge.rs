// SPDX-License-Identifier: Apache-2.0
//! The certificate that answers an ACME challenge: another module made it and hands it over as PEM text.

use std::sync::Arc;

use super::certificate::{KnownIssuers, find_certificates};
use super::fault::Fault;
use super::key::{FoundKey, find_key};
use super::select::{CertSet, Pair};

const NAME: &str = "the certificate of the ACME challenge";

/// The one pair of `certificate` and `key`, both PEM text; the same text may hold both.
///
/// # Errors
/// A row of the fault table.
pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<CertSet, Fault> {
    let found = find_certificates(NAME, certificate, &mut KnownIssuers::new())?;
    let Some(leaf) = found.fields.first() else {
        return Err(Fault::NotPem {
            file: NAME.to_owned(),
        });
    };
    let FoundKey::Plain(key) = find_key(NAME, key)? else {
        return Err(Fault::EncryptedKeyUnchecked {
            file: NAME.to_owned(),
        });
    };
    if key.public != leaf.public {
        return Err(Fault::KeyMismatch {
            key: NAME.to_owned(),
            certificate: NAME.to_owned(),
            hint: String::new(),
        });
    }
    let leaf = Arc::clone(leaf);
    let pair = Pair::of_files(found.ders, key.signing, key.kind, leaf);
    Ok(CertSet::new(vec![Arc::new(pair)]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::data;
    use super::*;

    #[test]
    fn both_may_be_in_one_text() {
        let certificate = data("p256.crt.pem");
        let key = data("p256.pkcs8.pem");
        let both = [certificate.clone(), key.clone()].concat();
        for (certificate, key) in [(&certificate, &key), (&both, &both)] {
            let set = from_pem(certificate, key).unwrap();
            assert_eq!(set.pairs().len(), 1);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (p256, p384) = (data("p256.crt.pem"), data("p384.pkcs8.pem"));
        assert!(matches!(
            from_pem(&p256, &p384),
            Err(Fault::KeyMismatch { .. })
        ));
        assert!(matches!(from_pem(b"", &p384), Err(Fault::NotPem { .. })));
        assert!(from_pem(&p256, &p256).is_err());
        assert!(from_pem(b"-----BEGIN CERTIFICATE-----\n", &p384).is_err());
        let encrypted = data("p256.aes256.enc.pem");
        assert!(from_pem(&p256, &encrypted).is_err());
    }
}
