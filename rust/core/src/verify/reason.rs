//! Refusals in OpenSSL's words, which administrators and their tools know.

use webpki::Error;

/// Names each sentence, and numbers it for the envelopes of sessions: new ones go to the end.
macro_rules! reasons {
    ($($name:ident = $text:literal,)*) => {
        $(pub const $name: &str = $text;)*
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
    VERSION = "certificate of version 1 or 2: only version 3 is accepted",
    CA_AS_CLIENT = "CA certificate used as a client's or server's own: issue one without CA:TRUE",
    SERIAL = "serial number is negative or longer than 20 octets (RFC 5280, 4.1.2.2)",
    UNREADABLE = "certificate cannot be read",
    UNVERIFIABLE = "unable to verify the first certificate",
    WEAK_KEY = "EE certificate key too weak",
    CRL_NOT_YET_VALID = "CRL is not yet valid",
}

/// The number of a sentence; 0 for none.
pub fn index(reason: &str) -> u8 {
    let place = ALL.iter().position(|known| *known == reason).unwrap_or(0);
    u8::try_from(place).unwrap_or(0)
}

/// The sentence with a number; empty for a number that none has.
pub fn by_index(index: u8) -> &'static str {
    ALL.get(usize::from(index)).copied().unwrap_or("")
}

/// Why webpki refused a chain. OpenSSL has no words for what it would accept: those say what to do instead.
pub fn describe(error: &Error) -> &'static str {
    match error {
        Error::CertExpired { .. } => EXPIRED,
        Error::CertNotValidYet { .. } => NOT_YET_VALID,
        Error::CertRevoked => REVOKED,
        Error::CrlExpired { .. } => CRL_EXPIRED,
        Error::UnknownRevocationStatus => NO_CRL,
        Error::UnknownIssuer => NO_ISSUER,
        Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => SIGNATURE,
        Error::InvalidCrlSignatureForPublicKey => CRL_SIGNATURE,
        Error::IssuerNotCrlSigner => CRL_SIGNER,
        Error::PathLenConstraintViolated => PATH_LENGTH,
        Error::EndEntityUsedAsCa => NOT_A_CA,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => PURPOSE,
        Error::NameConstraintViolation => SUBTREE,
        Error::UnsupportedCriticalExtension => CRITICAL,
        Error::MaximumPathDepthExceeded => TOO_LONG,
        Error::MaximumSignatureChecksExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumNameConstraintComparisonsExceeded => TOO_COMPLEX,
        Error::UnsupportedCertVersion => VERSION,
        Error::CaUsedAsEndEntity => CA_AS_CLIENT,
        Error::InvalidSerialNumber => SERIAL,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ALGORITHM,
        Error::UnsupportedCrlSignatureAlgorithmContext(_)
        | Error::UnsupportedCrlSignatureAlgorithmForPublicKeyContext(_) => CRL_ALGORITHM,
        _ => UNREADABLE,
    }
}

/// Whether a reason is found only on a path that leads to a trusted CA.
pub fn is_of_trusted_path(reason: &str) -> bool {
    [
        REVOKED,
        CRL_EXPIRED,
        CRL_NOT_YET_VALID,
        CRL_SIGNATURE,
        CRL_SIGNER,
        CRL_ALGORITHM,
        TOO_LONG,
        SUBTREE,
    ]
    .contains(&reason)
}

/// Whether a reason says only that nobody vouches for the certificate: what mod_ssl's `optional_no_ca` forgives.
pub fn is_untrusted(reason: &str) -> bool {
    [SELF_SIGNED, SELF_SIGNED_IN_CHAIN, NO_ISSUER].contains(&reason)
}
