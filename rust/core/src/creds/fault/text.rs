// SPDX-License-Identifier: Apache-2.0
//! The texts of faults.

use std::error::Error;
use std::fmt;

use super::Fault;
use crate::creds::contents::{Damage, LOST};
use crate::creds::pem::PemError;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Error for Fault {}

impl Fault {
    /// What is wrong and what to do.
    #[rustfmt::skip] // one row, one fault
    pub fn text(&self) -> String {
        match self {
            Self::Unreadable { file, cause } => format!(
                "{file} cannot be read: {cause}; {}", advice_on_name(file)),
            Self::Empty { file } => format!(
                "{file} is empty; put the PEM text of the certificate or key there"),
            Self::TooLarge { file, limit } => format!(
                "{file} is larger than {limit}, more than such files hold; name the right file"),
            Self::Panicked { file } => format!("{file}: {}", crate::system::file::PANICKED),
            Self::NotPem { file } => format!(
                "{file} holds no PEM block (-----BEGIN ...); name the PEM file of the certificate or key"),
            Self::IsDer { file } => format!(
                "{file} is in DER, not PEM; convert it: openssl x509 -inform DER -in {file} -out FILE.pem \
                 (a key: openssl pkey -inform DER)"),
            Self::NoEnd { file, line } => format!("{file}: {}", PemError::NoEnd(*line)),
            Self::Joined { file, line } => format!("{file}: {}", PemError::Joined(*line)),
            Self::NotBase64 { file, line } => format!("{file}: {}", PemError::NotBase64(*line)),
            Self::Headers { file, line } => format!("{file}: {}", Damage::Headers(*line)),
            Self::Lost { file, line } => format!("{file}: line {line} {LOST}"),
            Self::Unseen { file, line } => format!("{file} holds no block that can be seen: line {line} {LOST}"),
            Self::NoCertificate { file, holds } => format!(
                "{file} holds no certificate, but {holds}; name a file with certificates in PEM here, and the key's file where keys belong"),
            Self::BadCertificate { file, line, cause } => format!(
                "{file}: the certificate in line {line} cannot be read: {cause}; get it again from its issuer"),
            Self::NoKey { file } => format!(
                "{file} holds no private key; name the file that was made together with the certificate request"),
            Self::NoKeyBeside { file } => format!(
                "{file} holds a certificate but no private key; name the key's file too, or add the key to this one"),
            Self::OnlyPublicKey { file } => format!(
                "{file} holds a public key; name the file of the private key (-----BEGIN PRIVATE KEY-----)"),
            Self::OpenSshKey { file } => format!(
                "{file} holds a key in OpenSSH's format; convert a copy: ssh-keygen -p -m PKCS8 -f COPY"),
            Self::BadKey { file, cause } => format!(
                "the private key in {file} cannot be used: {cause}; take it from a backup or, where OpenSSL reads it, write it \
                 anew and name the new file: openssl pkey -in {file} -out {file}.pem"),
            Self::UnsupportedKey { file, kind } => format!(
                "the private key in {file} is of a kind that TLS cannot use here ({kind}); make one of RSA (2048 to \
                 8192 bits), ECDSA (P-256, P-384, P-521), Ed25519 or ML-DSA, and have a certificate issued for it"),
            Self::RsaSize { file, bits } => format!(
                "the RSA key in {file} has {bits} bits, usable are 2048 to 8192; make a new key and have a certificate \
                 issued for it"),
            Self::EncryptedKey { file, why } => format!(
                "the private key in {file} is encrypted and no pass phrase opens it: {why}; say where the pass phrase \
                 comes from (TLSKeyPassphrase or SSLPassPhraseDialog), or decrypt the key: openssl pkey -in {file} \
                 -out FILE"),
            Self::UnsupportedEncryption { file, how } => format!(
                "the private key in {file} is encrypted in a way that is not supported ({how}); encrypt it anew: \
                 openssl pkcs8 -topk8 -v2 aes-256-cbc -in {file} -out FILE"),
            Self::Instead { file, wanted, is, remedy } => format!("{file} holds no {wanted}, but {is}; {remedy}"),
            Self::BadPkcs12 { file, how } => format!(
                "{file} is a PKCS#12 file that cannot be opened: {how}; take out of it what is needed: openssl pkcs12 \
                 -in {file} -nodes -out FILE.pem (with -legacy where OpenSSL asks for it), and name FILE.pem for both"),
            Self::EncryptedKeyUnchecked { file } => format!(
                "the private key in {file} is encrypted, so it is not checked here; it will be when the server starts"),
            Self::KeyOfOtherUse { key, certificate, for_pss_alone } => {
                let (this, that) = match for_pss_alone {
                    true => ("an RSA key for RSASSA-PSS alone", "one for all uses"),
                    false => ("an RSA key for all uses", "one for RSASSA-PSS alone"),
                };
                format!(
                    "{key} holds {this}, and the certificate in {certificate} was issued for {that}, though its numbers are \
                     the same; have a certificate issued for the key as it is: openssl req -new -key {key} -out FILE.csr")
            }
            Self::KeyMismatch { key, certificate, hint } => format!(
                "the key in {key} does not fit the certificate in {certificate}: it was made for another one{hint}; \
                 name the key that the certificate was issued for"),
            Self::LeafNotFirst { file, position } => format!(
                "{file}: the server's own certificate, the one that fits the key, stands in place {position}; move it \
                 to the first place, then the one that issued it, and so on"),
            Self::OutOfOrder { file, position, .. } => format!(
                "{file}: the chain is out of order at certificate {position}, which did not issue the one before it; \
                 order them: the server's own first, then the one that issued it, and so on"),
            Self::Unrelated { file, position, subject } => format!(
                "{file}: certificate {position} ({subject}) issued none of those before it; clients get it in vain, \
                 take it out"),
            Self::Expired { file, which, date, days } => format!(
                "{file}: {which} expired on {date}, {days} days ago; clients will refuse it, renew it"),
            Self::NotYetValid { file, which, date } => format!(
                "{file}: {which} is not valid before {date}; check the clock, or wait with this certificate"),
            Self::Unfit { file, which, why } => format!("{file}: {which} {}", why.text()),
            Self::BadDates { file, which } => format!(
                "{file}: the dates of {which} are none that RFC 5280 knows; clients will refuse it, have it issued anew"),
            Self::NoIssuer { file, of, issuer, published: true } => format!(
                "{file}: the issuer of {of}, {issuer}, is neither in the file nor among the system's roots, so that clients \
                 refuse the chain that have not met it elsewhere; append its certificate to the file, as the file that \
                 authorities call fullchain has it"),
            Self::NoIssuer { file, of, issuer, .. } => format!(
                "{file}: the issuer of {of}, {issuer}, is neither in the file nor among the system's roots; append its \
                 certificate to the file, unless all clients trust that very certificate (a CA of your own)"),
            Self::NamesNotCovered { file, missing, covered } => format!(
                "{file}: the certificate covers {covered}, but not {missing}; clients that ask for this name will \
                 refuse it, have a certificate issued that names it or correct ServerName or ServerAlias"),
            Self::OnlyCommonName { file } => format!(
                "{file}: the certificate has no subjectAltName and names its server in the common name only; current \
                 clients do not look there, have it issued again with a subjectAltName"),
            Self::StapleRefused { file, cause } => format!(
                "the OCSP response in {file} is not sent to clients: {cause}; put a current one there, or remove the \
                 file"),
            Self::SameKind { file, first, kind } => format!(
                "{file}: {first} already has a certificate with a key of the same kind ({kind}) for this virtual host; \
                 this one is never used, remove it"),
            Self::NoSignature { file, kind, needed, alone: true } => format!(
                "{file}: its key ({kind}) signs with none of the algorithms that are allowed here, so that no client \
                 could be served; allow {needed}, or name a certificate with a key of another kind"),
            Self::NoSignature { file, kind, needed, .. } => format!(
                "{file}: its key ({kind}) signs with none of the algorithms that are allowed here; this certificate is \
                 never used, allow {needed} or remove it"),
            Self::NoTls13Signature { file, needed } => format!(
                "{file}: none of the algorithms that are allowed here and fit a key exists in TLS 1.3, so that clients \
                 that speak it cannot connect; allow {needed}, or leave TLS 1.3 out of the protocols"),
            Self::NoSuite { file, kind, needed, alone } => format!(
                "{file}: its key ({kind}) fits none of the cipher suites that are allowed here for TLS 1.2, so that {}; allow {needed}, \
                 or name a certificate with a key of the other kind",
                if *alone { "nobody could connect, since TLS 1.3 is off" } else { "clients without TLS 1.3 cannot connect" }),
            Self::NeedsTls13 { file, kind, alone } => format!(
                "{file}: its key ({kind}) signs in TLS 1.3 alone, which is switched off here, so that {}; allow TLS 1.3, or \
                 name a certificate with an ECDSA or RSA key",
                if *alone { "no client could be served" } else { "this certificate is never used" }),
            Self::OnlyTls13Keys { file, kind } => format!(
                "{file}: its key ({kind}) is of a kind that most clients do not know yet, and there is no other \
                 certificate here; clients without {kind} cannot connect, name a certificate with an ECDSA or RSA key too"),
        }
    }
}

/// What to do about a file that is not there: names are often written as shells and other systems have them.
fn advice_on_name(file: &str) -> &'static str {
    const ODD: [(&str, &str); 7] = [
        (
            "${",
            "the variable in its name is not defined (Define, before this line)",
        ),
        ("/~", "~ is no home directory here, write the whole path"),
        ("\\", "write / in the place of \\"),
        ("*", "names have no wildcards here, write each file"),
        ("/-----BEGIN", "name the file that holds it"),
        ("https:/", "name a file, which is on this machine"),
        (
            " /",
            "these are two names in one pair of quotation marks, give each its own",
        ),
    ];
    let odd = ODD.iter().find(|(sign, _)| file.contains(sign));
    odd.map_or(
        "check the path, and that root may read the file",
        |(_, advice)| advice,
    )
}
