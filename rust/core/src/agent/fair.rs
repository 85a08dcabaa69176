//! Start-time fair queueing: every key gets an equal share of the signer's time, whatever its signatures cost.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

/// Idle flows that are kept before all are forgotten.
const MAX_IDLE_FLOWS: usize = 256;

/// A queue of jobs, shared fairly between flows. Heavy and light flows are kept apart, so that the caller can
/// keep one thread free of heavy jobs.
#[derive(Debug)]
pub struct FairQueue<K, J> {
    flows: HashMap<K, Flow<J>>,
    light: BTreeSet<(u64, K)>,
    heavy: BTreeSet<(u64, K)>,
    now: u64,
    jobs: usize,
}

#[derive(Debug)]
struct Flow<J> {
    waiting: VecDeque<(u32, J)>,
    start: u64,
    heavy: bool,
}

impl<K: Copy + Eq + Hash + Ord, J> FairQueue<K, J> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            flows: HashMap::new(),
            light: BTreeSet::new(),
            heavy: BTreeSet::new(),
            now: 0,
            jobs: 0,
        }
    }

    /// How many jobs wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.jobs
    }

    /// Whether no job waits.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.jobs == 0
    }

    /// Appends a job of `cost` to the flow `key`. A flow is heavy or light as its first waiting job says.
    pub fn push(&mut self, key: K, cost: u32, heavy: bool, job: J) {
        self.jobs += 1;
        let now = self.now;
        let flow = self.flows.entry(key).or_insert_with(|| Flow {
            waiting: VecDeque::new(),
            start: now,
            heavy,
        });
        let idle = flow.waiting.is_empty();
        flow.waiting.push_back((cost, job));
        if idle {
            flow.heavy = heavy;
            // What a flow has had counts on after it went idle; what it left unused does not.
            flow.start = flow.start.max(now);
            let start = flow.start;
            self.ready(heavy).insert((start, key));
        }
    }

    /// Whether `pop` would find a job.
    pub fn can_pop(&self, allow_heavy: bool) -> bool {
        !self.light.is_empty() || (allow_heavy && !self.heavy.is_empty())
    }

    /// Takes the job of the flow that has had the least; a heavy one only where `allow_heavy`.
    pub fn pop(&mut self, allow_heavy: bool) -> Option<(J, bool)> {
        let light = self.light.first();
        let heavy = if allow_heavy {
            self.heavy.first()
        } else {
            None
        };
        let (start, key) = match (light, heavy) {
            (Some(l), Some(h)) => *l.min(h),
            (Some(one), None) | (None, Some(one)) => *one,
            (None, None) => return None,
        };
        let flow = self.flows.get_mut(&key)?;
        let heavy = flow.heavy;
        let (cost, job) = flow.waiting.pop_front()?;
        flow.start = start.saturating_add(u64::from(cost));
        let next = (!flow.waiting.is_empty()).then_some(flow.start);
        self.jobs -= 1;
        self.now = self.now.max(start);
        self.ready(heavy).remove(&(start, key));
        if let Some(start) = next {
            self.ready(heavy).insert((start, key));
        }
        // Nobody waits, so nobody can be wronged: old debts need not be kept for ever.
        if self.jobs == 0 && self.flows.len() > MAX_IDLE_FLOWS {
            self.flows.clear();
        }
        Some((job, heavy))
    }

    fn ready(&mut self, heavy: bool) -> &mut BTreeSet<(u64, K)> {
        if heavy {
            &mut self.heavy
        } else {
            &mut self.light
        }
    }
}

impl<K: Copy + Eq + Hash + Ord, J> Default for FairQueue<K, J> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::Random;

    fn drain(queue: &mut FairQueue<u8, u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop(true).map(|(job, _)| job)).collect()
    }

    #[test]
    fn one_flow_is_first_in_first_out() {
        let mut queue = FairQueue::new();
        (0..5).for_each(|job| queue.push(1, 10, false, job));
        assert_eq!(drain(&mut queue), [0, 1, 2, 3, 4]);
        assert!(queue.is_empty() && queue.light.is_empty());
    }

    #[test]
    fn a_cheap_request_overtakes_a_queue_of_dear_ones() {
        let mut queue = FairQueue::new();
        (0..50).for_each(|job| queue.push(1, 2000, true, job));
        assert_eq!(queue.pop(true), Some((0, true)));
        queue.push(2, 25, false, 99);
        let next = queue.pop(true).unwrap().0;
        assert!(
            next == 99 || queue.pop(true).unwrap().0 == 99,
            "after at most one dear one"
        );
    }

    #[test]
    fn cheap_requests_do_not_starve_dear_ones() {
        let mut queue = FairQueue::new();
        (0..10).for_each(|job| queue.push(1, 2000, true, 1000 + job));
        (0..1000).for_each(|job| queue.push(2, 25, false, job));
        let order = drain(&mut queue);
        let second = order.iter().position(|job| *job == 1001).unwrap();
        assert!(
            (70..=90).contains(&second),
            "equal time: one dear per 80 cheap, was at {second}"
        );
    }

    #[test]
    fn a_single_dear_client_that_comes_back_at_once_gets_its_share_only() {
        let mut queue = FairQueue::new();
        queue.push(1, 2000, true, 1);
        (0..1000).for_each(|_| queue.push(2, 25, false, 2));
        let mut dear = 0;
        for _ in 0..400 {
            if queue.pop(true).unwrap().0 == 1 {
                dear += 1;
                queue.push(1, 2000, true, 1);
            }
        }
        assert!((4..=6).contains(&dear), "one in 81, was {dear} of 400");
    }

    #[test]
    fn settled_flows_are_forgotten() {
        let mut queue = FairQueue::new();
        for key in 0..10_000u32 {
            queue.push(key, 25, false, key);
            assert_eq!(queue.pop(true), Some((key, false)));
        }
        assert!(
            queue.flows.len() <= MAX_IDLE_FLOWS + 1,
            "{}",
            queue.flows.len()
        );
    }

    #[test]
    fn heavy_jobs_wait_where_they_are_not_allowed() {
        let mut queue = FairQueue::new();
        queue.push(1, 2000, true, 1);
        queue.push(2, 25, false, 2);
        assert_eq!(queue.pop(false), Some((2, false)));
        assert_eq!(queue.pop(false), None);
        assert_eq!(queue.pop(true), Some((1, true)));
    }

    #[test]
    fn nothing_is_lost_and_each_flow_keeps_its_order() {
        let mut random = Random::new(3);
        let mut queue = FairQueue::new();
        let mut sent: HashMap<u8, VecDeque<u32>> = HashMap::new();
        for job in 0..20_000u32 {
            if random.below(3) < 2 {
                let key = random.below(7) as u8;
                queue.push(
                    key,
                    1 + u32::from(key) * 300,
                    key > 3,
                    (u32::from(key) << 24) | job,
                );
                sent.entry(key)
                    .or_default()
                    .push_back((u32::from(key) << 24) | job);
            } else if let Some((job, _)) = queue.pop(random.below(2) == 0) {
                assert_eq!(
                    sent.get_mut(&((job >> 24) as u8)).unwrap().pop_front(),
                    Some(job)
                );
            }
        }
        for job in drain(&mut queue) {
            assert_eq!(
                sent.get_mut(&((job >> 24) as u8)).unwrap().pop_front(),
                Some(job)
            );
        }
        assert!(sent.values().all(VecDeque::is_empty) && queue.is_empty());
    }
}
