// SPDX-License-Identifier: Apache-2.0
//! Encrypted ClientHello for C++: the keys of the server, from files to the memory that children read.
//!
//! As with the keys of sessions, the parent alone writes that memory; other modules' forks do not have it, and children
//! are given it to be read.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use mod_tls_core::ech::key_sources::{KeySources, Loaded};
use mod_tls_core::ech::shared_keys::{SharedKeys, WORDS};
use mod_tls_core::ech::state::Kept;
use mod_tls_core::ech::{Keys, Source, pem};
use mod_tls_core::system::file::FileIdentity;
use mod_tls_core::system::forks::Kept as Own;
use mod_tls_core::system::words::Words;

use crate::forks::{Heir, keep_memory};
use crate::guard::guard;
use crate::shared::{self, Descriptors};

mod boundary;

use boundary::ffi::{EchKey, EchKeySources, EchNews};

static MEMORY: OnceLock<Words> = OnceLock::new();

/// What the parent holds; used by it alone, in its hooks.
static PARENT: Mutex<Option<Parent>> = Mutex::new(None);

struct Parent {
    /// The memory, to be read by children.
    reader: Own<OwnedFd>,
    sources: KeySources,
    looks: Vec<(PathBuf, FileIdentity)>,
    /// When keys that are kept are looked at again, in seconds since 1970.
    due: u64,
    problems: Vec<String>,
}

/// Seconds between two looks at keys that the server makes.
const HOUR: u64 = 3600;

/// What this process read last, with its number.
static READ: Mutex<Option<(u64, Arc<Keys>)>> = Mutex::new(None);

/// The keys of this process, for sessions.
pub struct Held;

/// The one there is.
pub static HELD: Held = Held;

impl Source for Held {
    fn keys(&self) -> Option<Arc<Keys>> {
        let shared = SharedKeys::new(MEMORY.get()?)?;
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let number = shared.number();
        if read.as_ref().is_none_or(|(known, _)| *known != number)
            && let Some((number, keys)) = shared.read()
        {
            *read = Some((number, Arc::new(keys)));
        }
        read.as_ref().map(|(_, keys)| keys.clone())
    }
}

impl From<&EchKeySources> for KeySources {
    fn from(sources: &EchKeySources) -> Self {
        let path = |name: &String| Some(PathBuf::from(name)).filter(|_| !name.is_empty());
        Self {
            files: sources.files.iter().map(PathBuf::from).collect(),
            directory: path(&sources.directory),
            kept: path(&sources.state_directory).map(|directory| Kept {
                public_name: sources.public_name.clone(),
                directory,
                longest_name: sources.longest_name,
            }),
            padding: sources.padding,
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn with_parent<R>(use_it: impl FnOnce(&mut Option<Parent>) -> R) -> R {
    use_it(&mut PARENT.lock().unwrap_or_else(PoisonError::into_inner))
}

fn news(keys: usize, problems: Vec<String>) -> EchNews {
    EchNews {
        keys: u32::try_from(keys).unwrap_or(u32::MAX),
        replaced: false,
        kept: false,
        problems,
    }
}

fn broken() -> EchNews {
    news(
        0,
        vec!["internal error: a panic was caught; please report it".to_owned()],
    )
}

/// See the bridge.
pub fn ech_check(sources: &EchKeySources) -> EchNews {
    guard(broken, || {
        match KeySources::from(sources).load(now(), false) {
            Ok(loaded) => news(loaded.keys.iter().count(), Vec::new()),
            Err(problems) => news(0, problems),
        }
    })
}

/// See the bridge.
pub fn ech_keys(sources: &EchKeySources) -> Vec<EchKey> {
    guard(Vec::new, || {
        let Ok(loaded) = KeySources::from(sources).load(now(), false) else {
            return Vec::new();
        };
        let facts = loaded.keys.iter().map(|key| EchKey {
            public_name: key.config().public_name.clone(),
            config_id: key.config().id,
            published: key.is_for_retry(),
        });
        facts.collect()
    })
}

/// See the bridge.
pub fn ech_list(sources: &EchKeySources) -> String {
    guard(String::new, || {
        let loaded = KeySources::from(sources).load(now(), false);
        loaded.map_or_else(|_| String::new(), |loaded| pem::base64(loaded.keys.retry()))
    })
}

/// See the bridge.
pub fn ech_prepare(sources: &EchKeySources) -> EchNews {
    guard(broken, || prepare(KeySources::from(sources)))
}

fn prepare(sources: KeySources) -> EchNews {
    with_parent(|parent| {
        if sources.is_empty() && parent.is_none() {
            return news(0, Vec::new());
        }
        let loaded = sources.load(now(), true);
        // A server that runs goes on with what it has.
        let before = parent.is_some();
        let made = loaded.and_then(|loaded| {
            if parent.is_none() {
                *parent =
                    Some(make().map_err(|error| vec![format!("no memory for keys: {error}")])?);
            }
            let count = loaded.keys.iter().count();
            publish(&loaded.keys)?;
            Ok((count, loaded))
        });
        let mut news = match &made {
            Ok((count, _)) => news(*count, Vec::new()),
            Err(problems) => news(0, problems.clone()),
        };
        news.kept = before && made.is_err();
        if let Some(parent) = parent {
            parent.take(sources, made.map(|(_, loaded)| loaded));
        }
        news
    })
}

impl Parent {
    fn take(&mut self, sources: KeySources, made: Result<Loaded, Vec<String>>) {
        self.looks = sources.look();
        self.due = now() + HOUR;
        self.sources = sources;
        match made {
            Ok(loaded) => {
                self.looks = loaded.looks;
                self.problems = Vec::new();
            }
            Err(problems) => self.problems = problems,
        }
    }
}

fn make() -> io::Result<Parent> {
    let words = match MEMORY.get() {
        Some(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        None => shared::create(c"mod_tls names", WORDS, Descriptors::Read)?,
    };
    let (words, memory) = words;
    shared::hide(words);
    keep_memory(words.as_ptr().cast(), size_of_val(words), Heir::Nobody)?;
    let reader = Own::new(shared::reader(memory.as_fd())?)?;
    let _ = MEMORY.set(words);
    Ok(Parent {
        reader,
        sources: KeySources::default(),
        looks: Vec::new(),
        due: 0,
        problems: Vec::new(),
    })
}

fn publish(keys: &Keys) -> Result<(), Vec<String>> {
    let shared = MEMORY.get().and_then(|words| SharedKeys::new(words));
    let shared = shared.ok_or_else(|| vec!["there is no memory for keys".to_owned()])?;
    shared.publish(keys).map_err(|problem| vec![problem])
}

/// See the bridge.
pub fn ech_tick(look: bool) -> EchNews {
    guard(broken, || {
        with_parent(|parent| match parent {
            Some(parent) => tick(parent, look),
            None => news(0, Vec::new()),
        })
    })
}

fn tick(parent: &mut Parent, look: bool) -> EchNews {
    let now = now();
    // A clock that went back must not keep the next look far away.
    let due = parent.sources.kept.is_some() && (now >= parent.due || parent.due > now + HOUR);
    let changed = look && parent.sources.look() != parent.looks;
    if !due && !changed {
        return news(0, Vec::new());
    }
    let sources = parent.sources.clone();
    let shared = SharedKeys::new(MEMORY.get().copied().unwrap_or(&[]));
    let before = shared.and_then(|shared| Some(shared.read()?.1.encode()));
    let loaded = sources.load(now, true).and_then(|loaded| {
        publish(&loaded.keys)?;
        Ok(loaded)
    });
    let mut news = match &loaded {
        Ok(loaded) => news(loaded.keys.iter().count(), Vec::new()),
        Err(problems) if *problems == parent.problems => news(0, Vec::new()),
        Err(problems) => news(0, problems.clone()),
    };
    news.kept = true;
    let differs = |loaded: &Loaded| before.is_none_or(|before| before != loaded.keys.encode());
    news.replaced = loaded.as_ref().is_ok_and(differs);
    parent.take(sources, loaded);
    news
}

/// Gives what a child of the MPM gets of this to `give`: the memory to be read, where there is any.
pub fn with_reader<R>(give: impl FnOnce(Option<BorrowedFd<'_>>) -> R) -> R {
    with_parent(|parent| give(parent.as_ref().map(|parent| parent.reader.as_fd())))
}

/// In a child: takes that. `None`: there was nothing to give.
pub fn become_child(memory: Option<&OwnedFd>) {
    with_parent(|parent| *parent = None);
    let (Some(memory), Some(words)) = (memory, MEMORY.get()) else {
        return;
    };
    // SAFETY: whole pages; nothing of this process has read them since the fork.
    if unsafe { shared::replace(memory, words, false) }.is_ok() {
        shared::hide(words);
    }
}
