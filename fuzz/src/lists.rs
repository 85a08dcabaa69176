// SPDX-License-Identifier: Apache-2.0
//! Revocation lists: files of them, and bodies that are signed here, in force for a chain that is good by itself.

use mod_tls_core::creds::contents;
use mod_tls_core::verify::{Outcome, Revocation, RevocationDepth};
use mod_tls_core::x509::{first_content, first_element_length};

use super::path;

/// Certificates that are let in where nobody looks at lists.
const CHAIN: &[u8] = include_bytes!("../corpus/path/good");
/// Signed by the intermediate, whose leaf is the first certificate.
const BY_THE_ISSUER: u8 = 1;
/// The leaf's, as the INTEGER that it is.
const SERIAL: (u8, &[u8]) = (2, &[0x2a]);

/// Who passes with a list that must be there passes with one that may be missing; a list counts once, and takes nobody's
/// fault away; nobody passes whom it names.
pub fn lists(data: &[u8]) {
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
    assert!(!once.0 || !names_the_leaf(data), "the leaf is listed");
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

/// Whether the leaf is among the entries, read without the module's ways to find one. Entries that say more than whose turn
/// it was and when are left to it: they may be another issuer's.
fn names_the_leaf(body: &[u8]) -> bool {
    const SEQUENCE: u8 = 0x30;
    let parts = elements(first_content(body).unwrap_or_default());
    // Behind the algorithm and the issuer.
    let entries = parts.filter(|(tag, _)| *tag == SEQUENCE).nth(2);
    let entries: Vec<Vec<_>> = elements(entries.unwrap_or_default().1)
        .map(|(_, fields)| elements(fields).collect())
        .collect();
    entries.iter().all(|fields| fields.len() == 2)
        && entries.iter().any(|fields| fields.first() == Some(&SERIAL))
}

/// Tags and contents of elements that follow each other.
fn elements(mut octets: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (element, rest) = octets.split_at(first_element_length(octets)?);
        octets = rest;
        Some((*element.first()?, first_content(element)?))
    })
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
