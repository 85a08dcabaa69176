// SPDX-License-Identifier: Apache-2.0
//! Who waits for whom, and for how long.

use super::*;

/// Each says by its error whether it waited to the end.
#[test]
fn everybody_stops_waiting_for_who_does_not_answer_and_most_do_at_once() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let child = TestChild::new(4);
    let askers: Vec<_> = (0..8)
        .map(|_| {
            let remote = child.remote(&key);
            std::thread::spawn(move || sign_once(&remote).unwrap_err().to_string())
        })
        .collect();
    let errors: Vec<String> = askers.into_iter().map(|t| t.join().unwrap()).collect();
    let of = |kind: SignError| {
        let text = kind.to_string();
        errors.iter().filter(|error| error.contains(&text)).count()
    };
    let (patient, crowded) = (of(SignError::TimedOut), of(SignError::Crowded));
    assert_eq!(patient + crowded, 8, "{errors:?}");
    assert!(patient <= 2, "a quarter of eight threads: {errors:?}");
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
    // Of so many threads more may wait for a slow machine's signer than ask here.
    let child = TestChild::new(32).known_to(&running);
    let stop = Arc::new(AtomicBool::new(false));
    let dear: Vec<_> = (0..12)
        .map(|_| {
            let (remote, stop) = (child.remote(&rsa), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let _ = sign_once(&remote);
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
