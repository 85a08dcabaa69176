// SPDX-License-Identifier: Apache-2.0
//! A client's certificate as variables, log lines and access rules read it.

use mod_tls_core::x509::{Certificate, DnStyle, Identity, Side};
use rustls_pki_types::CertificateDer;

/// Every variable, with and without an index.
const FIELDS: [&str; 27] = [
    "M_VERSION",
    "M_SERIAL",
    "S_DN",
    "I_DN",
    "S_DN_CN",
    "S_DN_CN_1",
    "S_DN_CN_99999999999999999999",
    "S_DN_OU_RAW",
    "S_DN_Email_2_RAW",
    "I_DN_O",
    "I_DN_SerialNumber",
    "I_DN_UID_3",
    "SAN_Email_0",
    "SAN_DNS_1",
    "SAN_OTHER_msUPN_0",
    "SAN_OTHER_dnsSRV_0",
    "V_START",
    "V_END",
    "V_REMAIN",
    "A_SIG",
    "A_KEY",
    "CERT",
    "CERT_CHAIN_0",
    "CERT_RFC4523_CEA",
    "S_DN_x509",
    "SAN_",
    "",
];

/// The longest text that an octet of a certificate may become, in one variable and in all of them together: `\UXXXXXXXX` for one
/// character of an alternative name's type, and each attribute in several variables.
const LONGEST: usize = 64;

/// All that is asked of a certificate is answered, by texts that do not grow faster than the certificate.
pub fn certificate(data: &[u8]) {
    let limit = data.len().saturating_mul(LONGEST).saturating_add(4096);
    let Some(parsed) = Certificate::parse(data) else {
        return;
    };
    assert_eq!(parsed.der(), data);
    assert!(
        parsed.subject_der().len() + parsed.issuer_der().len() + parsed.spki().len() <= data.len()
    );
    let identity = Identity::new(None, vec![CertificateDer::from(data).into_owned(); 2]);
    for style in [DnStyle::Rfc2253, DnStyle::Legacy] {
        for name in FIELDS {
            let value = identity.field(Side::Client, name, style, 0);
            assert!(value.is_none_or(|value| value.len() <= limit), "{name}");
        }
        let exported = identity.exported(Side::Client, style, i64::MAX);
        let total: usize = exported
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        assert!(
            total <= limit,
            "{total} octets of variables for {}",
            data.len()
        );
    }
    let kinds = parsed
        .extensions()
        .take(64)
        .map(|extension| extension.dotted);
    for kind in kinds.chain(["subjectAltName", "1.2.3"].map(str::to_owned)) {
        let texts = identity.extensions(Side::Client, &kind);
        assert!(texts.iter().map(Vec::len).sum::<usize>() <= limit, "{kind}");
    }
}
