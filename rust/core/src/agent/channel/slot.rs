// SPDX-License-Identifier: Apache-2.0
//! The protocol of a slot, over two memories with one writer each. Every function is bounded by the sizes of [`Layout`],
//! whatever the memories say.
//!
//! | memory | word | by | says |
//! |---|---|---|---|
//! | requests | asked | child | number of the request, and whether it waits for an answer |
//! | requests | owner | child | pid of the process that has the slot; 0 for none |
//! | requests | length, then the request | child | written while the number does not wait, read while it does |
//! | replies | state | signers | number of the last answer, and whether it is whole |
//! | replies | length, then the reply | signers | written while it is not whole, read when it is |
//!
//! What a signer has taken it knows by itself. A process may end at every step: what waits for an answer that nobody
//! has begun, the next signer takes; what was left half written nobody reads, and the slot is used again when no other
//! is free. Of two signers that live at the same time both may sign a request, and one of them answers.

use super::layout::{Layout, SHORT};
use super::words::{Look, Words};
use crate::agent::protocol::wire::{MAX_REPLY, MAX_REQUEST, SHORT_REQUEST};

/// Numbers that a request can have.
pub const NUMBERS: u32 = 1 << 20;
/// Epochs that a state can tell apart.
pub const EPOCHS: u32 = 1 << (NUMBER_SHIFT - EPOCH_SHIFT);

const WAITS: u32 = 1;
const WHOLE: u32 = 1;
const WRITING: u32 = 2;
const KIND: u32 = 0b11;
const EPOCH_SHIFT: u32 = 2;
const NUMBER_SHIFT: u32 = 12;

/// How often a signer looks at a state that another one changes under it.
const LOOKS: usize = 3;

/// How far a request is, as its child sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not answered; the state's word.
    Waiting(u32),
    /// Answered.
    Done,
}

fn asked(number: u32, waits: u32) -> u32 {
    (number % NUMBERS) << 1 | waits
}

fn number_of(asked: u32) -> u32 {
    (asked >> 1) % NUMBERS
}

fn state(kind: u32, epoch: u32, number: u32) -> u32 {
    kind | (epoch % EPOCHS) << EPOCH_SHIFT | (number % NUMBERS) << NUMBER_SHIFT
}

fn kind(state: u32) -> u32 {
    state & KIND
}

fn answered(state: u32) -> u32 {
    state >> NUMBER_SHIFT
}

// -- the child --------------------------------------------------------------------------------------------------------

/// Claims a slot for process `me`: one that nobody has; else one whose owner is not `alive`, or whose reply was never
/// finished.
pub fn claim(
    requests: &(impl Words + ?Sized),
    replies: &(impl Look + ?Sized),
    layout: Layout,
    me: u32,
    alive: impl Fn(u32) -> bool,
) -> Option<usize> {
    let own = |slot: &usize, owner| requests.exchange(layout.owner(*slot), owner, me);
    let whole = |slot: &usize| kind(replies.load(layout.state(*slot))) != WRITING;
    let unowned = |slot: &usize| requests.load(layout.owner(*slot)) == 0;
    let all = 0..layout.slots();
    let mut free = all.clone().filter(unowned).filter(whole);
    if let Some(slot) = free.find(|slot| own(slot, 0)) {
        return Some(slot);
    }
    all.into_iter().find(|slot| {
        let owner = requests.load(layout.owner(*slot));
        owner != me && (owner == 0 || !alive(owner)) && own(slot, owner)
    })
}

/// Writes the request that `frame` makes of its number. Gives the number.
pub fn ask(
    requests: &(impl Words + ?Sized),
    layout: Layout,
    slot: usize,
    frame: impl FnOnce(u32) -> Vec<u8>,
) -> u32 {
    let next = (number_of(requests.load(layout.asked(slot))) + 1) % NUMBERS;
    // From here on nobody waits for what was asked before.
    requests.store(layout.asked(slot), asked(next, 0));
    let frame = frame(next);
    let length = frame.len().min(MAX_REQUEST);
    let place = if length <= SHORT_REQUEST {
        layout.request(slot) + 1
    } else {
        layout.long(slot)
    };
    requests.write(place, frame.get(..length).unwrap_or_default());
    requests.store(layout.request(slot), u32::try_from(length).unwrap_or(0));
    requests.store(layout.asked(slot), asked(next, WAITS));
    next
}

/// How far the request of that number is.
pub fn progress(
    replies: &(impl Look + ?Sized),
    layout: Layout,
    slot: usize,
    number: u32,
) -> Progress {
    let state = replies.load(layout.state(slot));
    if kind(state) == WHOLE && answered(state) == number {
        Progress::Done
    } else {
        Progress::Waiting(state)
    }
}

/// The reply that stands in the slot; empty where its length is not a reply's.
pub fn reply(replies: &(impl Look + ?Sized), layout: Layout, slot: usize) -> Vec<u8> {
    let length = replies.load(layout.reply(slot)) as usize;
    let mut reply = vec![0; if length <= MAX_REPLY { length } else { 0 }];
    replies.read(layout.reply(slot) + 1, &mut reply);
    reply
}

/// Gives the slot back; nobody waits for request `number` any more.
pub fn release(
    requests: &(impl Words + ?Sized),
    layout: Layout,
    slot: usize,
    owner: u32,
    number: u32,
) {
    requests.store(layout.asked(slot), asked(number, 0));
    requests.exchange(layout.owner(slot), owner, 0);
}

// -- the signer -------------------------------------------------------------------------------------------------------

/// The slots in whose requests somebody waits for an answer, each with the request's number.
pub fn waiting(requests: &(impl Look + ?Sized), layout: Layout) -> Vec<(usize, u32)> {
    let mut words = [0; super::MAX_SLOTS * 4];
    let words = words.get_mut(..layout.slots() * 4).unwrap_or_default();
    requests.read(layout.asked(0), words);
    let word = |four: &[u8]| u32::from_ne_bytes(four.try_into().unwrap_or_default());
    let words = words.chunks_exact(4).map(word).enumerate();
    let waits = |(_, word): &(usize, u32)| word & WAITS != 0;
    words
        .filter(waits)
        .map(|(slot, word)| (slot, number_of(word)))
        .collect()
}

/// The number of the slot's request, where somebody waits for an answer.
pub fn wanted(requests: &(impl Look + ?Sized), layout: Layout, slot: usize) -> Option<u32> {
    let word = requests.load(layout.asked(slot));
    (word & WAITS != 0).then(|| number_of(word))
}

/// Copies the slot's request into `frame`, once, and no more than `most` bytes; nothing where the length that the child
/// says is not a request's.
///
/// A child that has given up meanwhile may have begun to write something else. Then nobody reads the answer.
pub fn take(
    requests: &(impl Look + ?Sized),
    layout: Layout,
    slot: usize,
    most: usize,
    frame: &mut Vec<u8>,
) {
    let mut record = [0; 4 + SHORT * 4];
    requests.read(layout.request(slot), &mut record);
    let [l0, l1, l2, l3, short @ ..] = record;
    let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
    frame.clear();
    if length > most.min(MAX_REQUEST) {
        return;
    }
    if length <= SHORT_REQUEST {
        frame.extend_from_slice(short.get(..length).unwrap_or_default());
    } else {
        frame.resize(length, 0);
        requests.read(layout.long(slot), frame);
    }
}

/// Whether a reply to that request stands in the slot.
pub fn is_answered(
    replies: &(impl Look + ?Sized),
    layout: Layout,
    slot: usize,
    number: u32,
) -> bool {
    progress(replies, layout, slot, number) == Progress::Done
}

/// Writes the signer's reply to a request, unless another one has, or does it now; says whether it did.
pub fn answer(
    replies: &(impl Words + ?Sized),
    layout: Layout,
    slot: usize,
    epoch: u32,
    number: u32,
    reply: &[u8],
) -> bool {
    let at = layout.state(slot);
    let writing = state(WRITING, epoch, number);
    for _ in 0..LOOKS {
        let present = replies.load(at);
        if kind(present) != 0 && answered(present) == number {
            return false;
        }
        if replies.exchange(at, present, writing) {
            let length = reply.len().min(MAX_REPLY);
            replies.write(
                layout.reply(slot) + 1,
                reply.get(..length).unwrap_or_default(),
            );
            replies.store(layout.reply(slot), u32::try_from(length).unwrap_or(0));
            return replies.exchange(at, writing, state(WHOLE, epoch, number));
        }
    }
    false
}
