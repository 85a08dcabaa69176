// SPDX-License-Identifier: Apache-2.0
//! Certificates as fields of HTTP (RFC 9440): byte sequences of structured fields (RFC 9651 3.3.5).

use rustls_pki_types::CertificateDer;

use super::canonical::is_one_name;
use super::outline::Outline;
use crate::base64;

/// The fields that a proxy speaks of its client by, in lower case.
const NAMES: [&[u8]; 2] = [b"client-cert", b"client-cert-chain"];

/// Whether a field of this name may be taken for one of those two: in any case, and with any octet for a hyphen, since
/// gateways in the manner of CGI make one character of hyphens, underscores and the like (RFC 3875 4.1.18).
pub fn is_client_field(name: &[u8]) -> bool {
    let same = |(given, wanted): (&u8, &u8)| match wanted {
        b'-' => !given.is_ascii_alphanumeric(),
        letter => given.to_ascii_lowercase() == *letter,
    };
    NAMES
        .iter()
        .any(|wanted| name.len() == wanted.len() && name.iter().zip(*wanted).all(same))
}

/// Octets of tokens (RFC 9110 5.6.2).
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// What is left of a Connection field without the names of those fields, which a proxy would leave out at a visitor's
/// word (RFC 9110 7.6.1); `None` where it names none of them. Readers differ in what separates names: httpd's
/// `ap_get_token` ends one at a comma, a semicolon or a space. So here every octet does that no name has (5.6.2), quotes
/// among them: no reader finds a name that is not looked at.
pub fn without_client_fields(connection: &[u8]) -> Option<Vec<u8>> {
    let listed = || {
        connection
            .split(|octet| !is_token(*octet))
            .filter(|name| !name.is_empty())
    };
    listed().any(is_client_field).then(|| {
        let kept: Vec<_> = listed().filter(|name| !is_client_field(name)).collect();
        kept.join(&b", "[..])
    })
}

/// `Client-Cert`: one byte sequence.
pub fn write(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((der.len() / 3).saturating_mul(4).saturating_add(6));
    append(&mut out, der);
    out
}

/// `Client-Cert-Chain`: a list of them.
pub fn write_list<'a>(chain: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for der in chain {
        if !out.is_empty() {
            out.extend_from_slice(b", ");
        }
        append(&mut out, der);
    }
    out
}

fn append(out: &mut Vec<u8>, der: &[u8]) {
    out.push(b':');
    base64::append(out, der, base64::public);
    out.push(b':');
}

/// Reads one byte sequence. Parameters, of which RFC 9440 has none, are refused as everything else is.
pub fn read(value: &[u8]) -> Option<CertificateDer<'static>> {
    let text = value.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
    let (digits, padding) = match text.iter().position(|octet| *octet == b'=') {
        Some(first) => text.split_at_checked(first)?,
        None => (text, &[][..]),
    };
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    if digits.is_empty() || !matches!(padding, b"" | b"=" | b"==") || !digits.iter().all(is_digit) {
        return None;
    }
    let mut whole = digits.to_vec();
    whole.resize(digits.len().next_multiple_of(4), b'=');
    Some(base64::decode(&whole)?.to_vec().into())
}

/// Reads a list of byte sequences, which is not empty.
pub fn read_list(value: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    value.split(|octet| *octet == b',').map(read).collect()
}

/// What is wrong with what a proxy tells of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldFault {
    /// A field of this name holds no byte sequences.
    Unreadable(&'static str),
    /// A chain without its beginning.
    NoBeginning,
}

impl std::fmt::Display for FieldFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(field) => write!(
                f,
                "its field {field} does not hold certificates as byte sequences (RFC 9440)"
            ),
            Self::NoBeginning => {
                f.write_str("it has a field Client-Cert-Chain without Client-Cert")
            }
        }
    }
}

impl std::error::Error for FieldFault {}

/// The certificates of Client-Cert and Client-Cert-Chain, the client's own first. Empty fields are none.
///
/// # Errors
/// Fields that cannot be read, and a chain without its beginning.
pub fn read_client(
    certificate: &[u8],
    chain: &[u8],
) -> Result<Vec<CertificateDer<'static>>, FieldFault> {
    let mut all = Vec::new();
    if !certificate.is_empty() {
        all.push(read(certificate).ok_or(FieldFault::Unreadable("Client-Cert"))?);
    }
    if !chain.is_empty() {
        if all.is_empty() {
            return Err(FieldFault::NoBeginning);
        }
        all.extend(read_list(chain).ok_or(FieldFault::Unreadable("Client-Cert-Chain"))?);
    }
    Ok(all)
}

/// Those behind the first one that each name the issuer of the one before. What a client sends besides stands on no path
/// from its own certificate: nobody has verified it.
fn issuers<'a>(all: &'a [CertificateDer<'_>]) -> impl Iterator<Item = &'a [u8]> {
    let names = |der: &'a CertificateDer<'_>| {
        Outline::parse(der).map(|outline| (outline.subject.raw, outline.issuer.raw))
    };
    let mut wanted = all.first().and_then(names).map(|(_, issuer)| issuer);
    all.iter().skip(1).map_while(move |der| {
        let (subject, issuer) = names(der)?;
        is_one_name(subject, wanted.replace(issuer)?).then(|| der.as_ref())
    })
}

/// The client's own certificate of `all` as Client-Cert has it, or its issuers behind it as Client-Cert-Chain does; empty
/// where there is none.
pub fn write_client(all: &[CertificateDer<'_>], chain: bool) -> Vec<u8> {
    match all.first() {
        Some(own) if !chain => write(own),
        Some(_) => write_list(issuers(all)),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;

    use super::{
        is_client_field, read, read_list, without_client_fields, write, write_client, write_list,
    };

    #[test]
    fn what_is_written_is_read_again() {
        for length in 1..70u8 {
            let der: Vec<u8> = (0..length).map(|n| n.wrapping_mul(37)).collect();
            assert_eq!(read(&write(&der)).unwrap().as_ref(), der);
            let both = write_list([&der[..], b"x"].into_iter());
            let chain = read_list(&both).unwrap();
            assert_eq!(chain.len(), 2);
            assert_eq!(chain[0].as_ref(), der);
        }
        assert_eq!(write(b"a"), b":YQ==:");
        assert_eq!(write_list([&b"a"[..], b"b"].into_iter()), b":YQ==:, :Yg==:");
    }

    fn certificate(subject: &str, issuer: &str) -> CertificateDer<'static> {
        let key = rcgen::KeyPair::generate().unwrap();
        let named = |name: &str| {
            let mut made = rcgen::CertificateParams::default();
            made.distinguished_name = rcgen::DistinguishedName::new();
            made.distinguished_name
                .push(rcgen::DnType::CommonName, name);
            made
        };
        let issuer = rcgen::Issuer::new(named(issuer), &key);
        let signed = named(subject).signed_by(&key, &issuer).unwrap();
        signed.der().clone()
    }

    #[test]
    fn a_chain_ends_where_the_next_is_not_the_issuer() {
        let own = certificate("client", "Lower CA");
        let lower = certificate("LOWER  ca", "Upper CA"); // one name all the same (RFC 5280 7.1)
        let upper = certificate("Upper CA", "Root");
        let root = certificate("Root", "Root");
        let strange = certificate("Strange", "Root");
        let junk = CertificateDer::from(b"junk".to_vec());
        for (sent, told) in [
            (vec![], 0),
            (vec![&lower], 1),
            (vec![&lower, &upper, &root], 3),
            (vec![&lower, &upper, &root, &strange], 3),
            (vec![&lower, &strange, &upper], 1),
            (vec![&lower, &lower, &upper], 1),
            (vec![&lower, &junk, &upper], 1),
            (vec![&strange, &lower, &upper], 0),
            (vec![&upper, &lower], 0),
            (vec![&junk], 0),
        ] {
            let all: Vec<_> = [&own].into_iter().chain(sent.clone()).cloned().collect();
            let listed = sent.iter().take(told).map(|der| der.as_ref());
            assert_eq!(write_client(&all, true), write_list(listed), "{sent:?}");
            assert_eq!(write_client(&all, false), write(&own));
        }
        assert_eq!(write_client(&[junk, lower], true), b"");
        assert_eq!(write_client(&[], true), b"");
        assert_eq!(write_client(&[], false), b"");
    }

    #[test]
    fn only_byte_sequences_are_read() {
        for good in [":YQ==:", " :YQ==:\t", ":YQ:", ":YWI=:", ":YWJj:"] {
            assert!(read(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            ":",
            "::",
            ":=:",
            ":==:",
            ":YQ===:",
            "YQ==",
            ":YQ==",
            "YQ==:",
            ":YQ==:;a=1",
            ":YQ==:, :YQ==:",
            ":Y Q==:",
            ":Y\nQ==:",
            ":Y=Q=:",
            ":YQ-_:",
            ":Y:",
            "\"YQ==\"",
            ":%59Q==:",
        ] {
            assert!(read(bad.as_bytes()).is_none(), "{bad}");
        }
        for bad in [
            "",
            ",",
            ":YQ==:,",
            ",:YQ==:",
            ":YQ==: :YQ==:",
            ":YQ==:,,:YQ==:",
        ] {
            assert!(read_list(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_are_known_in_every_spelling() {
        for name in [
            "Client-Cert",
            "CLIENT_CERT",
            "client.cert",
            "cLiEnT-cErT_cHaIn",
            "client_cert-chain",
        ] {
            assert!(is_client_field(name.as_bytes()), "{name}");
        }
        for name in [
            "",
            "client-cer",
            "client-certs",
            "clientacert",
            "x-client-cert",
            "client-cert-chains",
        ] {
            assert!(!is_client_field(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_visitor_does_not_have_fields_left_out() {
        for (given, left) in [
            ("close", None),
            ("", None),
            ("client-cert", Some("")),
            (
                "keep-alive, Client-Cert ,client_cert_chain, upgrade",
                Some("keep-alive, upgrade"),
            ),
            ("close;Client-Cert", Some("close")),
            ("x Client-Cert-Chain\tclose", Some("x, close")),
            ("\"Client-Cert\"", Some("")),
            ("close, \"x, Client-Cert", Some("close, x")),
            ("a=client-cert/b@CLIENT.CERT", Some("a, b")),
            (",;Client-Cert;,", Some("")),
            ("x\x0bClient-Cert\x0cy", Some("x, y")),
            ("\u{a0}Client-Cert", Some("")),
            ("x-client-cert, client-certs", None),
        ] {
            let found = without_client_fields(given.as_bytes());
            assert_eq!(found.as_deref(), left.map(str::as_bytes), "{given}");
        }
    }
}
