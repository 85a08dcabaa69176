//! What a file is that does not hold what was looked for, and the one command that makes it right: a table.

use super::contents::{What, what};
use super::pem;
use super::problem::Fault;

/// What was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
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
}

struct CachedFile {
    thing: Thing,
    /// Continues "holds no certificate, but".
    is: &'static str,
    /// What to do where a certificate or a key is wanted; FILE is the file. A command stands last, behind a colon.
    certificate: &'static str,
    key: &'static str,
}

const ROWS: &[CachedFile] = &[
    CachedFile {
        thing: Thing::Octets(What::Request),
        is: "a request that a CA makes a certificate of (CSR)",
        certificate: "name the certificate that the CA sent back, or sign it yourself with its key KEY: openssl x509 \
                      -req -in FILE -signkey KEY -days 90 -out FILE.crt",
        key: "name the key that the request was made with",
    },
    CachedFile {
        thing: Thing::Octets(What::Pkcs7),
        is: "certificates that are wrapped in PKCS#7",
        certificate: "unwrap them and name the new file: openssl pkcs7 -in FILE INFORM-print_certs -out FILE.pem",
        key: "name the key that the first of them was issued for",
    },
    CachedFile {
        thing: Thing::Octets(What::Pkcs12),
        is: "PKCS#12, which is read for a certificate and its key alone",
        certificate: "take the certificates out of it and name the new file: openssl pkcs12 -in FILE -nokeys -out \
                      FILE.pem",
        key: "take the key out of it and name the new file: openssl pkcs12 -in FILE -nocerts -out FILE.pem",
    },
    CachedFile {
        thing: Thing::Octets(What::Certificate),
        is: "a certificate",
        certificate: "get it again from its issuer",
        key: "name the file of the key that it was issued for",
    },
    CachedFile {
        thing: Thing::Octets(What::List),
        is: "a revocation list",
        certificate: "name it by SSLCARevocationFile (TLSClientCRL), and the certificate here",
        key: "name the private key here",
    },
    CachedFile {
        thing: Thing::Octets(What::PublicKey),
        is: "a public key",
        certificate: "name the certificate that was issued for it",
        key: "name the file of the private key (-----BEGIN PRIVATE KEY-----)",
    },
    CachedFile {
        thing: Thing::OpenSsh,
        is: "a key in OpenSSH's format",
        certificate: "name a file with certificates in PEM here, and the key's file where keys belong",
        key: "convert a copy: ssh-keygen -p -m PKCS8 -f COPY",
    },
    CachedFile {
        thing: Thing::Wide,
        is: "text in UTF-16, in which nothing can be seen",
        certificate: "convert it and name the new file: iconv -f UTF-16 -t UTF-8 -o FILE.pem FILE",
        key: "convert it and name the new file: iconv -f UTF-16 -t UTF-8 -o FILE.pem FILE",
    },
    CachedFile {
        thing: Thing::OldMac,
        is: "one line, since lines end as on an old Mac",
        certificate: "convert it: perl -i -l012 -015 -pe 1 FILE",
        key: "convert it: perl -i -l012 -015 -pe 1 FILE",
    },
];

/// The fault that a file is in which nothing was found of what was wanted, where the table has a row for it.
pub fn instead(path: &str, bytes: &[u8], wanted: Wanted) -> Option<Fault> {
    let (thing, is_pem) = thing(bytes)?;
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
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some((Thing::Wide, true));
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
