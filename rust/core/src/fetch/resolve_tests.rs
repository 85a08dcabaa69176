// SPDX-License-Identifier: Apache-2.0
//! Answers of name servers, honest and not.

use super::*;

const ALIAS: &[u8] = b"\x05alias\x07example\0";

fn asked(kind: Kind) -> Vec<u8> {
    question(0x1234, "www.example", kind).unwrap()
}

/// An answer with these records after the question.
fn reply(question: &[u8], flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
    let mut message = question.to_vec();
    message[2..4].copy_from_slice(&flags);
    message[7] = u8::try_from(records.len()).unwrap();
    records
        .iter()
        .for_each(|record| message.extend_from_slice(record));
    message
}

fn record(name: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let mut record = name.to_vec();
    record.extend_from_slice(&kind.to_be_bytes());
    record.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
    record.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    record.extend_from_slice(data);
    record
}

const OK: [u8; 2] = [0x81, 0x80];
/// A pointer to the question's name.
const POINTER: &[u8] = &[0xc0, 12];

#[test]
fn addresses_of_a_name_and_of_its_alias() {
    let question = asked(Kind::A);
    let address = record(POINTER, 1, &[192, 0, 2, 1]);
    let both = reply(
        &question,
        OK,
        &[&address, &record(POINTER, 1, &[192, 0, 2, 2])],
    );
    let found = answer(&question, &both, Kind::A).unwrap();
    assert_eq!(
        found,
        ["192.0.2.1", "192.0.2.2"].map(|a| a.parse::<IpAddr>().unwrap())
    );

    let alias = record(POINTER, 5, ALIAS);
    let behind = record(b"\x05ALIAS\x07example\0", 1, &[192, 0, 2, 9]);
    let message = reply(&question, OK, &[&alias, &behind]);
    let found = answer(&question, &message, Kind::A).unwrap();
    assert_eq!(found, ["192.0.2.9".parse::<IpAddr>().unwrap()]);

    let question = asked(Kind::Aaaa);
    let mut six = [0; 16];
    six[15] = 7;
    let message = reply(&question, OK, &[&record(POINTER, 28, &six), &address]);
    let found = answer(&question, &message, Kind::Aaaa).unwrap();
    assert_eq!(found, ["::7".parse::<IpAddr>().unwrap()]);
}

#[test]
fn what_is_not_an_answer_to_the_question() {
    let question = asked(Kind::A);
    let address = record(POINTER, 1, &[192, 0, 2, 1]);
    let good = reply(&question, OK, &[&address]);
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut message = good.clone();
        change(&mut message);
        answer(&question, &message, Kind::A).unwrap_err()
    };
    assert_eq!(refused(&|m| m[0] = 9), Fault::Foreign, "another number");
    assert_eq!(refused(&|m| m[2] = 1), Fault::Foreign, "a question");
    assert_eq!(refused(&|m| m[14] = b'x'), Fault::Foreign, "another name");
    assert_eq!(refused(&|m| m[5] = 0), Fault::Foreign, "no question");
    assert_eq!(refused(&|m| m.truncate(11)), Fault::Foreign);
    assert_eq!(refused(&|m| m[3] = 0x83), Fault::NoName);
    assert_eq!(refused(&|m| m[3] = 0x82), Fault::Refused);
    assert_eq!(refused(&|m| m[2] |= 2), Fault::Truncated);
    assert_eq!(refused(&|m| m.truncate(m.len() - 1)), Fault::Unreadable);
    let of_another = record(ALIAS, 1, &[192, 0, 2, 1]);
    let message = reply(&question, OK, &[&of_another]);
    assert_eq!(answer(&question, &message, Kind::A), Ok(vec![]));
    assert!(self::question(1, "a..b", Kind::A).is_none());
    assert!(self::question(1, &"a".repeat(64), Kind::A).is_none());
}

/// Pointers in circles, forwards, and to themselves; names that grow at each turn; aliases in circles.
#[test]
fn every_way_is_short() {
    let question = asked(Kind::A);
    let here = u8::try_from(question.len()).unwrap();
    for name in [
        &[0xc0, here][..],
        &[0xc0, here + 2, 0xc0, here],
        &[0xff, 0xff],
        &[1, b'a', 0xc0, here],
        &[0x80, 1],
    ] {
        let message = reply(&question, OK, &[&record(name, 1, &[192, 0, 2, 1])]);
        assert_eq!(
            answer(&question, &message, Kind::A),
            Err(Fault::Unreadable),
            "{name:?}"
        );
    }
    let there = record(POINTER, 5, ALIAS);
    let back = record(ALIAS, 5, POINTER);
    let message = reply(&question, OK, &[&there, &back]);
    assert_eq!(answer(&question, &message, Kind::A), Ok(vec![]));
}

#[test]
fn no_more_addresses_than_are_tried() {
    let question = asked(Kind::A);
    let address = record(POINTER, 1, &[192, 0, 2, 1]);
    let message = reply(&question, OK, &vec![&address[..]; 60]);
    assert_eq!(
        answer(&question, &message, Kind::A).unwrap().len(),
        MOST_ADDRESSES
    );
}
