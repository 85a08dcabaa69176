//! The protocol of a slot. Every function is bounded by the sizes of [`Layout`], whatever the memory says.
//!
//! The state is one word: kind, epoch of the signer that has it, number of the request.
//!
//! | from | to | by | when |
//! |---|---|---|---|
//! | any | free, next number | child, owner of the slot | it is about to write a request |
//! | free | asked | child | the request is written |
//! | asked, or taken by another signer | taken | signer | before it copies the request |
//! | taken by this signer | writing | signer | before it writes the reply |
//! | writing | done | signer | the reply is written |
//! | asked, taken, done | free | child | it has the reply, or waits no longer |
//!
//! A signer's steps are exchanges of the whole word, so that one which was overtaken (the child gave up, another signer
//! took the request) writes nothing any more. A process may end at every step: what a signer leaves asked or taken,
//! the next one takes; what it leaves half written nobody reads, and the slot is used again when no other is free.

use super::words::Words;
use super::{HEAD, Layout, SHORT};
use crate::agent::wire::{MAX_REPLY, MAX_REQUEST, SHORT_REQUEST};

const STATE: usize = 0;
const OWNER: usize = 1;
const REQUEST_LENGTH: usize = 2;
const REPLY_LENGTH: usize = 3;

const KIND: u32 = 0b111;
const EPOCH_SHIFT: u32 = 3;
const NUMBER_SHIFT: u32 = 13;
/// Epochs that a state can tell apart.
pub const EPOCHS: u32 = 1 << (NUMBER_SHIFT - EPOCH_SHIFT);
/// Numbers that a state can tell apart.
pub const NUMBERS: u32 = 1 << (32 - NUMBER_SHIFT);

const FREE: u32 = 0;
const ASKED: u32 = 1;
const TAKEN: u32 = 2;
const WRITING: u32 = 3;
const DONE: u32 = 4;

/// How far a request is, as its child sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not answered; the state's word.
    Waiting(u32),
    /// Answered.
    Done,
    /// Somebody else wrote to the slot.
    Lost,
}

fn state(kind: u32, epoch: u32, number: u32) -> u32 {
    kind | (epoch % EPOCHS) << EPOCH_SHIFT | (number % NUMBERS) << NUMBER_SHIFT
}

fn kind(state: u32) -> u32 {
    state & KIND
}

fn epoch(state: u32) -> u32 {
    (state >> EPOCH_SHIFT) % EPOCHS
}

fn number(state: u32) -> u32 {
    state >> NUMBER_SHIFT
}

/// Where a request of so many bytes lies.
fn request_at(layout: Layout, slot: usize, length: usize) -> usize {
    if length <= SHORT_REQUEST {
        layout.slot(slot) + HEAD
    } else {
        layout.long(slot)
    }
}

fn bit(slot: usize) -> (usize, u32) {
    (slot / 32, 1 << (slot % 32))
}

// -- the child --------------------------------------------------------------------------------------------------------

/// Claims a slot for process `me`: one that nobody has; else one whose owner is not `alive`, or whose reply was never
/// finished.
pub fn claim<W: Words + ?Sized>(
    words: &W,
    layout: Layout,
    me: u32,
    alive: impl Fn(u32) -> bool,
) -> Option<usize> {
    let own = |slot: &usize, owner| words.exchange(layout.slot(*slot) + OWNER, owner, me);
    let whole = |slot: &usize| kind(words.load(layout.slot(*slot) + STATE)) != WRITING;
    let unowned = |slot: &usize| words.load(layout.slot(*slot) + OWNER) == 0;
    let all = 0..layout.slots();
    let mut free = all.clone().filter(unowned).filter(whole);
    if let Some(slot) = free.find(|slot| own(slot, 0)) {
        return Some(slot);
    }
    all.into_iter().find(|slot| {
        let owner = words.load(layout.slot(*slot) + OWNER);
        owner != me && (owner == 0 || !alive(owner)) && own(slot, owner)
    })
}

/// Writes the request that `frame` makes of its number. Gives the number.
pub fn ask<W: Words + ?Sized>(
    words: &W,
    layout: Layout,
    slot: usize,
    frame: impl FnOnce(u32) -> Vec<u8>,
) -> u32 {
    let at = layout.slot(slot);
    let next = (number(words.load(at + STATE)) + 1) % NUMBERS;
    // From here on no signer does anything about what was asked before.
    words.store(at + STATE, state(FREE, 0, next));
    let frame = frame(next);
    let length = frame.len().min(MAX_REQUEST);
    words.write(
        request_at(layout, slot, length),
        frame.get(..length).unwrap_or_default(),
    );
    words.store(at + REQUEST_LENGTH, u32::try_from(length).unwrap_or(0));
    words.store(at + STATE, state(ASKED, 0, next));
    remind(words, slot);
    next
}

/// Sets the slot's bit.
pub fn remind<W: Words + ?Sized>(words: &W, slot: usize) {
    let (word, bit) = bit(slot);
    words.set(word, bit);
}

/// How far the request of that number is.
pub fn progress<W: Words + ?Sized>(words: &W, layout: Layout, slot: usize, asked: u32) -> Progress {
    let state = words.load(layout.slot(slot) + STATE);
    match kind(state) {
        ASKED | TAKEN | WRITING if number(state) == asked => Progress::Waiting(state),
        DONE if number(state) == asked => Progress::Done,
        _ => Progress::Lost,
    }
}

/// The reply that stands in the slot; empty where its length is not a reply's.
pub fn reply<W: Words + ?Sized>(words: &W, layout: Layout, slot: usize) -> Vec<u8> {
    let at = layout.slot(slot);
    let length = words.load(at + REPLY_LENGTH) as usize;
    let mut reply = vec![0; if length <= MAX_REPLY { length } else { 0 }];
    words.read(at + HEAD + SHORT, &mut reply);
    reply
}

/// Gives the slot back. Where a signer just writes its reply, the slot rests until that is done.
pub fn release<W: Words + ?Sized>(words: &W, layout: Layout, slot: usize, owner: u32, number: u32) {
    let at = layout.slot(slot);
    // A signer changes the state twice at most: it takes the request, and it begins to write.
    for _ in 0..3 {
        let present = words.load(at + STATE);
        if matches!(kind(present), FREE | WRITING)
            || words.exchange(at + STATE, present, state(FREE, 0, number))
        {
            break;
        }
    }
    words.exchange(at + OWNER, owner, 0);
}

// -- the signer -------------------------------------------------------------------------------------------------------

/// The slots whose bits are set; clears the bits.
pub fn requests<W: Words + ?Sized>(words: &W, layout: Layout) -> Vec<usize> {
    let mut found = Vec::new();
    for word in 0..layout.bit_words() {
        if words.load(word) == 0 {
            continue;
        }
        let mut bits = words.swap(word, 0);
        while bits != 0 {
            let slot = word * 32 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if slot < layout.slots() {
                found.push(slot);
            }
        }
    }
    found
}

fn is_open(state: u32, mine: u32) -> bool {
    match kind(state) {
        ASKED => true,
        TAKEN => epoch(state) != mine % EPOCHS,
        _ => false,
    }
}

/// Whether the slot has a request that the signer of epoch `mine` has not taken.
pub fn is_asked<W: Words + ?Sized>(words: &W, layout: Layout, slot: usize, mine: u32) -> bool {
    is_open(words.load(layout.slot(slot) + STATE), mine)
}

/// Takes the slot's request for the signer of `epoch`: copies it into `frame` and gives its number. `None` where there
/// is none, or where this signer has it already.
pub fn take<W: Words + ?Sized>(
    words: &W,
    layout: Layout,
    slot: usize,
    mine: u32,
    frame: &mut Vec<u8>,
) -> Option<u32> {
    let at = layout.slot(slot);
    let found = words.load(at + STATE);
    let taken = state(TAKEN, mine, number(found));
    if !is_open(found, mine) || !words.exchange(at + STATE, found, taken) {
        return None;
    }
    let length = words.load(at + REQUEST_LENGTH) as usize;
    frame.clear();
    if length <= MAX_REQUEST {
        frame.resize(length, 0);
        words.read(request_at(layout, slot, length), frame);
    }
    // Else the child has given up meanwhile, and may have begun to write something else.
    (words.load(at + STATE) == taken).then_some(number(found))
}

/// Whether the request of that number is this signer's to answer.
pub fn is_wanted<W: Words + ?Sized>(
    words: &W,
    layout: Layout,
    slot: usize,
    mine: u32,
    asked: u32,
) -> bool {
    words.load(layout.slot(slot) + STATE) == state(TAKEN, mine, asked)
}

/// Writes a reply, unless nobody waits for it any more; says whether it did.
pub fn answer<W: Words + ?Sized>(
    words: &W,
    layout: Layout,
    slot: usize,
    mine: u32,
    asked: u32,
    reply: &[u8],
) -> bool {
    let at = layout.slot(slot);
    let writing = state(WRITING, mine, asked);
    if !words.exchange(at + STATE, state(TAKEN, mine, asked), writing) {
        return false;
    }
    let length = reply.len().min(MAX_REPLY);
    words.write(at + HEAD + SHORT, reply.get(..length).unwrap_or_default());
    words.store(at + REPLY_LENGTH, u32::try_from(length).unwrap_or(0));
    words.exchange(at + STATE, writing, state(DONE, mine, asked))
}
