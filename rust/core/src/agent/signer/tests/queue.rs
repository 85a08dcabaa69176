// SPDX-License-Identifier: Apache-2.0
//! Who waits for whom, and for how long.

use super::*;

#[test]
fn nobody_waits_longer_than_a_second_and_few_wait_so_long() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let child = TestChild::new(4);
    let waits: Vec<_> = (0..8)
        .map(|_| {
            let remote = child.remote(&key);
            std::thread::spawn(move || {
                let start = Instant::now();
                assert!(sign(&remote).is_err());
                start.elapsed()
            })
        })
        .collect();
    let waits: Vec<Duration> = waits.into_iter().map(|t| t.join().unwrap()).collect();
    assert!(waits.iter().all(|wait| *wait < Duration::from_secs(3)));
    let long = waits
        .iter()
        .filter(|wait| **wait > Duration::from_millis(900));
    assert!(long.count() <= 2, "a quarter of eight threads: {waits:?}");
}

#[test]
fn a_probe_goes_through_the_queue() {
    let running = start(KeyTable::default());
    let child = TestChild::new(1).known_to(&running);
    assert_eq!(
        status(&child.ask(|number| wire::probe(number).to_vec())),
        Status::Present
    );
    let held = lock(&running.signer.work);
    let claim = child.ask(|number| wire::probe(number).to_vec());
    std::thread::sleep(Duration::from_millis(50));
    assert!(
        matches!(claim.progress(), Progress::Waiting(_)),
        "a lock that is held"
    );
    drop(held);
    assert_eq!(status(&claim), Status::Present);
}

#[test]
fn dear_signatures_do_not_hold_up_cheap_ones() {
    let (rsa, ecdsa) = (
        crate::agent::testing::rsa_4096(),
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
    );
    let running = start(table(&[&rsa, &ecdsa]));
    let child = TestChild::new(16).known_to(&running);
    let stop = Arc::new(AtomicBool::new(false));
    let dear: Vec<_> = (0..12)
        .map(|_| {
            let (remote, stop) = (child.remote(&rsa), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    sign(&remote).unwrap();
                }
            })
        })
        .collect();
    let remote = child.remote(&ecdsa);
    eventually("a queue of dear ones", || {
        lock(&running.signer.work).queue.len() >= 6
    });
    for _ in 0..50 {
        sign(&remote).unwrap();
        // Served while the dear ones still wait: had it stood behind them, the queue would have been gone through.
        assert!(lock(&running.signer.work).heavy <= 1);
    }
    assert!(
        !lock(&running.signer.work).queue.is_empty(),
        "cheap ones overtook"
    );
    stop.store(true, Ordering::Relaxed);
    dear.into_iter().for_each(|thread| thread.join().unwrap());
}
