// SPDX-License-Identifier: Apache-2.0
//! Start-time fair queueing by key and process: every key gets an equal share of the signer's time, in each key every
//! process, and no process more than its share by asking for many keys.
//!
//! Each key and each process has a virtual time, by which what was done for it counts on. The next job is one of the
//! key that is least far; a key is as far as its own time, or as the least far of the processes that ask for it, should
//! all of these be farther. Of keys that are equally far, as those of one process are, the one with the least time of
//! its own comes first.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;

/// Times of keys that wait for nothing, kept before all are forgotten.
const MAX_IDLE: usize = 256;

/// A queue of jobs, shared fairly. Heavy and light keys are kept apart, so that the caller can keep one thread free of
/// heavy jobs.
#[derive(Debug)]
pub(super) struct FairQueue<P, K, J> {
    keys: HashMap<K, Key<P, J>>,
    processes: HashMap<P, Process<K>>,
    /// Keys for which somebody waits, by how far they were when last looked at: they only get farther.
    light: BTreeSet<(Far, K)>,
    heavy: BTreeSet<(Far, K)>,
    /// Those that wait, by their own time: who joins them does not begin before the least far of them.
    keys_now: Clock<K>,
    processes_now: Clock<P>,
    jobs: usize,
}

/// The times of those that wait.
#[derive(Debug)]
struct Clock<T> {
    waiting: BTreeSet<(u64, T)>,
    /// The time of the last that was served.
    last: u64,
}

impl<T: Copy + Ord> Clock<T> {
    fn new() -> Self {
        Self {
            waiting: BTreeSet::new(),
            last: 0,
        }
    }

    /// Takes in one that has waited for nothing. What it has had counts on; what it left unused does not.
    fn join(&mut self, who: T, time: u64) -> u64 {
        let least = self.waiting.first().map_or(self.last, |(time, _)| *time);
        let time = time.max(least);
        self.waiting.insert((time, who));
        time
    }

    /// What is done for one counts from now on; it may wait on, or not.
    fn served(&mut self, who: T, time: u64, cost: u32, waits: bool) -> u64 {
        let after = time.saturating_add(u64::from(cost));
        self.waiting.remove(&(time, who));
        if waits {
            self.waiting.insert((after, who));
        }
        self.last = time;
        after
    }

    fn leave(&mut self, who: T, time: u64) {
        self.waiting.remove(&(time, who));
    }
}

/// How far a key is, and its own time.
type Far = (u64, u64);

#[derive(Debug)]
struct Key<P, J> {
    time: u64,
    heavy: bool,
    /// As which it stands in `light` or `heavy`.
    listed: Option<Far>,
    /// Processes that wait, by how far they were when last looked at.
    ready: BTreeSet<(u64, P)>,
    waiting: HashMap<P, Waiting<J>>,
}

#[derive(Debug)]
struct Waiting<J> {
    /// As which it stands in `ready`.
    listed: u64,
    jobs: VecDeque<(u32, J)>,
}

#[derive(Debug)]
struct Process<K> {
    time: u64,
    keys: HashSet<K>,
}

impl<P: Copy + Eq + Hash + Ord, K: Copy + Eq + Hash + Ord, J> FairQueue<P, K, J> {
    /// An empty queue.
    pub(super) fn new() -> Self {
        Self {
            keys: HashMap::new(),
            processes: HashMap::new(),
            light: BTreeSet::new(),
            heavy: BTreeSet::new(),
            keys_now: Clock::new(),
            processes_now: Clock::new(),
            jobs: 0,
        }
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.jobs
    }

    /// Whether no job waits.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.jobs == 0
    }

    /// Appends a job of `cost` for `key`, asked for by `process`. A key's jobs are all heavy, or none is.
    pub(super) fn push(&mut self, process: P, key: K, cost: u32, heavy: bool, job: J) {
        self.jobs += 1;
        let owner = self.processes.entry(process).or_insert_with(|| Process {
            time: 0,
            keys: HashSet::new(),
        });
        if owner.keys.is_empty() {
            owner.time = self.processes_now.join(process, owner.time);
        }
        owner.keys.insert(key);
        let time = owner.time;
        let flow = self.keys.entry(key).or_insert_with(|| Key {
            time: 0,
            heavy,
            listed: None,
            ready: BTreeSet::new(),
            waiting: HashMap::new(),
        });
        if flow.waiting.is_empty() {
            flow.time = self.keys_now.join(key, flow.time);
        }
        let waiting = flow.waiting.entry(process).or_insert_with(|| {
            flow.ready.insert((time, process));
            Waiting {
                listed: time,
                jobs: VecDeque::new(),
            }
        });
        waiting.jobs.push_back((cost, job));
        self.list(key);
    }

    /// Whether `pop` would find a job.
    pub(super) fn can_pop(&self, allow_heavy: bool) -> bool {
        !self.light.is_empty() || (allow_heavy && !self.heavy.is_empty())
    }

    /// Takes the job that is next; a heavy one only where `allow_heavy`.
    pub(super) fn pop(&mut self, allow_heavy: bool) -> Option<(J, bool)> {
        loop {
            let light = self.light.first();
            let heavy = self.heavy.first().filter(|_| allow_heavy);
            let (listed, key) = match (light, heavy) {
                (Some(light), Some(heavy)) => *light.min(heavy),
                (Some(one), None) | (None, Some(one)) => *one,
                (None, None) => return None,
            };
            // Each process served since makes what it waits for farther, once for each key.
            let (far, process) = self.farness(key)?;
            if far > listed {
                self.list(key);
                continue;
            }
            return self.serve(key, process);
        }
    }

    /// How far a key is by now, and which process is next in it.
    fn farness(&mut self, key: K) -> Option<(Far, P)> {
        let flow = self.keys.get_mut(&key)?;
        loop {
            let (listed, process) = *flow.ready.first()?;
            let time = self.processes.get(&process)?.time;
            if time <= listed {
                return Some(((flow.time.max(listed), flow.time), process));
            }
            flow.ready.remove(&(listed, process));
            flow.ready.insert((time, process));
            flow.waiting.get_mut(&process)?.listed = time;
        }
    }

    fn serve(&mut self, key: K, process: P) -> Option<(J, bool)> {
        let flow = self.keys.get_mut(&key)?;
        let owner = self.processes.get_mut(&process)?;
        let waiting = flow.waiting.get_mut(&process)?;
        let (cost, job) = waiting.jobs.pop_front()?;
        let heavy = flow.heavy;
        let is_last = waiting.jobs.is_empty();
        flow.ready.remove(&(waiting.listed, process));
        if is_last {
            flow.waiting.remove(&process);
            owner.keys.remove(&key);
        }
        let waits = !owner.keys.is_empty();
        owner.time = self.processes_now.served(process, owner.time, cost, waits);
        if let Some(waiting) = flow.waiting.get_mut(&process) {
            waiting.listed = owner.time;
            flow.ready.insert((owner.time, process));
        }
        let waits = !flow.waiting.is_empty();
        flow.time = self.keys_now.served(key, flow.time, cost, waits);
        self.jobs -= 1;
        self.list(key);
        self.forget_idle();
        Some((job, heavy))
    }

    /// Takes out all that a process has asked for; gives how many jobs that were.
    pub(super) fn remove(&mut self, process: P) -> usize {
        let Some(owner) = self.processes.remove(&process) else {
            return 0;
        };
        let mut removed = 0;
        self.processes_now.leave(process, owner.time);
        for key in owner.keys {
            if let Some(flow) = self.keys.get_mut(&key)
                && let Some(waiting) = flow.waiting.remove(&process)
            {
                flow.ready.remove(&(waiting.listed, process));
                removed += waiting.jobs.len();
                if flow.waiting.is_empty() {
                    self.keys_now.leave(key, flow.time);
                }
            }
            self.list(key);
        }
        self.jobs -= removed;
        removed
    }

    /// Puts a key into its place among those for which somebody waits.
    fn list(&mut self, key: K) {
        let Some((heavy, before)) = self.keys.get(&key).map(|flow| (flow.heavy, flow.listed))
        else {
            return;
        };
        let far = self.farness(key).map(|(far, _)| far);
        if far == before {
            return;
        }
        let list = if heavy {
            &mut self.heavy
        } else {
            &mut self.light
        };
        if let Some(before) = before {
            list.remove(&(before, key));
        }
        if let Some(far) = far {
            list.insert((far, key));
        }
        if let Some(flow) = self.keys.get_mut(&key) {
            flow.listed = far;
        }
    }

    /// Nobody waits, so nobody can be wronged: old debts need not be kept for ever.
    fn forget_idle(&mut self) {
        if self.jobs == 0 && self.keys.len().max(self.processes.len()) > MAX_IDLE {
            self.keys.clear();
            self.processes.clear();
        }
    }
}

impl<P: Copy + Eq + Hash + Ord, K: Copy + Eq + Hash + Ord, J> Default for FairQueue<P, K, J> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
