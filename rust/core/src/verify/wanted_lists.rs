// SPDX-License-Identifier: Apache-2.0
//! Which revocation lists a verifier wants fetched, and what is there of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{Context, SHA256};

use super::certificate::PathCertificate;
use super::expected::Expected;
use super::revocation::list::List;
use super::revocation::scope;
use crate::fetch::access;
use crate::fetch::ordered;
use crate::fetch::results::Key;
use crate::fetch::state;
use crate::fetch::wants::{ListWant, list_key};
use crate::system::clock::now;
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
    /// Certificates of authorities (DER) that name it; empty where the administrator alone does.
    pub(super) named_by: Vec<Vec<u8>>,
}

impl Point {
    /// Whether an authority (DER) is the issuer of a certificate that names it; any is where none does.
    fn may_sign(&self, der: &[u8]) -> bool {
        let issued = |named: &Vec<u8>| {
            let (named, authority) = (PathCertificate::parse(named)?, PathCertificate::parse(der)?);
            Some(named.issuer == authority.subject)
        };
        let mut named_by = self.named_by.iter();
        self.named_by.is_empty() || named_by.any(|named| issued(named) == Some(true))
    }
}

/// What httpd's parent had ordered when this process was forked: digests of the authorities that each list may be of.
struct Ordered {
    lists: BTreeMap<Key, BTreeSet<[u8; 32]>>,
    /// This process is a child, which orders nothing.
    is_final: bool,
}

static ORDERED: Mutex<Ordered> = Mutex::new(Ordered {
    lists: BTreeMap::new(),
    is_final: false,
});

/// Says what is ordered. For httpd's parent.
pub(crate) fn set_ordered(lists: &[ListWant]) {
    let each = |want: &ListWant| {
        let ids = want.authorities.iter().map(|der| id_of([der])).collect();
        (want.key, ids)
    };
    lock(&ORDERED).lists = lists.iter().map(each).collect();
}

/// Says that nothing more will be ordered. For children.
pub(crate) fn set_final() {
    lock(&ORDERED).is_final = true;
}

/// The lists that a verifier wants fetched.
#[derive(Clone, Debug)]
pub struct FetchedLists {
    pub(super) points: Vec<Point>,
    pub(super) proxy: Option<String>,
    /// Certificates (DER) of who may have signed them.
    pub(super) authorities: Vec<Vec<u8>>,
    /// A digest of those.
    id: [u8; 32],
    /// Certificates that no list is about pass while one of these cannot be had.
    pub(super) allow: bool,
}

impl FetchedLists {
    /// Those that `authorities` (DER) name in their own certificates, and those that `settings` names.
    pub fn new(settings: &FetchSettings, authorities: Vec<Vec<u8>>) -> Self {
        let proxy = settings.proxy.as_deref();
        let mut points: Vec<Point> = Vec::new();
        let named = settings.urls.iter().map(|url| (vec![url.clone()], None));
        let of_certificates = authorities.iter().flat_map(|der| {
            points_of(der)
                .into_iter()
                .map(move |urls| (urls, Some(der)))
        });
        for (urls, namer) in named.chain(of_certificates) {
            let trusted = namer.is_none();
            let key = list_key(&urls, trusted, proxy);
            let is_known = |known: &Point| known.key == key || known.urls.first() == urls.first();
            let named_by = namer.into_iter().cloned();
            match points.iter_mut().find(|known| is_known(known)) {
                Some(known) => known.named_by.extend(named_by),
                None => points.push(Point {
                    key,
                    named_by: named_by.collect(),
                    urls,
                    trusted,
                }),
            }
        }
        Self {
            points,
            proxy: settings.proxy.clone(),
            id: id_of(&authorities),
            authorities,
            allow: settings.allow,
        }
        .where_ordered()
    }

    /// In a child: without what one of the lists would allow that nobody fetches before a restart.
    fn where_ordered(mut self) -> Self {
        self.allow = self.allow && !self.is_unordered();
        self
    }

    /// Whether this process has no way to have one of the lists fetched: it is a child, and they were not among what its
    /// parent ordered, or from other authorities.
    pub(super) fn is_unordered(&self) -> bool {
        let before = lock(&ORDERED);
        let is_ordered = |point: &Point| {
            let known = before.lists.get(&point.key);
            let mut signers = self.authorities.iter().filter(|der| point.may_sign(der));
            signers.all(|der| {
                known.is_some_and(|known| known.contains(&id_of([der])))
                    || access::is_ordered(ordered::list(point.key, der))
            })
        };
        before.is_final && !self.points.iter().all(is_ordered)
    }

    /// Whether there is nothing to fetch.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn expected<'a>(&'a self, point: &'a Point) -> Expected<'a> {
        Expected {
            urls: &point.urls,
            authorities: &self.authorities,
            named_by: &point.named_by,
        }
    }

    /// One of each: what was fetched last, or what is in use where that counts before it.
    pub(super) fn current(&self, before: &[Option<Arc<List>>]) -> Vec<Option<Arc<List>>> {
        let one = |(at, point): (usize, &Point)| {
            let before = before.get(at).cloned().flatten();
            let Some(list) = parsed(point, self) else {
                return before;
            };
            match before {
                Some(before)
                    if Arc::ptr_eq(&before, &list)
                        || !before.edition().yields_to(&list.edition(), now()) =>
                {
                    Some(before)
                }
                before => match self.expected(point).accepts(&list) {
                    true => Some(list),
                    false => before,
                },
            }
        };
        self.points.iter().enumerate().map(one).collect()
    }
}

fn id_of<'a>(authorities: impl IntoIterator<Item = &'a Vec<u8>>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    for der in authorities {
        hash.update(&(der.len() as u64).to_be_bytes());
        hash.update(der);
    }
    let mut id = [0; 32];
    id.copy_from_slice(hash.finish().as_ref());
    id
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

/// What was read of one address, for all verifiers that want it.
#[derive(Default)]
struct Read {
    list: Option<Arc<List>>,
    /// The number of what was looked at last, and whether it is taken.
    version: Option<u64>,
    is_taken: bool,
    /// The verifiers' authorities that had no use for it.
    refused: BTreeSet<[u8; 32]>,
}

static READ: Mutex<BTreeMap<Key, Read>> = Mutex::new(BTreeMap::new());

/// The list of a point that was fetched last; at a start the one in its file. What none of the authorities signed is not
/// read, and a captured process that fetches brings nothing back that was in force before.
fn parsed(point: &Point, wanted: &FetchedLists) -> Option<Arc<List>> {
    let version = access::list_version(point.key);
    let mut all = lock(&READ);
    let read = all.entry(point.key).or_default();
    if version.is_some() && read.version != version {
        read.version = version;
        read.is_taken = false;
        read.refused.clear();
    }
    let is_known = match version {
        Some(_) => read.is_taken || read.refused.contains(&wanted.id),
        None => read.list.is_some(),
    };
    if is_known {
        return read.list.clone();
    }
    let der = match version {
        Some(_) => access::list(point.key).map(|list| list.der),
        None => state::kept_list(point.key),
    };
    let Some(der) = der else {
        return read.list.clone();
    };
    if read.list.as_ref().is_some_and(|list| list.der() == der) {
        read.is_taken = true;
        return read.list.clone();
    }
    let place = point.urls.first().cloned().unwrap_or_default();
    match wanted.expected(point).read(der, place) {
        Ok(list) => {
            read.is_taken = version.is_some();
            let before = read.list.as_ref().map(|before| before.edition());
            if before.is_none_or(|before| before.yields_to(&list.edition(), now())) {
                read.list = Some(Arc::new(list));
            }
        }
        Err(_) if version.is_some() => {
            read.refused.insert(wanted.id);
        }
        Err(_) => {}
    }
    read.list.clone()
}
