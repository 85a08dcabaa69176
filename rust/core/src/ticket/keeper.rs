// SPDX-License-Identifier: Apache-2.0
//! The one writer of the shared memory: httpd's parent. Its own copy of every number decides; what stands in the memory
//! is for the others, and is never read back.

use super::aead::KEY_LEN;
use super::key_ring::{KeyBytes, KeyRingWriter};
use super::shared_key_store::{
    AHEAD, HEADER_WORDS, INTERVAL, ISSUING, KEY_RINGS, MAX_LIFETIME, Parts, RANDOM, RETENTION, SKEW,
};
use crate::system::words::store;
use core::sync::atomic::AtomicU64;
use zeroize::Zeroizing;

/// The parent's hand on the key store. One for each memory, for ever.
#[derive(Debug)]
pub struct Keeper {
    header: &'static [AtomicU64; HEADER_WORDS],
    key_rings: [KeyRingWriter; KEY_RINGS],
    retention: u64,
    issuing: usize,
}

/// The key ring of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretKeyRing(usize);

impl Keeper {
    /// Takes the words of a new key store, all zero, and gives it its identity. None when there are fewer than
    /// [`super::KEY_STORE_WORDS`], or when there is no randomness.
    pub fn new(words: &'static [AtomicU64]) -> Option<Self> {
        let parts = Parts::of(words)?;
        let [a, b, c] = parts.key_rings.map(KeyRingWriter::new);
        let mut keeper = Self {
            header: parts.header.try_into().ok()?,
            key_rings: [a?, b?, c?],
            retention: 0,
            issuing: RANDOM,
        };
        let mut id = [0; 4];
        aws_lc_rs::rand::fill(&mut id).ok()?;
        keeper.random().reset(u32::from_be_bytes(id) | 1, INTERVAL);
        Some(keeper)
    }

    /// Sets the longest lifetime of all virtual hosts, in seconds: keys older than that are erased.
    pub fn retain_for(&mut self, seconds: u64) {
        self.retention = seconds.min(MAX_LIFETIME);
        self.say(RETENTION, self.retention);
    }

    /// Has tickets issued under random keys from `now` on.
    pub fn issue_from_random_keys(&mut self, now: u64) {
        self.write_random(now);
        self.issue_from(RANDOM);
    }

    /// Has tickets issued under the keys of the secret `id`, in a key ring of its own. The key ring in force before stays for one
    /// lifetime.
    pub fn issue_from_secret(&mut self, id: u32, interval: u64, now: u64) -> SecretKeyRing {
        let known = (1..KEY_RINGS).find(|index| self.ring(*index).id() == id);
        let index = known.unwrap_or(if self.issuing == 1 { 2 } else { 1 });
        if known.is_none() {
            self.ring_mut(index).reset(id, interval);
        }
        if self.ring(index).retires() != 0 {
            self.ring_mut(index).retire_at(0);
        }
        (1..KEY_RINGS)
            .filter(|other| *other != index)
            .for_each(|other| self.retire(other, now));
        SecretKeyRing(index)
    }

    /// The key ring from [`Keeper::issue_from_secret`] has this interval's key: tickets may be issued under it.
    pub fn put_in_force(&mut self, key_ring: SecretKeyRing) {
        self.issue_from(key_ring.0);
    }

    /// Lets the key rings of secret files run out one lifetime from now.
    pub fn retire_secrets(&mut self, now: u64) {
        (1..KEY_RINGS).for_each(|key_ring| self.retire(key_ring, now));
    }

    /// The key ring of the secret `id`, while it is not retired.
    pub fn secret_key_ring(&self, id: u32, now: u64) -> Option<SecretKeyRing> {
        (1..KEY_RINGS)
            .find(|key_ring| self.ring(*key_ring).id() == id && self.ring(*key_ring).is_alive(now))
            .map(SecretKeyRing)
    }

    /// Publishes the keys of a secret's key ring that may be needed around `now`; `key` derives one, from the key ring's interval and
    /// the interval's number.
    pub fn publish(
        &mut self,
        key_ring: SecretKeyRing,
        now: u64,
        key: impl Fn(u64, u64) -> KeyBytes,
    ) {
        let (first, last) = self.window(key_ring.0, now);
        self.write(
            key_ring.0,
            first,
            last.saturating_add(AHEAD),
            |interval, epoch| Some(key(interval, epoch)),
        );
    }

    /// What is due at `now`: random keys of the intervals around it, and the end of keys that nothing acceptable can be
    /// sealed with. Every few seconds, so that keys do not outlive their time in a server that nobody visits.
    pub fn tick(&mut self, now: u64) {
        for index in 0..KEY_RINGS {
            if !self.ring(index).is_alive(now) {
                self.ring_mut(index).reset(0, 1);
            }
            let (first, last) = self.window(index, now);
            self.ring_mut(index)
                .keep_only(first, last.saturating_add(AHEAD));
        }
        if self.issuing == RANDOM {
            self.write_random(now);
        }
    }

    fn say(&self, word: usize, value: u64) {
        if let Some(word) = self.header.get(word) {
            store(word, value);
        }
    }

    fn ring(&self, index: usize) -> &KeyRingWriter {
        let [random, first, second] = &self.key_rings;
        match index {
            1 => first,
            2 => second,
            _ => random,
        }
    }

    fn ring_mut(&mut self, index: usize) -> &mut KeyRingWriter {
        let [random, first, second] = &mut self.key_rings;
        match index {
            1 => first,
            2 => second,
            _ => random,
        }
    }

    fn random(&mut self) -> &mut KeyRingWriter {
        self.ring_mut(RANDOM)
    }

    fn write_random(&mut self, now: u64) {
        let now = self.random().epoch(now);
        self.write(RANDOM, now, now.saturating_add(AHEAD), |_, _| random_key());
    }

    fn issue_from(&mut self, index: usize) {
        self.issuing = index;
        self.say(ISSUING, index as u64);
    }

    fn write(
        &mut self,
        index: usize,
        first: u64,
        last: u64,
        key: impl Fn(u64, u64) -> Option<KeyBytes>,
    ) {
        let key_ring = self.ring_mut(index);
        for epoch in first..=last {
            if !key_ring.has(epoch)
                && let Some(key) = key(key_ring.interval(), epoch)
            {
                key_ring.write(epoch, &key);
            }
        }
    }

    /// The intervals of a key ring whose keys may be needed at `now`.
    fn window(&self, index: usize, now: u64) -> (u64, u64) {
        let key_ring = self.ring(index);
        (
            key_ring.epoch(now.saturating_sub(self.retention)),
            key_ring.epoch(now.saturating_add(SKEW)),
        )
    }

    fn retire(&mut self, index: usize, now: u64) {
        if self.ring(index).id() != 0 && self.ring(index).retires() == 0 {
            let when = now.saturating_add(self.retention).max(1);
            self.ring_mut(index).retire_at(when);
        }
    }
}

fn random_key() -> Option<KeyBytes> {
    let mut key: KeyBytes = Zeroizing::new([0; KEY_LEN]);
    aws_lc_rs::rand::fill(&mut key[..]).ok()?;
    Some(key)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::metrics::{Counters, PAGE_WORDS};
    use crate::system::clock::Clock;
    use crate::system::clock::testing::HandClock;
    use crate::ticket::shared_key_store::{KEY_STORE_WORDS, SharedKeyStore};
    use std::sync::{Arc, Mutex, MutexGuard};

    pub(crate) fn words(count: usize) -> &'static [AtomicU64] {
        let words: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
        Box::leak(words.into_boxed_slice())
    }

    pub(crate) fn counters() -> Counters {
        Counters::new(words(PAGE_WORDS)).unwrap()
    }

    /// A key store and the parent's hand on it, which looks after it whenever the clock is turned.
    pub(crate) struct Keys {
        pub key_store: SharedKeyStore,
        keeper: Arc<Mutex<Keeper>>,
    }

    impl Keys {
        pub(crate) fn new(retention: u64, clock: &HandClock) -> Self {
            let memory = words(KEY_STORE_WORDS);
            let mut keeper = Keeper::new(memory).unwrap();
            keeper.retain_for(retention);
            keeper.tick(clock.now());
            let keeper = Arc::new(Mutex::new(keeper));
            let theirs = Arc::clone(&keeper);
            clock.when_turned(move |now| theirs.lock().unwrap().tick(now));
            Self {
                key_store: SharedKeyStore::new(memory, counters()).unwrap(),
                keeper,
            }
        }

        pub(crate) fn keeper(&self) -> MutexGuard<'_, Keeper> {
            self.keeper.lock().unwrap()
        }
    }
}
