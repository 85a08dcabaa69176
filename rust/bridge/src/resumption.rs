// SPDX-License-Identifier: Apache-2.0
//! Resumption for C++: shared memory, secret file, session cache, counters.
//!
//! What stands here as a `static` belongs to the process: the module is never unloaded, so it outlives every restart of
//! httpd, as ticket keys must.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mod_tls_core::metrics::Totals;
use mod_tls_core::system::forks::Kept;
use mod_tls_core::system::words::Words;
use mod_tls_core::ticket::cache_workers::{CacheWorkers, TIMEOUT};
use mod_tls_core::ticket::secret::{self, Poll, Readers};
use mod_tls_core::ticket::{
    Cache, Clock, KEY_STORE_WORDS, Keeper, SecretFile, SessionStore, SharedKeyStore, SystemClock,
    TicketProtector, Ticketer,
};
use mod_tls_core::tls::policy::{Negotiated, Sessions};

use crate::counts::{self, Counting};
use crate::forks::{Heir, keep_memory};
use crate::guard::{guard, guard_result};
use crate::shared::{self, Descriptors};

mod boundary;
mod children;
pub mod processes;
mod socache;

use boundary::ffi::{ResumptionSetup, SecretNews, SecretState};
use children::Children;
use socache::Socache;

static KEY_STORE: OnceLock<SharedKeyStore> = OnceLock::new();

/// What the configuration at hand needs, and what the parent holds; used by the parent alone, in its hooks.
static STATE: Mutex<State> = Mutex::new(State {
    secret: None,
    store: None,
    parent: None,
});

struct State {
    secret: Option<SecretFile>,
    store: Option<Arc<SessionStore>>,
    parent: Option<Parent>,
}

/// What httpd's parent alone has.
struct Parent {
    keeper: Keeper,
    words: Words,
    /// The key store's memory, to be read by children.
    key_store: Kept<OwnedFd>,
    children: Children,
}

fn with_state<R>(use_it: impl FnOnce(&mut State) -> R) -> R {
    use_it(&mut STATE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// See the bridge.
pub fn resumption_prepare() -> Result<(), String> {
    guard_result(|| {
        with_state(|state| {
            if KEY_STORE.get().is_none() {
                state.parent = Some(make_key_store().map_err(|error| error.to_string())?);
            }
            Ok(())
        })
    })
}

/// The key store has an address that is the same in all processes: the parent's mapping is taken from them, and they put
/// one that can only be read in its place.
fn make_key_store() -> io::Result<Parent> {
    let lacking = || io::Error::other("no randomness");
    let (words, memory) = shared::create(c"mod_tls sessions", KEY_STORE_WORDS, Descriptors::Read)?;
    shared::hide(words);
    keep_memory(words.as_ptr().cast(), size_of_val(words), Heir::Nobody)?;
    let counting = Counting::new(SystemClock.now())?;
    let parent = Parent {
        keeper: Keeper::new(words).ok_or_else(lacking)?,
        words,
        // Where /proc is missing the seal alone keeps others from writing.
        key_store: Kept::new(shared::reader(memory.as_fd()).unwrap_or(memory))?,
        children: Children::new(counting),
    };
    let key_store = SharedKeyStore::new(words, parent.children.counters()).ok_or_else(lacking)?;
    let _ = KEY_STORE.set(key_store);
    Ok(parent)
}

/// See the bridge.
pub fn resumption_setup(setup: &ResumptionSetup) -> SecretNews {
    guard_result(|| set_up(setup)).unwrap_or_else(|problem| SecretNews {
        state: SecretState::Unusable,
        problem,
    })
}

fn set_up(setup: &ResumptionSetup) -> Result<SecretNews, String> {
    let source = Source::of(setup)?;
    with_state(|state| {
        let mut news = SecretNews {
            state: SecretState::Same,
            problem: String::new(),
        };
        let secret = match source.as_ref().map(Source::open) {
            None => None,
            Some(Ok(secret)) => Some(secret),
            // httpd would end with a restart that fails, and all its clients with it.
            Some(Err(problem)) => {
                let before = state.secret.take();
                let kept = before.and_then(|before| source.as_ref()?.kept(before));
                news.state = SecretState::Refused;
                news.problem.clone_from(&problem);
                Some(kept.ok_or(problem)?)
            }
        };
        state.store = None;
        let (Some(key_store), Some(parent)) = (KEY_STORE.get(), &mut state.parent) else {
            return Ok(news);
        };
        let (now, keeper) = (SystemClock.now(), &mut parent.keeper);
        keeper.retain_for(u64::from(setup.retention));
        match secret {
            Some(mut secret) => {
                if let Some(before) = state.secret.take() {
                    secret.inherit(before);
                }
                secret.publish(keeper, now);
                state.secret = Some(secret);
            }
            None => {
                state.secret = None;
                keeper.issue_from_random_keys(now);
                keeper.retire_secrets(now);
            }
        }
        keeper.tick(now);
        if setup.cached {
            let cache: Arc<dyn Cache> = if setup.remote {
                Arc::new(CacheWorkers::new(Arc::new(Socache), TIMEOUT))
            } else {
                Arc::new(Socache)
            };
            state.store = Some(Arc::new(SessionStore::new(protector(*key_store), cache)));
        }
        Ok(news)
    })
}

/// The secret file that a configuration names.
struct Source<'a> {
    path: &'a Path,
    interval: u64,
    readers: Readers,
}

impl<'a> Source<'a> {
    fn of(setup: &'a ResumptionSetup) -> Result<Option<Self>, String> {
        if setup.secret.is_empty() {
            return Ok(None);
        }
        let interval = match setup.interval {
            0 => secret::DEFAULT_INTERVAL,
            seconds => u64::from(seconds),
        };
        secret::check_interval(interval, u64::from(setup.retention))?;
        Ok(Some(Self {
            path: Path::new(&setup.secret),
            interval,
            readers: match setup.open_to_others {
                true => Readers::Anybody,
                false => Readers::NoOthers,
            },
        }))
    }

    fn open(&self) -> Result<SecretFile, String> {
        SecretFile::open(self.path, self.interval, self.readers)
    }

    fn kept(&self, before: SecretFile) -> Option<SecretFile> {
        before.kept(self.path, self.interval, self.readers)
    }
}

/// See the bridge.
pub fn resumption_check(setup: &ResumptionSetup) -> String {
    guard_result(|| match Source::of(setup)? {
        Some(source) => source.open().map(drop),
        None => Ok(()),
    })
    .err()
    .unwrap_or_default()
}

/// See the bridge.
pub fn resumption_tick() -> SecretNews {
    guard(
        || SecretNews {
            state: SecretState::Same,
            problem: String::new(),
        },
        || with_state(tick),
    )
}

fn tick(state: &mut State) -> SecretNews {
    let now = SystemClock.now();
    let (news, problem) = match (&mut state.parent, &mut state.secret) {
        (Some(parent), Some(secret)) => match secret.poll(&mut parent.keeper, now) {
            Poll::Same => (SecretState::Same, String::new()),
            Poll::Replaced => (SecretState::Replaced, String::new()),
            Poll::Refused(problem) => (SecretState::Refused, problem),
        },
        (Some(parent), None) => {
            parent.keeper.tick(now);
            (SecretState::Same, String::new())
        }
        (None, _) => (SecretState::Same, String::new()),
    };
    if let Some(parent) = &mut state.parent {
        parent.children.publish(now);
    }
    SecretNews {
        state: news,
        problem,
    }
}

/// The sums of all processes. In the one process of httpd -X, which serves by itself, as of now.
pub fn totals() -> Option<Totals> {
    with_state(|state| {
        if let Some(parent) = &mut state.parent {
            parent.children.publish(SystemClock.now());
        }
    });
    counts::totals()
}

/// The part of a policy that says how its sessions are resumed.
pub fn sessions(negotiated: &Negotiated) -> Sessions {
    let ticketer = KEY_STORE
        .get()
        .filter(|_| negotiated.tickets)
        .map(|key_store| Ticketer::new(protector(*key_store)));
    let store = with_state(|state| state.store.clone());
    Sessions {
        ticketer: ticketer.map(|ticketer| Arc::new(ticketer) as _),
        store: store
            .filter(|_| negotiated.session_cache)
            .map(|store| store as _),
    }
}

fn protector(key_store: SharedKeyStore) -> TicketProtector {
    TicketProtector {
        key_store,
        clock: Arc::new(SystemClock),
    }
}
