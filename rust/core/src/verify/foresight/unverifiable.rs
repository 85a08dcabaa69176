// SPDX-License-Identifier: Apache-2.0
//! CAs and lists whose keys and signatures nothing here can verify by: their clients would all be refused.

use std::collections::HashSet;

use crate::verify::certificate::PathCertificate;
use crate::verify::keys::{Fault, Key, Kind};
use crate::verify::revocation::Lists;
use crate::verify::signed::Signed;
use crate::verify::sources::{Ca, Listed, Problems, Weight, source_of};
use crate::x509::name::shown;

/// Tells of CAs whose key, or whose signature by another that is listed, is of a kind that is not here.
pub(super) fn tell_authorities(problems: &mut Problems, all: &[Ca<'_>]) {
    for (listed, certificate) in all {
        let Some(why) = fault(certificate, all) else {
            continue;
        };
        let text = format!(
            "{}: the CA {} {why}; who is of such a CA is refused, so have it issue from a CA certificate with an RSA \
             key of 2048 bits or more or on P-256, signed with SHA-256",
            listed.place,
            shown(certificate.outline.subject.value),
        );
        problems.add(Weight::Warning, &listed.source, text);
    }
}

/// Tells of listed CAs of which there are lists, none of which will ever count.
pub(super) fn tell_lists(
    problems: &mut Problems,
    all: &[Ca<'_>],
    listed: &[Listed],
    lists: &Lists,
) {
    let mut told = HashSet::new();
    for (_, certificate) in all {
        if !told.insert(&certificate.subject) {
            continue;
        }
        let same = all
            .iter()
            .filter(|(_, other)| other.subject == certificate.subject);
        let keys: Vec<Key<'_>> = same
            .filter_map(|(_, ca)| Key::parse(&ca.outline.spki))
            .collect();
        let Some((place, why)) = lists.unverifiable(&certificate.subject, &keys) else {
            continue;
        };
        let text = format!(
            "{place}: the revocation list of {} {why}; who is of this CA is refused where lists are looked up, so get \
             another list from it",
            shown(certificate.outline.subject.value),
        );
        problems.add(Weight::Warning, source_of(listed, place), text);
    }
}

fn fault(certificate: &PathCertificate<'_>, all: &[Ca<'_>]) -> Option<&'static str> {
    let key = Key::parse(&certificate.outline.spki);
    let is_known = |key: Key<'_>| !matches!(key.kind, Kind::Other | Kind::Rsa(8193.., _));
    if !key.is_some_and(is_known) {
        return Some(
            "has a key of a kind that nothing is verified by here (DSA, Ed448, P-224, brainpool, a curve that is spelled \
             out by its numbers, RSA of more than 8192 bits)",
        );
    }
    if certificate.claims_own_signature() {
        return None;
    }
    let signed = Signed::parse(certificate.outline.der)?;
    let mut above = all
        .iter()
        .filter(|(_, issuer)| certificate.may_be_of(issuer))
        .filter_map(|(_, issuer)| Key::parse(&issuer.outline.spki))
        .filter(|key| key.kind != Kind::Other)
        .map(|key| signed.check(&key))
        .peekable();
    let is_there = above.peek().is_some();
    (is_there && above.all(|found| found == Err(Fault::Unsupported))).then_some(
        "is signed by an algorithm that is not accepted here (RSA with SHA-224, or the like)",
    )
}
