// SPDX-License-Identifier: Apache-2.0
//! Tickets that clients bring back, and entries that a session cache on another machine answers with.

use std::sync::OnceLock;

use mod_tls_core::ticket::TicketProtector;
use mod_tls_core::ticket::session_state::{Binding, Refusal, SessionState};
use mod_tls_core::ticket::ticket_protector::{Kind, Provenance};

use super::ticket_keys::{NOW, protector};

static PROTECTOR: OnceLock<TicketProtector> = OnceLock::new();

/// Nobody's octets are opened, what was sealed comes back as it was, and one changed bit or another owner ends it. The session
/// state, which is read after its authentication, is fed with anything as well.
pub fn ticket(data: &[u8]) {
    let protector = PROTECTOR.get_or_init(protector);
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
        assert!(protector.open(kind, &to, data).is_err());
        let sealed = seal(protector, kind, &to, data);
        let (opened, _) = protector.open(kind, &to, &sealed).expect("our own");
        assert_eq!(opened, data);
        let mut changed = sealed.clone();
        let place = data.iter().fold(0_usize, |sum, octet| {
            sum.wrapping_mul(31).wrapping_add(usize::from(*octet))
        });
        if let Some(octet) = changed.get_mut(place % sealed.len()) {
            *octet ^= 1;
        }
        assert!(protector.open(kind, &to, &changed).is_err());
    }
    let sealed = seal(protector, Kind::Ticket, &to, data);
    assert!(
        protector.open(entry, &to, &sealed).is_err(),
        "no ticket is an entry"
    );
    let other = Binding {
        host: "b.example:443",
        ..to.clone()
    };
    assert_eq!(
        protector.open(Kind::Ticket, &other, &sealed).err(),
        Some(Refusal::OtherHost)
    );
    session_state(data, &to);
}

fn seal(protector: &TicketProtector, kind: Kind<'_>, to: &Binding<'_>, value: &[u8]) -> Vec<u8> {
    let provenance = Provenance {
        origin: NOW,
        client: None,
    };
    protector.seal(kind, to, provenance, value).expect("a key")
}

fn session_state(data: &[u8], to: &Binding<'_>) {
    let Some((session_state, rest)) = SessionState::decode(data) else {
        return;
    };
    let mut again = Vec::new();
    session_state.encode(&mut again);
    again.extend_from_slice(rest);
    assert_eq!(again, data);
    assert!(
        session_state.origin() <= session_state.issued
            && session_state.promise() <= session_state.lifetime
    );
    if session_state.check(to, NOW, 60).is_ok() {
        assert!(
            NOW + 60 >= session_state.issued
                && NOW < session_state.issued.saturating_add(u64::from(to.lifetime))
        );
        assert!(
            session_state
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
