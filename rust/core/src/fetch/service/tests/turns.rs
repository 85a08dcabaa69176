// SPDX-License-Identifier: Apache-2.0
//! Children that wait for the same.

use super::*;

/// A question that several wait for is asked in the turn of each of them, whoever was the first to ask.
#[test]
fn what_one_child_asks_besides_delays_nobody_who_waits_for_the_same() {
    let world = world();
    let (url, came) = responder(Says::good(&world).response());
    let (slow, good) = (rule("http://192.0.2.1/"), rule(&url));
    let both = Wants {
        rules: vec![Arc::clone(&slow), Arc::clone(&good)],
        ..Wants::default()
    };
    let bench = bench(both, 0);
    let (captured, honest) = (child(1), child(2));
    let others: Vec<_> = (0..7)
        .map(|_| captured.ask(&bench, &question(&slow, &super::world())))
        .collect();
    let frame = question(&good, &world);
    let (_first, second) = (captured.ask(&bench, &frame), honest.ask(&bench, &frame));
    // All its threads are busy: what it asked first stands behind that.
    for _ in &others {
        let job = lock(&bench.service.state).queue.pop().unwrap();
        if job.asker == Asker::Child(2) {
            let Task::CertStatus(key) = job.task else {
                panic!("a question")
            };
            bench.service.judge(key, job.asker, &job.host);
            break;
        }
    }
    assert_eq!(answer(&second).unwrap().verdict, CertStatus::Good);
    assert_eq!(came.load(Ordering::SeqCst), 1);
}

/// A host that is silent to one child is not taken for silent by others, about whatever that child asks.
#[test]
fn what_one_child_asks_in_vain_is_told_to_nobody_else() {
    let world = world();
    let (url, came) = responder(Says::good(&world).response());
    let rule = rule(&url);
    let bench = bench(wants(&rule), 0);
    let host = host_of(&url);
    let captured = child(1);
    for _ in 0..3 {
        let vain = || Err::<(), _>(crate::fetch::client::Fault::Late);
        let route = verdicts::route(&host, &rule);
        let _ = bench.service.heard(Asker::Child(1), &route, vain);
    }
    let frame = question(&rule, &world);
    let honest = child(2);
    let (own, other) = (captured.ask(&bench, &frame), honest.ask(&bench, &frame));
    let service = Arc::clone(&bench.service);
    std::thread::spawn(move || service.work());
    assert_eq!(answer(&own).unwrap().verdict, CertStatus::Failed);
    assert_eq!(answer(&other).unwrap().verdict, CertStatus::Good);
    assert_eq!(came.load(Ordering::SeqCst), 1);
    // The next to ask finds the verdict, and would find no failure.
    assert_eq!(
        answer(&child(3).ask(&bench, &frame)).unwrap().verdict,
        CertStatus::Good
    );
}

#[test]
fn asking_the_same_again_and_again_fills_no_queue() {
    let world = world();
    let rule = rule("http://192.0.2.1/");
    let bench = bench(wants(&rule), 0);
    let (first, toggling) = (child(1), child(2));
    let frames = [question(&rule, &world), question(&rule, &super::world())];
    let _asked: Vec<_> = frames
        .iter()
        .map(|frame| first.ask(&bench, frame))
        .collect();
    let mut claim = toggling.ask(&bench, &frames[0]);
    for turn in 0..1000 {
        claim.ask(|_| frames[turn % 2].clone());
        toggling.hear(&bench);
    }
    // In two slots by turns, of which the other one waits no longer.
    for _ in 0..1000 {
        let mut next = toggling.end.claim().unwrap();
        drop(claim);
        next.ask(|_| frames[0].clone());
        toggling.hear(&bench);
        claim = next;
    }
    let jobs = std::iter::from_fn(|| lock(&bench.service.state).queue.pop());
    assert_eq!(jobs.count(), 3);
}
