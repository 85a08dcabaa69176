// SPDX-License-Identifier: Apache-2.0
//! Revocation lists: files of them, and bodies that are signed here, in force for a chain that is good by itself.

use mod_tls_core::creds::contents;
use mod_tls_core::verify::{Outcome, Revocation, RevocationDepth};

use super::path;

/// Certificates that are let in where nobody looks at lists.
const CHAIN: &[u8] = include_bytes!("../corpus/path/good");
/// Signed by the intermediate, whose leaf is the first certificate.
const BY_THE_ISSUER: u8 = 1;

/// Who passes with a list that must be there passes with one that may be missing; a list counts once, and takes nobody's
/// fault away.
pub(crate) fn lists(data: &[u8]) {
    let found = contents::lists(data);
    assert!(found.taken.len() <= data.len());
    let _ = Revocation::new(RevocationDepth::Leaf, true, &[data.to_vec()]);
    let mut presented = path::read(CHAIN);
    let judge = |presented: &path::Presented, depth| {
        let verdict = presented.judge(depth);
        assert_ne!(verdict.outcome, Outcome::Unverified);
        (verdict.outcome == Outcome::Success, verdict.reason)
    };
    assert_eq!(judge(&presented, RevocationDepth::None), (true, ""));
    presented.lists = vec![path::sign(data, BY_THE_ISSUER)];
    let once = judge(&presented, RevocationDepth::Leaf);
    presented.lists.push(path::sign(data, BY_THE_ISSUER));
    assert_eq!(judge(&presented, RevocationDepth::Leaf), once);
    let whole_chain = judge(&presented, RevocationDepth::Chain);
    assert!(once.0 || !whole_chain.0, "the chain holds the leaf");
    // Cut short, it says nothing; what stands behind a whole one is another matter.
    if let Some((_, cut)) = data.split_last()
        && !is_whole(cut)
    {
        presented.lists = vec![path::sign(cut, BY_THE_ISSUER)];
        assert!(!judge(&presented, RevocationDepth::Leaf).0, "half a list");
    }
}

/// Whether an element of DER ends where the octets do.
fn is_whole(octets: &[u8]) -> bool {
    let (length, content) = match octets {
        [_, first, content @ ..] if *first < 0x80 => (usize::from(*first), content),
        [_, 0x81, first, content @ ..] => (usize::from(*first), content),
        [_, 0x82, first, second, content @ ..] => {
            (usize::from(u16::from_be_bytes([*first, *second])), content)
        }
        _ => return false,
    };
    content.len() == length
}
