// SPDX-License-Identifier: Apache-2.0
//! Resumption for C++: shared memory, secret file, session cache, counters.
//!
//! What stands here as a `static` belongs to the process: the module is never unloaded, so it outlives every restart of
//! httpd, as ticket keys must.

use std::error::Error;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mod_tls_core::metrics::Totals;
use mod_tls_core::system::clock::{Clock, SystemClock};
use mod_tls_core::system::forks::Kept;
use mod_tls_core::system::words::Words;
use mod_tls_core::ticket::secret::{DEFAULT_INTERVAL, Poll, Readers};
use mod_tls_core::ticket::setup::{Resuming, Setup, Source};
use mod_tls_core::ticket::{KEY_STORE_WORDS, Keeper, SecretError, SharedKeyStore};
use mod_tls_core::tls::policy::{Negotiated, Sessions};

use crate::counts::{self, Counting};
use crate::forks::{Heir, keep_memory};
use crate::guard::{Thrown, guard, guard_result};
use crate::shared::{self, Descriptors};

mod boundary;
mod children;
pub(crate) mod processes;
mod socache;

use boundary::ffi::{ResumptionSetup, SecretNews, SecretState};
use children::Children;
use socache::Socache;

static KEY_STORE: OnceLock<SharedKeyStore> = OnceLock::new();

/// What the configuration at hand needs, and what the parent holds; used by the parent alone, in its hooks.
static STATE: Mutex<State> = Mutex::new(State {
    resuming: Resuming::new(),
    parent: None,
});

struct State {
    resuming: Resuming,
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

/// Makes the shared memory; see the boundary.
pub(crate) fn resumption_prepare() -> Result<(), Thrown> {
    guard_result(|| Ok(with_state(prepare)?))
}

fn prepare(state: &mut State) -> io::Result<()> {
    if KEY_STORE.get().is_none() {
        state.parent = Some(make_key_store()?);
    }
    Ok(())
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

/// Reads the secret file; see the boundary.
pub(crate) fn resumption_setup(setup: &ResumptionSetup) -> SecretNews {
    guard_result(|| Ok(with_state(|state| state.configure(&setup.into()))?))
        .map_or_else(|thrown| SecretNews::unusable(&*thrown), SecretNews::from)
}

impl State {
    fn configure(&mut self, setup: &Setup) -> Result<Poll, SecretError> {
        let keeper = self.parent.as_mut().map(|parent| &mut parent.keeper);
        let keys = keeper.zip(KEY_STORE.get().copied());
        self.resuming.configure(setup, keys, Arc::new(Socache))
    }

    fn tick(&mut self) -> Poll {
        let Some(parent) = &mut self.parent else {
            return Poll::Same;
        };
        let now = SystemClock.now();
        let news = self.resuming.tick(&mut parent.keeper, now);
        parent.children.publish(now);
        news
    }
}

/// What is wrong with the secret file; empty where nothing is.
pub(crate) fn resumption_check(setup: &ResumptionSetup) -> String {
    let checked = guard_result(|| Ok(Setup::from(setup).check()?));
    checked.map_or_else(|thrown| thrown.to_string(), |()| String::new())
}

/// Looks at the secret file again; see the boundary.
pub(crate) fn resumption_tick() -> SecretNews {
    guard(|| Poll::Same, || with_state(State::tick)).into()
}

/// The sums of all processes. In the one process of httpd -X, which serves by itself, as of now.
pub(crate) fn totals() -> Option<Totals> {
    with_state(|state| {
        if let Some(parent) = &mut state.parent {
            parent.children.publish(SystemClock.now());
        }
    });
    counts::totals()
}

/// The part of a policy that says how its sessions are resumed.
pub(crate) fn sessions(negotiated: &Negotiated) -> Sessions {
    let key_store = KEY_STORE.get().copied();
    with_state(|state| state.resuming.sessions(negotiated, key_store))
}

impl SecretNews {
    fn unusable(thrown: &dyn Error) -> Self {
        let (state, problem) = (SecretState::Unusable, thrown.to_string());
        Self { state, problem }
    }
}

impl From<Poll> for SecretNews {
    fn from(poll: Poll) -> Self {
        let (state, problem) = match poll {
            Poll::Same => (SecretState::Same, String::new()),
            Poll::Replaced => (SecretState::Replaced, String::new()),
            Poll::Refused(problem) => (SecretState::Refused, problem),
        };
        Self { state, problem }
    }
}

impl From<&ResumptionSetup> for Setup {
    fn from(setup: &ResumptionSetup) -> Self {
        Self {
            secret: (!setup.secret.is_empty()).then(|| setup.into()),
            retention: u64::from(setup.retention),
            cached: setup.cached,
            remote: setup.remote,
        }
    }
}

impl From<&ResumptionSetup> for Source {
    fn from(setup: &ResumptionSetup) -> Self {
        Self {
            path: PathBuf::from(&setup.secret),
            interval: match setup.interval {
                0 => DEFAULT_INTERVAL,
                seconds => u64::from(seconds),
            },
            readers: match setup.open_to_others {
                true => Readers::Anybody,
                false => Readers::NoOthers,
            },
        }
    }
}
