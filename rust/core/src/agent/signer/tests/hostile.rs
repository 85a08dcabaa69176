// SPDX-License-Identifier: Apache-2.0
//! What children do that are in somebody else's hands, and what is left of those that have ended.

use super::*;

#[test]
fn what_is_no_request_is_refused_and_delays_nobody() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let (bad, good) = (TestChild::new(1), TestChild::new(1));
    let (bad, good) = (bad.known_to(&running), good.known_to(&running));
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let mut random = Random::new(4);
    let mut frames: Vec<Vec<u8>> = (0..30).map(|n| random.bytes(n * 40)).collect();
    frames.push(request(key.as_ref(), scheme)(1)[..20].to_vec());
    frames.push(vec![0; wire::MAX_REQUEST + 1]);
    frames.push(request(key.as_ref(), scheme)(0)); // another one's number
    for frame in frames {
        assert_eq!(status(&bad.ask(|_| frame)), Status::Malformed);
        assert!(sign(&good.remote(&key)).is_ok());
    }
    let said = lock(&running.notices).clone();
    assert!(said.len() > 30 && said.iter().all(|kind| *kind == LogKind::ClientRefused));
    assert!(
        sign(&bad.remote(&key)).is_ok(),
        "it has harmed nobody, not even itself"
    );
}

/// All that a captured child can write, anywhere, while others are served.
#[test]
fn words_that_change_all_the_time_harm_nobody() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let (bad, good) = (TestChild::new(40), TestChild::new(1));
    let (bad, good) = (bad.known_to(&running), good.known_to(&running));
    let stop = Arc::new(AtomicBool::new(false));
    let scribbling: Vec<_> = (0..2)
        .map(|seed| {
            let (end, stop) = (Arc::clone(&bad.end), Arc::clone(&stop));
            std::thread::spawn(move || {
                let (mut random, words) = (Random::new(seed), end.words());
                while !stop.load(Ordering::Relaxed) {
                    let near = if random.below(2) == 0 {
                        64
                    } else {
                        words.len()
                    };
                    let values = [0, 1, 2, 3, 4, 600, 70_000, u32::MAX, random.next() as u32];
                    let at = random.below(near);
                    words[at].store(values[random.below(values.len())], Ordering::Relaxed);
                    if random.below(64) == 0
                        && let Some(mut claim) = end.claim()
                    {
                        claim.ask(|_| vec![2; random.below(700)]);
                    }
                }
            })
        })
        .collect();
    for _ in 0..300 {
        assert!(sign(&good.remote(&key)).is_ok());
        assert!(lock(&running.signer.work).queue.len() <= 41, "a job a slot");
    }
    stop.store(true, Ordering::Relaxed);
    scribbling
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert!(sign(&good.remote(&key)).is_ok());
    eventually("its own threads get through again", || {
        sign(&bad.remote(&key)).is_ok()
    });
}

/// A thread that looks at what a child wrote may have to wait for it (pages that are out, or that the child frees again
/// and again): it does so alone.
#[test]
fn a_child_that_is_slow_to_read_holds_up_one_thread() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let (bad, good) = (TestChild::new(9), TestChild::new(1));
    let (bad, good) = (bad.known_to(&running), good.known_to(&running));
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let of_bad = lock(&running.signer.channels).by_process[&bad.pid];
    let channel = running.signer.channel(of_bad).unwrap();
    // As a thread holds it that waits for a page.
    let slow = lock(&channel.slots);
    let claims: Vec<_> = (0..8)
        .map(|_| {
            let claim = bad.ask(request(key.as_ref(), scheme));
            assert!(sign(&good.remote(&key)).is_ok());
            claim
        })
        .collect();
    // One whose job is done meanwhile.
    lock(&channel.done).push(0);
    assert!(running.signer.look(&channel).is_empty());
    drop(slow);
    // As that thread does, which finds that others have been here.
    running.signer.look_again(&channel);
    for claim in &claims {
        assert_eq!(status(claim), Status::Done, "nothing was lost");
    }
    assert!(sign(&bad.remote(&key)).is_ok());
    assert!(lock(&channel.done).is_empty());
}

/// A thread that waits for pages has its turn as long as that takes, on a machine with one core the only one there is.
#[test]
fn a_turn_that_is_not_given_back_holds_up_nobody() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let good = TestChild::new(1).known_to(&running);
    assert_eq!(running.signer.settings.threads, 1);
    // As a thread has it that does not come back.
    lock(&running.signer.work).turns += 1;
    for _ in 0..5 {
        assert!(sign(&good.remote(&key)).is_ok());
    }
    lock(&running.signer.work).turns -= 1;
    assert!(sign(&good.remote(&key)).is_ok());
}

/// One signer for all that a slow key's requests can do in the queue; `busy` is the number of requests.
fn a_queue_of_dear_ones(
    running: &StartedSigner,
    child: &TestChild,
    key: &Arc<dyn SigningKey>,
    busy: usize,
) -> Vec<Claim> {
    let dear = || request(key.as_ref(), SignatureScheme::RSA_PSS_SHA256);
    let claims = (0..busy).map(|_| child.ask(dear())).collect();
    eventually("a queue", || {
        lock(&running.signer.work).queue.len() >= busy / 2
    });
    claims
}

#[test]
fn what_a_child_asked_for_goes_with_it() {
    let rsa = crate::agent::testing::rsa_4096();
    let running = start(table(&[&rsa]));
    let child = TestChild::new(101);
    let mut process = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(process.id().cast_signed()).unwrap();
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    running.signer.serve_child(child.told(Some(pidfd)));
    let _claims = a_queue_of_dear_ones(&running, &child, &rsa, 100);
    process.kill().unwrap();
    process.wait().unwrap();
    eventually("nothing is left of it", || {
        lock(&running.signer.work).queue.is_empty()
            && lock(&running.signer.channels).by_token.is_empty()
    });
    let other = TestChild::new(1).known_to(&running);
    assert!(sign(&other.remote(&rsa)).is_ok());
    // What it left behind in other hands asks in vain.
    let late = child.ask(request(rsa.as_ref(), SignatureScheme::RSA_PSS_SHA256));
    assert!(sign(&other.remote(&rsa)).is_ok());
    assert!(matches!(late.progress(), Progress::Waiting(_)));
}

#[test]
fn what_was_given_up_is_not_signed() {
    let rsa = crate::agent::testing::rsa_4096();
    let running = start(table(&[&rsa]));
    let child = TestChild::new(601).known_to(&running);
    let claims = a_queue_of_dear_ones(&running, &child, &rsa, 600);
    drop(claims);
    // Six hundred would take longer than the second that this one has.
    assert!(sign(&child.remote(&rsa)).is_ok());
}

/// A signer of which no thread runs, and its notices.
fn idle(keys: KeyTable) -> Arc<Signer> {
    let settings = Settings {
        threads: 1,
        epoch: 1,
    };
    Signer::new(
        Arc::new(TestOs),
        Arc::new(keys),
        settings,
        Box::new(|_, _| ()),
    )
    .unwrap()
}

/// The jobs that a child's requests are, in the queue.
fn take_in(signer: &Signer, child: &TestChild) {
    signer.serve_child(child.told(None));
    let token = lock(&signer.channels).by_process[&child.pid];
    let channel = signer.channel(token).unwrap();
    channel.rung.store(true, Ordering::SeqCst);
    signer.enqueue(signer.look(&channel));
}

#[test]
fn what_is_refused_counts_as_work() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let signer = idle(table(&[&key]));
    let (bad, good) = (TestChild::new(40), TestChild::new(3));
    let nonsense: Vec<_> = (0..40).map(|_| bad.ask(|_| vec![1; 500])).collect();
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let asked: Vec<_> = (0..3)
        .map(|_| good.ask(request(key.as_ref(), scheme)))
        .collect();
    take_in(&signer, &bad);
    take_in(&signer, &good);
    let mut work = lock(&signer.work);
    assert_eq!(work.queue.len(), nonsense.len() + asked.len());
    let order = std::iter::from_fn(|| work.queue.pop(true));
    let signed: Vec<bool> = order
        .map(|(job, _)| matches!(job.task, Task::Sign(..)))
        .collect();
    let last = signed.iter().rposition(|signed| *signed).unwrap();
    assert!(
        (6..=14).contains(&last),
        "five refusals cost what a signature does: {signed:?}"
    );
}

#[test]
fn what_no_key_could_sign_is_not_even_copied() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let long = || vec![1; wire::MAX_REQUEST];
    for (role, copied) in [(Role::Server, 0), (Role::ProxyClient, wire::MAX_REQUEST)] {
        let mut table = KeyTable::default();
        table.insert(role, Arc::clone(&key)).unwrap();
        let signer = idle(table);
        let child = TestChild::new(1);
        let _asked = child.ask(|_| long());
        take_in(&signer, &child);
        let (job, _) = lock(&signer.work).queue.pop(true).unwrap();
        assert!(
            matches!(job.task, Task::Refuse(Status::Malformed, length) if length == copied),
            "{role:?}"
        );
    }
}

#[test]
fn a_child_that_has_ended_is_not_begun_with() {
    let signer = idle(KeyTable::default());
    let child = TestChild::new(1);
    let _asked = child.ask(|_| vec![1]);
    let mut process = std::process::Command::new("true").spawn().unwrap();
    let pid = Pid::from_raw(process.id().cast_signed()).unwrap();
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    process.wait().unwrap();
    signer.serve_child(child.told(Some(pidfd)));
    assert!(lock(&signer.channels).by_token.is_empty());
}
