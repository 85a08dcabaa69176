// SPDX-License-Identifier: Apache-2.0
//! The way from a child's threads to the signer: a slot of the child's channel for as long as a signature takes.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustls::SignatureScheme;

use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim};
use crate::agent::protocol::wire::{KeyId, REQUEST_HEAD, Reply, Request, Role, Status};

/// How long a signature may take, all in all.
const DEADLINE: Duration = Duration::from_secs(1);
/// A signer that has answered nobody in this process for so long counts as stalled, on a machine that has time for it.
const STALL_MS: u64 = 100;
/// How many times longer it may take for each millisecond that threads of this process sleep too long meanwhile: a signer
/// that the machine does not let run is no better off, and needs several turns for an answer.
const TURNS: u64 = 4;
/// How often a thread beyond the quarter looks whether the signer has stalled.
const LOOK: Duration = Duration::from_millis(20);
/// How often a thread that waits rings again: a signer that was replaced may have heard the bell before it died.
const REMIND: Duration = Duration::from_millis(50);
/// How often a thread looks for a slot where all are in use.
const TRY: Duration = Duration::from_millis(2);

/// The way to the signer, shared by all remote keys of a process. A process that the parent forks has a channel of its
/// own in it; the parent has none.
///
/// At most a quarter of a process's threads wait for a signer that has stalled; a busy one that answers is waited
/// for by as many threads as ask, each for a second at most.
pub struct Transport {
    channel: RwLock<Option<Arc<ChildEnd>>>,
    started: Instant,
    waiting: AtomicUsize,
    quarter: AtomicUsize,
    progress_ms: AtomicU64,
    /// The longest time by which a thread that waits has slept too long since then.
    lag_ms: AtomicU64,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// No answer within a second.
    TimedOut,
    /// The signer has stalled and a quarter of the threads wait for it already.
    Crowded,
    /// The signer answered that it will not sign.
    Refused(Status),
    /// The signer's answer makes no sense.
    Broken,
    /// This process was given no channel.
    NoWay,
}

impl std::error::Error for SignError {}

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the key agent did not answer within a second",
            Self::Crowded => {
                "the key agent does not answer, and enough handshakes wait for it already"
            }
            Self::Refused(status) => status.words(),
            Self::Broken => "the key agent's answer makes no sense",
            Self::NoWay => "this process has no way to the key agent",
        })
    }
}

impl Transport {
    /// A transport without a channel.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            channel: RwLock::new(None),
            started: Instant::now(),
            waiting: AtomicUsize::new(0),
            quarter: AtomicUsize::new(1),
            progress_ms: AtomicU64::new(0),
            lag_ms: AtomicU64::new(0),
        })
    }

    /// Says over which channel this process, or the one that is forked next, asks.
    pub fn set_channel(&self, channel: Option<Arc<ChildEnd>>) {
        *self.channel.write().unwrap_or_else(PoisonError::into_inner) = channel;
    }

    /// Says how many threads this process serves with (called in child_init, before any of them runs).
    pub fn set_threads(&self, threads: usize) {
        self.quarter.store((threads / 4).max(1), Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn stalled(&self) -> bool {
        let progress = self.progress_ms.load(Ordering::Relaxed);
        let silence = self.now_ms().saturating_sub(progress);
        is_stall(silence, self.lag_ms.load(Ordering::Relaxed))
    }

    /// The signer has answered, or is asked after a pause.
    fn begin_anew(&self) {
        self.progress_ms.store(self.now_ms(), Ordering::Relaxed);
        self.lag_ms.store(0, Ordering::Relaxed);
    }

    /// A thread has slept for `slept`, and meant to for `wanted` at most.
    fn note_sleep(&self, slept: Duration, wanted: Duration) {
        let late = slept.saturating_sub(wanted).as_millis();
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        self.lag_ms.fetch_max(late, Ordering::Relaxed);
    }

    /// Has `message` signed. Blocks the calling thread for at most a second.
    ///
    /// # Errors
    /// There is no way to the signer, it does not answer in time, or it refuses.
    pub fn sign(
        &self,
        role: Role,
        key: KeyId,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let channel = self.channel.read().unwrap_or_else(PoisonError::into_inner);
        let channel = channel.clone().ok_or(SignError::NoWay)?;
        let place = Place::take(self);
        place.stay()?;
        let deadline = Instant::now() + DEADLINE;
        let mut claim = place.claim(&channel, deadline)?;
        claim.ask(|number| {
            let request = Request {
                role,
                number,
                scheme,
                key,
                message,
            };
            let mut frame = Vec::with_capacity(REQUEST_HEAD + message.len());
            frame.extend_from_slice(&request.head());
            frame.extend_from_slice(message);
            frame
        });
        place.wait(&claim, deadline)?;
        let frame = claim.reply();
        let reply = Reply::parse(&frame).map_err(|_| SignError::Broken)?;
        if reply.number != claim.number() {
            return Err(SignError::Broken);
        }
        self.begin_anew();
        match reply.status {
            Status::Done => Ok(reply.signature.to_vec()),
            other => Err(SignError::Refused(other)),
        }
    }
}

/// Whether a silence of so many milliseconds means that the signer does not run, where sleeps took `lag` too long.
fn is_stall(silence: u64, lag: u64) -> bool {
    silence > STALL_MS.saturating_add(lag.saturating_mul(TURNS))
}

/// A thread's place among those that wait; given back on drop.
struct Place<'a> {
    transport: &'a Transport,
    /// Beyond the quarter of the threads that may wait for a signer that does not answer.
    crowded: bool,
}

impl<'a> Place<'a> {
    fn take(transport: &'a Transport) -> Self {
        let before = transport.waiting.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            transport.begin_anew();
        }
        Self {
            transport,
            crowded: before >= transport.quarter.load(Ordering::Relaxed),
        }
    }

    /// An error where this thread is one too many.
    fn stay(&self) -> Result<(), SignError> {
        if self.crowded && self.transport.stalled() {
            return Err(SignError::Crowded);
        }
        Ok(())
    }

    fn claim(&self, channel: &Arc<ChildEnd>, deadline: Instant) -> Result<Claim, SignError> {
        loop {
            if let Some(claim) = channel.claim() {
                return Ok(claim);
            }
            if Instant::now() >= deadline {
                return Err(SignError::TimedOut);
            }
            self.stay()?;
            std::thread::sleep(TRY);
        }
    }

    /// Waits until there is a reply.
    fn wait(&self, claim: &Claim, deadline: Instant) -> Result<(), SignError> {
        let mut remind = Instant::now() + REMIND;
        loop {
            let seen = match claim.progress() {
                Progress::Done => return Ok(()),
                Progress::Waiting(seen) => seen,
            };
            self.stay()?;
            let now = Instant::now();
            if now >= deadline {
                return Err(SignError::TimedOut);
            }
            if now >= remind {
                claim.remind();
                remind = now + REMIND;
            }
            let step = deadline.min(remind).saturating_duration_since(now);
            let step = if self.crowded { step.min(LOOK) } else { step };
            claim.sleep(seen, step);
            self.transport.note_sleep(now.elapsed(), step);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.transport.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_is_busy_is_no_signer_that_stalls() {
        assert!(!is_stall(100, 0) && is_stall(101, 0));
        assert!(!is_stall(300, 50) && is_stall(301, 50));
        assert!(!is_stall(u64::MAX, u64::MAX));
        let transport = Transport::new();
        let [short, long] = [20, 80].map(Duration::from_millis);
        transport.note_sleep(short, long);
        assert_eq!(transport.lag_ms.load(Ordering::Relaxed), 0, "woken");
        transport.note_sleep(long, short);
        transport.note_sleep(short, short);
        assert_eq!(transport.lag_ms.load(Ordering::Relaxed), 60);
        transport.begin_anew();
        assert_eq!(transport.lag_ms.load(Ordering::Relaxed), 0);
    }
}
