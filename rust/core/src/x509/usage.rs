//! What a certificate's key may be used for, by the extensions that OpenSSL looks at. webpki looks at some of them only.

use super::certificate::Certificate;
use super::der::{BIT_STRING, BOOLEAN, OID, Reader, SEQUENCE, modulus_bits};
use super::objects;

const KEY_USAGE: &str = "2.5.29.15";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
const RSA: &str = "1.2.840.113549.1.1.1";

/// Bits of the first octet of KeyUsage (RFC 5280, 4.2.1.3).
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_ENCIPHERMENT: u8 = 0x20;
const KEY_AGREEMENT: u8 = 0x08;
const KEY_CERT_SIGN: u8 = 0x04;

/// What one end of a TLS connection has to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Of a client.
    Client,
    /// Of a server.
    Server,
}

impl Certificate {
    /// Whether the key may serve a TLS client or server, by KeyUsage and ExtendedKeyUsage. What is not said is allowed.
    pub fn serves(&self, role: Role) -> bool {
        let (purpose, bits) = match role {
            Role::Client => ("1.3.6.1.5.5.7.3.2", DIGITAL_SIGNATURE | KEY_AGREEMENT),
            Role::Server => (
                "1.3.6.1.5.5.7.3.1",
                DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT,
            ),
        };
        let purposes = self.extension(EXTENDED_KEY_USAGE);
        self.key_usage().is_none_or(|usage| usage & bits != 0)
            && purposes.is_none_or(|value| lists(value, purpose))
    }

    /// Whether KeyUsage lets the key sign certificates.
    pub fn may_sign(&self) -> bool {
        self.key_usage()
            .is_none_or(|usage| usage & KEY_CERT_SIGN != 0)
    }

    /// Whether it is a CA's: by BasicConstraints, or where there are none by what OpenSSL takes for the same, a
    /// KeyUsage that lets it sign certificates or a root of version 1.
    pub fn is_authority(&self) -> bool {
        if !self.may_sign() {
            return false;
        }
        match self.extension(BASIC_CONSTRAINTS) {
            Some(value) => is_ca(value).unwrap_or(false),
            None => self.key_usage().is_some() || (self.version == 1 && self.is_self_issued()),
        }
    }

    /// The length of an RSA key in bits; `None` for keys of another kind.
    pub fn rsa_bits(&self) -> Option<usize> {
        if self.key_algorithm != RSA {
            return None;
        }
        let mut fields = Reader::new(self.spki()).enter(SEQUENCE)?;
        fields.expect(SEQUENCE)?;
        let (_unused, key) = fields.expect(BIT_STRING)?.value.split_first()?;
        modulus_bits(key)
    }

    fn extension(&self, dotted: &str) -> Option<&[u8]> {
        self.extensions
            .iter()
            .find(|extension| extension.dotted == dotted)
            .map(|extension| extension.value.as_slice())
    }

    /// The first octet of KeyUsage; nothing is allowed by one that cannot be read.
    fn key_usage(&self) -> Option<u8> {
        let value = self.extension(KEY_USAGE)?;
        let bits = || Reader::new(value).expect(BIT_STRING)?.value.get(1).copied();
        Some(bits().unwrap_or(0))
    }
}

fn lists(value: &[u8], wanted: &str) -> bool {
    let Some(mut purposes) = Reader::new(value).enter(SEQUENCE) else {
        return false;
    };
    while let Some(purpose) = purposes.expect(OID) {
        if objects::dotted(purpose.value).is_some_and(|dotted| dotted == wanted) {
            return true;
        }
    }
    false
}

fn is_ca(value: &[u8]) -> Option<bool> {
    let mut fields = Reader::new(value).enter(SEQUENCE)?;
    if fields.at_end() {
        return Some(false);
    }
    let first = fields.any()?;
    Some(first.tag == BOOLEAN && first.value.first().is_some_and(|octet| *octet != 0))
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose as Purpose, IsCa, KeyPair,
        KeyUsagePurpose as Usage,
    };

    use super::*;

    fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        change(&mut params);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Certificate::parse(made.der()).unwrap()
    }

    #[test]
    fn what_is_not_said_is_allowed_to_ends_but_not_to_authorities() {
        let silent = certificate(|_| {});
        assert!(silent.serves(Role::Client) && silent.serves(Role::Server) && silent.may_sign());
        assert!(!silent.is_authority());
    }

    #[test]
    fn key_usage_limits() {
        let signs = certificate(|p| p.key_usages = vec![Usage::DigitalSignature]);
        assert!(signs.serves(Role::Client) && !signs.may_sign() && !signs.is_authority());
        let enciphers = certificate(|p| p.key_usages = vec![Usage::KeyEncipherment]);
        assert!(!enciphers.serves(Role::Client) && enciphers.serves(Role::Server));
        let certifies = certificate(|p| p.key_usages = vec![Usage::KeyCertSign]);
        assert!(!certifies.serves(Role::Client) && certifies.is_authority());
    }

    #[test]
    fn extended_key_usage_limits() {
        let server = certificate(|p| p.extended_key_usages = vec![Purpose::ServerAuth]);
        assert!(!server.serves(Role::Client) && server.serves(Role::Server));
        let any = certificate(|p| p.extended_key_usages = vec![Purpose::Any]);
        assert!(!any.serves(Role::Client));
    }

    #[test]
    fn basic_constraints_decide() {
        let ca = certificate(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
        assert!(ca.is_authority());
        let mute = certificate(|p| {
            p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            p.key_usages = vec![Usage::CrlSign];
        });
        assert!(!mute.is_authority());
        assert!(!certificate(|p| p.is_ca = IsCa::ExplicitNoCa).is_authority());
        assert_eq!(is_ca(b"\x30\x03\x02\x01\x00"), Some(false));
        assert_eq!(is_ca(b"nonsense"), None);
        assert_eq!(ca.rsa_bits(), None);
    }
}
