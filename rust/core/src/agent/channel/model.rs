//! All interleavings of the slot's protocol, with the death of each side at every step.
//!
//! The real code runs over a memory of which it may take one step at a time: to go on from where it was, it is run anew
//! over the values that it has read so far. So whoever has read the same is in the same state, and each state (the
//! memory, and what each actor has read) is visited once.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::slot::{self, Progress};
use super::words::Words;
use super::{Layout, MAX_SLOTS};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Memory {
    words: BTreeMap<usize, u32>,
    /// Copies of bytes, by where they were written: each takes two steps, so that it can be torn.
    bytes: BTreeMap<usize, Vec<u8>>,
}

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

impl Words for View {
    fn load(&self, at: usize) -> u32 {
        self.word(|memory| memory.words.get(&at).copied().unwrap_or(0))
    }

    fn store(&self, at: usize, value: u32) {
        self.swap(at, value);
    }

    fn swap(&self, at: usize, value: u32) -> u32 {
        self.word(|memory| memory.words.insert(at, value).unwrap_or(0))
    }

    fn exchange(&self, at: usize, old: u32, new: u32) -> bool {
        let done = self.act(|memory| {
            let word = memory.words.entry(at).or_default();
            let same = *word == old;
            if same {
                *word = new;
            }
            Value::Flag(same)
        });
        done == Value::Flag(true)
    }

    fn set(&self, at: usize, bits: u32) {
        self.word(|memory| {
            *memory.words.entry(at).or_default() |= bits;
            0
        });
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        let middle = out.len() / 2;
        for part in [0..middle, middle..out.len()] {
            let length = part.len();
            let read = self.act(|memory| {
                let there = memory.bytes.get(&at).map(Vec::as_slice).unwrap_or_default();
                let byte = |place| there.get(place).copied().unwrap_or(0);
                Value::Bytes(part.clone().map(byte).collect())
            });
            let Value::Bytes(read) = read else {
                panic!("{read:?}")
            };
            out[part][..length].copy_from_slice(&read);
        }
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        let middle = bytes.len() / 2;
        for part in [0..middle, middle..bytes.len()] {
            self.word(|memory| {
                let there = memory.bytes.entry(at).or_default();
                there.resize(there.len().max(bytes.len()), 0);
                there[part.clone()].copy_from_slice(&bytes[part.clone()]);
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

/// Asks so often over the only slot, each time giving up after so many looks; gives for each reply its request's number
/// and what it says.
fn child(owner: u32, requests: usize, looks: usize) -> Script {
    Box::new(move |words| {
        let mut came = Vec::new();
        for _ in 0..requests {
            let Some(slot) = slot::claim(words, layout(), owner, |pid| pid != GONE) else {
                continue;
            };
            let number = slot::ask(words, layout(), slot, |number| vec![number as u8; 2]);
            for _ in 0..looks {
                match slot::progress(words, layout(), slot, number) {
                    Progress::Waiting(_) => {}
                    Progress::Done => {
                        came.push(number as u8);
                        came.extend(slot::reply(words, layout(), slot));
                        break;
                    }
                    Progress::Lost => panic!("nobody else writes to it"),
                }
            }
            slot::release(words, layout(), slot, owner, number);
        }
        Some(came)
    })
}

/// A process that is not alive by the time that another one claims.
const GONE: u32 = 66;

/// Looks so often for a request, and answers what it finds with the request's number and its own epoch.
fn signer(epoch: u32, looks: usize) -> Script {
    Box::new(move |words| {
        let mut frame = Vec::new();
        for _ in 0..looks {
            if let Some(number) = slot::take(words, layout(), 0, epoch, &mut frame) {
                assert_eq!(frame, [number as u8; 2], "never torn, never another one's");
                slot::answer(
                    words,
                    layout(),
                    0,
                    epoch,
                    number,
                    &[number as u8, epoch as u8],
                );
            }
        }
        None
    })
}

/// Every reply that anybody got is whole, and to the request that waited for it.
fn judge(ends: &HashSet<World>, epochs: &[u8]) -> usize {
    let replies = ends.iter().flat_map(|world| &world.actors);
    let replies: Vec<&[u8]> = replies
        .filter_map(|actor| actor.over.as_ref()?.as_ref())
        .flat_map(|came| came.chunks(3))
        .collect();
    for reply in &replies {
        assert!(reply.len() == 3 && reply[0] == reply[1], "{reply:?}");
        assert!(epochs.contains(&reply[2]), "{reply:?}");
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
        let words = View {
            memory: RefCell::new(end.memory.clone()),
            ..View::default()
        };
        let slot = slot::claim(&words, layout(), 7, |pid| pid != GONE).unwrap();
        let number = slot::ask(&words, layout(), slot, |number| vec![number as u8; 2]);
        assert_eq!(slot::requests(&words, layout()), [0]);
        let mut frame = Vec::new();
        assert_eq!(slot::take(&words, layout(), 0, 2, &mut frame), Some(number));
        assert_eq!(frame, [number as u8; 2]);
        assert!(slot::answer(&words, layout(), 0, 2, number, b"good"));
        let done = slot::progress(&words, layout(), slot, number);
        assert_eq!(done, Progress::Done, "{end:?}");
        assert_eq!(slot::reply(&words, layout(), slot), b"good");
        left.insert(&end.memory);
    }
    assert!(left.len() > 10, "{}", left.len());
}

#[test]
fn layouts_do_not_overlap() {
    for slots in [1, 2, 33, 50, MAX_SLOTS, usize::MAX] {
        let layout = Layout::new(slots);
        let count = layout.slots();
        assert!(count <= MAX_SLOTS && layout.bit_words() <= super::BITS);
        assert!(layout.slot(0) >= super::BITS);
        assert!(layout.slot(count - 1) + super::SLOT <= layout.long(0));
        assert!((layout.long(count - 1) + super::LONG) * 4 <= layout.bytes());
        assert_eq!(
            (layout.slot(usize::MAX), layout.long(0) % 1024),
            (layout.slot(count - 1), 0)
        );
    }
}
