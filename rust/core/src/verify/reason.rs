// SPDX-License-Identifier: Apache-2.0
//! Refusals in OpenSSL's words, which administrators and their tools know, where OpenSSL has some.

/// Names each sentence, and numbers it for the states of sessions: new ones go to the end.
macro_rules! reasons {
    ($($name:ident = $text:literal,)*) => {
        $(pub(crate) const $name: &str = $text;)*
        const ALL: &[&str] = &["", $($name),*];
    };
}

reasons! {
    EXPIRED = "certificate has expired",
    NOT_YET_VALID = "certificate is not yet valid",
    SELF_SIGNED = "self-signed certificate",
    SELF_SIGNED_IN_CHAIN = "self-signed certificate in certificate chain",
    NO_ISSUER = "unable to get local issuer certificate",
    TOO_LONG = "certificate chain too long",
    REVOKED = "certificate revoked",
    NO_CRL = "unable to get certificate CRL",
    CRL_EXPIRED = "CRL has expired",
    CRL_SIGNATURE = "CRL signature failure",
    CRL_SIGNER = "key usage does not include CRL signing",
    CRL_ALGORITHM = "CRL is signed by an algorithm that is not accepted",
    SIGNATURE = "certificate signature failure",
    ALGORITHM = "certificate is signed by an algorithm that is not accepted",
    PATH_LENGTH = "path length constraint exceeded",
    NOT_A_CA = "invalid CA certificate",
    PURPOSE = "unsuitable certificate purpose",
    SUBTREE = "permitted subtree violation",
    CRITICAL = "unhandled critical extension",
    TOO_COMPLEX = "certificate chain too complex",
    EXCLUDED = "excluded subtree violation",
    CA_KEY = "CA certificate key too weak",
    CA_DIGEST = "CA signature digest algorithm too weak",
    UNREADABLE = "certificate cannot be read",
    UNVERIFIABLE = "unable to verify the first certificate",
    WEAK_KEY = "EE certificate key too weak",
    CRL_NOT_YET_VALID = "CRL is not yet valid",
    BEFORE_FIELD = "format error in certificate's notBefore field",
    AFTER_FIELD = "format error in certificate's notAfter field",
    CRL_BEFORE_FIELD = "format error in CRL's lastUpdate field",
    CRL_AFTER_FIELD = "format error in CRL's nextUpdate field",
    NO_KEY = "unable to decode issuer public key",
    CRL_CRITICAL = "unhandled critical CRL extension",
    PROXY = "proxy certificates not allowed, please set the appropriate flag",
    EXTENSION = "invalid or inconsistent certificate extension",
    POLICY_EXTENSION = "invalid or inconsistent certificate policy extension",
    POLICY = "no explicit policy",
    CRL_SCOPE = "Different CRL scope",
    MINMAX = "name constraints minimum and maximum not supported",
    CONSTRAINT_TYPE = "unsupported name constraint type",
    CONSTRAINT_SYNTAX = "unsupported or invalid name constraint syntax",
    NAME_SYNTAX = "unsupported or invalid name syntax",
    CRL_PATH = "CRL path validation error",
    APPLICATION = "application verification failure",
    RESOURCE = "RFC 3779 resource not subset of parent's resources",
}

/// The number of a sentence; 0 for none.
pub(crate) fn index(reason: &str) -> u8 {
    let place = ALL.iter().position(|known| *known == reason).unwrap_or(0);
    u8::try_from(place).unwrap_or(0)
}

/// The sentence with a number; empty for a number that none has.
pub(crate) fn by_index(index: u8) -> &'static str {
    ALL.get(usize::from(index)).copied().unwrap_or("")
}

/// All sentences, as tests want them.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    ALL.iter().copied().skip(1)
}

/// Whether a reason is one of revocation lists that say too little, not of what they say.
pub(crate) fn is_of_lists(reason: &str) -> bool {
    [
        NO_CRL,
        CRL_EXPIRED,
        CRL_NOT_YET_VALID,
        CRL_SIGNATURE,
        CRL_SIGNER,
        CRL_ALGORITHM,
        CRL_BEFORE_FIELD,
        CRL_AFTER_FIELD,
        CRL_CRITICAL,
        CRL_SCOPE,
        CRL_PATH,
    ]
    .contains(&reason)
}

/// Whether a reason is one of validity dates.
pub(crate) fn is_of_dates(reason: &str) -> bool {
    [EXPIRED, NOT_YET_VALID, BEFORE_FIELD, AFTER_FIELD].contains(&reason)
}

/// Whether a reason says only that nobody vouches for the certificate: what mod_ssl's `optional_no_ca` forgives.
pub(crate) fn is_untrusted(reason: &str) -> bool {
    [SELF_SIGNED, SELF_SIGNED_IN_CHAIN, NO_ISSUER].contains(&reason)
}
