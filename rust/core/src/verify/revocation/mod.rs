// SPDX-License-Identifier: Apache-2.0
//! Revocation lists. They are swapped whole when their files change, while connections keep the ones they began with.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ::aws_lc_rs::digest;

pub(super) mod list;
pub(super) mod scope;
pub(super) mod status;

use list::List;

use super::sources::Listed;

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
    lists: RwLock<Arc<Lists>>,
}

/// The lists in use.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<Arc<List>>,
    /// Places in `lists` by canonical issuer.
    by_issuer: HashMap<Vec<u8>, Vec<usize>>,
    /// One could not be read: who has no list may be in that one.
    lost: bool,
    generation: u64,
}

impl Revocation {
    /// `lists` may be of known files or not; the second value says for each that cannot be used why, by its index. The
    /// others are in use; who is of the issuer of one that says nothing here is refused, for want of a list.
    pub fn new<L: Clone + Into<Listed>>(
        depth: Depth,
        missing_ok: bool,
        lists: &[L],
    ) -> (Self, Vec<(usize, String)>) {
        let (lists, refused) = Lists::read(lists, &[], false);
        let lists = RwLock::new(Arc::new(lists));
        (
            Self {
                depth,
                missing_ok,
                lists,
            },
            refused,
        )
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
        self.lists
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts new lists in place of the old, and says of each that cannot be used why, by its index. Where one cannot be
    /// read at all the old lists stay in use beside the new ones: of one scope the latest counts in any case.
    pub fn replace<L: Clone + Into<Listed>>(
        &self,
        lists: &[L],
        loss: bool,
    ) -> Vec<(usize, String)> {
        let old = self.lists();
        let (lists, refused) = Lists::read(lists, &old.lists, loss);
        let mut current = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(lists);
        refused
    }
}

impl Lists {
    fn read<L: Clone + Into<Listed>>(
        given: &[L],
        old: &[Arc<List>],
        loss: bool,
    ) -> (Self, Vec<(usize, String)>) {
        let mut lists = Self {
            lost: loss,
            ..Self::default()
        };
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
                    lists.lists.push(Arc::new(list));
                }
                Err(why) => {
                    lists.lost = true;
                    refused.push((index, why));
                }
            }
        }
        lists.generation = generation(hash);
        if lists.lost {
            lists.lists.extend(old.iter().cloned());
        }
        for (place, list) in lists.lists.iter().enumerate() {
            let places = lists.by_issuer.entry(list.issuer.clone()).or_default();
            places.push(place);
        }
        (lists, refused)
    }

    /// A digest of the lists, equal in all processes that read the same files.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Lists of an issuer (canonical) are there, whatever they are good for.
    pub fn has_any(&self, issuer: &[u8]) -> bool {
        self.of(issuer).next().is_some()
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
