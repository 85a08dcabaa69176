// SPDX-License-Identifier: Apache-2.0
//! What reading a hello costs, and how much one may hold.

use rustls::AlertDescription;

use super::tests::{hello_with, record, refragment, server_name_extension};
use super::{HelloReader, Parsed, message, parse};

/// Whatever the sizes of records and reads are, each byte is looked at once and copied once.
#[test]
fn work_is_linear_in_the_bytes() {
    for record_size in [1, 2, 100, 16_384] {
        for read_size in [1, 3, 1000, 1 << 20] {
            let body = vec![(0x3377, vec![0; 8000 - 60])];
            let whole = hello_with(&body);
            let wire = refragment(&whole, record_size);
            let mut reader = HelloReader::new();
            let mut out = Vec::new();
            let mut last = Parsed::NeedMore;
            for piece in wire.chunks(read_size) {
                last = reader.feed(piece, &mut out, &mut ());
            }
            assert!(
                matches!(last, Parsed::Hello(_)),
                "{record_size} {read_size}"
            );
            assert!(
                reader.work <= 3 * wire.len(),
                "{} for {}",
                reader.work,
                wire.len()
            );
            assert_eq!(out, whole, "in as few records as it fits");
        }
    }
}

#[test]
fn memory_is_what_came_and_not_what_was_promised() {
    let mut reader = HelloReader::new();
    let promise = record(&[1, 0, 0xbf, 0xff, 3]);
    assert_eq!(
        reader.feed(&promise, &mut Vec::new(), &mut ()),
        Parsed::NeedMore
    );
    assert!(reader.message.capacity() < 64);
    for _ in 0..4000 {
        reader.feed(&record(&[0; 10]), &mut Vec::new(), &mut ());
    }
    assert!(reader.message.len() > 40_000 && reader.message.capacity() <= 4 + 0xbfff);
}

fn refused(wire: &[u8]) -> (&'static str, AlertDescription) {
    match parse(wire) {
        Parsed::Malformed(fault) => (fault.text, fault.alert),
        other => panic!("{other:?}"),
    }
}

/// An extension of one list: `count` entries, each `entry`.
fn list_of(kind: u16, count: usize, entry: &[u8]) -> (u16, Vec<u8>) {
    let list = entry.repeat(count);
    let mut data = u16::try_from(list.len()).unwrap().to_be_bytes().to_vec();
    data.extend_from_slice(&list);
    (kind, data)
}

#[test]
fn counts_are_bounded() {
    let table: [(usize, u16, &[u8], &str); 7] = [
        (message::MAX_PROTOCOLS, 16, &[1, b'x'], "protocols"),
        (message::MAX_CHOICES, 10, &[0, 29], "groups"),
        (message::MAX_CHOICES, 13, &[4, 3], "signature algorithms"),
        (message::MAX_CHOICES, 50, &[4, 3], "signature algorithms"),
        (message::MAX_SHARES, 51, &[0, 29, 0, 1, 9], "key shares"),
        (
            message::MAX_SESSIONS,
            41,
            &[0, 1, 9, 0, 0, 0, 0],
            "sessions",
        ),
        (message::MAX_AUTHORITIES, 47, &[0, 1, 9], "authorities"),
    ];
    for (most, kind, entry, words) in table {
        let good = hello_with(&[list_of(kind, most, entry)]);
        assert!(matches!(parse(&good), Parsed::Hello(_)), "{words}");
        let (text, alert) = refused(&hello_with(&[list_of(kind, most + 1, entry)]));
        assert!(text.contains(words), "{text}");
        assert_eq!(alert, AlertDescription::IllegalParameter);
    }
    let extensions = |count: u16| -> Vec<_> {
        (0x1000..0x1000 + count)
            .map(|kind| (kind, vec![]))
            .collect()
    };
    let most = u16::try_from(message::MAX_EXTENSIONS).unwrap();
    assert!(matches!(
        parse(&hello_with(&extensions(most))),
        Parsed::Hello(_)
    ));
    assert!(
        refused(&hello_with(&extensions(most + 1)))
            .0
            .contains("extensions")
    );
}

#[test]
fn the_number_of_suites_is_bounded() {
    let hello = |count: usize| {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.push(0);
        body.extend_from_slice(&u16::try_from(2 * count).unwrap().to_be_bytes());
        body.extend_from_slice(&[0x13, 1].repeat(count));
        body.extend_from_slice(&[1, 0]);
        let mut message = vec![1, 0];
        message.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
        message.extend_from_slice(&body);
        record(&message)
    };
    assert!(matches!(
        parse(&hello(message::MAX_SUITES)),
        Parsed::Hello(_)
    ));
    assert!(
        refused(&hello(message::MAX_SUITES + 1))
            .0
            .contains("suites")
    );
}

#[test]
fn nothing_follows_in_the_record() {
    let mut wire = hello_with(&[]);
    let longer = u16::try_from(wire.len() - 5 + 4).unwrap().to_be_bytes();
    wire[3..5].copy_from_slice(&longer);
    wire.extend_from_slice(&[20, 0, 0, 0]);
    assert_eq!(refused(&wire).1, AlertDescription::UnexpectedMessage);
}

#[test]
fn a_second_hello_comes_behind_what_is_for_rustls() {
    let hello = hello_with(&[(0x3377, vec![0; 100])]);
    let before = [&[20, 3, 3, 0, 1, 1][..], &[23, 3, 3, 0, 2, 8, 9]].concat();
    let wire = [&before[..], &refragment(&hello, 3)].concat();
    let mut reader = HelloReader::second();
    let mut out = Vec::new();
    let mut last = Parsed::NeedMore;
    for piece in wire.chunks(1) {
        assert_eq!(last, Parsed::NeedMore);
        last = reader.feed(piece, &mut out, &mut ());
    }
    assert!(matches!(last, Parsed::Hello(_)));
    assert_eq!(out, [before, hello].concat());
}

#[test]
fn limits_of_records_and_signals_are_read() {
    let one = |kind, data: &[u8]| match parse(&hello_with(&[(kind, data.to_vec())])) {
        Parsed::Hello(hello) => *hello,
        other => panic!("{other:?}"),
    };
    for (data, limit) in [(1, Some(512)), (4, Some(4096)), (5, None), (0, None)] {
        assert_eq!(one(1, &[data]).record_limit, limit);
    }
    assert_eq!(one(28, &[0x02, 0x01]).record_limit, Some(512));
    assert_eq!(one(28, &[0, 63]).record_limit, None);
    assert!(one(0xff01, &[1, 9]).renegotiates && !one(0xff01, &[0]).renegotiates);
}

/// What rustls does not take is hidden from it, and what it takes is not.
#[test]
fn odd_names_are_hidden() {
    let table: [(&[u8], bool); 9] = [
        (b"a.example", false),
        (b"joe-.example", true),
        (b"host:443", true),
        (b"1234", true),
        (b"a b", true),
        (b"192.0.2.1", false),
        (b"", false),
        (b"nul\0", false),
        (&[b'x'; 256], false),
    ];
    for (name, odd) in table {
        let wire = hello_with(&[(0x1234, vec![7; 30]), server_name_extension(&[(0, name)])]);
        let mut out = Vec::new();
        let Parsed::Hello(hello) = HelloReader::new().feed(&wire, &mut out, &mut ()) else {
            panic!("not a hello")
        };
        assert_eq!(hello.hidden.is_some(), odd, "{name:?}");
        assert_eq!(out == wire, !odd);
        if let Some(hidden) = hello.hidden {
            let place = 5 + hidden.offset;
            assert_eq!(wire[place..place + 2], [0, 0]);
            assert_eq!(out[place..place + 2], hidden.substitute);
            out[place..place + 2].copy_from_slice(&[0, 0]);
            assert_eq!(out, wire, "nothing else is changed");
        }
    }
}

/// Twice the name is for rustls to refuse, and nothing may follow the extensions.
#[test]
fn names_are_hidden_in_sound_hellos_alone() {
    let odd = || server_name_extension(&[(0, b"joe-.example")]);
    let twice = hello_with(&[odd(), odd()]);
    let mut out = Vec::new();
    assert!(matches!(
        HelloReader::new().feed(&twice, &mut out, &mut ()),
        Parsed::Hello(hello) if hello.hidden.is_none()
    ));
    assert_eq!(out, twice);
    let mut longer = hello_with(&[odd()]);
    longer.extend_from_slice(&[0, 0]);
    longer[4] += 2;
    longer[8] += 2;
    let Parsed::Malformed(fault) = parse(&longer) else {
        panic!("taken")
    };
    assert_eq!(fault.alert, AlertDescription::DecodeError);
}
