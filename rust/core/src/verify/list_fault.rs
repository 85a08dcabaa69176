// SPDX-License-Identifier: Apache-2.0
//! Why a revocation list is of no use.

use std::error::Error;
use std::fmt;

use crate::x509::time::date;

/// Why a revocation list is not taken, in words that continue a sentence about its file or address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFault {
    /// It is no list in DER whose issuer can be told.
    NotDer,
    /// What was fetched is no list.
    NoList,
    /// A list that was fetched cannot be read.
    Unreadable,
    /// No authority that is configured signed it.
    Unsigned,
    /// It must not be used, for this reason.
    Unusable(&'static str),
    /// It was in force until then, where that can be told; in seconds since 1970.
    Expired(Option<i64>),
    /// It changes another list, and says nothing by itself.
    Delta,
    /// The certificate that names its address means another one.
    Foreign,
    /// The one in force is another one.
    Other,
}

impl fmt::Display for ListFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotDer => "cannot be read: it is no revocation list in DER",
            Self::NoList => "what it sends is no revocation list",
            Self::Unreadable => "its list cannot be read",
            Self::Unsigned => "its list is signed by none of the authorities that are configured",
            Self::Unusable(why) => return write!(f, "its list cannot be used: {why}"),
            Self::Expired(end) => {
                let end = end.map(date).unwrap_or_default();
                return write!(f, "its list has expired at {end}");
            }
            Self::Delta => "what it sends is a delta, which says nothing by itself",
            Self::Foreign => {
                "its list is of another issuer, or about other certificates, than the certificate means that names the \
                 address"
            }
            Self::Other => {
                "its list is of another issuer, or about other certificates, than the one in force"
            }
        })
    }
}

impl Error for ListFault {}
