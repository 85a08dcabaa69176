// SPDX-License-Identifier: Apache-2.0
//! What the state of a session says, and when it is refused.

use super::*;

const NOW: u64 = 1_790_000_000;
const HERE: Binding<'static> = Binding {
    policy: &[1; 32],
    host: "a.example:443",
    lifetime: 3600,
    generation: 5,
};

fn sealed_at(issued: u64) -> SessionState {
    SessionState {
        issued,
        lifetime: 3600,
        chain: 0,
        client: None,
    }
}

#[test]
fn reads_what_it_wrote_and_survives_every_cut() {
    let client = Some(ClientVerdict {
        code: 3,
        not_after: NOW + 9,
        generation: 77,
    });
    for session_state in [
        sealed_at(NOW),
        SessionState {
            chain: 12,
            client,
            ..sealed_at(NOW)
        },
    ] {
        let mut octets = Vec::new();
        session_state.encode(&mut octets);
        let length = octets.len();
        octets.extend_from_slice(b"value");
        assert_eq!(
            SessionState::decode(&octets).unwrap(),
            (session_state, &b"value"[..])
        );
        for cut in 0..length {
            assert!(
                SessionState::decode(&octets[..cut]).is_none(),
                "cut at {cut}"
            );
        }
        octets[0] = FORMAT + 1;
        assert!(SessionState::decode(&octets).is_none());
    }
}

#[test]
fn owner_is_compared_whole() {
    let mut octets = Vec::new();
    HERE.encode_owner(&mut octets).unwrap();
    octets.extend_from_slice(b"value");
    assert_eq!(HERE.check_owner(&octets).unwrap(), b"value");
    let policy = Binding {
        policy: &[2; 32],
        ..HERE
    };
    assert_eq!(policy.check_owner(&octets), Err(Refusal::OtherPolicy));
    for host in [
        "a.example:444",
        "a.example:44",
        "b.example:443",
        "a.example:4433",
        "",
    ] {
        assert_eq!(
            Binding { host, ..HERE }.check_owner(&octets),
            Err(Refusal::OtherHost)
        );
    }
    for cut in 0..octets.len() - 5 {
        assert_eq!(
            HERE.check_owner(&octets[..cut]),
            Err(Refusal::Malformed),
            "cut at {cut}"
        );
    }
}

#[test]
fn lives_for_its_lifetime() {
    let session_state = sealed_at(NOW);
    assert_eq!(session_state.check(&HERE, NOW, 0), Ok(()));
    assert_eq!(session_state.check(&HERE, NOW + 3599, 0), Ok(()));
    assert_eq!(
        session_state.check(&HERE, NOW + 3600, 0),
        Err(Refusal::Expired)
    );
    let shorter = Binding {
        lifetime: 300,
        ..HERE
    };
    assert_eq!(
        session_state.check(&shorter, NOW + 300, 0),
        Err(Refusal::Expired)
    );
    assert_eq!(session_state.check(&HERE, NOW - 1, 0), Err(Refusal::Future));
    assert_eq!(session_state.check(&HERE, NOW - 60, 60), Ok(()));
    assert_eq!(
        session_state.check(&HERE, NOW - 61, 60),
        Err(Refusal::Future)
    );
}

#[test]
fn a_chain_of_resumptions_ends() {
    let week = 7 * 24 * 3600;
    let old = SessionState {
        chain: week - 10,
        ..sealed_at(NOW)
    };
    assert_eq!(old.check(&HERE, NOW + 9, 0), Ok(()));
    assert_eq!(old.check(&HERE, NOW + 10, 0), Err(Refusal::Expired));
    let client = Some(ClientVerdict {
        code: 1,
        not_after: NOW + u64::from(week),
        generation: 5,
    });
    let judged = SessionState {
        chain: 12 * 3600,
        client,
        ..sealed_at(NOW)
    };
    assert_eq!(judged.check(&HERE, NOW, 0), Err(Refusal::Expired));
}

#[test]
fn nothing_is_promised_that_is_refused() {
    let client = |not_after| ClientVerdict {
        code: 1,
        not_after,
        generation: 5,
    };
    let at = |chain, client| SessionState {
        chain,
        client,
        ..sealed_at(NOW)
    };
    let table = [
        (at(0, None), 3600),
        (at(7 * 24 * 3600 - 10, None), 10),
        (at(0, Some(client(0))), 3600),
        (at(0, Some(client(NOW + 100))), 100),
        (at(12 * 3600 - 20, Some(client(NOW + 100))), 20),
        (at(13 * 3600, Some(client(NOW + 100))), 0),
    ];
    for (session_state, promised) in table {
        assert_eq!(session_state.promise(), promised, "{session_state:?}");
        let last = NOW + u64::from(promised);
        assert!(
            session_state.check(&HERE, last, 0).is_err(),
            "{session_state:?}"
        );
        assert!(promised == 0 || session_state.check(&HERE, last - 1, 0).is_ok());
    }
}

#[test]
fn client_certificates_are_judged_again_when_they_must_be() {
    let client = ClientVerdict {
        code: 1,
        not_after: NOW + 100,
        generation: 5,
    };
    let with = |client| SessionState {
        client: Some(client),
        ..sealed_at(NOW)
    };
    assert_eq!(with(client).check(&HERE, NOW + 99, 0), Ok(()));
    assert_eq!(
        with(client).check(&HERE, NOW + 100, 0),
        Err(Refusal::ClientCertificate)
    );
    let without_path = ClientVerdict {
        not_after: 0,
        ..client
    };
    assert_eq!(with(without_path).check(&HERE, NOW, 0), Ok(()));
    let other_list = ClientVerdict {
        generation: 4,
        ..client
    };
    assert_eq!(
        with(other_list).check(&HERE, NOW, 0),
        Err(Refusal::ClientCertificate)
    );
}
