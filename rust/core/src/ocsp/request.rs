// SPDX-License-Identifier: Apache-2.0
//! Questions.

use aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;

use super::about::About;
use crate::base64;
use crate::x509::der::{INTEGER, OCTET_STRING, OID, SEQUENCE, context, written};
use crate::x509::oid;

/// Octets of a nonce (RFC 9654 2.1).
pub const NONCE: usize = 32;

/// Content of id-pkix-ocsp-nonce.
pub(super) const NONCE_ID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];

const NULL: &[u8] = &[5, 0];

/// An OCSPRequest for `leaf`, which `issuer` issued (both DER), with a nonce where one is given: the body of a POST
/// (RFC 6960 4.1.1, A.1). Its CertID is of SHA-1, which every responder knows; nothing rests on that hash, since the
/// answer is judged by the issuer's key. `None` where a certificate cannot be read, or is not of that issuer.
pub fn request(leaf: &[u8], issuer: &[u8], nonce: Option<&[u8]>) -> Option<Vec<u8>> {
    let about = About::parse(leaf, issuer).ok()?;
    let hashes = about.hashes(&SHA1_FOR_LEGACY_USE_ONLY);
    let id = written(
        SEQUENCE,
        &[
            &written(SEQUENCE, &[&written(OID, &[oid::SHA1]), NULL]),
            &written(OCTET_STRING, &[hashes.name.as_ref()]),
            &written(OCTET_STRING, &[hashes.key.as_ref()]),
            &written(INTEGER, &[about.leaf.serial]),
        ],
    );
    let list = written(SEQUENCE, &[&written(SEQUENCE, &[&id])]);
    let extensions = nonce.map(|nonce| {
        let extension = written(
            SEQUENCE,
            &[
                &written(OID, &[NONCE_ID]),
                &written(OCTET_STRING, &[&written(OCTET_STRING, &[nonce])]),
            ],
        );
        written(context(2), &[&written(SEQUENCE, &[&extension])])
    });
    let tbs = written(SEQUENCE, &[&list, &extensions.unwrap_or_default()]);
    Some(written(SEQUENCE, &[&tbs]))
}

/// What stands behind a responder's address in a GET for this request (RFC 6960 A.1).
pub fn get_path(request: &[u8]) -> String {
    let mut text = Vec::new();
    base64::append(&mut text, request, base64::public);
    let mut path = String::with_capacity(text.len().saturating_add(8));
    for character in text {
        match character {
            b'+' => path.push_str("%2B"),
            b'/' => path.push_str("%2F"),
            b'=' => path.push_str("%3D"),
            other => path.push(char::from(other)),
        }
    }
    path
}
