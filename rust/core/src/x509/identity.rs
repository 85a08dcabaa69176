// SPDX-License-Identifier: Apache-2.0
//! The certificates of both sides of one connection, kept as they came.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::certificate::Certificate;
use super::fields::{self, DnStyle, Exported};
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
/// Fields that it exports of the client's alone, besides `V_REMAIN`.
const EXPORTED_OF_CLIENT: [&str; 1] = ["CERT_RFC4523_CEA"];

/// Certificates of one connection. Immutable, so that all streams of an h2 connection may ask at once.
#[derive(Debug, Default)]
pub struct Identity {
    presented: Option<Arc<CertifiedKey>>,
    chain: Vec<CertificateDer<'static>>,
    server_readable: OnceLock<bool>,
    client_readable: OnceLock<bool>,
    exported_client: Variables,
    exported_client_legacy: Variables,
    exported_server: Variables,
    exported_server_legacy: Variables,
    told: AtomicBool,
}

/// What is made of a certificate; behind a pointer, because most connections never ask.
type Variables = OnceLock<Box<Exported>>;

impl Identity {
    /// `presented` is the pair that stood for the server, `chain` what the client sent, leaf first.
    pub fn new(presented: Option<Arc<CertifiedKey>>, chain: Vec<CertificateDer<'static>>) -> Self {
        Self {
            presented,
            chain,
            ..Self::default()
        }
    }

    /// The same connection with the certificates of another client: the one whom a proxy has forwarded.
    pub fn with_chain(&self, chain: Vec<CertificateDer<'static>>) -> Self {
        Self::new(self.presented.clone(), chain)
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

    /// The certificate of one side, where it can be read: that is found out once.
    pub fn certificate(&self, side: Side) -> Option<Certificate<'_>> {
        let readable = match side {
            Side::Client => &self.client_readable,
            Side::Server => &self.server_readable,
        };
        let der = self.leaf(side)?;
        readable
            .get_or_init(|| Certificate::parse(der).is_some())
            .then(|| Certificate::known(der))?
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
        fields::field(&self.certificate(side)?, name, style, now)
    }

    /// Everything that `StdEnvVars` exports of one side, as names behind `SSL_CLIENT_` or `SSL_SERVER_`. What does not
    /// depend on the time of day is made once for a connection.
    pub fn exported(&self, side: Side, style: DnStyle, now: i64) -> Vec<(String, Vec<u8>)> {
        let Some(certificate) = self.certificate(side) else {
            return Vec::new();
        };
        let cell = match (side, style) {
            (Side::Client, DnStyle::Rfc2253) => &self.exported_client,
            (Side::Client, DnStyle::Legacy) => &self.exported_client_legacy,
            (Side::Server, DnStyle::Rfc2253) => &self.exported_server,
            (Side::Server, DnStyle::Legacy) => &self.exported_server_legacy,
        };
        let made = cell.get_or_init(|| Box::new(collect(&certificate, side, style)));
        let mut found = made.fields.clone();
        if side == Side::Client
            && let Some(days) = fields::field(&certificate, "V_REMAIN", style, now)
        {
            found.push(("V_REMAIN".to_owned(), days));
        }
        found
    }

    /// Whether variables of the client's certificate were left out because there are too many or too long ones; true
    /// once.
    pub fn tells_cut(&self) -> bool {
        let cut = [&self.exported_client, &self.exported_client_legacy]
            .iter()
            .any(|cell| cell.get().is_some_and(|exported| exported.cut));
        cut && !self.told.swap(true, Ordering::Relaxed)
    }

    /// The values of every extension `name` (dotted, or a name of OpenSSL's) of one side's certificate, as text.
    pub fn extensions(&self, side: Side, name: &str) -> Vec<Vec<u8>> {
        let Some(dotted) = objects::identifier(name) else {
            return Vec::new();
        };
        let certificate = self.certificate(side);
        let all = certificate
            .iter()
            .flat_map(|certificate| certificate.extensions());
        all.filter(|extension| extension.dotted == dotted)
            .filter_map(|extension| extensions::print(&extension))
            .collect()
    }
}

/// What stays the same as long as the connection. The fixed list goes first: it is not to be crowded out.
fn collect(certificate: &Certificate<'_>, side: Side, style: DnStyle) -> Exported {
    let (of_side, alt_kinds): (&[&str], _) = match side {
        Side::Client => (&EXPORTED_OF_CLIENT, ["Email_", "DNS_", "OTHER_msUPN_"]),
        Side::Server => (&[], ["Email_", "DNS_", "OTHER_dnsSRV_"]),
    };
    let mut found = Exported::default();
    for name in EXPORTED.iter().chain(of_side) {
        let value = fields::field(certificate, name, style, 0);
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            found.add(name, value);
        }
    }
    fields::export(certificate, &alt_kinds, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(subject: rcgen::DistinguishedName, names: Vec<String>) -> Identity {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.distinguished_name = subject;
        let der = params.self_signed(&key).unwrap().der().clone();
        Identity::new(None, vec![der])
    }

    fn size(fields: &[(String, Vec<u8>)]) -> usize {
        fields.iter().map(|(_, value)| value.len()).sum()
    }

    /// A certificate of 64 KiB exports as many variables as one that is just as long as may be, and says so once.
    #[test]
    fn what_is_exported_is_bounded_and_what_is_cut_is_said_once() {
        let names = |count: usize| (0..count).map(|n| format!("n{n}.example")).collect();
        for (count, cut) in [
            (fields::MAX_EXPORTED, false),
            (fields::MAX_EXPORTED + 1, true),
            (4000, true),
        ] {
            let identity = of(rcgen::DistinguishedName::new(), names(count));
            let found = identity.exported(Side::Client, DnStyle::Rfc2253, 0);
            let named = found
                .iter()
                .filter(|(name, _)| name.starts_with("SAN_DNS_"))
                .count();
            assert_eq!(named, count.min(fields::MAX_EXPORTED));
            assert_eq!([identity.tells_cut(), identity.tells_cut()], [cut, false]);
            assert!(found.iter().any(|(name, _)| name == "V_REMAIN"));
        }
        let long = vec!["x".repeat(7000) + ".example"; 9];
        let found =
            of(rcgen::DistinguishedName::new(), long).exported(Side::Client, DnStyle::Rfc2253, 0);
        assert!(size(&found) < fields::MAX_OCTETS + 10);
    }

    #[test]
    fn a_name_that_is_too_long_is_left_out_rather_than_cut() {
        for (length, there) in [(8000, true), (9000, false)] {
            let mut subject = rcgen::DistinguishedName::new();
            subject.push(rcgen::DnType::CommonName, "x".repeat(length));
            let identity = of(subject, vec![]);
            let found = identity.exported(Side::Client, DnStyle::Rfc2253, 0);
            for name in ["S_DN", "S_DN_CN"] {
                assert_eq!(
                    found.iter().any(|(found, _)| found == name),
                    there,
                    "{name} {length}"
                );
            }
            assert_eq!(identity.tells_cut(), !there);
        }
    }

    #[test]
    fn variables_are_made_once_for_a_connection() {
        let identity = of(rcgen::DistinguishedName::new(), vec!["a.test".to_owned()]);
        let first = identity.exported(Side::Client, DnStyle::Rfc2253, 0);
        let made: *const Exported = &**identity.exported_client.get().unwrap();
        assert_eq!(identity.exported(Side::Client, DnStyle::Rfc2253, 0), first);
        assert!(std::ptr::eq(
            made,
            &**identity.exported_client.get().unwrap()
        ));
        let later = identity.exported(Side::Client, DnStyle::Rfc2253, 86_400 * 30);
        assert_ne!(later, first, "V_REMAIN is of today");
    }

    #[test]
    fn a_certificate_is_judged_when_first_asked_and_once() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().clone();
        let identity = Identity::new(None, vec![der.clone()]);
        assert_eq!(identity.client_certificates(), 1);
        assert!(identity.client_readable.get().is_none());
        let found = identity.certificate(Side::Client).unwrap();
        assert!(std::ptr::eq(found.der(), identity.client_der(0).unwrap()));
        assert_eq!(identity.client_readable.get(), Some(&true));
        assert!(identity.certificate(Side::Server).is_none());
        // An identifier that is none, where the outline is good.
        let mut odd = der.to_vec();
        let place = odd.windows(3).rposition(|three| three == [0x55, 4, 3]);
        odd[place.unwrap() + 2] = 0x83;
        let identity = Identity::new(None, vec![odd.into()]);
        assert!(identity.certificate(Side::Client).is_none());
        assert_eq!(identity.client_readable.get(), Some(&false));
    }
}
