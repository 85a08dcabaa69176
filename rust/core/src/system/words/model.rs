// SPDX-License-Identifier: Apache-2.0
//! Every interleaving of the one writer of shared memory with a reader, and the writer's death at every step.
//!
//! The writer never looks at what it wrote, so that its stores are a fixed list, which is recorded. A reader is then run
//! once for each way of letting some of these stores happen before each of its loads. A writer that dies is one whose
//! list ends early: every prefix of the list is among these ways. Loads and stores are sequentially consistent in the
//! code itself, so that no order of effects is left out.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering};

/// A store that is to happen.
pub(crate) type Store = (&'static AtomicU64, u64);

thread_local! {
    static RECORD: RefCell<Option<Vec<Store>>> = const { RefCell::new(None) };
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

struct Run {
    stores: Vec<Store>,
    done: usize,
    /// How many stores happen before each load.
    steps: Vec<usize>,
    at: usize,
}

/// Takes a store into the record, if one is made; says whether it was.
pub(crate) fn recorded(word: &'static AtomicU64, value: u64) -> bool {
    RECORD.with_borrow_mut(|record| match record {
        Some(stores) => {
            stores.push((word, value));
            true
        }
        None => false,
    })
}

/// Lets the writer take the steps that are due before the reader's next load.
pub(crate) fn before_a_load() {
    RUN.with_borrow_mut(|run| {
        let Some(run) = run else { return };
        if run.at == run.steps.len() {
            run.steps.push(0);
        }
        for (word, value) in run.stores.iter().skip(run.done).take(run.steps[run.at]) {
            word.store(*value, Ordering::SeqCst);
        }
        run.done += run.steps[run.at];
        run.at += 1;
    });
}

/// The stores that `write` makes, none of which happens.
pub(crate) fn record(write: impl FnOnce()) -> Vec<Store> {
    RECORD.set(Some(Vec::new()));
    write();
    RECORD.take().unwrap()
}

/// Runs `read` in every interleaving with `stores`, over memory as it is now; gives the number of interleavings.
pub(crate) fn interleave(stores: &[Store], mut read: impl FnMut()) -> usize {
    let before: Vec<Store> = stores
        .iter()
        .map(|(word, _)| (*word, word.load(Ordering::SeqCst)))
        .collect();
    let restore = || {
        for (word, value) in &before {
            word.store(*value, Ordering::SeqCst);
        }
    };
    let (mut steps, mut runs) = (Vec::new(), 0);
    loop {
        restore();
        RUN.set(Some(Run {
            stores: stores.to_vec(),
            done: 0,
            steps: core::mem::take(&mut steps),
            at: 0,
        }));
        read();
        restore();
        runs += 1;
        let Some(run) = RUN.take() else { return runs };
        steps = run.steps;
        steps.truncate(run.at);
        // The next way in order: one more store before the last load where one is left, else before an earlier one.
        let mut left = stores.len() - run.done;
        loop {
            match steps.last_mut() {
                None => return runs,
                Some(last) if left > 0 => {
                    *last += 1;
                    break;
                }
                Some(last) => {
                    left += *last;
                    steps.pop();
                }
            }
        }
    }
}

/// What `interleave` goes through for so many stores and loads: every way to spread the stores over the loads and the
/// time after them.
pub(crate) fn ways(stores: usize, loads: usize) -> usize {
    (1..=loads).fold(1, |ways, n| ways * (stores + n) / n)
}
