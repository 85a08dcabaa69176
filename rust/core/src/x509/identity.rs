//! The certificates of both sides of one connection, parsed when first asked.

use std::sync::{Arc, OnceLock};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::certificate::Certificate;
use super::fields::{self, DnStyle};
use super::{extensions, objects};

/// Whose certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The peer's.
    Client,
    /// Our own.
    Server,
}

/// Fields that `StdEnvVars` exports of both sides.
const EXPORTED: [&str; 8] = [
    "M_VERSION",
    "M_SERIAL",
    "V_START",
    "V_END",
    "S_DN",
    "I_DN",
    "A_KEY",
    "A_SIG",
];
/// Fields that it exports of the client's alone.
const EXPORTED_OF_CLIENT: [&str; 2] = ["V_REMAIN", "CERT_RFC4523_CEA"];

/// Certificates of one connection. Immutable, so that all streams of an h2 connection may ask at once.
#[derive(Debug, Default)]
pub struct Identity {
    presented: Option<Arc<CertifiedKey>>,
    chain: Vec<CertificateDer<'static>>,
    parsed_server: Parsed,
    parsed_client: Parsed,
}

/// Behind a pointer, because most connections never ask.
type Parsed = OnceLock<Option<Box<Certificate>>>;

impl Identity {
    /// `presented` is the pair that stood for the server, `chain` what the client sent, leaf first.
    pub fn new(presented: Option<Arc<CertifiedKey>>, chain: Vec<CertificateDer<'static>>) -> Self {
        Self {
            presented,
            chain,
            ..Self::default()
        }
    }

    /// Number of certificates that the client sent, its own included.
    pub fn client_certificates(&self) -> usize {
        self.chain.len()
    }

    /// DER of a certificate that the client sent; 0 is its own.
    pub fn client_der(&self, index: usize) -> Option<&[u8]> {
        self.chain.get(index).map(|der| der.as_ref())
    }

    /// What the client sent, leaf first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The parsed certificate of one side.
    pub fn certificate(&self, side: Side) -> Option<&Certificate> {
        let cell = match side {
            Side::Client => &self.parsed_client,
            Side::Server => &self.parsed_server,
        };
        let parse = || {
            self.leaf(side)
                .and_then(|der| Certificate::parse(der))
                .map(Box::new)
        };
        cell.get_or_init(parse).as_deref()
    }

    fn leaf(&self, side: Side) -> Option<&CertificateDer<'static>> {
        match side {
            Side::Client => self.chain.first(),
            Side::Server => self.presented.as_ref()?.cert.first(),
        }
    }

    /// A field as in `SSL_CLIENT_<name>`; of the client also `CERT_CHAIN_<n>`, the certificates behind its own.
    /// `now` is in seconds since 1970.
    pub fn field(&self, side: Side, name: &str, style: DnStyle, now: i64) -> Option<Vec<u8>> {
        if let (Side::Client, Some(index)) = (side, name.strip_prefix("CERT_CHAIN_")) {
            let index: usize = index.parse().ok()?;
            return self
                .client_der(index.checked_add(1)?)
                .map(|der| super::pem(der).into_bytes());
        }
        if name == "CERT" {
            return self.leaf(side).map(|der| super::pem(der).into_bytes());
        }
        fields::field(self.certificate(side)?, name, style, now)
    }

    /// Everything that `StdEnvVars` exports of one side, as names behind `SSL_CLIENT_` or `SSL_SERVER_`.
    pub fn exported(&self, side: Side, style: DnStyle, now: i64) -> Vec<(String, Vec<u8>)> {
        let Some(certificate) = self.certificate(side) else {
            return Vec::new();
        };
        let (of_side, alt_kinds): (&[&str], _) = match side {
            Side::Client => (&EXPORTED_OF_CLIENT, ["Email_", "DNS_", "OTHER_msUPN_"]),
            Side::Server => (&[], ["Email_", "DNS_", "OTHER_dnsSRV_"]),
        };
        let mut found = fields::exported(certificate, &alt_kinds);
        for name in EXPORTED.iter().chain(of_side) {
            let value = fields::field(certificate, name, style, now).unwrap_or_default();
            if !value.is_empty() {
                found.push(((*name).to_owned(), value));
            }
        }
        found
    }

    /// The values of every extension `name` (dotted, or a name of OpenSSL's) of one side's certificate, as text.
    pub fn extensions(&self, side: Side, name: &str) -> Vec<Vec<u8>> {
        let Some(dotted) = objects::identifier(name) else {
            return Vec::new();
        };
        let all = self
            .certificate(side)
            .map_or(&[][..], |certificate| &certificate.extensions);
        all.iter()
            .filter(|extension| extension.dotted == dotted)
            .filter_map(extensions::print)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_when_first_asked_and_once() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        let identity = Identity::new(None, vec![der]);
        assert_eq!(identity.client_certificates(), 1);
        assert!(identity.parsed_client.get().is_none());
        let first: *const Certificate = identity.certificate(Side::Client).unwrap();
        identity.exported(Side::Client, DnStyle::Rfc2253, 0);
        identity.field(Side::Client, "S_DN", DnStyle::Legacy, 0);
        assert!(std::ptr::eq(
            first,
            identity.certificate(Side::Client).unwrap()
        ));
        assert!(identity.certificate(Side::Server).is_none());
    }
}
