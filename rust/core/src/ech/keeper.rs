// SPDX-License-Identifier: Apache-2.0
//! The keys that children use, kept up to date by httpd's parent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Keys;
use super::key_sources::{KeySources, Loaded};
use super::shared_keys::SharedKeys;
use crate::system::file::FileIdentity;
use crate::system::words::Words;

/// Seconds between two looks at keys that the server makes.
const HOUR: u64 = 3600;

/// What looking for keys came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// How many are in use.
    pub keys: usize,
    /// They are others than before.
    pub replaced: bool,
    /// Those of before stay in use, where there are problems.
    pub kept: bool,
    /// A sentence each.
    pub problems: Vec<String>,
}

impl News {
    /// What loading came to.
    fn of(loaded: &Result<Loaded, Vec<String>>) -> Self {
        Self {
            keys: loaded.as_ref().map_or(0, |l| l.keys.iter().count()),
            problems: loaded.as_ref().err().cloned().unwrap_or_default(),
            ..Self::default()
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// What there is to read, without making or erasing any. For the process that may read the files.
///
/// # Errors
/// All that is wrong, a sentence each.
pub fn look(sources: &KeySources) -> Result<Loaded, Vec<String>> {
    sources.load(now(), false)
}

/// The same, as news.
pub fn check(sources: &KeySources) -> News {
    News::of(&look(sources))
}

/// Keeps the keys in `words` up to date; the only writer of that memory.
#[derive(Debug)]
pub struct Keeper {
    shared: SharedKeys,
    sources: KeySources,
    looks: Vec<(PathBuf, FileIdentity)>,
    /// When keys that are kept are looked at again, in seconds since 1970.
    due: u64,
    problems: Vec<String>,
}

impl Keeper {
    /// With no keys yet; `None` where `words` are too few.
    pub fn new(words: Words) -> Option<Self> {
        Some(Self {
            shared: SharedKeys::new(words)?,
            sources: KeySources::default(),
            looks: Vec::new(),
            due: 0,
            problems: Vec::new(),
        })
    }

    /// Takes up the keys of a configuration, and makes and erases some where it is time. A server that
    /// runs goes on with those of before where these cannot be had.
    pub fn configure(&mut self, sources: KeySources) -> News {
        let runs = self.shared.number() != 0;
        let loaded = self.publish(&sources);
        let mut news = News::of(&loaded);
        news.kept = runs && loaded.is_err();
        self.take(sources, loaded);
        news
    }

    /// Looks again where files have changed (`look`), or it is time.
    pub fn tick(&mut self, look: bool) -> News {
        let now = now();
        // A clock that went back must not keep the next look far away.
        let due = self.sources.kept.is_some() && (now >= self.due || self.due > now + HOUR);
        let changed = look && self.sources.look() != self.looks;
        if !due && !changed {
            return News::default();
        }
        let sources = self.sources.clone();
        let before = self.shared.read().map(|(_, keys)| keys.encode());
        let loaded = self.publish(&sources);
        let mut news = News::of(&loaded);
        if news.problems == self.problems {
            news.problems.clear();
        }
        news.kept = true;
        let differs = |loaded: &Loaded| before.is_none_or(|before| before != loaded.keys.encode());
        news.replaced = loaded.as_ref().is_ok_and(differs);
        self.take(sources, loaded);
        news
    }

    fn publish(&self, sources: &KeySources) -> Result<Loaded, Vec<String>> {
        let loaded = sources.load(now(), true)?;
        let published = self.shared.publish(&loaded.keys);
        published.map_err(|problem| vec![problem])?;
        Ok(loaded)
    }

    fn take(&mut self, sources: KeySources, loaded: Result<Loaded, Vec<String>>) {
        self.due = now() + HOUR;
        (self.looks, self.problems) = match loaded {
            Ok(loaded) => (loaded.looks, Vec::new()),
            Err(problems) => (sources.look(), problems),
        };
        self.sources = sources;
    }
}

/// What a process has read of that memory last, with its number.
#[derive(Debug, Default)]
pub struct Held(Mutex<Option<(u64, Arc<Keys>)>>);

impl Held {
    /// Nothing read yet.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The keys that `words` have now. Any thread.
    pub fn keys(&self, words: Words) -> Option<Arc<Keys>> {
        let shared = SharedKeys::new(words)?;
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = shared.number();
        if read.as_ref().is_none_or(|(known, _)| *known != number)
            && let Some((number, keys)) = shared.read()
        {
            *read = Some((number, Arc::new(keys)));
        }
        read.as_ref().map(|(_, keys)| Arc::clone(keys))
    }
}
