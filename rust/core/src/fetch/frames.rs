// SPDX-License-Identifier: Apache-2.0
//! What a child asks the fetcher, and what it is answered: frames in a slot of its channel
//! ([`crate::agent::channel`]).
//!
//! | frame | octets |
//! |---|---|
//! | question | `Q`, id of the rule (32), length of the certificate (4), certificate, issuer's certificate |
//! | answer | version, kind of verdict, reason, 0, and three times (8): revoked, said, counts until |

use super::results::{CertStatus, Found};
use super::wants::RuleId;

/// Longest question; two certificates of the largest keys and signatures there are (ML-DSA-87) with all their names.
pub(super) const LONGEST: usize = 48 * 1024;
const VERSION: u8 = 1;

/// What a child asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// How to ask.
    pub rule: RuleId,
    /// The certificate, DER.
    pub leaf: &'a [u8],
    /// Its issuer's, DER.
    pub issuer: &'a [u8],
}

/// A question; `None` where it is too long.
pub(super) fn question(rule: &RuleId, leaf: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(leaf.len()).ok()?.to_be_bytes();
    let frame = [b"Q", &rule[..], &length, leaf, issuer].concat();
    (frame.len() <= LONGEST).then_some(frame)
}

/// What a child asks, who may be captured.
pub(super) fn asked(frame: &[u8]) -> Option<Asked<'_>> {
    let rest = frame.strip_prefix(b"Q")?;
    let (rule, rest) = rest.split_first_chunk::<32>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (leaf, issuer) = rest.split_at_checked(length)?;
    Some(Asked {
        rule: *rule,
        leaf,
        issuer,
    })
}

/// An answer.
pub(super) fn answer(found: &Found) -> Vec<u8> {
    let (kind, reason, when) = match found.verdict {
        CertStatus::Good => (1, 0, 0),
        CertStatus::Revoked(when, reason) => (2, reason, when),
        CertStatus::Unknown => (3, 0, 0),
        CertStatus::Failed => (4, 0, 0),
    };
    let times = [when, found.from, found.until].map(i64::to_be_bytes);
    [&[VERSION, kind, reason, 0][..], &times.concat()].concat()
}

/// What was answered.
pub(super) fn answered(frame: &[u8]) -> Option<Found> {
    let ([version, kind, reason, _], times) = frame.split_first_chunk::<4>()?;
    let [when, from, until] = <[[u8; 8]; 3]>::try_from(times.as_chunks::<8>().0)
        .ok()?
        .map(i64::from_be_bytes);
    let verdict = match kind {
        1 => CertStatus::Good,
        2 => CertStatus::Revoked(when, *reason),
        3 => CertStatus::Unknown,
        4 => CertStatus::Failed,
        _ => return None,
    };
    (*version == VERSION).then_some(Found {
        verdict,
        from,
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_answers() {
        let frame = question(&[7; 32], b"leaf", b"issuer").unwrap();
        let meant = Asked {
            rule: [7; 32],
            leaf: b"leaf",
            issuer: b"issuer",
        };
        assert_eq!(asked(&frame), Some(meant));
        for length in 0..37 + 4 {
            assert_eq!(asked(&frame[..length]), None);
        }
        assert_eq!(asked(b"Wx"), None);
        assert_eq!(question(&[0; 32], &[0; LONGEST], b""), None);
        for verdict in [
            CertStatus::Good,
            CertStatus::Revoked(-5, 3),
            CertStatus::Unknown,
            CertStatus::Failed,
        ] {
            let found = Found {
                verdict,
                from: 1,
                until: i64::MAX,
            };
            let frame = answer(&found);
            assert_eq!(answered(&frame), Some(found));
            assert_eq!(answered(&frame[1..]), None);
        }
    }
}
