// SPDX-License-Identifier: Apache-2.0
//! What the fetcher knows and does: all of its threads share it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::channels::Place;
use super::hosts::Hosts;
use super::news::{Line, News, NewsSender};
use super::ordered;
use super::queue::{Asker, Job, Queue};
use super::resolve::system::System;
use super::results::{CertStatus, Count, Found, Key, OTHER_HOSTS, Stapled, Writer};
use super::schedule;
use super::url::Url;
use super::wants::{ListWant, Order, Rule, RuleId, StapleWant, verdict_key};
use crate::system::clock::now;
use crate::system::lock;

mod fresh_list;
mod lists;
mod staples;
mod verdicts;

use fresh_list::FreshList;

/// How long it counts that nothing could be learned: so long nobody asks again, and clients are judged without.
const FAILURE: i64 = 10;
/// Questions that wait at a time.
const MOST_QUESTIONS: usize = 16_384;
/// Octets of the certificates in questions that one child was the first to ask.
const MOST_OCTETS: usize = 16 << 20;
/// Of those in all questions.
const MOST_OCTETS_OF_ALL: usize = 128 << 20;

/// What a job is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// A question of children.
    CertStatus(Key),
    /// A response to staple.
    Staple(Key),
    /// A revocation list.
    List(Key),
}

/// A question that children wait for. Each of them has a job for it until one is begun, so that it is asked in the turn of
/// whoever comes first, and nobody waits for what another child asks besides.
struct Question {
    rule: Arc<Rule>,
    leaf: Vec<u8>,
    issuer: Vec<u8>,
    places: Vec<Place>,
    /// Who was the first to ask.
    asker: i32,
    /// A thread asks the responder.
    begun: bool,
}

impl Question {
    fn octets(&self) -> usize {
        self.leaf.len() + self.issuer.len()
    }

    fn is_waited_for_by(&self, pid: i32) -> bool {
        self.places.iter().any(|place| place.pid() == pid)
    }
}

impl State {
    /// Whether there is room for a question of so many octets.
    fn has_room(&self, asker: i32, octets: usize) -> bool {
        let own = self.octets.get(&asker).copied().unwrap_or_default();
        let all: usize = self.octets.values().sum();
        self.questions.len() < MOST_QUESTIONS
            && own.saturating_add(octets) <= MOST_OCTETS
            && all.saturating_add(octets) <= MOST_OCTETS_OF_ALL
    }

    fn insert(&mut self, key: Key, question: Question) {
        *self.octets.entry(question.asker).or_default() += question.octets();
        self.questions.insert(key, question);
    }

    fn remove(&mut self, key: Key) -> Option<Question> {
        let question = self.questions.remove(&key)?;
        if let Some(octets) = self.octets.get_mut(&question.asker) {
            *octets = octets.saturating_sub(question.octets());
            if *octets == 0 {
                self.octets.remove(&question.asker);
            }
        }
        Some(question)
    }

    /// A slot asks this now: what it asked before is not asked any more, unless others wait for it.
    fn supersede(&mut self, place: &Place, key: Key) {
        let slot = (place.pid(), place.slot());
        if let Some(before) = self.asked.insert(slot, key) {
            let stays = |place: &Place| (place.pid(), place.slot()) != slot;
            self.leave(before, place.pid(), stays);
        }
    }

    /// Leaves a question to those places that stay. A child that has none there any more has it asked no longer.
    fn leave(&mut self, key: Key, pid: i32, stays: impl Fn(&Place) -> bool) {
        let question = self.questions.get_mut(&key);
        let deserted = match question {
            Some(question) => {
                question.places.retain(stays);
                if question.is_waited_for_by(pid) {
                    return;
                }
                question.places.is_empty() && !question.begun
            }
            None => false,
        };
        let same = |task: &Task| *task == Task::CertStatus(key);
        self.queue.withdraw(Asker::Child(pid), same);
        if deserted {
            self.remove(key);
        }
    }
}

/// A response that is kept fresh.
struct Fresh {
    want: Arc<StapleWant>,
    due: Instant,
    /// In the queue, or being fetched.
    busy: bool,
    failures: u32,
    /// A good one is among the results until then.
    until: i64,
}

#[derive(Default)]
struct State {
    system: Arc<System>,
    local: bool,
    /// Those of this configuration and of the one before it, whose children still ask.
    rules: HashMap<RuleId, Arc<Rule>>,
    rules_before: HashMap<RuleId, Arc<Rule>>,
    questions: HashMap<Key, Question>,
    /// What each slot of a child asked last, by pid and slot.
    asked: HashMap<(i32, usize), Key>,
    /// Octets of questions, by the pid of who was the first to ask.
    octets: HashMap<i32, usize>,
    staples: HashMap<Key, Fresh>,
    lists: HashMap<Key, FreshList>,
    queue: Queue<Task>,
    hosts: Hosts,
    /// Numbers of hosts that are counted apart.
    numbers: HashMap<String, usize>,
}

impl State {
    /// The response that has been fetched for `want`; `None` where another order has come meanwhile, of which it is asked
    /// for anew.
    fn fetched_staple(&mut self, want: &Arc<StapleWant>) -> Option<&mut Fresh> {
        let fresh = self.staples.get_mut(&want.key)?;
        fresh.busy = false;
        Arc::ptr_eq(&fresh.want, want).then_some(fresh)
    }

    /// As [`State::fetched_staple`], of a list.
    fn fetched_list(&mut self, want: &Arc<ListWant>) -> Option<&mut FreshList> {
        let fresh = self.lists.get_mut(&want.key)?;
        fresh.busy = false;
        Arc::ptr_eq(&fresh.want, want).then_some(fresh)
    }
}

/// The fetcher's own.
pub(super) struct Service {
    state: Mutex<State>,
    work: Condvar,
    results: Mutex<Writer>,
    news_sender: NewsSender,
    /// Held while a list is read: one at a time, for the memory that it takes.
    judging: Mutex<()>,
}

/// Whom an address leads to, for turns; what is none is refused when it is fetched.
fn host_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| String::new(), |url| url.authority())
}

impl Service {
    /// One that wants nothing yet.
    pub(super) fn new(results: Writer, news_sender: NewsSender) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            results: Mutex::new(results),
            news_sender,
            judging: Mutex::default(),
        }
    }

    /// Says that all is well.
    pub(super) fn beat(&self) {
        lock(&self.results).beat();
    }

    /// Says something to the administrator.
    pub(super) fn say(&self, line: Line, text: String) {
        self.news_sender.say(&News::Said(line, text));
    }

    /// Counts what came of asking a host.
    fn count(&self, what: Count, host: &str) {
        let number = lock(&self.state).numbers.get(host).copied();
        lock(&self.results).count(what, number.unwrap_or(OTHER_HOSTS));
    }

    /// Takes an order.
    pub(super) fn order(&self, order: Order) {
        let now = now();
        let mut state = lock(&self.state);
        let state = &mut *state;
        state.system = Arc::new(order.system);
        state.local = order.wants.local;
        let numbered = order.hosts.into_iter().enumerate();
        state.numbers = numbered.map(|(number, host)| (host, number)).collect();
        let rules = order.wants.rules.into_iter().map(|rule| (rule.id(), rule));
        let rules: HashMap<_, _> = rules.collect();
        // An order may come again with other lists or name servers: children of the configuration before still ask.
        if rules.len() != state.rules.len() || !rules.keys().all(|id| state.rules.contains_key(id))
        {
            state.rules_before = std::mem::replace(&mut state.rules, rules);
        }
        let rules = state.rules.keys().chain(state.rules_before.keys());
        lock(&self.results).set_ordered(&ordered::all(rules, &order.wants.lists));
        let mut before = std::mem::take(&mut state.staples);
        for want in order.wants.staples {
            let want = Arc::new(want);
            let known = before.remove(&want.key).filter(|known| {
                (&known.want.leaf, &known.want.issuer, &known.want.rule)
                    == (&want.leaf, &want.issuer, &want.rule)
            });
            let fresh = known.unwrap_or_else(|| self.begin(&want, now));
            state.staples.insert(want.key, Fresh { want, ..fresh });
        }
        for key in before.keys() {
            lock(&self.results).remove_staple(*key);
        }
        self.order_lists(state, order.wants.lists, now);
        self.look_at_staples(state);
        self.look_at_lists(state);
    }

    /// Does what is due.
    pub(super) fn tick(&self) {
        let mut state = lock(&self.state);
        self.look_at_staples(&mut state);
        self.look_at_lists(&mut state);
    }

    /// A thread's life: one job after another.
    pub(super) fn work(&self) -> ! {
        let mut state = lock(&self.state);
        loop {
            let Some(job) = state.queue.pop() else {
                state = self
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            match job.task {
                Task::CertStatus(key) => self.judge(key, job.asker, &job.host),
                Task::Staple(key) => self.fetch_staple(key, &job.host),
                Task::List(key) => self.fetch_list(key, &job.host),
            }
            state = lock(&self.state);
            state.queue.done(job.asker, &job.host);
            // Another job may have waited for its asker or its host.
            self.work.notify_one();
        }
    }

    fn push(&self, state: &mut State, job: Job<Task>) {
        state.queue.push(job);
        self.work.notify_one();
    }
}

#[cfg(test)]
mod tests;
