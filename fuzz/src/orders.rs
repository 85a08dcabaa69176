// SPDX-License-Identifier: Apache-2.0
//! What httpd's parent and the supervisor say to each other: orders one way, answers and states the other.

use mod_tls_core::agent::child::transport::Transport;
use mod_tls_core::agent::protocol::certificate_codec::{Known, Sent};
use mod_tls_core::agent::protocol::message::{Answer, Order, State};
use mod_tls_core::agent::protocol::requests::Requests;

/// The first octet says which of the messages the rest is. What is read says the same again when it is written and read.
pub fn orders(data: &[u8]) {
    let Some((&kind, message)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => order(message),
        1 => answer(message),
        _ => {
            if let Ok(state) = State::decode(message) {
                assert_eq!(State::decode(&state.encode()), Ok(state));
            }
        }
    }
}

fn order(message: &[u8]) {
    let Ok(order) = Order::decode(message) else {
        return;
    };
    if let Ok(requests) = order.requests.read() {
        // Memory grows with what is there, not with what counts claim.
        assert!(requests.len() <= message.len());
        let again = Requests::new(requests.into_iter());
        let written = again.as_bytes();
        let count = again.read().map(|requests| requests.len());
        assert_eq!(Requests::from_bytes(written), again);
        assert_eq!(count, order.requests.read().map(|requests| requests.len()));
    }
    assert_eq!(Order::decode(&order.encode()), Ok(order));
}

/// Certificates and public keys are in it, which the parent reads.
fn answer(message: &[u8]) {
    let transport = Transport::new();
    let Ok(answer) = Answer::decode(message, &transport, &mut Known::new()) else {
        return;
    };
    let whole = answer.encode(&mut Sent::default());
    let again = Answer::decode(&whole, &transport, &mut Known::new()).expect("it was written here");
    assert_eq!(again.as_before, answer.as_before);
    assert_eq!(again.problems, answer.problems);
    assert_eq!(again.sets.len(), answer.sets.len());
    for (one, other) in answer.sets.iter().zip(&again.sets) {
        assert_eq!(one.is_some(), other.is_some());
        let (Some(one), Some(other)) = (one, other) else {
            continue;
        };
        assert_eq!(one.pairs().len(), other.pairs().len());
        for (one, other) in one.pairs().iter().zip(other.pairs()) {
            assert_eq!(one.chain(), other.chain());
        }
    }
}
