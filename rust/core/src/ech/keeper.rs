// SPDX-License-Identifier: Apache-2.0
//! The keys that children use, kept up to date by httpd's parent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::Keys;
use super::key_sources::{InForce, KeySources, LoadedKeys};
use super::shared_keys::SharedKeys;
use crate::system::clock::{Clock, SystemClock};
use crate::system::file::FileIdentity;
use crate::system::lock;
use crate::system::words::Words;

/// Seconds between two looks at keys that the server makes.
const HOUR: u64 = 3600;

/// Seconds after which a problem that lasts is said again.
const DAY: u64 = 24 * HOUR;

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
    fn of(loaded: &Result<LoadedKeys, Vec<String>>) -> Self {
        Self {
            keys: loaded.as_ref().map_or(0, |l| l.keys.iter().count()),
            problems: match loaded {
                Ok(loaded) => loaded.problems.clone(),
                Err(problems) => problems.clone(),
            },
            ..Self::default()
        }
    }
}

fn now() -> u64 {
    SystemClock.now()
}

/// What there is to read, without making or erasing any. For the process that may read the files.
///
/// # Errors
/// All that is wrong, a sentence each.
pub fn look(sources: &KeySources) -> Result<LoadedKeys, Vec<String>> {
    sources.load(now(), false)
}

/// The same, as news.
pub fn check(sources: &KeySources) -> News {
    News::of(&look(sources))
}

/// Keeps the keys in `words` up to date; the only writer of that memory.
#[derive(Debug)]
pub struct EchKeeper {
    shared: SharedKeys,
    sources: KeySources,
    looks: Vec<(PathBuf, FileIdentity)>,
    /// When keys that are kept are looked at again, in seconds since 1970.
    due: u64,
    /// Of the keys that the server makes: when each was made, and its configuration.
    kept: Vec<(u64, Vec<u8>)>,
    problems: Vec<String>,
    /// When they were said.
    said: u64,
}

impl EchKeeper {
    /// With no keys yet; `None` where `words` are too few.
    pub fn new(words: Words) -> Option<Self> {
        Some(Self {
            shared: SharedKeys::new(words)?,
            sources: KeySources::default(),
            looks: Vec::new(),
            due: 0,
            kept: Vec::new(),
            problems: Vec::new(),
            said: 0,
        })
    }

    /// Takes up the keys of a configuration, and makes and erases some where it is time. In a server that
    /// runs, what cannot be read is said and stops nothing else: those of before stand in for it.
    pub fn configure(&mut self, sources: KeySources) -> News {
        let runs = self.shared.number() != 0;
        let loaded = self.publish(&sources, runs);
        let mut news = News::of(&loaded);
        news.kept = runs && !news.problems.is_empty();
        self.said = now();
        self.take(sources, loaded);
        news
    }

    /// Looks again where files have changed (`look`), or it is time.
    pub fn tick(&mut self, look: bool) -> News {
        let now = now();
        // A clock that went back must not keep the next look far away.
        let due =
            self.sources.kept.is_some() && (now >= self.due || self.due > now.saturating_add(HOUR));
        let changed = look && self.sources.look() != self.looks;
        if !due && !changed {
            return News::default();
        }
        let sources = self.sources.clone();
        let in_use = || self.shared.read().map(|(_, keys)| keys.encode());
        let before = in_use();
        let loaded = self.publish(&sources, true);
        let mut news = News::of(&loaded);
        if news.problems == self.problems && now.abs_diff(self.said) < DAY {
            news.problems.clear();
        } else {
            self.said = now;
        }
        news.kept = true;
        news.replaced = loaded.is_ok() && before != in_use();
        self.take(sources, loaded);
        news
    }

    /// `runs`: what cannot be read stops nothing.
    fn publish(&self, sources: &KeySources, runs: bool) -> Result<LoadedKeys, Vec<String>> {
        let loaded = match runs {
            true => sources.renew(now(), self.in_force())?,
            false => sources.load(now(), true)?,
        };
        let published = self.shared.publish(&loaded.keys);
        published.map_err(|fault| vec![fault.to_string()])?;
        Ok(loaded)
    }

    fn in_force(&self) -> InForce {
        let mut found = InForce::default();
        let keys = self.shared.read().map(|(_, keys)| keys.keys);
        for key in keys.unwrap_or_default() {
            let made = |(_, kept): &&(u64, Vec<u8>)| kept == key.encoded();
            match self.kept.iter().find(made) {
                Some((made, _)) => found.kept.push((*made, key)),
                None => found.named.push(key),
            }
        }
        found
    }

    fn take(&mut self, sources: KeySources, loaded: Result<LoadedKeys, Vec<String>>) {
        self.due = now().saturating_add(HOUR);
        match loaded {
            Ok(loaded) => {
                self.looks = match loaded.problems.is_empty() {
                    true => loaded.looks,
                    false => sources.look(),
                };
                (self.kept, self.problems) = (loaded.kept, loaded.problems);
            }
            Err(problems) => (self.looks, self.problems) = (sources.look(), problems),
        }
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
        let mut read = lock(&self.0);
        let number = shared.number();
        if read.as_ref().is_none_or(|(known, _)| *known != number)
            && let Some((number, keys)) = shared.read()
        {
            *read = Some((number, Arc::new(keys)));
        }
        read.as_ref().map(|(_, keys)| Arc::clone(keys))
    }
}

#[cfg(test)]
mod tests {
    use super::super::SUFFIX;
    use super::super::shared_keys::tests::words;
    use super::super::state::{ERASE, KeptKeys, ROTATE};
    use super::*;
    use std::fs;
    use std::path::Path;

    fn ids(keeper: &EchKeeper) -> Vec<Vec<u8>> {
        let keys = keeper.shared.read().unwrap().1;
        keys.iter().map(|key| key.encoded().to_vec()).collect()
    }

    fn age(directory: &Path, seconds: u64) {
        let paths = fs::read_dir(directory).unwrap();
        let number = |path: PathBuf| path.file_stem()?.to_str()?.parse::<u64>().ok();
        let mut all: Vec<_> = paths
            .filter_map(|file| number(file.unwrap().path()))
            .collect();
        // The oldest first: none takes another one's name.
        all.sort_unstable();
        for made in all {
            let path = |made: u64| directory.join(format!("{made}.{SUFFIX}"));
            fs::rename(path(made), path(made - seconds)).unwrap();
        }
    }

    /// Whatever lies in the directory: keys are made and erased in time, and those in force stand in for theirs.
    #[test]
    fn an_odd_file_keeps_no_key_from_being_made_or_erased() {
        let directory = std::env::temp_dir().join(format!("mod_tls-odd-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        let sources = KeySources {
            kept: Some(KeptKeys {
                public_name: "public.example".to_owned(),
                directory: directory.clone(),
                longest_name: 0,
            }),
            ..KeySources::default()
        };
        let mut keeper = EchKeeper::new(words()).unwrap();
        assert!(keeper.configure(sources.clone()).problems.is_empty());
        let first = ids(&keeper);
        fs::write(directory.join("odd.ech"), "nothing").unwrap();
        let mut seen = first.clone();
        for months in 1_usize..=3 {
            age(&directory, ROTATE);
            keeper.due = 0;
            let news = keeper.tick(true);
            assert_eq!(
                news.problems.len(),
                usize::from(months == 1),
                "said once a day"
            );
            assert!(news.kept && news.replaced);
            seen = ids(&keeper);
            assert_eq!(seen.len(), 1 + months.min(2), "{months}");
        }
        assert!(!seen.contains(&first[0]), "erased in time");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 4);
        keeper.said -= DAY;
        keeper.due = 0;
        assert_eq!(keeper.tick(true).problems.len(), 1, "and again");
        // One that turns bad is in force as long as it would be.
        let mut all: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|f| f.unwrap().path())
            .collect();
        all.sort();
        fs::write(&all[0], "broken").unwrap();
        keeper.due = 0;
        let news = keeper.tick(true);
        assert_eq!((news.problems.len(), news.replaced), (2, false));
        assert_eq!(ids(&keeper), seen);
        // So are all of them where nothing can be read any more.
        let away = directory.with_extension("away");
        let _ = fs::remove_dir_all(&away);
        fs::rename(&directory, &away).unwrap();
        fs::write(&directory, "no directory").unwrap();
        assert!(!keeper.configure(sources.clone()).problems.is_empty());
        assert_eq!(ids(&keeper), seen);
        fs::remove_file(&directory).unwrap();
        fs::rename(&away, &directory).unwrap();
        age(&directory, ERASE);
        keeper.configure(sources);
        assert_ne!(ids(&keeper), seen, "a new one, when that is possible again");
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_start_stops_at_whatever_is_odd() {
        let directory = std::env::temp_dir().join(format!("mod_tls-start-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("odd.ech"), "nothing").unwrap();
        let sources = KeySources {
            directory: Some(directory.clone()),
            ..KeySources::default()
        };
        let mut keeper = EchKeeper::new(words()).unwrap();
        let news = keeper.configure(sources);
        assert!(!news.kept && news.problems.len() == 1);
        fs::remove_dir_all(&directory).unwrap();
    }
}
