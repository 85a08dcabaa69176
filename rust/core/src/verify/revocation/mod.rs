// SPDX-License-Identifier: Apache-2.0
//! Revocation lists. They are swapped whole when their files change, while connections keep the ones they began with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use ::aws_lc_rs::digest;

pub(super) mod list;
pub(super) mod scope;
pub(super) mod status;

use list::List;

use super::keys::{Fault, Key};
use super::sources::Listed;
use super::wanted_lists::FetchedLists;
use super::work::Work;
use crate::system::lock;

/// Which certificates of a path are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None.
    #[default]
    None,
    /// The client's own.
    Leaf,
    /// All of them.
    Chain,
}

/// Revocation lists and how they are used.
#[derive(Debug, Default)]
pub struct Revocation {
    depth: Depth,
    /// A certificate that no list covers is not revoked (`no_crl_for_cert_ok`).
    missing_ok: bool,
    in_use: Arc<InUse>,
}

/// The lists in use, and where some of them come from.
#[derive(Debug, Default)]
pub(super) struct InUse {
    lists: RwLock<Arc<Lists>>,
    pub(super) wanted: Option<FetchedLists>,
}

/// The lists in use.
#[derive(Debug, Default)]
pub struct Lists {
    /// Those of files, and those that were fetched.
    lists: Vec<Arc<List>>,
    /// How many of them are of files.
    of_files: usize,
    /// One of each that is to be fetched; `None` where it was not to be had yet.
    fetched: Vec<Option<Arc<List>>>,
    /// A certificate that no list is about passes while one of those cannot be had.
    allow: bool,
    /// Places in `lists` by canonical issuer.
    by_issuer: HashMap<Vec<u8>, Vec<usize>>,
    /// One could not be read: who has no list may be in that one.
    lost: bool,
    /// Digests of those of files and of those that were fetched.
    generations: [u64; 2],
}

/// Verifiers of this process that want lists.
static WANTING: Mutex<Vec<Weak<InUse>>> = Mutex::new(Vec::new());

fn register(in_use: &Arc<InUse>) {
    let mut wanting = lock(&WANTING);
    wanting.retain(|other| other.strong_count() > 0);
    wanting.push(Arc::downgrade(in_use));
}

/// Those that there are.
pub(super) fn wanting() -> Vec<Arc<InUse>> {
    lock(&WANTING).iter().filter_map(Weak::upgrade).collect()
}

impl InUse {
    fn get(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, lists: Lists) {
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lists);
    }

    /// The first address of each list that is to be fetched, and the one in use.
    pub(super) fn fetched(&self) -> Vec<(String, Option<Arc<List>>)> {
        let lists = self.get();
        let points = self.wanted.iter().flat_map(|wanted| &wanted.points);
        let urls = points.map(|point| point.urls.first().cloned().unwrap_or_default());
        let padded = lists.fetched.iter().cloned().chain(std::iter::repeat(None));
        urls.zip(padded).collect()
    }

    /// Takes what has been fetched since the last call; whether anything has. For one thread of a process.
    pub(super) fn take_fetched(&self) -> bool {
        let Some(wanted) = &self.wanted else {
            return false;
        };
        let before = self.get();
        let fetched = wanted.current(&before.fetched);
        let same = |(a, b): (&Option<Arc<List>>, &Option<Arc<List>>)| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let is_same = fetched.len() == before.fetched.len();
        if is_same && fetched.iter().zip(&before.fetched).all(same) {
            return false;
        }
        let files = before.lists.iter().take(before.of_files);
        self.put(Lists::compose(
            files.cloned().collect(),
            before.generations[0],
            before.lost,
            (fetched, wanted.allow),
        ));
        true
    }
}

impl Revocation {
    /// `lists` may be of known files or not; the second value says for each that cannot be used why, by its index. The
    /// others are in use; who is of the issuer of one that says nothing here is refused, for want of a list.
    pub fn new<L: Clone + Into<Listed>>(
        depth: Depth,
        missing_ok: bool,
        lists: &[L],
    ) -> (Self, Vec<(usize, String)>) {
        let (lists, refused) = Lists::read(lists, &Lists::default(), false);
        let in_use = InUse::default();
        in_use.put(lists);
        (
            Self {
                depth,
                missing_ok,
                in_use: Arc::new(in_use),
            },
            refused,
        )
    }

    /// The same with lists that are fetched besides; takes those that have been.
    #[must_use]
    pub fn with_fetched(mut self, wanted: FetchedLists) -> Self {
        let in_use = InUse {
            lists: RwLock::new(self.in_use.get()),
            wanted: Some(wanted),
        };
        in_use.take_fetched();
        self.in_use = Arc::new(in_use);
        register(&self.in_use);
        self
    }

    /// Whether it wants a list that nobody will fetch for this process.
    pub(super) fn wants_unordered(&self) -> bool {
        let wanted = self.in_use.wanted.as_ref();
        wanted.is_some_and(FetchedLists::is_unordered)
    }

    /// Which certificates are looked up.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Whether certificates without a list pass.
    pub fn missing_ok(&self) -> bool {
        self.missing_ok
    }

    /// The lists in use now.
    pub fn lists(&self) -> Arc<Lists> {
        self.in_use.get()
    }

    /// Puts new lists in place of the old, and says of each that cannot be used why, by its index. Where one cannot be
    /// read at all the old lists stay in use beside the new ones: of one scope the latest counts in any case.
    pub fn replace<L: Clone + Into<Listed>>(
        &self,
        lists: &[L],
        loss: bool,
    ) -> Vec<(usize, String)> {
        let (lists, refused) = Lists::read(lists, &self.lists(), loss);
        self.in_use.put(lists);
        refused
    }
}

impl Lists {
    fn read<L: Clone + Into<Listed>>(
        given: &[L],
        old: &Self,
        loss: bool,
    ) -> (Self, Vec<(usize, String)>) {
        let (mut lists, mut lost) = (Vec::new(), loss);
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut refused = Vec::new();
        for (index, listed) in given.iter().enumerate() {
            let Listed { place, der, .. } = listed.clone().into();
            hash.update(&der);
            match List::parse(der, place) {
                Ok(list) => {
                    if let Some(fault) = list.fault {
                        refused.push((index, format!("cannot be used: {fault}")));
                    }
                    lists.push(Arc::new(list));
                }
                Err(why) => {
                    lost = true;
                    refused.push((index, why.to_string()));
                }
            }
        }
        if lost {
            lists.extend(old.lists.iter().take(old.of_files).cloned());
        }
        let fetched = (old.fetched.clone(), old.allow);
        (
            Self::compose(lists, generation(hash), lost, fetched),
            refused,
        )
    }

    /// Lists of files with their digest, and those that were fetched with what goes without one of them.
    fn compose(
        mut lists: Vec<Arc<List>>,
        of_these: u64,
        lost: bool,
        (fetched, allow): (Vec<Option<Arc<List>>>, bool),
    ) -> Self {
        let of_files = lists.len();
        let mut hash = digest::Context::new(&digest::SHA256);
        for list in fetched.iter().flatten() {
            hash.update(list.der());
            lists.push(Arc::clone(list));
        }
        let mut by_issuer: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (place, list) in lists.iter().enumerate() {
            by_issuer
                .entry(list.issuer.clone())
                .or_default()
                .push(place);
        }
        let of_fetched = match lists.len() > of_files {
            true => generation(hash),
            false => 0,
        };
        Self {
            lists,
            of_files,
            fetched,
            allow,
            by_issuer,
            lost,
            generations: [of_these, of_fetched],
        }
    }

    /// A digest of the lists, equal in all processes that read and were given the same.
    pub fn generation(&self) -> u64 {
        let [files, fetched] = self.generations;
        files.wrapping_add(fetched)
    }

    /// Whether a certificate passes that no list is about, where a list that is missing for good is no fault or one.
    fn passes_without(&self, missing_ok: bool, now: i64) -> bool {
        let is_away =
            |list: &Option<Arc<List>>| list.as_ref().is_none_or(|list| list.outside(now).is_some());
        !self.lost && (missing_ok || (self.allow && self.fetched.iter().any(is_away)))
    }

    /// Whether a list that has expired keeps nobody out but those that it is about, since it was to be fetched anew.
    fn may_have_expired(&self, list: &List) -> bool {
        let is_it = |other: &Arc<List>| std::ptr::eq(&raw const **other, list);
        self.allow && self.fetched.iter().flatten().any(is_it)
    }

    /// Lists of an issuer (canonical) are there, whatever they are good for.
    pub fn has_any(&self, issuer: &[u8]) -> bool {
        self.of(issuer).next().is_some()
    }

    /// Why none of the lists of an issuer (canonical) will ever count, though some can be read, and the place of one; `None`
    /// where one may. `keys` are those by which they should be signed.
    pub fn unverifiable(&self, issuer: &[u8], keys: &[Key<'_>]) -> Option<(&str, &'static str)> {
        let mut readable = self
            .of(issuer)
            .filter(|list| list.fault.is_none())
            .peekable();
        let place = readable.peek()?.place.as_str();
        let mut found = Some((
            place,
            "is a delta, and the full list that it goes with is not there",
        ));
        for list in readable.filter(|list| list.base.is_none()) {
            found = Some((
                &list.place,
                "is signed by another key than the CA certificates here have",
            ));
            for key in keys {
                match list.is_signed_by(key, &mut Work::default()) {
                    Ok(Err(Fault::Wrong)) => {}
                    Ok(Err(Fault::Unsupported)) => {
                        found = Some((
                            &list.place,
                            "is signed by an algorithm that is not accepted here",
                        ));
                    }
                    Ok(Ok(())) | Err(_) => return None,
                }
            }
        }
        found
    }

    /// Canonical names of who issued the lists.
    pub fn issuers(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.by_issuer.keys()
    }

    /// Issuer (the content of its DER), place and end of each list that has expired at `now` beside no newer one of the
    /// same scope.
    pub fn expired(&self, now: i64) -> impl Iterator<Item = (&[u8], &str, i64)> {
        let lists = self.lists.iter().filter(|list| list.base.is_none());
        lists.filter_map(move |list| {
            let end = list.end().filter(|end| *end < now)?;
            let newer = self.of(&list.issuer).any(|other| {
                other.partition == list.partition
                    && other.authority == list.authority
                    && other.rank(now) > list.rank(now)
            });
            (!newer).then(|| (list.issuer_name(), list.place.as_str(), end))
        })
    }

    /// What was found by the keys that the lists were checked by.
    #[cfg(test)]
    pub(super) fn found(&self) -> Vec<Result<(), super::keys::Fault>> {
        self.lists.iter().flat_map(|list| list.found()).collect()
    }

    /// The lists of an issuer (canonical).
    fn of(&self, issuer: &[u8]) -> impl Iterator<Item = &List> {
        let places = self.by_issuer.get(issuer).into_iter().flatten();
        places
            .filter_map(|place| self.lists.get(*place))
            .map(AsRef::as_ref)
    }
}

fn generation(hash: digest::Context) -> u64 {
    let octets = hash.finish();
    octets
        .as_ref()
        .first_chunk()
        .map_or(0, |octets| u64::from_be_bytes(*octets))
}
