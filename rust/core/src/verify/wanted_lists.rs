// SPDX-License-Identifier: Apache-2.0
//! Which revocation lists a verifier wants fetched, and what is there of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::certificate::PathCertificate;
use super::revocation::list::List;
use super::revocation::scope;
use crate::fetch::access;
use crate::fetch::results::Key;
use crate::fetch::state;
use crate::fetch::wants::list_key;
use crate::system::lock;

/// Authorities' addresses of a list that are tried.
const MOST_URLS: usize = 4;

/// What is configured of lists that are to be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchSettings {
    /// Certificates that no list is about pass while a list cannot be had.
    pub allow: bool,
    /// Addresses that the administrator names beside those that certificates of authorities name.
    pub urls: Vec<String>,
    /// The proxy over which they are fetched.
    pub proxy: Option<String>,
}

/// One list, wherever it is.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) key: Key,
    pub(super) urls: Vec<String>,
    pub(super) trusted: bool,
}

/// The lists that a verifier wants fetched.
#[derive(Clone, Debug)]
pub struct FetchedLists {
    pub(super) points: Vec<Point>,
    pub(super) proxy: Option<String>,
    /// Certificates (DER) of who may have signed them.
    pub(super) authorities: Vec<Vec<u8>>,
    /// Certificates that no list is about pass while one of these cannot be had.
    pub(super) allow: bool,
}

impl FetchedLists {
    /// Those that `authorities` (DER) name in their own certificates, and those that `settings` names.
    pub fn new(settings: &FetchSettings, authorities: Vec<Vec<u8>>) -> Self {
        let proxy = settings.proxy.as_deref();
        let mut points: Vec<Point> = Vec::new();
        let named = settings.urls.iter().map(|url| (vec![url.clone()], true));
        let of_certificates = authorities.iter().flat_map(|der| points_of(der));
        for (urls, trusted) in named.chain(of_certificates.map(|urls| (urls, false))) {
            let key = list_key(&urls, trusted, proxy);
            let is_known = |known: &Point| known.key == key || known.urls.first() == urls.first();
            if !points.iter().any(is_known) {
                points.push(Point { key, urls, trusted });
            }
        }
        Self {
            points,
            proxy: settings.proxy.clone(),
            authorities,
            allow: settings.allow,
        }
    }

    /// Whether there is nothing to fetch.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// One of each: what was fetched last, or what is in use where that is later.
    pub(super) fn current(&self, before: &[Option<Arc<List>>]) -> Vec<Option<Arc<List>>> {
        let one = |(at, point): (usize, &Point)| {
            let before = before.get(at).cloned().flatten();
            match (parsed(point), before) {
                (Some(list), Some(before)) if before.is_later(&list) => Some(before),
                (Some(list), _) => Some(list),
                (None, before) => before,
            }
        };
        self.points.iter().enumerate().map(one).collect()
    }
}

/// The addresses of each list that the issuer of a certificate (DER) makes for it, as far as they can be asked over HTTP.
fn points_of(der: &[u8]) -> Vec<Vec<String>> {
    let Some(certificate) = PathCertificate::parse(der) else {
        return Vec::new();
    };
    let content = certificate.distribution_points.unwrap_or_default();
    let mut lists = scope::addresses(content, certificate.outline.issuer.value);
    for urls in &mut lists {
        urls.retain(|url| {
            url.get(..7)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
        });
        urls.truncate(MOST_URLS);
    }
    lists.retain(|urls| !urls.is_empty());
    lists
}

/// Those that were read, with the numbers that they had: verifiers share them.
static READ: Mutex<BTreeMap<Key, (u64, Arc<List>)>> = Mutex::new(BTreeMap::new());

/// The list of a point that was fetched last; at a start the one in its file.
fn parsed(point: &Point) -> Option<Arc<List>> {
    let version = access::list_version(point.key);
    let mut read = lock(&READ);
    let known = read.get(&point.key);
    if let Some((number, list)) = known.filter(|(number, _)| version.is_none_or(|v| v == *number)) {
        let _ = number;
        return Some(Arc::clone(list));
    }
    let before = known.map(|(_, list)| Arc::clone(list));
    let der = match version {
        Some(_) => access::list(point.key).map(|list| list.der),
        None => state::kept_list(point.key),
    };
    let place = point.urls.first().cloned().unwrap_or_default();
    let list = List::parse(der?, place).ok().map(Arc::new);
    // A captured process that fetches must not bring back what was in force before.
    let list = match (list, before) {
        (Some(list), Some(before)) if before.is_later(&list) => before,
        (Some(list), _) => list,
        (None, before) => before?,
    };
    read.insert(point.key, (version.unwrap_or(0), Arc::clone(&list)));
    Some(list)
}
