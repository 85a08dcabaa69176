// SPDX-License-Identifier: Apache-2.0
//! Entries that are seen whole, whoever writes and wherever a writer dies.

use super::*;
use crate::system::words::model::{interleave, record};
use crate::ticket::keeper::testing::words;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

fn key(n: u64) -> Key {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &n.to_be_bytes());
    Key(digest.as_ref().try_into().unwrap())
}

fn memory(staples: usize) -> Writer {
    Writer::new(words(words_for(staples)), Some(words(words_for_lists(1))))
}

fn found(verdict: CertStatus, from: i64) -> Found {
    Found {
        verdict,
        from,
        until: from + 100,
    }
}

fn stapled(n: u8, length: usize) -> Stapled {
    Stapled {
        der: vec![n; length],
        from: 10,
        until: 1000,
    }
}

#[test]
fn verdicts_come_back_until_their_time_is_over() {
    let writer = memory(1);
    let results = writer.results();
    assert_eq!(results.verdict(key(1), 0), None);
    for verdict in [
        CertStatus::Good,
        CertStatus::Revoked(77, 1),
        CertStatus::Unknown,
        CertStatus::Failed,
    ] {
        let found = found(verdict, 50);
        writer.put_verdict(key(1), &found, 50);
        assert_eq!(results.verdict(key(1), 149), Some(found));
        assert_eq!(results.verdict(key(1), 150), None);
        assert_eq!(results.verdict(key(2), 50), None);
    }
}

#[test]
fn revocations_are_counted_once() {
    let writer = memory(1);
    let results = writer.results();
    let put = |n, verdict| {
        writer.put_verdict(key(n), &found(verdict, 1), 1);
        results.revocations()
    };
    assert_eq!(put(1, CertStatus::Good), 0);
    assert_eq!(put(1, CertStatus::Revoked(5, 0)), 1);
    assert_eq!(put(1, CertStatus::Revoked(5, 1)), 1);
    assert_eq!(put(2, CertStatus::Revoked(5, 1)), 2);
}

#[test]
fn the_oldest_verdict_gives_way() {
    let writer = memory(1);
    let results = writer.results();
    let most = 2 * VERDICTS as u64;
    for n in 0..most {
        writer.put_verdict(
            key(n),
            &found(CertStatus::Good, n.cast_signed()),
            n.cast_signed(),
        );
    }
    let there = |n: &u64| results.verdict(key(*n), n.cast_signed()).is_some();
    let of_late = (most - 10_000..most).filter(there).count();
    let of_old = (0..10_000).filter(there).count();
    assert!(of_late > 9900 && of_old < 3000, "{of_late} {of_old}");
}

/// Who asks about certificates of its own making, and answers, fills all places with answers of any date.
#[test]
fn what_made_up_answers_say_of_their_times_keeps_no_place() {
    let writer = memory(1);
    let results = writer.results();
    let in_the_places_of_one = |n: u8| {
        let mut key = key(1);
        key.0[31] = n;
        key
    };
    let put = |n, from, until, now| {
        let verdict = CertStatus::Good;
        let found = Found {
            verdict,
            from,
            until,
        };
        writer.put_verdict(in_the_places_of_one(n), &found, now);
    };
    (0..100).for_each(|n| put(n, 1_000_300, i64::MAX, 1_000_000));
    // Answers of others, that were given long before.
    (100..104).for_each(|n| put(n, 900_000, 2_000_000, 1_000_010));
    let held = |n: u8| results.verdict(in_the_places_of_one(n), 1_000_010);
    assert!((100..104).all(|n| held(n).is_some()));
    // What counts no longer gives way first.
    (104..108).for_each(|n| put(n, 1_000_020, 1_000_030, 1_000_020));
    put(108, 1, 2_000_000, 1_000_040);
    assert!((100..104).chain([108]).all(|n| held(n).is_some()));
}

#[test]
fn responses_come_back_until_they_are_taken_away() {
    let writer = memory(16);
    let results = writer.results();
    let put = |n: u8, length| writer.put_staple(key(n.into()), &stapled(n, length));
    for n in 0..16 {
        assert!(put(n, 1 + usize::from(n) * 100));
    }
    assert!(!put(99, 5), "there is no room");
    assert!(!put(0, LONGEST_STAPLE + 1) && put(0, LONGEST_STAPLE));
    assert_eq!(
        results.staple(key(0), 10).unwrap().der.len(),
        LONGEST_STAPLE
    );
    assert_eq!(results.staple(key(9), 10), Some(stapled(9, 901)));
    assert_eq!(results.staple(key(9), 1000), None);
    assert_eq!(results.staple(key(99), 10), None);
    writer.remove_staple(key(9));
    assert_eq!(results.staple(key(9), 10), None);
    assert!(put(99, 5), "in the room of the one that was taken away");
    assert_eq!(results.staple(key(99), 10), Some(stapled(99, 5)));
    assert!(!put(98, 5));
}

#[test]
fn lists_lie_in_a_memory_of_their_own() {
    let of_lists = |memory| Writer::new(words(words_for(1)), memory);
    let list = FetchedList {
        der: vec![5; 9],
        from: 1,
        until: 2,
    };
    assert!(!of_lists(None).put_list(key(1), &list));
    let writer = of_lists(Some(words(words_for_lists(2))));
    let results = writer.results();
    assert!(writer.put_list(key(1), &list) && writer.put_list(key(2), &list));
    assert!(!writer.put_list(key(3), &list), "there is no room");
    assert_eq!(results.list(key(1)), Some(list.clone()));
    let before = results.list_version(key(1));
    writer.remove_list(key(1));
    assert!(before.is_some() && results.list_version(key(1)).is_none());
    assert!(results.list(key(1)).is_none() && writer.put_list(key(3), &list));
    assert_eq!([0, 1, 2, 3, 31, 500].map(room_for), [0, 4, 4, 8, 32, 32]);
}

#[test]
fn what_is_ordered_is_told_and_nothing_else() {
    let writer = memory(1);
    let results = writer.results();
    let is_ordered = |n| results.is_ordered(key(n));
    writer.set_ordered(&[1, 2].map(key).into());
    assert_eq!([1, 2, 3].map(is_ordered), [true, true, false]);
    writer.set_ordered(&[2, 3].map(key).into());
    assert_eq!([1, 2, 3].map(is_ordered), [false, true, true]);
    // A process that follows another goes on over what that one left.
    Writer::new(results.words, None).set_ordered(&[1].map(key).into());
    assert_eq!([1, 2, 3].map(is_ordered), [true, false, false]);
    let many: HashSet<Key> = (0..2 * ORDERED as u64).map(key).collect();
    writer.set_ordered(&many);
    assert!((0..2 * ORDERED as u64).filter(|n| is_ordered(*n)).count() <= ORDERED);
}

#[test]
fn what_is_held_of_verdicts_is_summed() {
    let writer = memory(1);
    let results = writer.results();
    assert_eq!(results.verdicts_held(0), Held::default());
    for (n, verdict) in [
        (1, CertStatus::Good),
        (2, CertStatus::Good),
        (3, CertStatus::Revoked(7, 1)),
        (4, CertStatus::Unknown),
        (5, CertStatus::Failed),
    ] {
        writer.put_verdict(key(n), &found(verdict, 10 * n.cast_signed()), 0);
    }
    let held = Held {
        good: 2,
        revoked: 1,
        unknown: 1,
        failed: 1,
        oldest: Some(10),
        next_end: Some(110),
    };
    assert_eq!(results.verdicts_held(50), held);
    let later = results.verdicts_held(115);
    assert_eq!(
        (later.good, later.oldest, later.next_end),
        (1, Some(20), Some(120))
    );
}

#[test]
fn hosts_are_counted_apart_and_in_all() {
    let writer = memory(1);
    let results = writer.results();
    writer.count(Count::Late, 0);
    writer.count(Count::Late, 3);
    writer.count(Count::Refused, usize::MAX);
    let late = |counts: [u64; COUNTS]| counts[Count::Late as usize];
    assert_eq!(
        [
            late(results.counts()),
            late(results.counts_of_host(3)),
            late(results.counts_of_host(4))
        ],
        [2, 1, 0]
    );
    assert_eq!(
        results.counts_of_host(OTHER_HOSTS)[Count::Refused as usize],
        1
    );
    assert_eq!(results.revocations(), 0);
    for word in &results.words[BY_HOST..][..COUNTS] {
        word.store(u64::MAX, Ordering::SeqCst);
    }
    assert_eq!(
        results.counts_of_host(0),
        [MOST; COUNTS],
        "a captured process says anything"
    );
}

#[test]
fn an_entry_is_seen_whole_wherever_its_writer_is_or_dies() {
    let writer = memory(1);
    let results = writer.results();
    let (old, mut new) = (stapled(1, 8), stapled(2, 5));
    (new.from, new.until) = (20, 2000);
    assert!(writer.put_staple(key(1), &old));
    let stores = record(|| assert!(writer.put_staple(key(1), &new)));
    let mut seen = [0; 3];
    interleave(&stores, || {
        let read = results.staple(key(1), 10);
        let which = match &read {
            None => 0,
            Some(read) if *read == old => 1,
            Some(read) if *read == new => 2,
            Some(other) => panic!("{other:?}"),
        };
        seen[which] += 1;
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    for died in 0..stores.len() {
        for (word, value) in stores.iter().take(died) {
            word.store(*value, Ordering::SeqCst);
        }
        let successor = Writer::new(results.words, None);
        assert!(successor.put_staple(key(1), &old));
        assert_eq!(results.staple(key(1), 10), Some(old.clone()));
    }
}

#[test]
fn whatever_a_captured_fetcher_writes_is_read_within_bounds() {
    let writer = memory(2);
    let results = writer.results();
    assert!(writer.put_staple(key(1), &stapled(1, 5)));
    writer.put_verdict(key(1), &found(CertStatus::Good, 1), 1);
    for value in [u64::MAX, 1 << 63, 2, 3] {
        for word in results.words {
            let is = word.load(Ordering::SeqCst);
            word.store(value, Ordering::SeqCst);
            let _ = (
                results.staple(key(1), 10),
                results.verdict(key(1), 10),
                results.beat(),
            );
            word.store(is, Ordering::SeqCst);
        }
    }
    assert_eq!(Results::new(&[]).staple(key(1), 1), None);
}
