// SPDX-License-Identifier: Apache-2.0
//! What clients will meet, told when the files are read and not first when they come: CAs and lists that have expired, and
//! CAs of which there is no list.

mod unverifiable;

use std::collections::HashSet;

use super::advice::ago;
use super::revocation::{Depth, Lists};
pub(crate) use super::sources::Problems;
use super::sources::{Ca, Listed, Weight, cas, source_of};
use crate::x509::name::shown;
use crate::x509::time::date;

/// CAs that are named in one line.
const MOST_NAMED: usize = 4;

/// Tells of CAs none of whose clients can pass at `now`, in seconds since 1970.
pub(crate) fn tell_authorities(problems: &mut Problems, authorities: &[Listed], now: i64) {
    let all = cas(authorities);
    tell_expired_authorities(problems, &all, now);
    unverifiable::tell_authorities(problems, &all);
}

/// Tells of lists for which clients of `authorities` are refused at `now`, in seconds since 1970, and, where that is a fault
/// (`missing` says of which certificates), of lists that are not there.
pub(crate) fn tell_lists(
    problems: &mut Problems,
    authorities: &[Listed],
    listed: &[Listed],
    lists: &Lists,
    missing: Option<Depth>,
    now: i64,
) {
    tell_expired_lists(problems, listed, lists, now);
    let all = cas(authorities);
    unverifiable::tell_lists(problems, &all, listed, lists);
    if let Some(depth) = missing {
        tell_missing_lists(problems, &all, lists, depth);
    }
}

/// Tells of CAs all of whose certificates have expired at `now`, in seconds since 1970: nobody of theirs can pass.
fn tell_expired_authorities(problems: &mut Problems, all: &[Ca<'_>], now: i64) {
    let current: HashSet<&Vec<u8>> = all
        .iter()
        .filter(|(_, certificate)| certificate.end() >= now)
        .map(|(_, certificate)| &certificate.subject)
        .collect();
    let expired: Vec<_> = all
        .iter()
        .filter(|(_, certificate)| !current.contains(&certificate.subject))
        .collect();
    let Some((listed, certificate)) = expired.first() else {
        return;
    };
    let others = match expired.len() {
        1 => String::new(),
        count => format!(", and {} more CAs have", count.saturating_sub(1)),
    };
    let text = format!(
        "{}: the CA {} has expired on {}{}{others}; who is of such a CA is refused, so put a newer certificate of it \
         there, or take it out",
        listed.place,
        shown(certificate.outline.subject.value),
        date(certificate.end()),
        ago(certificate.end(), now),
    );
    problems.add(Weight::Warning, &listed.source, text);
}

/// Tells of lists that have expired at `now`, in seconds since 1970, and of which there is no newer one.
fn tell_expired_lists(problems: &mut Problems, listed: &[Listed], lists: &Lists, now: i64) {
    for (name, place, end) in lists.expired(now) {
        let text = format!(
            "{place}: the revocation list of {} has expired on {}{}; who is of this CA is refused until its next one is \
             there",
            shown(name),
            date(end),
            ago(end, now),
        );
        problems.add(Weight::Warning, source_of(listed, place), text);
    }
}

/// Tells of CAs without a list where one is asked for. Whoever a CA has issued certificates to that no list covers is
/// refused. Where only clients' own certificates are looked up a CA may do without that issues CAs alone: those are not
/// named of which that is likely.
fn tell_missing_lists(problems: &mut Problems, all: &[Ca<'_>], lists: &Lists, depth: Depth) {
    let issuing: HashSet<&Vec<u8>> = all
        .iter()
        .filter(|(_, certificate)| certificate.issuer != certificate.subject)
        .map(|(_, certificate)| &certificate.issuer)
        .collect();
    let is_listed = |name: &Vec<u8>| all.iter().any(|(_, known)| known.subject == *name);
    // Some list is of a CA that clients send along, and some of a listed one: who made them knows what is needed.
    let elsewhere = lists.issuers().any(is_listed) && !lists.issuers().all(is_listed);
    let mut told = HashSet::new();
    let missing: Vec<_> = all
        .iter()
        .filter(|(_, certificate)| !lists.has_any(&certificate.subject))
        .filter(|(_, certificate)| {
            depth == Depth::Chain || (!elsewhere && !issuing.contains(&certificate.subject))
        })
        .filter(|(_, certificate)| told.insert(certificate.subject.clone()))
        .collect();
    let Some((listed, _)) = missing.first() else {
        return;
    };
    let mut names: Vec<String> = missing
        .iter()
        .take(MOST_NAMED)
        .map(|(_, certificate)| shown(certificate.outline.subject.value))
        .collect();
    if missing.len() > MOST_NAMED {
        names.push(format!("{} more", missing.len().saturating_sub(MOST_NAMED)));
    }
    let text = format!(
        "{}: there is no revocation list of {}, so that whoever has a certificate of this CA is refused: add its list to \
         SSLCARevocationFile (TLSClientCRL), or let certificates without a list pass by the word no_crl_for_cert_ok of \
         SSLCARevocationCheck (TLSClientCRLCheck)",
        listed.place,
        names.join(", "),
    );
    problems.add(Weight::Warning, &listed.source, text);
}
