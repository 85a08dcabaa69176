// SPDX-License-Identifier: Apache-2.0
//! All interleavings of the slot's protocol, with the death of each side at every step.
//!
//! The real code runs over a memory of which it may take one step at a time: to go on from where it was, it is run anew
//! over the values that it has read so far. So whoever has read the same is in the same state, and each state (the
//! memory, and what each actor has read) is visited once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::slot::{self, Progress};
use super::words::{Look, Words};
use super::{Layout, MAX_SLOTS};

/// Words by their place: requests first, replies from [`REPLIES`] on.
type Memory = BTreeMap<usize, u32>;

const REPLIES: usize = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Value {
    Word(u32),
    Flag(bool),
    Bytes(Vec<u8>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Actor {
    read: Vec<Value>,
    /// What it came to; `None` where it died.
    over: Option<Option<Vec<u8>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct World {
    memory: Memory,
    actors: Vec<Actor>,
    deaths: usize,
}

/// An actor's view of the memory, for one step or for all.
#[derive(Default)]
struct View {
    one_step: bool,
    memory: RefCell<Memory>,
    read: RefCell<Vec<Value>>,
    place: Cell<usize>,
    stepped: Cell<bool>,
}

struct Pause;

impl View {
    fn act(&self, step: impl FnOnce(&mut Memory) -> Value) -> Value {
        let place = self.place.replace(self.place.get() + 1);
        if let Some(value) = self.read.borrow().get(place) {
            return value.clone();
        }
        if self.stepped.replace(self.one_step) {
            resume_unwind(Box::new(Pause));
        }
        let value = step(&mut self.memory.borrow_mut());
        self.read.borrow_mut().push(value.clone());
        value
    }

    fn word(&self, step: impl FnOnce(&mut Memory) -> u32) -> u32 {
        match self.act(|memory| Value::Word(step(memory))) {
            Value::Word(word) => word,
            other => panic!("{other:?}"),
        }
    }
}

/// One of the two memories, as an actor sees it. A copy of bytes takes two steps, so that it can be torn.
struct Part<'a>(&'a View, usize);

impl View {
    fn requests(&self) -> Part<'_> {
        Part(self, 0)
    }

    fn replies(&self) -> Part<'_> {
        Part(self, REPLIES)
    }
}

/// What is copied at first: a length and a word, or half of what is short.
fn split(words: usize) -> usize {
    if words > 2 { 2 } else { words / 2 }
}

impl Look for Part<'_> {
    fn load(&self, at: usize) -> u32 {
        let at = self.1 + at;
        self.0.word(|memory| memory.get(&at).copied().unwrap_or(0))
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        let (first, second) = out.split_at_mut(split(out.len() / 4) * 4);
        let middle = self.1 + at + first.len() / 4;
        for (from, part) in [(self.1 + at, first), (middle, second)] {
            let words = from..from + part.len() / 4;
            let read = self.0.act(|memory| {
                let word = |at: usize| memory.get(&at).copied().unwrap_or(0).to_ne_bytes();
                Value::Bytes(words.flat_map(word).collect())
            });
            let Value::Bytes(read) = read else {
                panic!("{read:?}")
            };
            part.copy_from_slice(&read);
        }
    }
}

impl Words for Part<'_> {
    fn store(&self, at: usize, value: u32) {
        let at = self.1 + at;
        self.0.word(|memory| memory.insert(at, value).unwrap_or(0));
    }

    fn exchange(&self, at: usize, old: u32, new: u32) -> bool {
        let at = self.1 + at;
        let done = self.0.act(|memory| {
            let word = memory.entry(at).or_default();
            let same = *word == old;
            if same {
                *word = new;
            }
            Value::Flag(same)
        });
        done == Value::Flag(true)
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        let (first, second) = bytes.split_at(split(bytes.len() / 4) * 4);
        let middle = self.1 + at + first.len() / 4;
        for (from, part) in [(self.1 + at, first), (middle, second)] {
            self.0.word(|memory| {
                for (at, four) in (from..).zip(part.chunks(4)) {
                    memory.insert(at, u32::from_ne_bytes(four.try_into().unwrap()));
                }
                0
            });
        }
    }
}

type Script = Box<dyn Fn(&View) -> Option<Vec<u8>>>;

/// The world after one step of an actor.
fn step(world: &World, me: usize, script: &Script) -> World {
    let view = View {
        one_step: true,
        memory: RefCell::new(world.memory.clone()),
        read: RefCell::new(world.actors[me].read.clone()),
        ..View::default()
    };
    let came = catch_unwind(AssertUnwindSafe(|| script(&view)));
    let mut after = world.clone();
    after.memory = view.memory.into_inner();
    after.actors[me].read = view.read.into_inner();
    match came {
        Ok(came) => {
            after.actors[me] = Actor {
                read: Vec::new(),
                over: Some(came),
            }
        }
        Err(payload) if payload.is::<Pause>() => {}
        Err(payload) => resume_unwind(payload),
    }
    after
}

/// Visits every state that there is; gives the ends and how many states there were.
fn explore(scripts: &[Script], deaths: usize) -> (HashSet<World>, usize) {
    let begin = World {
        actors: vec![Actor::default(); scripts.len()],
        deaths,
        ..World::default()
    };
    let (mut seen, mut todo) = (HashSet::from([begin.clone()]), vec![begin]);
    let mut ends = HashSet::new();
    while let Some(world) = todo.pop() {
        let mut is_end = true;
        for (me, script) in scripts.iter().enumerate() {
            if world.actors[me].over.is_some() {
                continue;
            }
            is_end = false;
            let mut next = vec![step(&world, me, script)];
            if world.deaths > 0 {
                let mut dead = world.clone();
                dead.deaths -= 1;
                dead.actors[me] = Actor {
                    read: Vec::new(),
                    over: Some(None),
                };
                next.push(dead);
            }
            todo.extend(next.into_iter().filter(|world| seen.insert(world.clone())));
        }
        if is_end {
            ends.insert(world);
        }
    }
    (ends, seen.len())
}

fn layout() -> Layout {
    Layout::new(1)
}

/// Eight bytes that say a number twice, so that a torn copy shows.
fn twice(number: u32) -> Vec<u8> {
    [number.to_ne_bytes(), number.to_ne_bytes()].concat()
}

/// Asks so often over the only slot, each time giving up after so many looks; gives for each reply its request's number
/// and what it says.
fn child(owner: u32, requests: usize, looks: usize) -> Script {
    Box::new(move |view| {
        let (asks, replies) = (view.requests(), view.replies());
        let mut came = Vec::new();
        for _ in 0..requests {
            let Some(slot) = slot::claim(&asks, &replies, layout(), owner, |pid| pid != GONE)
            else {
                continue;
            };
            let number = slot::ask(&asks, layout(), slot, twice);
            for _ in 0..looks {
                if slot::progress(&replies, layout(), slot, number) == Progress::Done {
                    came.extend(number.to_ne_bytes());
                    came.extend(slot::reply(&replies, layout(), slot));
                    break;
                }
            }
            slot::release(&asks, layout(), slot, owner, number);
        }
        Some(came)
    })
}

/// A process that is not alive by the time that another one claims.
const GONE: u32 = 66;

/// Looks so often for a request that it has not taken, and answers with what it read and its own epoch.
fn signer(epoch: u32, looks: usize) -> Script {
    Box::new(move |view| {
        let (asks, replies) = (view.requests(), view.replies());
        let (mut frame, mut taken) = (Vec::new(), None);
        for _ in 0..looks {
            let Some(number) = slot::wanted(&asks, layout(), 0) else {
                continue;
            };
            if taken == Some(number) || slot::is_answered(&replies, layout(), 0, number) {
                continue;
            }
            taken = Some(number);
            slot::take(&asks, layout(), 0, 8, &mut frame);
            frame.extend(epoch.to_ne_bytes());
            slot::answer(&replies, layout(), 0, epoch, number, &frame);
        }
        None
    })
}

/// Every reply that anybody got is whole, says what the whole request said that waited for it, and is one signer's.
fn judge(ends: &HashSet<World>, epochs: &[u32]) -> usize {
    let replies = ends.iter().flat_map(|world| &world.actors);
    let replies: Vec<&[u8]> = replies
        .filter_map(|actor| actor.over.as_ref()?.as_ref())
        .flat_map(|came| came.chunks(16))
        .collect();
    for reply in &replies {
        let number = &reply[..4];
        assert!(
            reply.len() == 16 && &reply[4..8] == number && &reply[8..12] == number,
            "{reply:?}"
        );
        let epoch = u32::from_ne_bytes(reply[12..].try_into().unwrap());
        assert!(epochs.contains(&epoch), "{reply:?}");
    }
    replies.len()
}

#[test]
fn a_child_and_a_signer_either_of_which_dies() {
    let (ends, states) = explore(&[child(7, 2, 1), signer(1, 2)], 1);
    assert!(judge(&ends, &[1]) > 2 && states > 1000, "{states}");
}

#[test]
fn two_signers_at_a_time() {
    let (ends, states) = explore(&[child(7, 1, 1), signer(1, 1), signer(2, 1)], 1);
    assert!(judge(&ends, &[1, 2]) > 2 && states > 1000, "{states}");
}

#[test]
fn a_process_that_takes_a_dead_ones_slot() {
    let (ends, _) = explore(&[child(GONE, 1, 1), signer(1, 2)], 2);
    let dead = ends.iter().filter(|end| end.actors[0].over == Some(None));
    let mut left = HashSet::new();
    for end in dead {
        // Whatever the dead process, or its signer, left behind: another one gets its answer.
        let view = View {
            memory: RefCell::new(end.memory.clone()),
            ..View::default()
        };
        let (asks, replies) = (view.requests(), view.replies());
        let slot = slot::claim(&asks, &replies, layout(), 7, |pid| pid != GONE).unwrap();
        let number = slot::ask(&asks, layout(), slot, twice);
        assert_eq!(slot::waiting(&asks, layout()), [(0, number)]);
        let mut frame = Vec::new();
        slot::take(&asks, layout(), 0, 8, &mut frame);
        assert_eq!(frame, twice(number));
        assert!(slot::answer(&replies, layout(), 0, 2, number, b"good"));
        let done = slot::progress(&replies, layout(), slot, number);
        assert_eq!(done, Progress::Done, "{end:?}");
        assert_eq!(slot::reply(&replies, layout(), slot), b"good");
        left.insert(&end.memory);
    }
    assert!(left.len() > 10, "{}", left.len());
}

#[test]
fn layouts_do_not_overlap() {
    for slots in [1, 2, 33, 50, MAX_SLOTS, usize::MAX] {
        let layout = Layout::new(slots);
        let count = layout.slots();
        assert!(count <= MAX_SLOTS);
        assert!(layout.asked(count - 1) < layout.owner(0));
        assert!(layout.owner(count - 1) < layout.request(0));
        assert!(layout.request(count - 1) + super::REQUEST <= layout.long(0));
        assert!((layout.long(count - 1) + super::LONG) * 4 <= layout.request_bytes());
        assert!((layout.state(count - 1) + super::REPLY) * 4 <= layout.reply_bytes());
        assert_eq!(
            (layout.request(usize::MAX), layout.long(0) % 1024),
            (layout.request(count - 1), 0)
        );
    }
}
