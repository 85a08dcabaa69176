// SPDX-License-Identifier: Apache-2.0
//! Where what lies in a channel's memories.

use crate::agent::protocol::wire::{MAX_REPLY, MAX_REQUEST, SHORT_REQUEST};

/// Most slots of a channel.
pub const MAX_SLOTS: usize = 1024;
/// Whole cache lines, so that threads do not write into each other's.
const LINE: usize = 16;
/// A page: what is long begins on one of its own.
const PAGE: usize = 1024;
pub(super) const SHORT: usize = SHORT_REQUEST.div_ceil(4);
pub(super) const REQUEST: usize = (1 + SHORT).next_multiple_of(LINE);
pub(super) const LONG: usize = MAX_REQUEST.div_ceil(4).next_multiple_of(LINE);
pub(super) const REPLY: usize = (2 + MAX_REPLY.div_ceil(4)).next_multiple_of(LINE);

/// Where what lies in a channel's memories; in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    slots: usize,
}

impl Layout {
    /// The layout for so many slots, one at least and [`MAX_SLOTS`] at most.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.clamp(1, MAX_SLOTS),
        }
    }

    /// How many requests may be under way at a time.
    pub fn slots(self) -> usize {
        self.slots
    }

    pub(super) fn per_slot(self) -> usize {
        self.slots.next_multiple_of(LINE)
    }

    pub(super) fn nth(self, slot: usize) -> usize {
        slot.min(self.slots - 1)
    }

    pub(super) fn asked(self, slot: usize) -> usize {
        self.nth(slot)
    }

    pub(super) fn owner(self, slot: usize) -> usize {
        self.per_slot() + self.nth(slot)
    }

    pub(super) fn request(self, slot: usize) -> usize {
        2 * self.per_slot() + self.nth(slot) * REQUEST
    }

    pub(super) fn long_areas(self) -> usize {
        (2 * self.per_slot() + self.slots * REQUEST).next_multiple_of(PAGE)
    }

    pub(super) fn long(self, slot: usize) -> usize {
        self.long_areas() + self.nth(slot) * LONG
    }

    /// Bytes of the memory of requests; what no request was ever written to takes none.
    pub fn request_bytes(self) -> usize {
        (self.long_areas() + self.slots * LONG).next_multiple_of(PAGE) * 4
    }

    pub(super) fn state(self, slot: usize) -> usize {
        self.nth(slot) * REPLY
    }

    pub(super) fn reply(self, slot: usize) -> usize {
        self.state(slot) + 1
    }

    /// Bytes of the memory of replies.
    pub fn reply_bytes(self) -> usize {
        (self.slots * REPLY).next_multiple_of(PAGE) * 4
    }
}
