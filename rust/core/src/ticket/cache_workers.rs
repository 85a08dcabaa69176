// SPDX-License-Identifier: Apache-2.0
//! A cache on another machine, asked by threads that may wait for it, so that handshakes need not.
//!
//! httpd's providers for redis and memcached wait without end for a server that accepts connections and says nothing. So a
//! handshake gives its question to a worker, and goes without the answer when it is not there in time.

pub use super::cache::TIMEOUT;

use super::cache::{Cache, Lookup, Stored};
use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::system::clock::within;

/// Workers of a process.
const MOST: usize = 8;

type Request = Box<dyn FnOnce() + Send>;

/// Asks `inner` in threads of its own, which it starts when they are first needed: in children, never in the parent.
#[derive(Debug)]
pub struct CacheWorkers {
    inner: Arc<dyn Cache>,
    queue: Arc<Queue>,
    timeout: Duration,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Instant, Request)>,
    idle: usize,
    workers: usize,
}

impl State {
    /// The oldest request was not even begun in its time: all workers wait for a cache that does not answer.
    fn stuck(&self) -> bool {
        self.waiting
            .front()
            .is_some_and(|(deadline, _)| *deadline < Instant::now())
    }
}

impl CacheWorkers {
    /// Workers to `inner`, waited for `timeout` long.
    pub fn new(inner: Arc<dyn Cache>, timeout: Duration) -> Self {
        Self {
            inner,
            queue: Arc::default(),
            timeout,
        }
    }

    /// Has `ask` answered by a worker; None when there is none free, or no answer in time.
    fn send<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Cache) -> R + Send + 'static,
    ) -> Option<R> {
        let (reply, answer) = sync_channel(1);
        let inner = self.inner.clone();
        let request = move |reply: SyncSender<R>| drop(reply.send(ask(&*inner)));
        self.queue
            .take(within(self.timeout), Box::new(move || request(reply)))?;
        answer.recv_timeout(self.timeout).ok()
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an request that is worth doing until `deadline`; None when nobody can do it.
    fn take(self: &Arc<Self>, deadline: Instant, request: Request) -> Option<()> {
        let mut state = self.state();
        if state.workers == MOST && state.stuck() {
            return None;
        }
        if state.idle <= state.waiting.len() && state.workers < MOST {
            let queue = self.clone();
            let thread = std::thread::Builder::new().name("tls-cache".into());
            thread.spawn(move || queue.work()).ok()?;
            state.workers = state.workers.saturating_add(1);
            state.idle = state.idle.saturating_add(1);
        }
        state.waiting.push_back((deadline, request));
        drop(state);
        self.work.notify_one();
        Some(())
    }

    fn work(&self) {
        loop {
            let mut state = self.state();
            let (deadline, request) = loop {
                match state.waiting.pop_front() {
                    Some(next) => break next,
                    None => {
                        state = self
                            .work
                            .wait(state)
                            .unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            state.idle = state.idle.saturating_sub(1);
            drop(state);
            if Instant::now() < deadline {
                request();
            }
            let mut state = self.state();
            state.idle = state.idle.saturating_add(1);
        }
    }
}

impl core::fmt::Debug for Queue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Queue")
    }
}

impl Cache for CacheWorkers {
    fn put(&self, key: &[u8], value: &[u8], expiry: u64) -> Stored {
        let (key, value) = (key.to_vec(), value.to_vec());
        self.send(move |cache| cache.put(&key, &value, expiry))
            .unwrap_or(Stored::Failed)
    }

    fn get(&self, key: &[u8]) -> Lookup {
        let key = key.to_vec();
        self.send(move |cache| cache.get(&key))
            .unwrap_or(Lookup::Failed)
    }

    fn take(&self, key: &[u8]) -> Lookup {
        let key = key.to_vec();
        self.send(move |cache| cache.take(&key))
            .unwrap_or(Lookup::Failed)
    }

    fn report(&self, failures: u64) {
        self.inner.report(failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(20);

    /// Answers with the key; while it is frozen it answers nobody.
    #[derive(Debug, Default)]
    struct Freezer {
        frozen: AtomicBool,
        asked: AtomicUsize,
        lock: Mutex<()>,
        thawed: Condvar,
    }

    impl Freezer {
        fn thaw(&self) {
            let _guard = self.lock.lock().unwrap();
            self.frozen.store(false, Ordering::SeqCst);
            self.thawed.notify_all();
        }
    }

    impl Cache for Freezer {
        fn put(&self, _: &[u8], _: &[u8], _: u64) -> Stored {
            Stored::Yes
        }

        fn get(&self, key: &[u8]) -> Lookup {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let mut guard = self.lock.lock().unwrap();
            while self.frozen.load(Ordering::SeqCst) {
                guard = self.thawed.wait(guard).unwrap();
            }
            Lookup::Found(key.to_vec())
        }

        fn take(&self, key: &[u8]) -> Lookup {
            self.get(key)
        }

        fn report(&self, _: u64) {}
    }

    #[test]
    fn everybody_gets_the_own_answer() {
        let worker = CacheWorkers::new(Arc::new(Freezer::default()), LONG);
        std::thread::scope(|scope| {
            for thread in 0..3 * MOST as u8 {
                let worker = &worker;
                scope.spawn(move || {
                    for round in 0..200 {
                        assert_eq!(
                            worker.get(&[thread, round]),
                            Lookup::Found(vec![thread, round])
                        );
                    }
                });
            }
        });
        assert!(worker.queue.state().workers <= MOST);
    }

    #[test]
    fn nobody_waits_for_a_cache_that_does_not_answer() {
        let cache = Arc::new(Freezer::default());
        cache.frozen.store(true, Ordering::SeqCst);
        let worker = CacheWorkers::new(cache.clone(), SHORT);
        for _ in 0..3 * MOST {
            assert_eq!(worker.get(b"key"), Lookup::Failed);
        }
        // One that starts late finds its request too old to be sent.
        let asked = cache.asked.load(Ordering::SeqCst);
        assert!((1..=MOST).contains(&asked), "then nobody is sent any more");
        cache.thaw();
        let patient = CacheWorkers {
            timeout: LONG,
            ..worker
        };
        while patient.queue.state().idle < MOST {
            std::thread::yield_now();
        }
        assert_eq!(patient.get(b"key"), Lookup::Found(b"key".to_vec()));
    }
}
