// SPDX-License-Identifier: Apache-2.0
//! Revocation lists that are fetched: where they are, whether one may be used, and those that this process has of them.
//!
//! A list is judged twice. The process that fetches looks whether one of the configured authorities signed it, before it
//! reads any of its entries; whoever judges a certificate by it looks whether the one that issued that certificate did.

use std::collections::{BTreeMap, HashMap};

use super::certificate::{CRL_SIGN, PathCertificate};
use super::keys::Key as SigningKey;
use super::reason;
use super::revocation::list::{List, issuer_of};
use super::revocation::wanting;
use super::signed::Signed;
pub use super::wanted_lists::{FetchSettings, FetchedLists};
use crate::creds::contents;
use crate::fetch::results::{FetchedList, Key};
use crate::fetch::wants::ListWant;
use crate::metrics::{self, Counter};
use crate::x509::time;

/// A list of which it was looked who signed it.
#[derive(Debug)]
pub struct Judged {
    /// As it is kept.
    pub list: FetchedList,
    /// How many certificates it names.
    pub entries: usize,
}

/// Judges what was fetched, PEM or DER: it is a list, one of `authorities` (DER) signed it, and it is in force at `now`.
///
/// # Errors
/// Why it is of no use.
pub fn judge(octets: &[u8], authorities: &[Vec<u8>], now: i64) -> Result<Judged, String> {
    let found = contents::lists(octets);
    let der = found.taken.first().map(|taken| taken.element().to_vec());
    let der = der.ok_or("what it sends is no revocation list")?;
    let signed = Signed::parse(&der).ok_or("its list cannot be read")?;
    let issuer = issuer_of(&der).ok_or("its list cannot be read")?;
    let digest = signed.digest();
    let signs = |authority: &Vec<u8>| {
        let certificate = PathCertificate::parse(authority)?;
        let meant = certificate.subject == issuer && certificate.allows(CRL_SIGN);
        let key = SigningKey::parse(&certificate.outline.spki).filter(|_| meant)?;
        signed.check_hashed(&key, digest.as_ref()).ok()
    };
    if !authorities
        .iter()
        .any(|authority| signs(authority).is_some())
    {
        return Err("its list is signed by none of the authorities that are configured".to_owned());
    }
    let list = List::parse(der.clone(), String::new())?;
    match (list.fault, list.outside(now)) {
        (Some(fault), _) => Err(format!("its list cannot be used: {fault}")),
        (None, Some(reason::CRL_EXPIRED)) => {
            let end = list.end().map(time::date).unwrap_or_default();
            Err(format!("its list has expired at {end}"))
        }
        (None, Some(why)) => Err(format!("its list cannot be used: {why}")),
        (None, None) => Ok(Judged {
            entries: list.entries(),
            list: FetchedList {
                from: list.made(),
                until: list.end().unwrap_or(i64::MAX),
                der,
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
                    kept: Vec::new(),
                });
                wants.len() - 1
            });
            let Some(want) = wants.get_mut(place) else {
                continue;
            };
            for authority in &wanted.authorities {
                if !want.authorities.contains(authority) {
                    want.authorities.push(authority.clone());
                }
            }
        }
    }
    wants
}

/// A list that is wanted, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its address.
    pub url: String,
    /// When it was made and when there is to be another (seconds since 1970, 0 where it does not say); `None` where it was
    /// not to be had yet.
    pub times: Option<(i64, i64)>,
}

/// All lists that verifiers of this process want, each once, as they are in force.
pub fn standing() -> Vec<Standing> {
    let mut all: BTreeMap<Key, Standing> = BTreeMap::new();
    for in_use in wanting() {
        let lists = in_use.fetched();
        let points = in_use.wanted.iter().flat_map(|wanted| &wanted.points);
        for (point, list) in points.zip(lists) {
            all.entry(point.key).or_insert_with(|| Standing {
                url: point.urls.first().cloned().unwrap_or_default(),
                times: list.map(|list| (list.made(), list.end().unwrap_or(0))),
            });
        }
    }
    all.into_values().collect()
}
