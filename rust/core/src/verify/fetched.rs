// SPDX-License-Identifier: Apache-2.0
//! Revocation lists that are fetched: where they are, whether one may be used, and those that this process has of them.
//!
//! A list is judged twice. The process that fetches looks whether one of the configured authorities signed it, before it
//! reads any of its entries; whoever judges a certificate by it looks whether the one that issued that certificate did.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, Weak};

use super::certificate::{CRL_SIGN, PathCertificate};
use super::keys::Key as SigningKey;
use super::reason;
use super::revocation::InUse;
use super::revocation::list::{List, issuer_of};
use super::revocation::scope;
use super::signed::Signed;
use crate::creds::contents;
use crate::fetch::access;
use crate::fetch::results::{FetchedList, Key};
use crate::fetch::state;
use crate::fetch::wants::{ListWant, list_key};
use crate::metrics::{self, Counter};
use crate::system::lock;
use crate::x509::time;

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
struct Point {
    key: Key,
    urls: Vec<String>,
    trusted: bool,
}

/// The lists that a verifier wants fetched.
#[derive(Clone, Debug)]
pub struct FetchedLists {
    points: Vec<Point>,
    proxy: Option<String>,
    /// Certificates (DER) of who may have signed them.
    authorities: Vec<Vec<u8>>,
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

/// Verifiers of this process that want lists.
static WANTING: Mutex<Vec<Weak<InUse>>> = Mutex::new(Vec::new());

/// Those that were read, with the numbers that they had: verifiers share them.
static READ: Mutex<BTreeMap<Key, (u64, Arc<List>)>> = Mutex::new(BTreeMap::new());

pub(super) fn register(in_use: &Arc<InUse>) {
    let mut wanting = lock(&WANTING);
    wanting.retain(|other| other.strong_count() > 0);
    wanting.push(Arc::downgrade(in_use));
}

fn wanting() -> Vec<Arc<InUse>> {
    lock(&WANTING).iter().filter_map(Weak::upgrade).collect()
}

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
