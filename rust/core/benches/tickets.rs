// SPDX-License-Identifier: Apache-2.0
//! How issuing and accepting tickets scales with threads: `cargo bench -p mod_tls_core --bench tickets`.
//!
//! Every thread seals a session of a usual size and opens it again, over one shared memory, as threads of one child and of
//! several do. Counted are pairs per second of CPU time, so that other load on the machine matters little, and the
//! share of what one thread achieves.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how it fails"
)]

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use mod_tls_core::metrics::{Counters, PAGE_WORDS};
use mod_tls_core::system::clock::{Clock, SystemClock};
use mod_tls_core::ticket::{
    KEY_STORE_WORDS, Keeper, Resumption, SharedKeyStore, TicketProtector, Ticketer,
};
use mod_tls_core::tls::context;
use mod_tls_core::tls::context::Context;
use rustls::server::ProducesTickets;

const THREADS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const ROUNDS: usize = 5;
const DURATION: Duration = Duration::from_millis(1000);

/// Octets of rustls' value of a TLS 1.3 session without client certificate.
const SESSION: usize = 110;

fn main() {
    let memory = |count: usize| -> &'static [AtomicU64] {
        let words: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
        Box::leak(words.into_boxed_slice())
    };
    let words = memory(KEY_STORE_WORDS);
    let mut keeper = Keeper::new(words).expect("randomness");
    keeper.retain_for(43_200);
    keeper.tick(SystemClock.now());
    let counters = Counters::new(memory(PAGE_WORDS)).expect("enough words");
    let key_store = SharedKeyStore::new(words, counters).expect("enough words");
    let ticketer = Ticketer::new(TicketProtector {
        key_store,
        clock: Arc::new(SystemClock),
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{cores} cores; medians of {ROUNDS} rounds");
    println!(
        "{:>8} {:>16} {:>10}",
        "threads", "pairs/CPU second", "of one"
    );
    // Rounds in turn, so that a change of the machine's clock does not fall on one row.
    let mut rates = vec![Vec::new(); THREADS.len()];
    for _ in 0..ROUNDS {
        for (row, threads) in rates.iter_mut().zip(THREADS) {
            row.push(measure(&ticketer, threads));
        }
    }
    let medians: Vec<f64> = rates.into_iter().map(median).collect();
    for (rate, threads) in medians.iter().zip(THREADS) {
        println!(
            "{threads:>8} {rate:>16.0} {:>9.0}%",
            100.0 * rate / medians[0]
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn measure(ticketer: &Ticketer, threads: usize) -> f64 {
    let (stop, pairs, barrier) = (
        AtomicBool::new(false),
        AtomicU64::new(0),
        Barrier::new(threads + 1),
    );
    let mut used = 0.0;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                work(ticketer, &AtomicBool::new(true));
                barrier.wait();
                pairs.fetch_add(work(ticketer, &stop), Ordering::SeqCst);
                barrier.wait();
            });
        }
        barrier.wait();
        let before = cpu_seconds();
        std::thread::sleep(DURATION);
        stop.store(true, Ordering::SeqCst);
        barrier.wait();
        used = cpu_seconds() - before;
    });
    pairs.load(Ordering::SeqCst) as f64 / used
}

/// Pairs made until told to stop; one at least.
fn work(ticketer: &Ticketer, stop: &AtomicBool) -> u64 {
    let value = [7; SESSION];
    let mut pairs = 0;
    loop {
        let mut connection = Some(Box::new(Context {
            identity: "www.example.com:443".into(),
            policy_id: [1; 32],
            resumption: Resumption::new(43_200, true),
            ..Context::default()
        }));
        let opened = context::enter(&mut connection, || {
            let ticket = ticketer.encrypt(black_box(&value))?;
            ticketer.decrypt(black_box(&ticket))
        });
        assert_eq!(opened.as_deref(), Some(&value[..]));
        pairs += 1;
        if stop.load(Ordering::Relaxed) {
            return pairs;
        }
    }
}

/// CPU time of this process, from fields 14 and 15 of /proc/self/stat, in ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("a Linux with /proc");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}
