// SPDX-License-Identifier: Apache-2.0
//! Revocation lists that are fetched: where they are, whether one may be used, and those that this process has of them.
//!
//! A list is judged more than once. The process that fetches looks whether one of the configured authorities signed it,
//! before it reads any of its entries, and whether it is the one that the certificate means which names its address; who
//! takes it up looks again. Whoever judges a certificate by it looks whether the one that issued that certificate signed it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};

use super::certificate::{CRL_SIGN, PathCertificate};
use super::edition::Edition;
use super::keys::Key as SigningKey;
use super::reason;
use super::revocation::list::{List, issuer_of};
use super::revocation::scope;
use super::revocation::wanting;
use super::signed::Signed;
pub use super::wanted_lists::{FetchSettings, FetchedLists};
pub(crate) use super::wanted_lists::{set_final, set_ordered};
use super::work::Work;
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
    /// What it is among lists from its address.
    pub(crate) edition: Edition,
}

/// Who may have signed a list from an address, and what it has to be about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// Where it is.
    pub(crate) urls: &'a [String],
    /// Certificates of the authorities (DER), one of which has to have signed it.
    pub(crate) authorities: &'a [Vec<u8>],
    /// Those (DER) that name the address; empty where the administrator alone does.
    pub(crate) named_by: &'a [Vec<u8>],
}

impl Expected<'_> {
    /// Reads a list (DER), the entries last of all.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(crate) fn read(&self, der: Vec<u8>, place: String) -> Result<List, String> {
        let signed = Signed::parse(&der).ok_or("its list cannot be read")?;
        let issuer = issuer_of(&der).ok_or("its list cannot be read")?;
        let digest = OnceCell::new();
        let signs = |authority: &Vec<u8>| {
            let certificate = PathCertificate::parse(authority)?;
            let meant = certificate.subject == issuer && certificate.allows(CRL_SIGN);
            let key = SigningKey::parse(&certificate.outline.spki).filter(|_| meant)?;
            let digest = digest.get_or_init(|| signed.digest());
            signed.check_hashed(&key, digest.as_ref()).ok()
        };
        let mut authorities = self.authorities.iter();
        if !authorities.any(|authority| signs(authority).is_some()) {
            return Err(
                "its list is signed by none of the authorities that are configured".to_owned(),
            );
        }
        let list = List::parse(der, place)?;
        if let Some(fault) = list.fault {
            return Err(format!("its list cannot be used: {fault}"));
        }
        if list.base.is_some() {
            return Err("what it sends is a delta, which says nothing by itself".to_owned());
        }
        match self.is_meant(&list) {
            true => Ok(list),
            false => Err(
                "its list is of another issuer, or about other certificates, than the certificate means that names the \
                 address"
                    .to_owned(),
            ),
        }
    }

    /// Whether a list that was read for somebody may be used here, too.
    pub(crate) fn accepts(&self, list: &List) -> bool {
        let signs = |authority: &Vec<u8>| {
            let certificate = PathCertificate::parse(authority)?;
            let meant = certificate.subject == list.issuer && certificate.allows(CRL_SIGN);
            let key = SigningKey::parse(&certificate.outline.spki).filter(|_| meant)?;
            list.is_signed_by(&key, &mut Work::default()).ok()?.ok()
        };
        self.is_meant(list)
            && self
                .authorities
                .iter()
                .any(|authority| signs(authority).is_some())
    }

    /// Whether it is the list of a certificate that names the address: for itself, or where it is its own issuer for those
    /// that it issues.
    fn is_meant(&self, list: &List) -> bool {
        let by = |der: &Vec<u8>| {
            let certificate = PathCertificate::parse(der)?;
            let content = certificate.distribution_points?;
            let mut points = scope::Point::parse_all(content, certificate.outline.issuer.value)?;
            points.retain(|point| point.urls().iter().any(|url| self.urls.contains(url)));
            let own = certificate.issuer == list.issuer;
            let authority = !certificate.is_self_issued();
            Some(list.scope.fills(&points, authority, own, &list.issuer))
        };
        self.named_by.is_empty() || self.named_by.iter().any(|der| by(der) == Some(true))
    }
}

/// Judges what was fetched, PEM or DER: it is a list, as it is expected, and in force at `now`.
///
/// # Errors
/// Why it is of no use.
pub fn judge(octets: &[u8], want: &ListWant, now: i64) -> Result<Judged, String> {
    let found = contents::lists(octets);
    let der = found.taken.first().map(|taken| taken.element().to_vec());
    let der = der.ok_or("what it sends is no revocation list")?;
    let expected = Expected {
        urls: &want.urls,
        authorities: &want.authorities,
        named_by: &want.named_by,
    };
    let list = expected.read(der, String::new())?;
    match list.outside(now) {
        Some(reason::CRL_EXPIRED) => {
            let end = list.end().map(time::date).unwrap_or_default();
            Err(format!("its list has expired at {end}"))
        }
        Some(why) => Err(format!("its list cannot be used: {why}")),
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
                wants.len() - 1
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
