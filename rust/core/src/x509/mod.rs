// SPDX-License-Identifier: Apache-2.0
//! Certificates as configuration, applications and logs see them: the fields of mod_ssl's variables, printed
//! letter for letter as OpenSSL 3.0 prints them.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub(crate) mod canonical;
mod certificate;
pub(crate) mod der;
mod extensions;
mod fields;
pub mod http;
mod identity;
pub(crate) mod name;
pub(crate) mod objects;
pub(crate) mod oid;
pub(crate) mod outline;
pub(crate) mod pss;
mod text;
pub mod time;
pub(crate) mod uses;

use crate::base64;

pub use certificate::{AltName, Certificate, Extension};
pub use fields::{DnStyle, field};
pub use identity::{Identity, Side};
pub use name::Name;
pub use objects::names as object_names;

/// How many octets the DER element takes that `input` begins with.
pub fn first_element_length(input: &[u8]) -> Option<usize> {
    der::Reader::new(input)
        .any()
        .map(|element| element.raw.len())
}

/// The content of the DER element that `input` begins with.
pub fn first_content(input: &[u8]) -> Option<&[u8]> {
    der::Reader::new(input).any().map(|element| element.value)
}

/// A certificate in PEM, with 64 characters a line and a line break at the end.
pub fn pem(der: &[u8]) -> String {
    let mut out = Vec::with_capacity((der.len() / 2).saturating_mul(3).saturating_add(64));
    base64::append_block(&mut out, "CERTIFICATE", der, base64::public);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::pem;

    #[test]
    fn writes_pem() {
        for (content, line) in [
            (&b"f"[..], "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
        ] {
            assert_eq!(
                pem(content),
                format!("-----BEGIN CERTIFICATE-----\n{line}\n-----END CERTIFICATE-----\n")
            );
        }
        assert_eq!(
            pem(&[0; 49]).lines().map(str::len).collect::<Vec<_>>(),
            [27, 64, 4, 25]
        );
    }
}
