// SPDX-License-Identifier: Apache-2.0
//! What files of CAs and of revocation lists held when they were last good: for a restart, or a look at changed files,
//! that finds one of them damaged. That must not end a server which runs, must not let anybody in whom the lists refuse
//! or whose authority has been taken out, and must lock out as few others as that leaves.
//!
//! One configuration knows what it read itself and what the one before it read, nothing older: a file that a
//! configuration did not name is forgotten. What has gone from a directory is out of use; what stands there and cannot be
//! read is damaged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::creds::contents::{self, Found, Taken};
use crate::system::file;
use crate::system::file::{Limit, Refusal};
use crate::verify;

/// Values of this configuration, and of the one before it.
#[derive(Debug)]
pub struct Generations<K, V> {
    present: BTreeMap<K, V>,
    before: BTreeMap<K, V>,
}

impl<K: Ord, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Generations<K, V> {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            present: BTreeMap::new(),
            before: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone, V: Clone> Generations<K, V> {
    /// All that is known, what this configuration has before what the one before it had.
    pub fn all(&self) -> BTreeMap<K, V> {
        let mut all = self.before.clone();
        all.extend(self.present.clone());
        all
    }
}

impl<K: Ord, V> Generations<K, V> {
    /// A new configuration begins.
    pub fn begin(&mut self) {
        self.before = std::mem::take(&mut self.present);
    }

    /// Remembers what this configuration has.
    pub fn keep(&mut self, key: K, value: V) {
        self.present.insert(key, value);
    }

    /// What this configuration has, else the one before it.
    pub fn find(&self, key: &K) -> Option<&V> {
        self.present.get(key).or_else(|| self.before.get(key))
    }

    /// Forgets one of them.
    pub fn forget(&mut self, key: &K) {
        self.present.remove(key);
        self.before.remove(key);
    }

    /// Forgets what the configuration before this one had.
    pub fn forget_before(&mut self) {
        self.before.clear();
    }
}

/// Why a file cannot be read, for people.
pub(super) fn unread(why: &Unread) -> String {
    match why {
        Unread::Refused(why) => unreadable(why),
        Unread::Panicked => file::PANICKED.to_owned(),
    }
}

/// Why a directory cannot be listed.
pub(super) fn unlisted(directory: &str, why: &Refusal) -> String {
    match matches!(why, Refusal::Other(_)) && !file::is_directory(Path::new(directory)) {
        true => "is a file, where a directory is to be: name it by the word that ends with File"
            .to_owned(),
        false => unreadable(why),
    }
}

fn unreadable(why: &Refusal) -> String {
    format!("cannot be read: {why}; check the path, and that root may read it")
}

/// What is looked for in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// CAs that peers are judged by, or whose names are told.
    Authorities,
    /// CAs to send along. Who reads them keeps the pairs that they are part of ([`crate::backend::Machinery`]).
    Chain,
    /// Revocation lists.
    Lists,
}

impl Form {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Authorities | Self::Chain => "certificate",
            Self::Lists => "revocation list",
        }
    }

    /// What to do where something else is in its place.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Authorities | Self::Chain => {
                "name a file with certificates of CAs here, and revocation lists or keys where those belong"
            }
            Self::Lists => {
                "name the CA's revocation list here, and its certificate where those of CAs belong"
            }
        }
    }

    fn limit(self) -> Limit {
        match self {
            Self::Authorities | Self::Chain => Limit::AUTHORITIES,
            Self::Lists => Limit::LISTS,
        }
    }

    fn parse(self, octets: &[u8]) -> Result<Found, Unread> {
        let found = file::contained(|| match self {
            Self::Authorities => contents::authorities(octets),
            Self::Chain => contents::certificates(octets),
            Self::Lists => contents::lists(octets),
        });
        found.ok_or(Unread::Panicked)
    }

    fn is_one(self, taken: &Taken) -> bool {
        match self {
            Self::Authorities | Self::Chain => verify::is_certificate(taken.element()),
            Self::Lists => verify::is_list(taken.element()),
        }
    }

    /// What is of use, if anything is.
    fn usable(self, now: &Result<Found, Unread>) -> Option<&Found> {
        let is_usable = |found: &&Found| match self {
            Self::Lists => !found.taken.is_empty(),
            Self::Authorities => found.taken.iter().any(|taken| self.is_one(taken)),
            Self::Chain => !found.taken.is_empty() && found.damaged.is_empty(),
        };
        now.as_ref().ok().filter(is_usable)
    }

    fn grade(self, now: &Result<Found, Unread>) -> Grade {
        let Some(found) = self.usable(now) else {
            return Grade::Unusable;
        };
        let whole = found.damaged.is_empty() && found.lost.is_empty();
        match whole && found.taken.iter().all(|taken| self.is_one(taken)) {
            true => Grade::Whole,
            false => Grade::Partly,
        }
    }
}

/// How much of a file is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Whole,
    Partly,
    Unusable,
}

/// Why there is nothing to be said of a file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The file cannot be read.
    Refused(Refusal),
    /// A fault of ours.
    Panicked,
}

/// What is done about a file of authorities of which a part can be read.
pub const REST: &str = "it is left out, and no more is used than can be read of the file now";

/// A file as it is.
#[derive(Debug)]
pub struct Reading {
    /// What it holds now.
    pub now: Result<Found, Unread>,
    /// What to use where that is less than the file held before.
    pub stead: Stead,
}

/// What is used of a file that is worse than it was.
#[derive(Debug)]
pub enum Stead {
    /// It is no worse, or nothing better is known: what it holds now, with all that is to be said of it.
    Nothing,
    /// What it held before, in the place of what it holds now; lists beside what is left of it.
    Before(Found),
    /// What can be read of it, and no more: an authority may have been taken out by the edit that damaged the rest.
    Rest,
}

type Octets = Arc<Zeroizing<Vec<u8>>>;

/// Of the process; the object stays loaded over restarts. Children have it as it was when they were forked.
static KEPT: Mutex<Generations<(Form, PathBuf), Octets>> = Mutex::new(Generations::new());

fn kept() -> MutexGuard<'static, Generations<(Form, PathBuf), Octets>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new configuration is about to read its files. For the process that reads it.
pub fn begin() {
    kept().begin();
}

/// Reads a file, and remembers what is good of it.
pub fn read(path: &Path, form: Form) -> Reading {
    let key = (form, path.to_owned());
    let before = kept().find(&key).cloned();
    let octets = file::read(path, form.limit()).map(|content| content.bytes);
    let now = match &octets {
        Ok(octets) => form.parse(octets),
        Err(refusal) => Err(Unread::Refused(refusal.clone())),
    };
    let is_known = before.is_some();
    // A file that is as it was is never worse than it was.
    let changed = before.filter(|before| octets.as_ref() != Ok(&**before));
    let is_damaged = |found: &Found| !found.damaged.is_empty();
    let better = changed.and_then(|octets| {
        let old = form.parse(&octets);
        let is_better = form.grade(&old) < form.grade(&now);
        Some((octets, old.ok().filter(|_| is_better)?))
    });
    let rest = form == Form::Authorities
        && is_known
        && form.grade(&now) == Grade::Partly
        && (better.is_some() || now.as_ref().is_ok_and(is_damaged));
    if let (Some((octets, old)), false) = (better, rest) {
        kept().keep(key, octets);
        let stead = Stead::Before(old);
        return Reading { now, stead };
    }
    // Authorities beside a damaged one are the first start's to refuse.
    let first = |found: &Found| form != Form::Authorities || rest || !is_damaged(found);
    if let Ok(octets) = octets
        && form != Form::Chain
        && form.usable(&now).is_some_and(first)
    {
        kept().keep(key, Arc::new(octets));
    }
    match (rest, now) {
        (true, Ok(mut found)) => {
            found.taken.retain(|taken| form.is_one(taken));
            let (now, stead) = (Ok(found), Stead::Rest);
            Reading { now, stead }
        }
        (_, now) => Reading {
            now,
            stead: Stead::Nothing,
        },
    }
}

/// A directory as it is.
#[derive(Debug)]
pub struct Listing {
    /// Its files; with those that were good before and are something else now, for [`read`] to say so.
    pub files: Vec<PathBuf>,
    /// Why it cannot be listed: then `files` are those of before.
    pub refusal: Option<Refusal>,
}

/// Lists the files of a directory.
pub fn list(directory: &Path, form: Form) -> Listing {
    let known = known_beneath(directory, form);
    match file::list(directory) {
        Ok(mut files) => {
            for path in known {
                if files.contains(&path) {
                    continue;
                }
                // A link that leads nowhere is what removing a file leaves of c_rehash's names.
                match file::look(&path) {
                    Err(Refusal::Missing) => kept().forget(&(form, path)),
                    _ => files.push(path),
                }
            }
            files.sort();
            Listing {
                files,
                refusal: None,
            }
        }
        Err(refusal) => Listing {
            files: known,
            refusal: Some(refusal),
        },
    }
}

/// What a file held when it was last good, without a look at it.
pub fn last(path: &Path, form: Form) -> Option<Found> {
    let key = (form, path.to_owned());
    let octets = kept().find(&key).cloned()?;
    kept().keep(key, Arc::clone(&octets));
    form.parse(&octets).ok()
}

fn known_beneath(directory: &Path, form: Form) -> Vec<PathBuf> {
    let kept = kept();
    let all = kept.present.keys().chain(kept.before.keys());
    let mut known: Vec<PathBuf> = all
        .filter(|(of, path)| *of == form && path.parent() == Some(directory))
        .map(|(_, path)| path.clone())
        .collect();
    known.sort();
    known.dedup();
    known
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
