// SPDX-License-Identifier: Apache-2.0
//! What may be wrong with an answer.

use std::fmt;

use crate::x509::time::date;

/// Why an answer says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no response.
    Unreadable,
    /// The responder had nothing to say.
    Unsuccessful(u8),
    /// It is about other certificates.
    Foreign,
    /// It is valid from then on.
    Early(i64),
    /// It was valid until then.
    Late(i64),
    /// It is older than the configuration allows: it says what was known then.
    Old(i64),
    /// There is no certificate of the issuer to judge it by.
    NoIssuer,
    /// Who signed it may not.
    Signature,
    /// It has an extension that must not be passed over, and is not known here.
    Critical,
    /// It does not repeat the number that was sent along.
    Nonce,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("it is no OCSP response in DER"),
            Self::Unsuccessful(status) => {
                let name = match status {
                    1 => ", malformedRequest",
                    2 => ", internalError",
                    3 => ", tryLater",
                    5 => ", sigRequired",
                    6 => ", unauthorized",
                    _ => "",
                };
                write!(
                    f,
                    "it says only that the responder had no answer (status {status}{name})"
                )
            }
            Self::Foreign => f.write_str("it is about another certificate"),
            Self::Early(from) => write!(f, "it is not valid before {}", date(*from)),
            Self::Late(until) => write!(f, "it was valid until {}", date(*until)),
            Self::Old(from) => write!(f, "it is of {}, older than is allowed", date(*from)),
            Self::NoIssuer => f.write_str(
                "the certificate of the issuer, by which it is verified, does not stand behind the server's own",
            ),
            Self::Signature => f.write_str(
                "it is not signed by the issuer of the certificate, nor by a responder that the issuer named",
            ),
            Self::Critical => f.write_str("it has an unknown extension that must not be passed over"),
            Self::Nonce => {
                f.write_str("it does not repeat the nonce, so that it may be an old one")
            }
        }
    }
}
