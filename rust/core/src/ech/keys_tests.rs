// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::ech::shared_keys::tests::shared;

fn key(id: u8) -> Key {
    Key::generate("public.example", id, 0).unwrap()
}

#[test]
fn keys_reach_another_process_whole() {
    let mut old = key(1);
    old.set_retry(false);
    let keys = Keys::new(vec![old, key(2)], 512).unwrap();
    let shared = shared();
    shared.publish(&keys).unwrap();
    let (_, there) = shared.read().unwrap();
    assert_eq!(there.padding(), 512);
    assert_eq!(there.retry(), keys.retry());
    assert_eq!(config::read_list(there.retry()).unwrap()[0].id, 2);
    for (here, there) in keys.iter().zip(there.iter()) {
        assert_eq!(
            (here.encoded(), here.private()),
            (there.encoded(), there.private())
        );
    }
    let bytes = keys.encode();
    for cut in 3..bytes.len() {
        let read = |part: Range<usize>| Some(Zeroizing::new(bytes.get(part)?.to_vec()));
        let whole = Keys::decode(cut, read, |place| shared.place(0, place));
        assert!(whole.is_none_or(|keys| keys.iter().count() == 1), "{cut}");
    }
}

#[test]
fn private_keys_are_not_read_where_all_are() {
    let keys = Keys::new(vec![key(1), key(2)], PADDING).unwrap();
    let (bytes, seen) = (keys.encode(), std::cell::RefCell::new(Vec::new()));
    let read = |part: Range<usize>| {
        let octets = Zeroizing::new(bytes.get(part)?.to_vec());
        seen.borrow_mut().extend_from_slice(&octets);
        Some(octets)
    };
    let shared = shared();
    let again = Keys::decode(bytes.len(), read, |place| shared.place(0, place)).unwrap();
    assert_eq!(again.iter().count(), 2);
    let was_seen = |part: &[u8]| seen.borrow().windows(8).any(|octets| octets == &part[..8]);
    for key in keys.iter() {
        assert!(was_seen(key.encoded()) && !was_seen(&key.private()));
    }
}

#[test]
fn a_key_has_to_fit_its_configuration() {
    let (one, two) = (key(1), key(1));
    let mixed = Key::new(one.config().clone(), &two.private(), true);
    assert_eq!(mixed.unwrap_err(), KeyFault::Mismatch);
    assert!(Key::new(one.config().clone(), &one.private(), true).is_ok());
    let named = Config {
        public_name: "192.0.2.1".to_owned(),
        ..one.config().clone()
    };
    assert!(Key::new(named, &one.private(), true).is_err());
    let unknown = Config {
        kem: 0x21,
        ..one.config().clone()
    };
    let unknown = Key::new(unknown, &one.private(), true).unwrap_err();
    assert!(unknown.to_string().contains("0x0021"));
}

#[test]
fn a_stranger_cannot_have_many_keys_tried() {
    let many = |count: usize, id: fn(usize) -> u8| {
        Keys::new((0..count).map(|number| key(id(number))).collect(), PADDING)
    };
    assert!(many(MOST_OF_ONE_ID, |_| 3).is_ok());
    let many_of_one = many(MOST_OF_ONE_ID + 1, |_| 3).unwrap_err();
    assert!(many_of_one.to_string().contains("share a number"));
    assert!(many(MOST, |number| number as u8).is_ok());
    assert!(many(MOST + 1, |number| number as u8).is_err());
}

#[test]
fn a_private_key_is_not_shown() {
    let key = Key::new(key(1).config().clone(), &key(1).private(), true);
    assert!(key.is_err());
    let text = format!("{:?}", Keys::new(vec![self::key(5)], 0).unwrap());
    assert!(text.contains("public.example") && !text.contains("private"));
}

/// A file that is named twice, or has a copy beside it.
#[test]
fn the_same_key_counts_once() {
    let one = key(1);
    let again = |retry| Key::new(one.config().clone(), &one.private(), retry).unwrap();
    let many = (0..MOST + 1).map(|n| again(n == 3)).collect();
    let keys = Keys::new(many, PADDING).unwrap();
    assert_eq!(keys.iter().count(), 1);
    assert_eq!(
        config::read_list(keys.retry()).unwrap().len(),
        1,
        "given to clients, once"
    );
}
