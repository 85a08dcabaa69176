// SPDX-License-Identifier: Apache-2.0
//! Who is served when.

use super::*;
use crate::agent::testing::Random;

type Queue = FairQueue<u8, u32, u32>;

fn drain(queue: &mut Queue) -> Vec<u32> {
    std::iter::from_fn(|| queue.pop(true).map(|(job, _)| job)).collect()
}

#[test]
fn one_key_of_one_process_is_first_in_first_out() {
    let mut queue = Queue::new();
    (0..5).for_each(|job| queue.push(1, 1, 10, false, job));
    assert_eq!(drain(&mut queue), [0, 1, 2, 3, 4]);
    assert!(queue.is_empty() && queue.light.is_empty());
}

#[test]
fn a_cheap_request_overtakes_a_queue_of_dear_ones() {
    for process in [1, 2] {
        let mut queue = Queue::new();
        (0..50).for_each(|job| queue.push(1, 1, 2000, true, job));
        assert_eq!(queue.pop(true), Some((0, true)));
        queue.push(process, 2, 25, false, 99);
        let next: Vec<u32> = drain(&mut queue).into_iter().take(2).collect();
        assert!(next.contains(&99), "after at most one dear one: {next:?}");
    }
}

#[test]
fn keys_of_one_process_share_alike() {
    let mut queue = Queue::new();
    (0..40).for_each(|job| queue.push(1, job % 2, 100 + 300 * (job % 2), true, job % 2));
    let order = drain(&mut queue);
    let dear: usize = order.iter().take(20).map(|job| *job as usize).sum();
    assert!((3..=5).contains(&dear), "one in five: {order:?}");
}

#[test]
fn a_key_of_many_processes_does_not_delay_another_key() {
    let mut queue = Queue::new();
    (0..200).for_each(|process| queue.push(process, 1, 2000, true, u32::from(process)));
    assert_eq!(queue.pop(true), Some((0, true)));
    queue.push(250, 2, 400, true, 999);
    let next: Vec<u32> = drain(&mut queue).into_iter().take(2).collect();
    assert!(next.contains(&999), "{next:?}");
}

#[test]
fn a_process_gets_its_share_by_one_key_or_by_many() {
    for spread in [1, 60] {
        let mut queue = Queue::new();
        (0..60).for_each(|job| queue.push(1, job % spread, 2000, true, job));
        for _ in 0..5 {
            queue.pop(true).unwrap();
        }
        // Another process, with the same key or with one of the many.
        (0..3).for_each(|job| queue.push(2, 0, 2000, true, 1000 + job));
        let order = drain(&mut queue);
        let last = order.iter().position(|job| *job == 1002).unwrap();
        assert!(last <= 6, "over {spread} keys: {order:?}");
    }
}

#[test]
fn cheap_requests_do_not_starve_dear_ones() {
    let mut queue = Queue::new();
    (0..10).for_each(|job| queue.push(1, 1, 2000, true, 1000 + job));
    (0..1000).for_each(|job| queue.push(2, 2, 25, false, job));
    let order = drain(&mut queue);
    let second = order.iter().position(|job| *job == 1001).unwrap();
    assert!(
        (70..=90).contains(&second),
        "equal time: one dear per 80 cheap, was at {second}"
    );
}

#[test]
fn a_single_dear_client_that_comes_back_at_once_gets_its_share_only() {
    let mut queue = Queue::new();
    queue.push(1, 1, 2000, true, 1);
    (0..1000).for_each(|_| queue.push(2, 2, 25, false, 2));
    let mut dear = 0;
    for _ in 0..400 {
        if queue.pop(true).unwrap().0 == 1 {
            dear += 1;
            queue.push(1, 1, 2000, true, 1);
        }
    }
    assert!((4..=6).contains(&dear), "one in 81, was {dear} of 400");
}

#[test]
fn what_a_process_asked_for_leaves_with_it() {
    let mut queue = Queue::new();
    (0..30).for_each(|job| queue.push(1, job % 7, 2000, job % 7 > 3, job));
    queue.push(2, 3, 25, false, 99);
    assert_eq!(queue.remove(1), 30);
    assert_eq!((queue.len(), queue.remove(1)), (1, 0));
    assert_eq!(queue.pop(true), Some((99, false)));
    assert!(!queue.can_pop(true) && queue.light.is_empty() && queue.heavy.is_empty());
    assert!(queue.processes.len() <= 1);
}

#[test]
fn settled_keys_are_forgotten() {
    let mut queue = Queue::new();
    for key in 0..10_000u32 {
        queue.push(1, key, 25, false, key);
        assert_eq!(queue.pop(true), Some((key, false)));
    }
    assert!(queue.keys.len() <= MAX_IDLE + 1, "{}", queue.keys.len());
}

#[test]
fn heavy_jobs_wait_where_they_are_not_allowed() {
    let mut queue = Queue::new();
    queue.push(1, 1, 2000, true, 1);
    queue.push(1, 2, 2000, false, 2);
    assert_eq!(queue.pop(false), Some((2, false)));
    assert_eq!(queue.pop(false), None);
    assert_eq!(queue.pop(true), Some((1, true)));
}

#[test]
fn nothing_is_lost_and_each_process_keeps_its_order_in_a_key() {
    let mut random = Random::new(3);
    let mut queue = Queue::new();
    let mut sent: HashMap<u32, VecDeque<u32>> = HashMap::new();
    let check = |sent: &mut HashMap<u32, VecDeque<u32>>, job: u32| {
        assert_eq!(sent.get_mut(&(job >> 20)).unwrap().pop_front(), Some(job));
    };
    for turn in 0..20_000u32 {
        let (process, key) = (random.below(5) as u8, random.below(7) as u32);
        let flow = u32::from(process) << 4 | key;
        match random.below(60) {
            0 => {
                let of = |flow: &u32| *flow >> 4 == u32::from(process);
                let lost: usize = sent
                    .iter()
                    .filter(|(f, _)| of(f))
                    .map(|(_, q)| q.len())
                    .sum();
                assert_eq!(queue.remove(process), lost);
                sent.retain(|flow, _| !of(flow));
            }
            1..35 => {
                let job = flow << 20 | turn;
                queue.push(process, key, 1 + key * 300, key > 3, job);
                sent.entry(flow).or_default().push_back(job);
            }
            _ => {
                if let Some((job, _)) = queue.pop(random.below(2) == 0) {
                    check(&mut sent, job);
                }
            }
        }
    }
    for job in drain(&mut queue) {
        check(&mut sent, job);
    }
    assert!(sent.values().all(VecDeque::is_empty) && queue.is_empty());
    assert!(queue.light.is_empty() && queue.heavy.is_empty());
    assert!(queue.keys_now.waiting.is_empty() && queue.processes_now.waiting.is_empty());
}
