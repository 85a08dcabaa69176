// SPDX-License-Identifier: Apache-2.0
//! Whose fetch is next: askers take turns, and neither one of them nor one responder keeps all threads busy.

use std::collections::{HashMap, VecDeque};

/// Who asks: a child by its pid, or httpd's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    /// For what is to be kept fresh.
    Parent,
    /// For lists that are to be kept fresh, which may be long.
    Lists,
    /// A child of httpd.
    Child(i32),
}

/// Threads that fetch.
pub(super) const THREADS: usize = 32;
/// Of these, those that work for one child at most.
const OF_A_CHILD: usize = 8;
/// Those that work for the parent at most.
const OF_THE_PARENT: usize = 16;
/// Those that fetch lists at most: what was read of each is in memory.
const OF_LISTS: usize = 4;
/// Those that ask one responder at most.
const OF_A_HOST: usize = 4;
/// Of these, those that work for one asker at most: whoever finds an address there that is slow to answer, leaves room
/// for what others ask.
const OF_A_HOST_FOR_ONE: usize = OF_A_HOST - 1;
/// How many of an asker's jobs are looked at for one whose responder is not busy.
const LOOKS: usize = 16;

impl Asker {
    fn share(self) -> usize {
        match self {
            Self::Parent => OF_THE_PARENT,
            Self::Lists => OF_LISTS,
            Self::Child(_) => OF_A_CHILD,
        }
    }
}

/// What is to be done, for whom, and whom it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job<T> {
    /// For whom.
    pub asker: Asker,
    /// Whom it asks.
    pub host: String,
    /// What.
    pub task: T,
}

/// Jobs that wait.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: HashMap<Asker, VecDeque<Job<T>>>,
    /// Askers with jobs that wait, each once.
    turns: VecDeque<Asker>,
    by_asker: HashMap<Asker, usize>,
    /// How many work for each asker of a host.
    by_host: HashMap<String, HashMap<Asker, usize>>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            by_asker: HashMap::new(),
            by_host: HashMap::new(),
        }
    }
}

impl<T> Queue<T> {
    /// Adds a job.
    pub(super) fn push(&mut self, job: Job<T>) {
        let waiting = self.waiting.entry(job.asker).or_default();
        if waiting.is_empty() {
            self.turns.push_back(job.asker);
        }
        waiting.push_back(job);
    }

    /// Takes back the jobs of an asker that `which` names and nobody has begun.
    pub(super) fn withdraw(&mut self, asker: Asker, which: impl Fn(&T) -> bool) {
        let Some(waiting) = self.waiting.get_mut(&asker) else {
            return;
        };
        waiting.retain(|job| !which(&job.task));
        if waiting.is_empty() {
            self.waiting.remove(&asker);
            self.turns.retain(|other| *other != asker);
        }
    }

    /// Takes the job that is next, and counts it as begun.
    pub(super) fn pop(&mut self) -> Option<Job<T>> {
        for _ in 0..self.turns.len() {
            let asker = self.turns.pop_front()?;
            let job = self.take(asker);
            if self
                .waiting
                .get(&asker)
                .is_some_and(|jobs| !jobs.is_empty())
            {
                self.turns.push_back(asker);
            } else {
                self.waiting.remove(&asker);
            }
            if let Some(job) = job {
                *self.by_asker.entry(asker).or_default() += 1;
                let of_host = self.by_host.entry(job.host.clone()).or_default();
                *of_host.entry(asker).or_default() += 1;
                return Some(job);
            }
        }
        None
    }

    fn take(&mut self, asker: Asker) -> Option<Job<T>> {
        if self
            .by_asker
            .get(&asker)
            .is_some_and(|busy| *busy >= asker.share())
        {
            return None;
        }
        let waiting = self.waiting.get_mut(&asker)?;
        let is_free = |job: &Job<T>| {
            self.by_host.get(&job.host).is_none_or(|busy| {
                let own = busy.get(&asker).copied().unwrap_or_default();
                own < OF_A_HOST_FOR_ONE && busy.values().sum::<usize>() < OF_A_HOST
            })
        };
        let place = waiting.iter().take(LOOKS).position(is_free);
        if place.is_none() {
            // Others may stand behind many of one responder.
            let busy = waiting.len().min(LOOKS);
            waiting.rotate_left(busy);
        }
        waiting.remove(place?)
    }

    /// Counts a job as over.
    pub(super) fn done(&mut self, asker: Asker, host: &str) {
        less(&mut self.by_asker, asker);
        if let Some(busy) = self.by_host.get_mut(host) {
            less(busy, asker);
            if busy.is_empty() {
                self.by_host.remove(host);
            }
        }
    }

    /// Gives back all jobs of an asker that have not begun.
    pub(super) fn forget(&mut self, asker: Asker) -> VecDeque<Job<T>> {
        self.turns.retain(|other| *other != asker);
        self.waiting.remove(&asker).unwrap_or_default()
    }
}

/// Counts one less.
fn less(busy: &mut HashMap<Asker, usize>, asker: Asker) {
    if let Some(count) = busy.get_mut(&asker) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            busy.remove(&asker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queue: &mut Queue<usize>, asker: Asker, host: &str, count: usize) {
        for task in 0..count {
            queue.push(Job {
                asker,
                host: host.to_owned(),
                task,
            });
        }
    }

    fn begun(queue: &mut Queue<usize>, most: usize) -> Vec<Job<usize>> {
        std::iter::from_fn(|| queue.pop()).take(most).collect()
    }

    #[test]
    fn one_responder_takes_its_share_only() {
        let mut queue = Queue::default();
        push(&mut queue, Asker::Parent, "slow", 1000);
        push(&mut queue, Asker::Parent, "other", 1);
        push(&mut queue, Asker::Child(1), "slow", 10);
        let mut all = begun(&mut queue, THREADS);
        // Behind a thousand of the slow one the other is found by looking on.
        for _ in 0..1000 / LOOKS + 1 {
            all.extend(begun(&mut queue, THREADS));
        }
        let slow = all.iter().filter(|job| job.host == "slow").count();
        assert_eq!((slow, all.len()), (OF_A_HOST, OF_A_HOST + 1));
        queue.done(all[0].asker, "slow");
        assert_eq!(begun(&mut queue, THREADS).len(), 1);
    }

    #[test]
    fn one_asker_does_not_keep_a_responder_from_others() {
        let mut queue = Queue::default();
        push(&mut queue, Asker::Child(1), "slow", 1000);
        assert_eq!(begun(&mut queue, THREADS).len(), OF_A_HOST_FOR_ONE);
        for other in [Asker::Child(2), Asker::Parent] {
            push(&mut queue, other, "slow", 1);
            let next = begun(&mut queue, THREADS);
            assert_eq!(next.len(), 1, "{other:?}");
            assert_eq!(next[0].asker, other);
            queue.done(other, "slow");
        }
        (0..OF_A_HOST_FOR_ONE).for_each(|_| queue.done(Asker::Child(1), "slow"));
        assert!(queue.by_host.is_empty() && queue.by_asker.is_empty());
    }

    #[test]
    fn askers_take_turns_and_none_takes_all() {
        let mut queue = Queue::default();
        for host in 0..100 {
            push(&mut queue, Asker::Child(1), &host.to_string(), 1);
        }
        push(&mut queue, Asker::Child(2), "a", 1);
        push(&mut queue, Asker::Parent, "b", 1);
        let first = begun(&mut queue, 3);
        assert!(first.iter().any(|job| job.asker == Asker::Child(2)));
        assert!(first.iter().any(|job| job.asker == Asker::Parent));
        let rest = begun(&mut queue, 100);
        assert_eq!(rest.len() + 1, OF_A_CHILD);
        assert_eq!(queue.forget(Asker::Child(1)).len(), 100 - OF_A_CHILD);
        rest.iter().for_each(|job| queue.done(job.asker, &job.host));
        assert_eq!(queue.pop(), None);
        assert!(queue.waiting.is_empty() && queue.turns.is_empty());
    }
}
