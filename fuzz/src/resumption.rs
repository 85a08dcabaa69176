//! Tickets that clients bring back, and entries that a session cache on another machine answers with.

use core::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use mod_tls_core::metrics::{Counters, PAGE_WORDS};
use mod_tls_core::ticket::envelope::{Binding, Envelope, Refusal};
use mod_tls_core::ticket::sealer::{History, Kind};
use mod_tls_core::ticket::{BOARD_WORDS, Board, Clock, Keeper, Sealer};

const NOW: u64 = 1_790_000_000;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> u64 {
        NOW
    }
}

/// A board with a random key.
fn sealer() -> Sealer {
    static BOARD: OnceLock<Board> = OnceLock::new();
    let board = *BOARD.get_or_init(|| {
        let memory = |count| -> &'static [AtomicU64] {
            let words: Vec<AtomicU64> = (0..count).map(|_| AtomicU64::new(0)).collect();
            words.leak()
        };
        let words = memory(BOARD_WORDS);
        let mut keeper = Keeper::new(words).expect("randomness");
        keeper.retain_for(3600);
        keeper.issue_from_random_keys(NOW);
        let counters = Counters::new(memory(PAGE_WORDS)).expect("enough words");
        Board::new(words, counters).expect("enough words")
    });
    Sealer {
        board,
        clock: Arc::new(Stopped),
    }
}

/// Nobody's octets are opened, what was sealed comes back as it was, and one changed bit or another owner ends it. The envelope,
/// which is read after its authentication, is fed with anything as well.
pub fn ticket(data: &[u8]) {
    let sealer = sealer();
    let to = Binding {
        policy: &[7; 32],
        host: "a.example:443",
        lifetime: 300,
        generation: 3,
    };
    let entry = Kind::Entry {
        id: b"0123456789abcdef0123456789abcdef",
        expiry: NOW + 300,
    };
    for kind in [Kind::Ticket, entry] {
        assert!(sealer.open(kind, &to, data).is_err());
        let sealed = seal(&sealer, kind, &to, data);
        let (opened, _) = sealer.open(kind, &to, &sealed).expect("our own");
        assert_eq!(opened, data);
        let mut changed = sealed.clone();
        let place = data.iter().fold(0_usize, |sum, octet| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*octet))
        });
        if let Some(octet) = changed.get_mut(place % sealed.len()) {
            *octet ^= 1;
        }
        assert!(sealer.open(kind, &to, &changed).is_err());
    }
    let sealed = seal(&sealer, Kind::Ticket, &to, data);
    assert!(
        sealer.open(entry, &to, &sealed).is_err(),
        "no ticket is an entry"
    );
    let other = Binding {
        host: "b.example:443",
        ..to.clone()
    };
    assert_eq!(
        sealer.open(Kind::Ticket, &other, &sealed).err(),
        Some(Refusal::OtherHost)
    );
    envelope(data, &to);
}

fn seal(sealer: &Sealer, kind: Kind<'_>, to: &Binding<'_>, value: &[u8]) -> Vec<u8> {
    let history = History {
        origin: NOW,
        client: None,
    };
    sealer.seal(kind, to, history, value).expect("a key")
}

fn envelope(data: &[u8], to: &Binding<'_>) {
    let Some((envelope, rest)) = Envelope::decode(data) else {
        return;
    };
    let mut again = Vec::new();
    envelope.encode(&mut again);
    again.extend_from_slice(rest);
    assert_eq!(again, data);
    assert!(envelope.origin() <= envelope.issued && envelope.promise() <= envelope.lifetime);
    if envelope.check(to, NOW, 60).is_ok() {
        assert!(
            NOW + 60 >= envelope.issued
                && NOW < envelope.issued.saturating_add(u64::from(to.lifetime))
        );
        assert!(
            envelope
                .client
                .is_none_or(|client| client.generation == to.generation)
        );
    }
    if let Ok(value) = to.check_owner(rest) {
        let mut owner = Vec::new();
        assert_eq!(to.encode_owner(&mut owner), Some(()));
        owner.extend_from_slice(value);
        assert_eq!(owner, rest);
    }
}
