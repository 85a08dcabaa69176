//! Resumption for C++: shared memory, secret file, session cache, counters.
//!
//! What stands here as a `static` belongs to the process: the module is never unloaded, so it outlives every restart of
//! httpd, as ticket keys must.

use core::sync::atomic::AtomicU64;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use mod_tls_core::policy::Sessions;
use mod_tls_core::ticket::counters::{Counter, ROWS};
use mod_tls_core::ticket::courier::{Courier, PATIENCE};
use mod_tls_core::ticket::secret::{self, Poll};
use mod_tls_core::ticket::store::Stored;
use mod_tls_core::ticket::{
    BOARD_WORDS, Board, Cache, Clock, Lookup, Sealer, SecretFile, SessionStore, SystemClock,
    Ticketer,
};

use crate::ffi::{
    self, CacheAnswer, CounterRow, PolicySpec, ResumptionSetup, SecretNews, SecretState,
};
use crate::guard::{guard, guard_result};

static BOARD: OnceLock<Board> = OnceLock::new();

/// What the configuration at hand needs; used by the parent alone, in post_config and its monitor.
static STATE: Mutex<State> = Mutex::new(State {
    secret: None,
    store: None,
});

struct State {
    secret: Option<SecretFile>,
    store: Option<Arc<SessionStore>>,
}

fn with_state<R>(use_it: impl FnOnce(&mut State) -> R) -> R {
    use_it(&mut STATE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// See the bridge.
pub fn resumption_memory() -> usize {
    guard(|| 0, || BOARD_WORDS * size_of::<AtomicU64>())
}

/// See the bridge.
///
/// # Safety
///
/// `memory` is page-aligned, zero at first, as long as `resumption_memory` says, and mapped until the process ends.
pub unsafe fn resumption_attach(memory: *mut u8) -> bool {
    guard(
        || false,
        || {
            // SAFETY: the caller's promise; other processes that share the mapping touch it only by atomics of this code.
            let words =
                unsafe { core::slice::from_raw_parts(memory.cast::<AtomicU64>(), BOARD_WORDS) };
            match Board::new(words) {
                Some(board) if board.prepare() => BOARD.set(board).is_ok(),
                _ => false,
            }
        },
    )
}

/// See the bridge.
pub fn resumption_setup(setup: &ResumptionSetup) -> Result<(), String> {
    guard_result(|| {
        let secret = open_secret(setup)?;
        with_state(|state| {
            state.store = None;
            let Some(board) = BOARD.get() else { return };
            let now = SystemClock.now();
            board.retain_for(u64::from(setup.retention));
            match secret {
                Some(mut secret) => {
                    if let Some(before) = state.secret.take() {
                        secret.inherit(before);
                    }
                    secret.publish(board, now);
                    state.secret = Some(secret);
                }
                None => {
                    state.secret = None;
                    board.issue_from_random_keys();
                    board.retire_secrets(now);
                }
            }
            if setup.cached {
                let cache: Arc<dyn Cache> = if setup.remote {
                    Arc::new(Courier::new(Arc::new(Socache), PATIENCE))
                } else {
                    Arc::new(Socache)
                };
                state.store = Some(Arc::new(SessionStore::new(sealer(*board), cache)));
            }
        });
        Ok(())
    })
}

fn open_secret(setup: &ResumptionSetup) -> Result<Option<SecretFile>, String> {
    if setup.secret.is_empty() {
        return Ok(None);
    }
    let interval = match setup.interval {
        0 => secret::DEFAULT_INTERVAL,
        seconds => u64::from(seconds),
    };
    secret::check_interval(interval, u64::from(setup.retention))?;
    SecretFile::open(Path::new(&setup.secret), interval).map(Some)
}

/// See the bridge.
pub fn resumption_check(setup: &ResumptionSetup) -> String {
    guard_result(|| open_secret(setup))
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
    let (news, problem) = match (BOARD.get(), &mut state.secret) {
        (Some(board), Some(secret)) => match secret.poll(board, now) {
            Poll::Same => (SecretState::Same, String::new()),
            Poll::Replaced => (SecretState::Replaced, String::new()),
            Poll::Refused(problem) => (SecretState::Refused, problem),
        },
        (Some(board), None) => {
            board.erase_old(now);
            (SecretState::Same, String::new())
        }
        (None, _) => (SecretState::Same, String::new()),
    };
    SecretNews {
        state: news,
        problem,
    }
}

/// See the bridge.
pub fn resumption_forget_secret() {
    guard(|| (), || with_state(|state| state.secret = None));
}

/// Counts one, where there is memory for it.
pub fn count(counter: Counter) {
    if let Some(board) = BOARD.get() {
        board.counters.add(counter);
    }
}

/// See the bridge.
pub fn resumption_counters() -> Vec<CounterRow> {
    guard(Vec::new, || {
        let Some(board) = BOARD.get() else {
            return Vec::new();
        };
        let row = |(counter, name, help): &(_, &str, &str)| CounterRow {
            name: (*name).to_owned(),
            help: (*help).to_owned(),
            value: board.counters.sum(*counter),
        };
        ROWS.iter().map(row).collect()
    })
}

/// The part of a policy that says how its sessions are resumed.
pub fn sessions(spec: &PolicySpec) -> Sessions {
    let ticketer = BOARD
        .get()
        .filter(|_| spec.tickets)
        .map(|board| Ticketer::new(sealer(*board)));
    let store = with_state(|state| state.store.clone());
    Sessions {
        ticketer: ticketer.map(|ticketer| Arc::new(ticketer) as _),
        store: store.filter(|_| spec.cached).map(|store| store as _),
        tickets: usize::from(spec.ticket_count),
        tls13_lifetime: spec.tls13_lifetime,
        tls12_lifetime: spec.tls12_lifetime,
        short_with_clients: spec.short_with_clients,
    }
}

fn sealer(board: Board) -> Sealer {
    Sealer {
        board,
        clock: Arc::new(SystemClock),
    }
}

/// httpd's socache provider, on the other side of the bridge.
#[derive(Debug)]
struct Socache;

/// Octets of the largest entry kept: a session with a client's certificate chain.
const LARGEST_ENTRY: usize = 16_384;

impl Socache {
    fn fetch(ask: impl FnOnce(&mut [u8], &mut usize) -> CacheAnswer) -> Lookup {
        let mut entry = vec![0; LARGEST_ENTRY];
        let mut length = 0;
        match ask(&mut entry, &mut length) {
            CacheAnswer::Done => {
                entry.truncate(length);
                Lookup::Found(entry)
            }
            CacheAnswer::Refused => Lookup::Missing,
            _ => Lookup::Failed,
        }
    }
}

impl Cache for Socache {
    fn put(&self, key: &[u8], value: &[u8], expiry: u64) -> Stored {
        if value.len() > LARGEST_ENTRY {
            return Stored::No;
        }
        match ffi::cache_put(key, value, expiry) {
            CacheAnswer::Done => Stored::Yes,
            CacheAnswer::Refused => Stored::No,
            _ => Stored::Failed,
        }
    }

    fn get(&self, key: &[u8]) -> Lookup {
        Self::fetch(|entry, length| ffi::cache_get(key, entry, length))
    }

    fn take(&self, key: &[u8]) -> Lookup {
        Self::fetch(|entry, length| ffi::cache_take(key, entry, length))
    }

    fn report(&self, failures: u64) {
        ffi::cache_report(failures);
    }
}
