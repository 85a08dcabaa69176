// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::system::clock::testing::HandClock;
use crate::ticket::keeper::testing::Keys;

const NOW: u64 = 1_790_000_000;
const HERE: Binding<'static> = Binding {
    policy: &[1; 32],
    host: "a.example:443",
    lifetime: 43_200,
    generation: 0,
};
const FRESH: Provenance = Provenance {
    origin: NOW,
    client: None,
};

fn protector() -> (TicketProtector, HandClock) {
    let clock = HandClock::at(NOW);
    (
        TicketProtector {
            key_store: Keys::new(43_200, &clock).key_store,
            clock: Arc::new(clock.clone()),
        },
        clock,
    )
}

#[test]
fn every_bit_counts_and_every_cut_is_refused() {
    let (protector, _) = protector();
    let sealed = protector
        .seal(Kind::Ticket, &HERE, FRESH, b"session")
        .unwrap();
    assert_eq!(
        protector.open(Kind::Ticket, &HERE, &sealed).unwrap(),
        (b"session".to_vec(), FRESH)
    );
    for at in 0..sealed.len() {
        assert!(
            protector.open(Kind::Ticket, &HERE, &sealed[..at]).is_err(),
            "cut at {at}"
        );
        for bit in 0..8 {
            let mut bent = sealed.clone();
            bent[at] ^= 1 << bit;
            assert!(
                protector.open(Kind::Ticket, &HERE, &bent).is_err(),
                "octet {at} bit {bit}"
            );
        }
    }
    let long = [sealed.as_slice(), b"x"].concat();
    assert_eq!(
        protector.open(Kind::Ticket, &HERE, &long),
        Err(Refusal::Forged)
    );
}

#[test]
fn the_length_of_a_ticket_tells_no_name() {
    let (protector, _) = protector();
    let mut lengths = std::collections::BTreeSet::new();
    for (host, value) in [("a.example:443", 80), ("much.longer.example:443", 110)] {
        let (to, value) = (Binding { host, ..HERE }, vec![9; value]);
        let sealed = protector.seal(Kind::Ticket, &to, FRESH, &value).unwrap();
        let (opened, _) = protector.open(Kind::Ticket, &to, &sealed).unwrap();
        assert_eq!(opened, value);
        lengths.insert(sealed.len());
    }
    assert_eq!(lengths.len(), 1, "{lengths:?}");
    for count in [0, 1, UNIT - 1, UNIT, UNIT + 1, 70_000] {
        let value = vec![9; count];
        let sealed = protector.seal(Kind::Ticket, &HERE, FRESH, &value).unwrap();
        assert_eq!((sealed.len() - HEADER_LEN - aead::OVERHEAD) % UNIT, 0);
        let (opened, _) = protector.open(Kind::Ticket, &HERE, &sealed).unwrap();
        assert_eq!(opened, value);
    }
    let cut = [&5_u32.to_be_bytes()[..], b"four"].concat();
    assert_eq!(value_of(&cut), None);
}

#[test]
fn a_session_of_another_server_is_refused() {
    let (here, _) = protector();
    let (there, _) = protector();
    let sealed = there.seal(Kind::Ticket, &HERE, FRESH, b"session").unwrap();
    assert_eq!(
        here.open(Kind::Ticket, &HERE, &sealed),
        Err(Refusal::UnknownKey)
    );
}

#[test]
fn refusals_say_why() {
    let (protector, clock) = protector();
    let sealed = protector
        .seal(Kind::Ticket, &HERE, FRESH, b"session")
        .unwrap();
    let open = |to: &Binding<'_>| protector.open(Kind::Ticket, to, &sealed).map(|_| ());
    assert_eq!(
        open(&Binding {
            policy: &[2; 32],
            ..HERE
        }),
        Err(Refusal::OtherPolicy)
    );
    assert_eq!(
        open(&Binding {
            host: "b.example:443",
            ..HERE
        }),
        Err(Refusal::OtherHost)
    );
    clock.set(NOW - 1);
    assert_eq!(open(&HERE), Err(Refusal::Future));
    clock.set(NOW + 43_199);
    assert_eq!(open(&HERE), Ok(()));
    clock.set(NOW + 43_200);
    assert_eq!(open(&HERE), Err(Refusal::Expired));
    clock.set(NOW + 43_200 + 7200);
    assert_eq!(open(&HERE), Err(Refusal::UnknownKey));
}

#[test]
fn entries_belong_to_their_id_policy_host_and_expiry() {
    let (protector, _) = protector();
    let kind = Kind::Entry {
        id: b"0123456789abcdef",
        expiry: NOW + 300,
    };
    let sealed = protector.seal(kind, &HERE, FRESH, b"session").unwrap();
    assert!(protector.open(kind, &HERE, &sealed).is_ok());
    let forged = [
        (
            Kind::Entry {
                id: b"1123456789abcdef",
                expiry: NOW + 300,
            },
            HERE,
        ),
        (
            Kind::Entry {
                id: b"0123456789abcdef",
                expiry: NOW + 301,
            },
            HERE,
        ),
        (
            kind,
            Binding {
                policy: &[2; 32],
                ..HERE
            },
        ),
        (
            kind,
            Binding {
                host: "b.example:443",
                ..HERE
            },
        ),
        (Kind::Ticket, HERE),
    ];
    for (kind, to) in forged {
        assert_eq!(
            protector.open(kind, &to, &sealed).map(|_| ()),
            Err(Refusal::Forged),
            "{kind:?}"
        );
    }
    let ticket = protector
        .seal(Kind::Ticket, &HERE, FRESH, b"session")
        .unwrap();
    assert!(protector.open(kind, &HERE, &ticket).is_err());
}

#[test]
fn a_key_seals_nothing_dated_outside_of_its_interval() {
    // As somebody would who has the key of an interval and makes sessions of it.
    let (protector, clock) = protector();
    let (name, key) = protector.key_store.newest(NOW).unwrap();
    let start = u64::from(name.epoch) * 3600;
    let make = |issued: u64| {
        let mut head = Vec::new();
        let provenance = Provenance {
            origin: issued,
            client: None,
        };
        session_state(issued, HERE.lifetime, provenance)
            .unwrap()
            .encode(&mut head);
        HERE.encode_owner(&mut head).unwrap();
        head.extend_from_slice(&7_u32.to_be_bytes());
        let mut out = vec![FORMAT];
        out.extend_from_slice(&name.key_ring.to_be_bytes());
        out.extend_from_slice(&name.epoch.to_be_bytes());
        let aad = Kind::Ticket.aad(&HERE, &out).unwrap();
        assert!(aead::seal(&key, &aad, &[&head, b"session"], &mut out));
        out
    };
    for (now, issued, good) in [
        (start + 3599, start, true),
        (start + 3599, start + 3599, true),
        (start + 3599, start - 1, false),
        (start + 3600, start + 3600, false),
        (start + 40_000, start + 39_000, false),
    ] {
        clock.set(now);
        let opened = protector
            .open(Kind::Ticket, &HERE, &make(issued))
            .map(|_| ());
        let expected = if good { Ok(()) } else { Err(Refusal::Forged) };
        assert_eq!(opened, expected, "{issued} at {now}, from {start}");
    }
}

#[test]
fn the_provenance_goes_along() {
    let (protector, clock) = protector();
    let client = Some(ClientVerdict {
        code: 2,
        not_after: NOW + 90_000,
        generation: 0,
    });
    let mut provenance = Provenance {
        origin: NOW,
        client,
    };
    let mut value = b"session".to_vec();
    for _ in 0..11 {
        let sealed = protector
            .seal(Kind::Ticket, &HERE, provenance, &value)
            .unwrap();
        clock.advance(3600);
        (value, provenance) = protector.open(Kind::Ticket, &HERE, &sealed).unwrap();
    }
    assert_eq!((provenance.origin, provenance.client), (NOW, client));
    let last = protector
        .seal(Kind::Ticket, &HERE, provenance, &value)
        .unwrap();
    clock.advance(3600);
    assert_eq!(
        protector.open(Kind::Ticket, &HERE, &last).map(|_| ()),
        Err(Refusal::Expired)
    );
}
