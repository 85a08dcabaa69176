//! The keys' memory in every interleaving of its writer with a reader.

use crate::system::words::model::{Store, interleave, record, ways};
use crate::ticket::board::{BOARD_WORDS, Board, KeyName};
use crate::ticket::keeper::Keeper;
use crate::ticket::keeper::testing::{counters, words};
use crate::ticket::lane::{LANE_WORDS, Lane, LaneWriter, SLOTS};
use zeroize::Zeroizing;

const ID: u32 = 7;
const OLD: [u8; 32] = [0xaa; 32];
const NEW: [u8; 32] = [0x55; 32];
/// Loads of one reading of a key: the tag, four words, the tag.
const READ: usize = 6;
/// Stores of a lane that is empty and made another's, and of a key that is written.
const RESET: usize = 4;
const WRITE: usize = 6;

fn lane() -> (Lane, LaneWriter) {
    let memory = words(LANE_WORDS);
    let mut writer = LaneWriter::new(memory).unwrap();
    writer.reset(ID, 60);
    writer.write(1, &OLD);
    (Lane::new(memory).unwrap(), writer)
}

/// Every reading of either key while `stores` happen gives that key whole, or nothing.
fn judge(lane: Lane, stores: &[Store], id: u32, epoch: u64, key: [u8; 32]) -> bool {
    let mut whole = true;
    let mut seen = 0;
    interleave(stores, || {
        if let Some(read) = lane.read(id, epoch) {
            whole &= *read == key;
            seen += 1;
        }
    });
    assert!(seen > 0, "some reading is early or late enough");
    whole
}

#[test]
fn a_key_that_takes_the_place_of_another_is_whole_or_absent() {
    let (lane, mut writer) = lane();
    let next = 1 + SLOTS as u64;
    let stores = record(|| writer.write(next, &NEW));
    assert!(judge(lane, &stores, ID, 1, OLD));
    assert!(judge(lane, &stores, ID, next, NEW));
    let runs = interleave(&stores, || drop(lane.read(ID, next)));
    assert!(runs > stores.len() && runs <= ways(stores.len(), READ));
}

#[test]
fn a_key_that_is_erased_is_whole_or_absent() {
    let (lane, mut writer) = lane();
    let stores = record(|| writer.keep_only(2, 3));
    assert!(judge(lane, &stores, ID, 1, OLD));
}

#[test]
fn a_lane_that_becomes_anothers_gives_no_key_under_the_other_name() {
    let (lane, mut writer) = lane();
    let stores = record(|| {
        writer.reset(ID + 1, 60);
        writer.write(1, &NEW);
    });
    assert!(judge(lane, &stores, ID, 1, OLD));
    assert!(judge(lane, &stores, ID + 1, 1, NEW));
}

#[test]
fn the_model_finds_a_writer_that_leaves_the_tag_in_place() {
    let (lane, mut writer) = lane();
    let mut stores = record(|| writer.write(1, &NEW));
    stores.remove(0);
    let torn = |key: &[u8; 32]| *key != OLD && *key != NEW;
    let mut found = false;
    interleave(&stores, || {
        found |= lane.read(ID, 1).is_some_and(|key| torn(&key));
    });
    assert!(found);
}

#[test]
fn a_secret_put_in_force_is_used_whole_whenever_the_writer_stops() {
    let memory = words(BOARD_WORDS);
    let mut keeper = Keeper::new(memory).unwrap();
    keeper.retain_for(60);
    keeper.tick(0);
    let board = Board::new(memory, counters()).unwrap();
    let (random, old) = board.newest(0).unwrap();
    let mut stores = record(|| {
        let lane = keeper.issue_from_secret(ID, 1000, 0);
        keeper.publish(lane, 0, |_, _| Zeroizing::new(NEW));
        keeper.put_in_force(lane);
    });
    // Keys of the intervals to come stand in slots that the reader does not look at.
    let in_force = stores.pop().unwrap();
    stores.truncate(RESET + WRITE);
    stores.push(in_force);
    let (mut before, mut after) = (0, 0);
    interleave(&stores, || match board.newest(0) {
        Some((name, key)) if name == random => {
            assert_eq!(*key, *old);
            before += 1;
        }
        Some((name, key)) => {
            let derived = KeyName { lane: ID, epoch: 0 };
            assert_eq!((name, *key), (derived, NEW));
            after += 1;
        }
        None => panic!("there is a key at every moment"),
    });
    assert!(before > 0 && after > 0);
}
