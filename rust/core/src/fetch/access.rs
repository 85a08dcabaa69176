//! The way to what was fetched, in every process of httpd: looking never waits, and asking is a slot of the child's
//! channel for as long as the answer takes.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::frames;
use super::results::{Found, Key, Results, Stapled};
use super::service::now;
use super::wants::{RuleId, verdict_key};
use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim};

/// How often a thread that waits rings again: a fetcher that was replaced may have heard the bell before it died.
const REMIND: Duration = Duration::from_millis(250);

static RESULTS: OnceLock<Results> = OnceLock::new();
static CHANNEL: RwLock<Option<Arc<ChildEnd>>> = RwLock::new(None);

/// Says where results are. In httpd's parent, once; what it forks has them in the same place.
pub(super) fn set_results(results: Results) {
    let _ = RESULTS.set(results);
}

/// Says how this process asks.
pub(super) fn set_channel(channel: Option<Arc<ChildEnd>>) {
    *CHANNEL.write().unwrap_or_else(PoisonError::into_inner) = channel;
}

fn claim() -> Option<Claim> {
    let channel = CHANNEL.read().unwrap_or_else(PoisonError::into_inner);
    channel.as_ref()?.claim()
}

/// The response to staple under a key, if there is one of use now.
pub fn staple(key: Key) -> Option<Stapled> {
    RESULTS.get()?.staple(key, now())
}

/// A number that grows whenever a certificate is found revoked that was not known to be; 0 where nothing is fetched.
pub fn revocations() -> u64 {
    RESULTS.get().map_or(0, Results::revocations)
}

/// A question about one certificate.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    key: Key,
    rule: RuleId,
    leaf: &'a [u8],
    issuer: &'a [u8],
}

impl<'a> Question<'a> {
    /// About `leaf`, which `issuer` issued (both DER), by a rule that the parent told the fetcher. `None` where one of the
    /// two cannot be read or they do not belong together.
    pub fn new(rule: RuleId, leaf: &'a [u8], issuer: &'a [u8]) -> Option<Self> {
        Some(Self {
            key: verdict_key(&rule, leaf, issuer)?,
            rule,
            leaf,
            issuer,
        })
    }

    /// What is known already. Never waits.
    pub fn look(&self) -> Option<Found> {
        RESULTS.get()?.verdict(self.key, now())
    }

    /// Asks. `None` where this process has no way to the fetcher, or all slots of it are in use.
    pub fn ask(&self) -> Option<Ticket> {
        let frame = frames::question(&self.rule, self.leaf, self.issuer)?;
        let mut claim = claim()?;
        claim.ask(|_| frame);
        Some(Ticket {
            claim,
            key: self.key,
        })
    }
}

/// A question that was asked. Whoever drops it waits no longer; the answer is there for who asks next.
pub struct Ticket {
    claim: Claim,
    key: Key,
}

/// How far a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Not answered yet.
    Waiting,
    /// Answered.
    Found(Found),
    /// It will not be answered: the fetcher does not know the rule, or has too much to do.
    Refused,
}

impl Ticket {
    /// How far it is. Never waits.
    pub fn poll(&self) -> Answer {
        match self.claim.progress() {
            Progress::Done => {
                frames::answered(&self.claim.reply()).map_or(Answer::Refused, Answer::Found)
            }
            // Another process may have had the answer, from a fetcher that is gone.
            Progress::Waiting(_) => RESULTS
                .get()
                .and_then(|results| results.verdict(self.key, now()))
                .map_or(Answer::Waiting, Answer::Found),
        }
    }

    /// Waits for the answer, at most so long. For threads that may: those of worker and prefork.
    pub fn wait(&self, at_most: Duration) -> Answer {
        let deadline = Instant::now() + at_most;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match (self.poll(), self.claim.progress()) {
                (Answer::Waiting, Progress::Waiting(seen)) if !left.is_zero() => {
                    self.claim.sleep(seen, left.min(REMIND));
                    self.claim.remind();
                }
                (answer, _) => return answer,
            }
        }
    }

    /// Rings again, for a fetcher that has come after another. For who polls.
    pub fn remind(&self) {
        self.claim.remind();
    }
}

/// For the one thread of a child that waits for the answers to all of its questions.
pub struct Watch(Claim);

impl Watch {
    /// `None` where this process has no way to the fetcher, or all slots of it are in use.
    pub fn new() -> Option<Self> {
        let mut watch = Self(claim()?);
        watch.again();
        Some(watch)
    }

    fn again(&mut self) {
        self.0.ask(|_| frames::watch());
    }

    /// Waits until a question of this child has been answered since the last call, or for `at_most`. All tickets are to be
    /// polled afterwards.
    pub fn wait(&mut self, at_most: Duration) {
        if let Progress::Waiting(seen) = self.0.progress() {
            self.0.sleep(seen, at_most);
        }
        if self.0.progress() == Progress::Done {
            self.again();
        } else {
            self.0.remind();
        }
    }
}
