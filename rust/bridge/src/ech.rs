// SPDX-License-Identifier: Apache-2.0
//! Encrypted ClientHello for C++: the keys of the server, from files to the memory that children read.
//!
//! As with the keys of sessions, the parent alone writes that memory; other modules' forks do not have it, and children
//! are given it to be read.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mod_tls_core::ech::keeper::{self, EchKeeper, News};
use mod_tls_core::ech::key_sources::KeySources;
use mod_tls_core::ech::shared_keys::WORDS;
use mod_tls_core::ech::state::KeptKeys;
use mod_tls_core::ech::{Key, Keys, Source, pem};
use mod_tls_core::system::forks::Kept as Own;
use mod_tls_core::system::words::Words;

use crate::forks::{Heir, keep_memory};
use crate::guard::{PANICKED, guard};
use crate::shared::{self, Descriptors};

mod boundary;

use boundary::ffi::{EchKey, EchKeySources, EchNews};

static MEMORY: OnceLock<Words> = OnceLock::new();

/// What the parent holds; used by it alone, in its hooks.
static PARENT: Mutex<Option<Parent>> = Mutex::new(None);

struct Parent {
    /// The memory, to be read by children.
    reader: Own<OwnedFd>,
    keeper: EchKeeper,
}

/// The keys of this process, for sessions.
pub(crate) struct Held;

/// The one there is.
pub(crate) static HELD: Held = Held;

impl Source for Held {
    fn keys(&self) -> Option<Arc<Keys>> {
        static READ: keeper::Held = keeper::Held::new();
        READ.keys(MEMORY.get()?)
    }
}

fn with_parent<R>(use_it: impl FnOnce(&mut Option<Parent>) -> R) -> R {
    use_it(&mut PARENT.lock().unwrap_or_else(PoisonError::into_inner))
}

fn panicked() -> News {
    problem(PANICKED.to_owned())
}

fn problem(text: String) -> News {
    let problems = vec![text];
    News {
        problems,
        ..News::default()
    }
}

/// What is wrong with the keys; see the boundary.
pub(crate) fn ech_check(sources: &EchKeySources) -> EchNews {
    guard(panicked, || keeper::check(&sources.into())).into()
}

/// Every key that there is.
pub(crate) fn ech_keys(sources: &EchKeySources) -> Vec<EchKey> {
    guard(Vec::new, || {
        let loaded = keeper::look(&sources.into()).ok();
        let keys = loaded.iter().flat_map(|loaded| loaded.keys.iter());
        keys.map(EchKey::from).collect()
    })
}

/// What DNS should say of them.
pub(crate) fn ech_list(sources: &EchKeySources) -> String {
    guard(String::new, || {
        let loaded = keeper::look(&sources.into());
        loaded.map_or_else(|_| String::new(), |loaded| pem::base64(loaded.keys.retry()))
    })
}

/// What clients are told now; see the boundary.
pub(crate) fn ech_held_list() -> String {
    guard(String::new, || {
        let keys = HELD.keys().filter(|keys| !keys.is_empty());
        keys.map_or_else(String::new, |keys| pem::base64(keys.retry()))
    })
}

/// Takes up the keys of a configuration; see the boundary.
pub(crate) fn ech_prepare(sources: &EchKeySources) -> EchNews {
    guard(panicked, || {
        with_parent(|parent| prepare(parent, sources.into()))
    })
    .into()
}

fn prepare(parent: &mut Option<Parent>, sources: KeySources) -> News {
    match parent {
        Some(parent) => parent.keeper.configure(sources),
        None if sources.is_empty() => News::default(),
        None => match make() {
            Ok(made) => parent.insert(made).keeper.configure(sources),
            Err(error) => problem(format!("no memory for keys: {error}")),
        },
    }
}

fn make() -> io::Result<Parent> {
    if MEMORY.get().is_some() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (words, memory) = shared::create(c"mod_tls names", WORDS, Descriptors::Read)?;
    shared::hide(words);
    keep_memory(words.as_ptr().cast(), size_of_val(words), Heir::Nobody)?;
    let reader = Own::new(shared::reader(memory.as_fd())?)?;
    let keeper = EchKeeper::new(MEMORY.get_or_init(|| words)).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Parent { reader, keeper })
}

/// Looks at the keys again; see the boundary.
pub(crate) fn ech_tick(look: bool) -> EchNews {
    let tick = |parent: &mut Option<Parent>| Some(parent.as_mut()?.keeper.tick(look));
    guard(panicked, || with_parent(tick).unwrap_or_default()).into()
}

/// Gives what a child of the MPM gets of this to `give`: the memory to be read, where there is any.
pub(crate) fn with_reader<R>(give: impl FnOnce(Option<BorrowedFd<'_>>) -> R) -> R {
    with_parent(|parent| give(parent.as_ref().map(|parent| parent.reader.as_fd())))
}

/// In a child: takes that. `None`: there was nothing to give.
pub(crate) fn become_child(memory: Option<&OwnedFd>) {
    with_parent(|parent| *parent = None);
    let (Some(memory), Some(words)) = (memory, MEMORY.get()) else {
        return;
    };
    // SAFETY: whole pages; nothing of this process has read them since the fork.
    if unsafe { shared::replace(memory, words, false) }.is_ok() {
        shared::hide(words);
    }
}

impl From<News> for EchNews {
    fn from(news: News) -> Self {
        Self {
            keys: u32::try_from(news.keys).unwrap_or(u32::MAX),
            replaced: news.replaced,
            kept: news.kept,
            problems: news.problems,
        }
    }
}

impl From<&Key> for EchKey {
    fn from(key: &Key) -> Self {
        Self {
            public_name: key.config().public_name.clone(),
            config_id: key.config().id,
            published: key.is_for_retry(),
        }
    }
}

impl From<&EchKeySources> for KeySources {
    fn from(sources: &EchKeySources) -> Self {
        let path = |name: &String| Some(PathBuf::from(name)).filter(|_| !name.is_empty());
        Self {
            files: sources.files.iter().map(PathBuf::from).collect(),
            directory: path(&sources.directory),
            kept: path(&sources.state_directory).map(|directory| KeptKeys {
                public_name: sources.public_name.clone(),
                directory,
                longest_name: sources.longest_name,
            }),
            padding: sources.padding,
        }
    }
}
