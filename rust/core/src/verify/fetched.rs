// SPDX-License-Identifier: Apache-2.0
//! Revocation lists that are fetched: where they are, whether one may be used, and those that this process has of them.
//!
//! A list is judged more than once. The process that fetches looks whether one of the configured authorities signed it,
//! before it reads any of its entries, and whether it is the one that the certificate means which names its address; who
//! takes it up looks again. Whoever judges a certificate by it looks whether the one that issued that certificate signed it.

use std::collections::{BTreeMap, HashMap};

use super::edition::Edition;
use super::expected::Expected;
use super::list_fault::ListFault;
use super::reason;
use super::revocation::wanting;
pub use super::wanted_lists::{FetchSettings, FetchedLists};
pub(crate) use super::wanted_lists::{set_final, set_ordered};
use crate::creds::contents;
use crate::fetch::results::{FetchedList, Key};
use crate::fetch::wants::ListWant;
use crate::metrics::{self, Counter};

/// A list of which it was looked who signed it.
#[derive(Debug)]
pub struct Judged {
    /// As it is kept.
    pub list: FetchedList,
    /// How many certificates it names.
    pub entries: usize,
    /// What it is among lists from its address.
    pub(crate) edition: Edition,
}

/// Judges what was fetched, PEM or DER: it is a list, as it is expected, and in force at `now`.
///
/// # Errors
/// Why it is of no use.
pub fn judge(octets: &[u8], want: &ListWant, now: i64) -> Result<Judged, ListFault> {
    let found = contents::lists(octets);
    let der = found.taken.first().map(|taken| taken.element().to_vec());
    let der = der.ok_or(ListFault::NoList)?;
    let expected = Expected {
        urls: &want.urls,
        authorities: &want.authorities,
        named_by: &want.named_by,
    };
    let list = expected.read(der, String::new())?;
    match list.outside(now) {
        Some(reason::CRL_EXPIRED) => Err(ListFault::Expired(list.end())),
        Some(why) => Err(ListFault::Unusable(why)),
        None => Ok(Judged {
            entries: list.entries(),
            edition: list.edition(),
            list: FetchedList {
                from: list.made(),
                until: list.end().unwrap_or(i64::MAX),
                der: list.der().to_vec(),
            },
        }),
    }
}

/// Takes what was fetched since the last call, in all verifiers of this process. For one thread of a process, which serves
/// nobody meanwhile.
pub fn refresh() {
    let mut any = false;
    for in_use in wanting() {
        any |= in_use.take_fetched();
    }
    if any {
        metrics::count(Counter::ListsTaken);
    }
}

/// Whether verifiers of this process want lists.
pub fn is_wanted() -> bool {
    wanting().iter().any(|in_use| in_use.wanted.is_some())
}

/// A list that is to be fetched, as this process has it; times in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListState {
    /// The first of its addresses.
    pub url: String,
    /// When the one in use was made; `None` where there is none.
    pub made: Option<i64>,
    /// When there is to be another, where it says so.
    pub next: Option<i64>,
    /// Certificates that it names.
    pub entries: usize,
}

impl ListState {
    /// Whether certificates have to be judged without it at `now`.
    pub fn is_missing(&self, now: i64) -> bool {
        self.made.is_none() || self.next.is_some_and(|next| next < now)
    }
}

/// The lists that verifiers of this process want, each address once.
pub fn states() -> Vec<ListState> {
    let mut states: BTreeMap<String, ListState> = BTreeMap::new();
    for in_use in wanting() {
        for (url, list) in in_use.fetched() {
            let state = states.entry(url.clone()).or_default();
            let made = list.as_ref().map(|list| list.made());
            if made >= state.made {
                *state = ListState {
                    url,
                    made,
                    next: list.as_ref().and_then(|list| list.end()),
                    entries: list.map_or(0, |list| list.entries()),
                };
            }
        }
    }
    states.into_values().collect()
}

/// All lists that verifiers of this process want, each once.
pub fn wants() -> Vec<ListWant> {
    let mut wants: Vec<ListWant> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for in_use in wanting() {
        let Some(wanted) = &in_use.wanted else {
            continue;
        };
        for point in &wanted.points {
            let place = *places.entry(point.key).or_insert_with(|| {
                wants.push(ListWant {
                    key: point.key,
                    urls: point.urls.clone(),
                    trusted: point.trusted,
                    proxy: wanted.proxy.clone(),
                    authorities: Vec::new(),
                    named_by: point.named_by.clone(),
                    kept: Vec::new(),
                });
                wants.len().saturating_sub(1)
            });
            let Some(want) = wants.get_mut(place) else {
                continue;
            };
            // What the administrator names for one verifier may be anything that its authorities sign.
            if point.named_by.is_empty() {
                want.named_by.clear();
            } else if !want.named_by.is_empty() {
                add_all(&mut want.named_by, &point.named_by);
            }
            add_all(&mut want.authorities, &wanted.authorities);
        }
    }
    wants
}

fn add_all(known: &mut Vec<Vec<u8>>, more: &[Vec<u8>]) {
    for der in more {
        if !known.contains(der) {
            known.push(der.clone());
        }
    }
}
