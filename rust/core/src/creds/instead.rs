// SPDX-License-Identifier: Apache-2.0
//! What a file is that does not hold what was looked for, and the one command that makes it right: a table.

use super::contents::{What, what};
use super::fault::Fault;
use super::pem;

/// What was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A certificate, or a chain.
    Certificate,
    /// A private key.
    Key,
}

/// What there is instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Octets(What),
    /// OpenSSH's own format of keys.
    OpenSsh,
    /// Text of two octets a character, as editors of Windows save it.
    Wide,
    /// Text whose lines end as on an old Mac.
    OldMac,
    /// Java's own format of before version 9.
    JavaKeystore,
    Putty,
    SshPublicKey,
    Archive,
    /// HTML or XML.
    Markup,
    /// A certificate in a block of another label.
    Mislabelled,
}

/// What a file begins with that is neither PEM nor DER.
const BEGINNINGS: &[(&[u8], Thing)] = &[
    (b"\xff\xfe", Thing::Wide),
    (b"\xfe\xff", Thing::Wide),
    (b"\xfe\xed\xfe\xed", Thing::JavaKeystore),
    (b"\xce\xce\xce\xce", Thing::JavaKeystore),
    (b"PuTTY-User-Key-File-", Thing::Putty),
    (b"ssh-", Thing::SshPublicKey),
    (b"ecdsa-sha2-", Thing::SshPublicKey),
    (b"PK\x03\x04", Thing::Archive),
    (b"<", Thing::Markup),
];

struct Row {
    thing: Thing,
    /// Continues "holds no certificate, but".
    is: &'static str,
    /// What to do where a certificate or a key is wanted; FILE is the file. A command stands last, behind a colon.
    certificate: &'static str,
    key: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        thing: Thing::Octets(What::Request),
        is: "a request that a CA makes a certificate of (CSR)",
        certificate: "name the certificate that the CA sent back, or sign it yourself with its key KEY: openssl x509 \
                      -req -in FILE -signkey KEY -days 90 -out FILE.crt",
        key: "name the key that the request was made with",
    },
    Row {
        thing: Thing::Octets(What::Pkcs7),
        is: "certificates that are wrapped in PKCS#7",
        certificate: "unwrap them and name the new file: openssl pkcs7 -in FILE INFORM-print_certs -out FILE.pem",
        key: "name the key that the first of them was issued for",
    },
    Row {
        thing: Thing::Octets(What::Pkcs12),
        is: "PKCS#12, which is read for a certificate and its key alone",
        certificate: "take the certificates out of it and name the new file: openssl pkcs12 -in FILE -nokeys -out \
                      FILE.pem",
        key: "take the key out of it and name the new file: openssl pkcs12 -in FILE -nocerts -out FILE.pem",
    },
    Row {
        thing: Thing::Octets(What::Certificate),
        is: "a certificate",
        certificate: "get it again from its issuer",
        key: "name the file of the key that it was issued for",
    },
    Row {
        thing: Thing::Mislabelled,
        is: "one under a label that certificates do not have",
        certificate: "label it as what it is: sed -i -e 's/-----BEGIN .*-----/-----BEGIN CERTIFICATE-----/' -e 's/-----END .*-----/-----END \
                      CERTIFICATE-----/' FILE",
        key: "name the private key here",
    },
    Row {
        thing: Thing::Octets(What::List),
        is: "a revocation list",
        certificate: "name it by SSLCARevocationFile (TLSClientCRL), and the certificate here",
        key: "name the private key here",
    },
    Row {
        thing: Thing::Octets(What::PublicKey),
        is: "a public key",
        certificate: "name the certificate that was issued for it",
        key: "name the file of the private key (-----BEGIN PRIVATE KEY-----)",
    },
    Row {
        thing: Thing::OpenSsh,
        is: "a key in OpenSSH's format",
        certificate: "name a file with certificates in PEM here, and the key's file where keys belong",
        key: "convert a copy: ssh-keygen -p -m PKCS8 -f COPY",
    },
    Row {
        thing: Thing::Wide,
        is: "text in UTF-16, in which nothing can be seen",
        certificate: "convert it and name the new file: iconv -f UTF-16 -t UTF-8 -o FILE.pem FILE",
        key: "convert it and name the new file: iconv -f UTF-16 -t UTF-8 -o FILE.pem FILE",
    },
    Row {
        thing: Thing::OldMac,
        is: "one line, since lines end as on an old Mac",
        certificate: "convert it: perl -i -l012 -015 -pe 1 FILE",
        key: "convert it: perl -i -l012 -015 -pe 1 FILE",
    },
    Row {
        thing: Thing::JavaKeystore,
        is: "a keystore in Java's own format",
        certificate: "make PKCS#12 of it, which is read here, and name the new file for certificate and key: keytool \
                      -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12",
        key: "make PKCS#12 of it, which is read here, and name the new file for certificate and key: keytool \
              -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12",
    },
    Row {
        thing: Thing::Putty,
        is: "a key in PuTTY's format",
        certificate: "name a file with certificates in PEM here, and the key's file where keys belong",
        key: "convert it and name the new file: puttygen FILE -O private-openssh -o FILE.pem",
    },
    Row {
        thing: Thing::SshPublicKey,
        is: "a public key in OpenSSH's format",
        certificate: "name the certificate that was issued for it",
        key: "name the file of the private key (-----BEGIN PRIVATE KEY-----)",
    },
    Row {
        thing: Thing::Archive,
        is: "an archive (ZIP)",
        certificate: "unpack it and name the file with the certificate: unzip FILE",
        key: "unpack it and name the file with the key: unzip FILE",
    },
    Row {
        thing: Thing::Markup,
        is: "a page in HTML or XML, as a failed download leaves behind",
        certificate: "get the certificate again from its issuer",
        key: "name the file of the private key (-----BEGIN PRIVATE KEY-----)",
    },
];

/// The fault that a file is in which nothing was found of what was wanted, where the table has a row for it.
pub(super) fn instead(path: &str, bytes: &[u8], wanted: Wanted) -> Option<Fault> {
    let (thing, is_pem) = match (thing(bytes)?, wanted) {
        ((Thing::Octets(What::Certificate), true), Wanted::Certificate) => {
            (Thing::Mislabelled, true)
        }
        (known, _) => known,
    };
    let row = ROWS.iter().find(|row| row.thing == thing)?;
    let inform = if is_pem { "" } else { "-inform DER " };
    let (kind, remedy) = match wanted {
        Wanted::Certificate => ("certificate", row.certificate),
        Wanted::Key => ("private key", row.key),
    };
    Some(Fault::Instead {
        file: path.to_owned(),
        wanted: kind,
        is: row.is,
        remedy: remedy.replace("INFORM", inform).replace("FILE", path),
    })
}

/// What the first block is, or the whole file, and whether it is in PEM.
fn thing(bytes: &[u8]) -> Option<(Thing, bool)> {
    let mut beginnings = BEGINNINGS.iter();
    if let Some((_, thing)) = beginnings.find(|(beginning, _)| bytes.starts_with(beginning)) {
        return Some((*thing, true));
    }
    let mut blocks = pem::blocks(bytes);
    if let Some(Ok(block)) = blocks.next() {
        if block.label == "OPENSSH PRIVATE KEY" {
            return Some((Thing::OpenSsh, true));
        }
        let der = block.decode().ok()?;
        return Some((Thing::Octets(what(&der)), true));
    }
    if !blocks.lost().is_empty() && bytes.contains(&b'\r') && !bytes.contains(&b'\n') {
        return Some((Thing::OldMac, true));
    }
    Some((Thing::Octets(what(bytes)), false))
}
