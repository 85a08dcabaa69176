// SPDX-License-Identifier: Apache-2.0
//! Children that ask, against responders of threads of this process.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim, Way};
use crate::agent::protocol::children::Child;
use crate::agent::protocol::log_relay::pair;
use crate::agent::testing::TestOs;
use crate::fetch::channels::Channel;
use crate::fetch::frames;
use crate::fetch::news;
use crate::fetch::results::{Results, words_for};
use crate::fetch::wants::{Wants, staple_key};
use crate::ocsp::Rules;
use crate::ocsp::tests::{Says, World, world};
use crate::ticket::keeper::testing::words;

mod turns;

/// A responder that gives `answer` to whoever comes, after all of `wait`, and how many came.
fn responder(answer: Vec<u8>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&came);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                answer.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &answer].concat());
        }
    });
    (url, came)
}

fn rule(url: &str) -> Arc<Rule> {
    Arc::new(Rule {
        responder: Some(url.to_owned()),
        always: true,
        proxy: None,
        timeout: Duration::from_secs(20),
        nonce: false,
        judging: Rules::default(),
    })
}

fn wants(rule: &Arc<Rule>) -> Wants {
    Wants {
        rules: vec![Arc::clone(rule)],
        ..Wants::default()
    }
}

struct Bench {
    service: Arc<Service>,
    results: Results,
    said: std::os::fd::OwnedFd,
}

fn bench(wants: Wants, threads: usize) -> Bench {
    let (near, said) = pair().unwrap();
    let writer = Writer::new(words(words_for(4)), None);
    let results = writer.results();
    let service = Arc::new(Service::new(writer, NewsSender(near)));
    service.order(Order {
        wants,
        ..Order::default()
    });
    for _ in 0..threads {
        let service = Arc::clone(&service);
        std::thread::spawn(move || service.work());
    }
    Bench {
        service,
        results,
        said,
    }
}

/// A child with its channel.
struct Asking {
    end: Arc<ChildEnd>,
    channel: Arc<Channel>,
}

fn child(pid: i32) -> Asking {
    let (childs, way) = Way::pair(8, &TestOs).unwrap();
    let child = Child {
        pid,
        way,
        pidfd: None,
    };
    Asking {
        end: ChildEnd::new(childs, &TestOs).unwrap(),
        channel: Channel::new(child, 0, &TestOs).unwrap(),
    }
}

impl Asking {
    fn ask(&self, bench: &Bench, frame: &[u8]) -> Claim {
        let mut claim = self.end.claim().unwrap();
        claim.ask(|_| frame.to_vec());
        self.hear(bench);
        claim
    }

    fn hear(&self, bench: &Bench) {
        let heard = |place, asked: frames::Asked<'_>| bench.service.asked(place, asked);
        self.channel.take_in(heard);
    }
}

fn answer(claim: &Claim) -> Option<Found> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while claim.progress() != Progress::Done {
        assert!(Instant::now() < deadline, "an answer");
        std::thread::sleep(Duration::from_millis(5));
    }
    frames::answered(&claim.reply())
}

fn question(rule: &Rule, world: &World) -> Vec<u8> {
    frames::question(&rule.id(), &world.leaf, &world.ca.0).unwrap()
}

#[test]
fn what_many_wait_for_is_asked_once() {
    let world = world();
    let (url, came) = responder(Says::good(&world).response());
    let rule = rule(&url);
    let bench = bench(wants(&rule), 0);
    let children: Vec<_> = (1..=10).map(child).collect();
    let frame = question(&rule, &world);
    let asked = children
        .iter()
        .flat_map(|child| (0..7).map(|_| child.ask(&bench, &frame)));
    let asked: Vec<Claim> = asked.collect();
    let service = Arc::clone(&bench.service);
    std::thread::spawn(move || service.work());
    for claim in &asked {
        let found = answer(claim).unwrap();
        assert_eq!(found.verdict, CertStatus::Good);
        assert!(found.until > now());
    }
    assert_eq!(came.load(Ordering::SeqCst), 1);
    // From now on it is known, to every process.
    let key = verdict_key(&rule.id(), &world.leaf, &world.ca.0).unwrap();
    assert!(bench.results.verdict(key, now()).is_some());
    drop(asked);
    let again = children[0].ask(&bench, &frame);
    assert_eq!(answer(&again).unwrap().verdict, CertStatus::Good);
    assert_eq!(came.load(Ordering::SeqCst), 1);
    assert_eq!(lock(&bench.service.state).questions.len(), 0);
}

#[test]
fn what_nobody_waits_for_any_more_is_not_asked() {
    let world = world();
    let (url, came) = responder(Says::good(&world).response());
    let rule = rule(&url);
    let bench = bench(wants(&rule), 0);
    let (ends, gives_up, stays) = (child(1), child(2), child(3));
    let frame = question(&rule, &world);
    let _ended = ends.ask(&bench, &frame);
    drop(gives_up.ask(&bench, &frame));
    bench.service.forget(1);
    let service = Arc::clone(&bench.service);
    std::thread::spawn(move || service.work());
    let unknown = stays.ask(
        &bench,
        &frames::question(&[9; 32], &world.leaf, &world.ca.0).unwrap(),
    );
    assert_eq!(answer(&unknown), None, "a rule that nobody ordered");
    let garbage = stays.ask(&bench, b"Qx");
    assert_eq!(answer(&garbage), None);
    assert_eq!(came.load(Ordering::SeqCst), 0);
}

#[test]
fn nothing_is_learned_from_an_answer_that_is_not_believed() {
    let (world, other) = (world(), world());
    let (url, came) = responder(Says::good(&other).response());
    let rule = rule(&url);
    let bench = bench(wants(&rule), 2);
    let asking = child(1);
    let frame = question(&rule, &world);
    for _ in 0..2 {
        let found = answer(&asking.ask(&bench, &frame)).unwrap();
        assert_eq!(found.verdict, CertStatus::Failed);
    }
    assert_eq!(
        came.load(Ordering::SeqCst),
        1,
        "so soon it is not asked again"
    );
    let said = news::take(&bench.said, 10);
    assert!(
        matches!(&said[..], [News::Said(Line::NoVerdict, text)] if text.contains(&url)),
        "{said:?}"
    );
}

/// What counts without being asked again ends soon where the responder names no end, and within a day whatever it names.
#[test]
fn a_verdict_ends_whatever_a_responder_says() {
    let world = world();
    for (until, least, most) in [
        (Some(world.now + 3600), 3500, 3600),
        (Some(i64::from(u32::MAX)), 86_300, 86_400),
        (None, 200, 300),
    ] {
        let says = Says {
            until,
            ..Says::good(&world)
        };
        let (url, _) = responder(says.response());
        let rule = rule(&url);
        let bench = bench(wants(&rule), 1);
        let found = answer(&child(1).ask(&bench, &question(&rule, &world))).unwrap();
        let life = found.until - world.now;
        assert_eq!(found.verdict, CertStatus::Good);
        assert!((least..=most + 60).contains(&life), "{until:?}: {life}");
    }
}

#[test]
fn responses_are_fetched_before_they_are_needed() {
    let world = world();
    let (url, came) = responder(Says::good(&world).response());
    let key = staple_key(&world.leaf, &world.ca.0, Some(&url)).unwrap();
    let want = |kept: Vec<u8>| StapleWant {
        key,
        leaf: world.leaf.clone(),
        issuer: world.ca.0.clone(),
        rule: rule(&url),
        refresh: 3600,
        retry: 600,
        kept,
    };
    let staples = |kept| Wants {
        staples: vec![want(kept)],
        ..Wants::default()
    };
    let fetching = bench(staples(Vec::new()), 1);
    let deadline = Instant::now() + Duration::from_secs(30);
    while fetching.results.staple(key, now()).is_none() {
        assert!(Instant::now() < deadline, "a response");
        std::thread::sleep(Duration::from_millis(5));
    }
    let stapled = fetching.results.staple(key, now()).unwrap();
    assert!(stapled.until > now());
    assert_eq!(came.load(Ordering::SeqCst), 1);
    // The same order again, as at a graceful restart: nothing is asked, and the response stays.
    fetching.service.order(Order {
        wants: staples(Vec::new()),
        ..Order::default()
    });
    assert!(!lock(&fetching.service.state).staples[&key].busy);
    assert_eq!(fetching.results.staple(key, now()), Some(stapled.clone()));
    // What nobody wants any more is gone.
    fetching.service.order(Order::default());
    assert_eq!(fetching.results.staple(key, now()), None);
    // What was kept is there at once, and what of it may not be sent is not.
    let kept = bench(staples(stapled.der.clone()), 0);
    assert_eq!(kept.results.staple(key, now()), Some(stapled));
    assert!(!lock(&kept.service.state).staples[&key].busy);
    let bad = bench(staples(b"garbage".to_vec()), 0);
    assert_eq!(bad.results.staple(key, now()), None);
    assert!(lock(&bad.service.state).staples[&key].busy);
}

#[test]
fn a_slot_has_one_question_whatever_a_child_asks() {
    let rule = rule("http://192.0.2.1/");
    let bench = bench(wants(&rule), 0);
    let (asking, other) = (child(1), child(2));
    let counted = || {
        let state = lock(&bench.service.state);
        let octets: usize = state.octets.values().sum();
        (state.questions.len(), octets > 0, state.asked.len())
    };
    let worlds: Vec<World> = (0..3).map(|_| world()).collect();
    let frames: Vec<_> = worlds.iter().map(|world| question(&rule, world)).collect();
    let mut claim = asking.ask(&bench, &frames[0]);
    let joined = other.ask(&bench, &frames[0]);
    for frame in [&frames[1], &frames[2], &frames[1], &frames[1]] {
        claim.ask(|_| frame.clone());
        asking.hear(&bench);
    }
    // The first one is waited for by the other child still.
    assert_eq!(counted(), (2, true, 2));
    drop(joined);
    bench.service.forget(1);
    bench.service.forget(2);
    assert_eq!(counted(), (0, false, 0));
    assert!(lock(&bench.service.state).queue.pop().is_none());
}

#[test]
fn an_order_that_comes_again_forgets_no_rule_of_the_one_before() {
    let world = world();
    let (url, _) = responder(Says::good(&world).response());
    let (old, new) = (rule(&url), rule("http://192.0.2.1/"));
    let bench = bench(wants(&old), 1);
    // As after a graceful restart, with lists that came to be wanted and name servers that changed.
    for _ in 0..3 {
        bench.service.order(Order {
            wants: wants(&new),
            ..Order::default()
        });
    }
    let found = answer(&child(1).ask(&bench, &question(&old, &world))).unwrap();
    assert_eq!(found.verdict, CertStatus::Good);
    let is_ordered = |rule: &Rule| bench.results.is_ordered(ordered::rule(&rule.id()));
    assert!(is_ordered(&old) && is_ordered(&new));
    bench.service.order(Order::default());
    assert!(!is_ordered(&old) && is_ordered(&new));
}
