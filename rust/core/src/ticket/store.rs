// SPDX-License-Identifier: Apache-2.0
//! Sessions kept by the server: TLS 1.2 session ids, and TLS 1.3 without stateless tickets.
//!
//! What keeps them is behind [`Cache`]: one of httpd's providers, perhaps on another machine. Nothing that comes back from
//! there is trusted before it is opened, and nothing that goes there can be read.

pub use super::cache::{Cache, Lookup, Stored};
use super::circuit_breaker::CircuitBreaker;
use super::session_state::Refusal;
use super::ticket_protector::{Kind, TicketProtector};
use super::ticketer::binding;
use crate::metrics::{self, Counter, Histogram};
use crate::tls::context;
use crate::tls::context::Context;
use core::fmt::Debug;
use core::sync::atomic::{AtomicU64, Ordering};
use rustls::server::StoresServerSessions;
use std::sync::Arc;
use std::time::Instant;

/// The sessions of a server in a cache. Which connection it works for, it learns from the thread's context.
#[derive(Debug)]
pub struct SessionStore {
    protector: TicketProtector,
    cache: Arc<dyn Cache>,
    circuit_breaker: CircuitBreaker,
    /// When the last report was (seconds since 1970).
    reported: AtomicU64,
}

const EXPIRY_LEN: usize = 8;

impl SessionStore {
    /// A store of sessions sealed by `protector` in `cache`.
    pub fn new(protector: TicketProtector, cache: Arc<dyn Cache>) -> Self {
        Self {
            protector,
            cache,
            circuit_breaker: CircuitBreaker::default(),
            reported: AtomicU64::new(0),
        }
    }

    fn store(&self, context: &mut Context, id: &[u8], value: &[u8]) -> bool {
        // A TLS 1.2 session resumed just now stands in the cache already, or in a ticket.
        if context.resumption.accepted_now() || context.pending.is_some() {
            return false;
        }
        let now = self.protector.clock.now();
        let to = binding(context);
        let expiry = now.saturating_add(u64::from(to.lifetime));
        let provenance = context.resumption.provenance(now);
        let Some(sealed) = self
            .protector
            .seal(Kind::Entry { id, expiry }, &to, provenance, value)
        else {
            return false;
        };
        let entry = [&expiry.to_be_bytes()[..], &sealed].concat();
        let outcome = self.circuit_breaker.call(now, || {
            let outcome = timed(|| self.cache.put(id, &entry, expiry));
            (outcome != Stored::Failed, outcome)
        });
        let stored = outcome == Some(Stored::Yes);
        match outcome {
            Some(Stored::Yes) => self.count(Counter::CacheStored),
            Some(_) => {}
            None => self.failed(now),
        }
        if stored {
            context.resumption.cached_id = id.to_vec();
        }
        stored
    }

    fn find(
        &self,
        context: &mut Context,
        id: &[u8],
        ask: impl FnOnce() -> Lookup,
    ) -> Option<Vec<u8>> {
        if !context.resumption.look() {
            return None;
        }
        let now = self.protector.clock.now();
        let answer = self.circuit_breaker.call(now, || {
            let answer = timed(ask);
            (answer != Lookup::Failed, answer)
        });
        let entry = match answer {
            Some(Lookup::Found(entry)) => entry,
            Some(Lookup::Missing) => {
                self.count(Counter::CacheMisses);
                return None;
            }
            Some(Lookup::Failed) | None => {
                self.failed(now);
                return None;
            }
        };
        match self.open(context, id, &entry) {
            Ok(value) => {
                self.count(Counter::CacheHits);
                Some(value)
            }
            Err(_) => {
                self.count(Counter::CacheRefused);
                None
            }
        }
    }

    fn open(&self, context: &mut Context, id: &[u8], entry: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (expiry, sealed) = entry
            .split_at_checked(EXPIRY_LEN)
            .ok_or(Refusal::Malformed)?;
        let expiry = expiry
            .try_into()
            .map(u64::from_be_bytes)
            .map_err(|_| Refusal::Malformed)?;
        if expiry <= self.protector.clock.now() {
            return Err(Refusal::Expired);
        }
        let kind = Kind::Entry { id, expiry };
        let (value, provenance) = self.protector.open(kind, &binding(context), sealed)?;
        context.resumption.accept(provenance);
        Ok(value)
    }

    /// Counts a failure, or a call not made after one, and says so once a minute. Each process for itself: what silences
    /// the others' reports would be a word that all of them can write.
    fn failed(&self, now: u64) {
        self.count(Counter::CacheFailures);
        if self.is_first_of_minute(now) {
            let counters = &self.protector.key_store.counters;
            self.cache.report(counters.own(Counter::CacheFailures));
        }
    }

    fn is_first_of_minute(&self, now: u64) -> bool {
        let last = self.reported.load(Ordering::Relaxed);
        let due = now >= last.saturating_add(60) || last > now;
        due && self
            .reported
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn count(&self, counter: Counter) {
        self.protector.key_store.counters.add(counter, 1);
    }
}

/// Asks the cache, and notes how long that took.
fn timed<R>(ask: impl FnOnce() -> R) -> R {
    let began = Instant::now();
    let answer = ask();
    metrics::observe(Histogram::CacheCall, began.elapsed());
    answer
}

impl StoresServerSessions for SessionStore {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        context::with(|context| self.store(context, &key, &value)).unwrap_or(false)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        context::with(|context| self.find(context, key, || self.cache.get(key))).flatten()
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        context::with(|context| self.find(context, key, || self.cache.take(key))).flatten()
    }

    /// Asked in the hello: whether a TLS 1.2 session gets an id to be cached under. With a ticket it needs none.
    fn can_cache(&self) -> bool {
        let wanted = context::with(|context| !context.resumption.uses_tickets).unwrap_or(false);
        wanted && self.circuit_breaker.closed(self.protector.clock.now())
    }
}
