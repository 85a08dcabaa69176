// SPDX-License-Identifier: Apache-2.0
//! The way to what was fetched, in every process of httpd: looking never waits, and asking is a slot of the child's
//! channel for as long as the answer takes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use super::frames;
use super::results::{FetchedList, Found, Held, Key, Results, Stapled};
use super::wants::{RuleId, verdict_key};
use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim};
use crate::system::clock::now;
use crate::system::lock;

/// How often who waits rings again: a fetcher that was replaced may have heard the bell before it died.
pub(crate) const REMIND: Duration = Duration::from_millis(250);
/// How often a slot is looked for where all are in use.
const FULL: Duration = Duration::from_millis(10);

static RESULTS: OnceLock<Results> = OnceLock::new();
/// Those with the memory of lists, which may be made later and anew.
static LISTS: RwLock<Option<Results>> = RwLock::new(None);
static QUEUE: RwLock<Option<Arc<Queue>>> = RwLock::new(None);

/// Says where results are. In httpd's parent; what it forks has them in the same place. Another time only where lists are
/// may differ.
pub(super) fn set_results(results: Results) {
    let _ = RESULTS.set(results);
    *LISTS.write().unwrap_or_else(PoisonError::into_inner) = Some(results);
}

/// Says how this process asks.
pub(super) fn set_channel(channel: Option<Arc<ChildEnd>>) {
    *QUEUE.write().unwrap_or_else(PoisonError::into_inner) = channel.map(Queue::new);
}

fn lists() -> Option<Results> {
    *LISTS.read().unwrap_or_else(PoisonError::into_inner)
}

fn queue() -> Option<Arc<Queue>> {
    let queue = QUEUE.read().unwrap_or_else(PoisonError::into_inner);
    queue.as_ref().map(Arc::clone)
}

/// The questions of this process. Whoever wants to know the same shares a slot, which is free again once it is answered,
/// however long those take who asked.
struct Queue {
    end: Arc<ChildEnd>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    questions: HashMap<Key, Weak<Shared>>,
    /// When there was no slot.
    full: Option<Instant>,
}

/// A question, for all who have asked it.
struct Shared(Mutex<State>);

enum State {
    Asked(Arc<Claim>),
    Answered(Answer),
}

impl Queue {
    fn new(end: Arc<ChildEnd>) -> Arc<Self> {
        Arc::new(Self {
            end,
            open: Mutex::default(),
        })
    }

    /// Asks, unless somebody has; `None` where all slots are in use.
    fn ask(&self, key: Key, frame: &[u8]) -> Option<Arc<Shared>> {
        let mut open = lock(&self.open);
        let shared = open.questions.get(&key).and_then(Weak::upgrade);
        if let Some(shared) = shared.filter(|shared| shared.look() == Answer::Waiting) {
            return Some(shared);
        }
        if open.full.is_some_and(|full| full.elapsed() < FULL) {
            return None;
        }
        open.questions.retain(|_, shared| shared.strong_count() > 0);
        let claim = self.end.claim().or_else(|| {
            // Those that are answered give their slots back.
            let asked = open.questions.values().filter_map(Weak::upgrade);
            asked.for_each(|shared| {
                shared.look();
            });
            self.end.claim()
        });
        open.full = claim.is_none().then(Instant::now);
        let mut claim = claim?;
        claim.ask(|_| frame.to_vec());
        let shared = Arc::new(Shared(Mutex::new(State::Asked(Arc::new(claim)))));
        open.questions.insert(key, Arc::downgrade(&shared));
        Some(shared)
    }
}

impl Shared {
    /// How far it is; the slot is given back when the answer is there.
    fn look(&self) -> Answer {
        let mut state = lock(&self.0);
        if let State::Asked(claim) = &*state {
            if claim.progress() != Progress::Done {
                return Answer::Waiting;
            }
            let found = frames::answered(&claim.reply());
            *state = State::Answered(found.map_or(Answer::Refused, Answer::Found));
        }
        match &*state {
            State::Answered(answer) => *answer,
            State::Asked(_) => Answer::Waiting,
        }
    }

    fn claim(&self) -> Option<Arc<Claim>> {
        match &*lock(&self.0) {
            State::Asked(claim) => Some(Arc::clone(claim)),
            State::Answered(_) => None,
        }
    }
}

/// What was fetched; `None` where nothing ever is.
pub(super) fn results() -> Option<&'static Results> {
    RESULTS.get()
}

/// Whether the fetcher was ordered to do this (see [`super::ordered`]).
pub(crate) fn is_ordered(key: Key) -> bool {
    results().is_some_and(|results| results.is_ordered(key))
}

/// What is held of verdicts on clients' certificates.
pub fn verdicts_held() -> Held {
    results().map_or_else(Held::default, |results| results.verdicts_held(now()))
}

/// The response to staple under a key, if there is one of use now.
pub fn staple(key: Key) -> Option<Stapled> {
    RESULTS.get()?.staple(key, now())
}

/// The revocation list under a key, whether or not it has expired.
pub(crate) fn list(key: Key) -> Option<FetchedList> {
    lists()?.list(key)
}

/// A number that changes whenever the list under a key does; `None` where there is none.
pub(crate) fn list_version(key: Key) -> Option<u64> {
    lists()?.list_version(key)
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

    /// Asks, as soon as there is a slot for it. `None` where this process has no way to the fetcher, or the certificates are
    /// too long.
    pub fn ask(&self) -> Option<Ticket> {
        let frame = frames::question(&self.rule, self.leaf, self.issuer)?;
        Some(Ticket::new(queue()?, self.key, frame))
    }
}

/// A question that was asked. Whoever drops it waits no longer; the answer is there for who asks next.
pub struct Ticket {
    queue: Arc<Queue>,
    key: Key,
    /// What is to be asked, until it is.
    frame: Vec<u8>,
    shared: Option<Arc<Shared>>,
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
    fn new(queue: Arc<Queue>, key: Key, frame: Vec<u8>) -> Self {
        let mut ticket = Self {
            queue,
            key,
            frame,
            shared: None,
        };
        ticket.put();
        ticket
    }

    /// Puts the question, where that was not done and there is a slot.
    fn put(&mut self) {
        if self.shared.is_none() {
            self.shared = self.queue.ask(self.key, &self.frame);
            if self.shared.is_some() {
                self.frame = Vec::new();
            }
        }
    }

    /// How far it is. Never waits.
    pub fn poll(&mut self) -> Answer {
        self.put();
        match self.shared.as_ref().map(|shared| shared.look()) {
            // Another process may have had the answer, from a fetcher that is gone.
            Some(Answer::Waiting) | None => RESULTS
                .get()
                .and_then(|results| results.verdict(self.key, now()))
                .map_or(Answer::Waiting, Answer::Found),
            Some(answer) => answer,
        }
    }

    /// Waits for the answer, at most so long. For threads that may: those of worker and prefork.
    pub fn wait(&mut self, at_most: Duration) -> Answer {
        let deadline = Instant::now() + at_most;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.poll() {
                Answer::Waiting if !left.is_zero() => self.sleep(left),
                answer => return answer,
            }
        }
    }

    fn sleep(&self, at_most: Duration) {
        let Some(shared) = &self.shared else {
            return std::thread::sleep(at_most.min(FULL));
        };
        if let Some(claim) = shared.claim()
            && let Progress::Waiting(seen) = claim.progress()
        {
            claim.sleep(seen, at_most.min(REMIND));
            claim.remind();
        }
    }

    /// Rings again, for a fetcher that has come after another. For who polls.
    pub fn remind(&self) {
        if let Some(claim) = self.shared.as_ref().and_then(|shared| shared.claim()) {
            claim.remind();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::channel::{SignerEnd, Way};
    use crate::agent::testing::TestOs;
    use crate::fetch::results::CertStatus;

    const GOOD: Found = Found {
        verdict: CertStatus::Good,
        from: 1,
        until: i64::MAX,
    };

    fn queue(slots: usize) -> (Arc<Queue>, SignerEnd) {
        let (childs, way) = Way::pair(slots, &TestOs).unwrap();
        let fetcher = SignerEnd::new(slots, way.requests, &way.replies, 1, &TestOs).unwrap();
        (Queue::new(ChildEnd::new(childs, &TestOs).unwrap()), fetcher)
    }

    fn ticket(queue: &Arc<Queue>, number: u8) -> Ticket {
        Ticket::new(Arc::clone(queue), Key([number; 32]), vec![number])
    }

    #[test]
    fn who_asks_the_same_shares_a_slot() {
        let (queue, fetcher) = queue(2);
        let mut same: Vec<_> = (0..20).map(|_| ticket(&queue, 1)).collect();
        let [(slot, number)] = fetcher.waiting()[..] else {
            panic!("{:?}", fetcher.waiting())
        };
        fetcher.answer(slot, number, &frames::answer(&GOOD));
        for one in &mut same {
            assert_eq!(one.wait(Duration::from_secs(20)), Answer::Found(GOOD));
        }
        let again = ticket(&queue, 1);
        assert_eq!(fetcher.waiting().len(), 1, "an answer of before is none");
        drop(again);
        assert_eq!(fetcher.waiting(), [], "nobody waits");
    }

    #[test]
    fn without_a_slot_one_waits_until_another_is_answered() {
        let (queue, fetcher) = queue(1);
        let mut slow = ticket(&queue, 1);
        let mut next = ticket(&queue, 2);
        assert_eq!(next.wait(Duration::ZERO), Answer::Waiting);
        let (slot, number) = fetcher.waiting()[0];
        fetcher.answer(slot, number, &frames::answer(&GOOD));
        // Whose answer it is has not looked yet.
        let deadline = Instant::now() + Duration::from_secs(20);
        let asked = |fetcher: &SignerEnd| {
            let mut frame = Vec::new();
            fetcher.take(0, 8, &mut frame);
            frame
        };
        while asked(&fetcher) != [2] {
            assert!(Instant::now() < deadline, "the slot is free again");
            assert_eq!(next.wait(FULL), Answer::Waiting);
        }
        let (slot, number) = fetcher.waiting()[0];
        fetcher.answer(slot, number, b"");
        assert_eq!(next.poll(), Answer::Refused);
        assert_eq!(slow.poll(), Answer::Found(GOOD));
    }
}
