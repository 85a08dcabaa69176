// SPDX-License-Identifier: Apache-2.0
//! What was found of a client's certificate.

use super::reason;

/// How a client's certificate was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The client sent none.
    #[default]
    None,
    /// It leads to a trusted CA.
    Success,
    /// Nobody vouches for it, and the policy does not mind.
    Unverified,
    /// It was refused.
    Failed,
}

/// The judgement of one certificate chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The judgement.
    pub outcome: Outcome,
    /// Why it is [`Outcome::Failed`] or [`Outcome::Unverified`], in OpenSSL's words where it has some.
    pub reason: &'static str,
    /// What an administrator can do about a refusal, a sentence without its full stop; empty where that is nothing.
    pub advice: String,
    /// Certificates above the client's own in the verified path, the trusted one included.
    pub depth: u32,
    /// The first moment at which a certificate of the verified path expires, in seconds since 1970; 0 without a path.
    pub not_after: i64,
    /// Name of the trusted certificate that the verified path ends in: the content of the DER; empty without a path.
    pub authority: Vec<u8>,
    /// The certificates (DER) of the verified path, the peer's own first, where [`super::path::Rules`] ask for them.
    pub path: Vec<Vec<u8>>,
    /// The verified path forbids a common name of the certificate, should one be taken for a host's.
    pub common_names_denied: bool,
}

/// What responders' answers about a path come to: until when it counts that no certificate of it is revoked, in seconds
/// since 1970, or how it is refused.
pub(super) type Settled = Result<i64, Box<Verdict>>;

impl Verdict {
    /// A refusal.
    pub fn failed(reason: &'static str) -> Self {
        Self {
            outcome: Outcome::Failed,
            reason,
            ..Self::default()
        }
    }

    /// Takes up what responders said of its path.
    pub fn settle(&mut self, settled: Settled) {
        match settled {
            Ok(until) => self.not_after = self.not_after.min(until),
            Err(refused) => *self = *refused,
        }
    }

    /// OpenSSL's number for the reason (`X509_V_ERR_...`), which logs of mod_ssl show; 1, unspecified, where it has none.
    pub fn number(&self) -> u32 {
        match self.reason {
            "" => 0,
            reason::NO_CRL => 3,
            reason::NO_KEY => 6,
            reason::SIGNATURE => 7,
            reason::CRL_SIGNATURE => 8,
            reason::NOT_YET_VALID => 9,
            reason::EXPIRED => 10,
            reason::CRL_NOT_YET_VALID => 11,
            reason::CRL_EXPIRED => 12,
            reason::BEFORE_FIELD => 13,
            reason::AFTER_FIELD => 14,
            reason::CRL_BEFORE_FIELD => 15,
            reason::CRL_AFTER_FIELD => 16,
            reason::SELF_SIGNED => 18,
            reason::SELF_SIGNED_IN_CHAIN => 19,
            reason::NO_ISSUER => 20,
            reason::UNVERIFIABLE => 21,
            reason::TOO_LONG => 22,
            reason::REVOKED => 23,
            reason::PATH_LENGTH => 25,
            reason::PURPOSE => 26,
            reason::CRITICAL => 34,
            reason::CRL_SIGNER => 35,
            reason::CRL_CRITICAL => 36,
            reason::PROXY => 40,
            reason::EXTENSION => 41,
            reason::POLICY_EXTENSION => 42,
            reason::POLICY => 43,
            reason::CRL_SCOPE => 44,
            reason::SUBTREE => 47,
            reason::EXCLUDED => 48,
            reason::MINMAX => 49,
            reason::CONSTRAINT_TYPE => 51,
            reason::CONSTRAINT_SYNTAX => 52,
            reason::NAME_SYNTAX => 53,
            reason::APPLICATION => 50,
            reason::CRL_PATH => 54,
            reason::WEAK_KEY => 66,
            reason::CA_KEY => 67,
            reason::CA_DIGEST => 68,
            reason::NOT_A_CA => 79,
            _ => 1,
        }
    }

    /// One octet for the state of a session: outcome and reason.
    pub fn code(&self) -> u8 {
        (self.outcome as u8) << 6 | reason::index(self.reason)
    }

    /// The inverse of [`Verdict::code`] and `not_after`; the depth is not kept.
    pub fn from_code(code: u8, not_after: i64) -> Self {
        let outcome = match code >> 6 {
            0 => Outcome::None,
            1 => Outcome::Success,
            2 => Outcome::Unverified,
            _ => Outcome::Failed,
        };
        Self {
            outcome,
            reason: reason::by_index(code & 0x3f),
            not_after,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_inverse() {
        for why in [reason::EXPIRED, reason::NO_ISSUER, reason::UNREADABLE] {
            let verdict = Verdict {
                not_after: 5,
                ..Verdict::failed(why)
            };
            assert_eq!(Verdict::from_code(verdict.code(), 5), verdict);
        }
        let success = Verdict {
            outcome: Outcome::Success,
            not_after: 7,
            ..Verdict::default()
        };
        assert_eq!(Verdict::from_code(success.code(), 7), success);
    }
}
