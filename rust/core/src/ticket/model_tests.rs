// SPDX-License-Identifier: Apache-2.0
//! The keys' memory in every interleaving of its writer with a reader.

use super::key_ring::{KEY_RING_WORDS, KeyRing, KeyRingWriter, SLOTS};
use super::shared_key_store::{KEY_STORE_WORDS, KeyName, SharedKeyStore};
use crate::system::words::model::{Store, interleave, record, ways};
use crate::ticket::keeper::Keeper;
use crate::ticket::keeper::testing::{counters, words};
use zeroize::Zeroizing;

const ID: u32 = 7;
const OLD: [u8; 32] = [0xaa; 32];
const NEW: [u8; 32] = [0x55; 32];
/// Loads of one reading of a key: the tag, four words, the tag.
const READ: usize = 6;
/// Stores of a key ring that is empty and made another's, and of a key that is written.
const RESET: usize = 4;
const WRITE: usize = 6;

fn key_ring() -> (KeyRing, KeyRingWriter) {
    let memory = words(KEY_RING_WORDS);
    let mut writer = KeyRingWriter::new(memory).unwrap();
    writer.reset(ID, 60);
    writer.write(1, &OLD);
    (KeyRing::new(memory).unwrap(), writer)
}

/// Every reading of either key while `stores` happen gives that key whole, or nothing.
fn judge(key_ring: KeyRing, stores: &[Store], id: u32, epoch: u64, key: [u8; 32]) -> bool {
    let mut whole = true;
    let mut seen = 0;
    interleave(stores, || {
        if let Some(read) = key_ring.read(id, epoch) {
            whole &= *read == key;
            seen += 1;
        }
    });
    assert!(seen > 0, "some reading is early or late enough");
    whole
}

#[test]
fn a_key_that_takes_the_place_of_another_is_whole_or_absent() {
    let (key_ring, mut writer) = key_ring();
    let next = 1 + SLOTS as u64;
    let stores = record(|| writer.write(next, &NEW));
    assert!(judge(key_ring, &stores, ID, 1, OLD));
    assert!(judge(key_ring, &stores, ID, next, NEW));
    let runs = interleave(&stores, || drop(key_ring.read(ID, next)));
    assert!(runs > stores.len() && runs <= ways(stores.len(), READ));
}

#[test]
fn a_key_that_is_erased_is_whole_or_absent() {
    let (key_ring, mut writer) = key_ring();
    let stores = record(|| writer.keep_only(2, 3));
    assert!(judge(key_ring, &stores, ID, 1, OLD));
}

#[test]
fn a_key_ring_that_becomes_anothers_gives_no_key_under_the_other_name() {
    let (key_ring, mut writer) = key_ring();
    let stores = record(|| {
        writer.reset(ID + 1, 60);
        writer.write(1, &NEW);
    });
    assert!(judge(key_ring, &stores, ID, 1, OLD));
    assert!(judge(key_ring, &stores, ID + 1, 1, NEW));
}

#[test]
fn the_model_finds_a_writer_that_leaves_the_tag_in_place() {
    let (key_ring, mut writer) = key_ring();
    let mut stores = record(|| writer.write(1, &NEW));
    stores.remove(0);
    let torn = |key: &[u8; 32]| *key != OLD && *key != NEW;
    let mut found = false;
    interleave(&stores, || {
        found |= key_ring.read(ID, 1).is_some_and(|key| torn(&key));
    });
    assert!(found);
}

#[test]
fn a_secret_put_in_force_is_used_whole_whenever_the_writer_stops() {
    let memory = words(KEY_STORE_WORDS);
    let mut keeper = Keeper::new(memory).unwrap();
    keeper.retain_for(60);
    keeper.tick(0);
    let key_store = SharedKeyStore::new(memory, counters()).unwrap();
    let (random, old) = key_store.newest(0).unwrap();
    let mut stores = record(|| {
        let key_ring = keeper.issue_from_secret(ID, 1000, 0);
        keeper.publish(key_ring, 0, |_, _| Zeroizing::new(NEW));
        keeper.put_in_force(key_ring);
    });
    // Keys of the intervals to come stand in slots that the reader does not look at.
    let in_force = stores.pop().unwrap();
    stores.truncate(RESET + WRITE);
    stores.push(in_force);
    let (mut before, mut after) = (0, 0);
    interleave(&stores, || match key_store.newest(0) {
        Some((name, key)) if name == random => {
            assert_eq!(*key, *old);
            before += 1;
        }
        Some((name, key)) => {
            let derived = KeyName {
                key_ring: ID,
                epoch: 0,
            };
            assert_eq!((name, *key), (derived, NEW));
            after += 1;
        }
        None => panic!("there is a key at every moment"),
    });
    assert!(before > 0 && after > 0);
}
