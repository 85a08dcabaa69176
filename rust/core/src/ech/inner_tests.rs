// SPDX-License-Identifier: Apache-2.0
use super::*;

fn vec16(data: &[u8]) -> Vec<u8> {
    [&u16::try_from(data.len()).unwrap().to_be_bytes()[..], data].concat()
}

fn extensions(list: &[(u16, &[u8])]) -> Vec<u8> {
    list.iter()
        .flat_map(|(kind, data)| [&kind.to_be_bytes()[..], &vec16(data)].concat())
        .collect()
}

fn body(session_id: &[u8], list: &[(u16, &[u8])]) -> Vec<u8> {
    [
        &[3, 3][..],
        &[7; 32],
        &[u8::try_from(session_id.len()).unwrap()],
        session_id,
        &vec16(&[0x13, 1]),
        &[1, 0],
        &vec16(&extensions(list)),
    ]
    .concat()
}

fn message(body: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1][..], &length, body].concat()
}

const ONE: (u16, &[u8]) = (51, b"share");
const TWO: (u16, &[u8]) = (10, b"groups");
const THREE: (u16, &[u8]) = (13, b"schemes");
const OFFER: (u16, &[u8]) = (EXTENSION, b"offer");
const MARKER: (u16, &[u8]) = (EXTENSION, &[1]);

fn outer() -> Vec<u8> {
    message(&body(
        &[5; 32],
        &[ONE, OFFER, TWO, THREE, (OUTER_EXTENSIONS, &[])],
    ))
}

fn alert(encoded: &[u8]) -> AlertDescription {
    rebuild(&outer(), encoded).unwrap_err().alert
}

#[test]
fn an_inner_hello_takes_session_id_and_extensions_from_the_outer_one() {
    let refers = [4, 0, 51, 0, 13];
    let encoded = body(&[], &[MARKER, (OUTER_EXTENSIONS, &refers), (0, b"name")]);
    let whole = message(&body(&[5; 32], &[MARKER, ONE, THREE, (0, b"name")]));
    for padding in [0, 1, 300] {
        let encoded = [&encoded[..], &vec![0; padding]].concat();
        assert_eq!(rebuild(&outer(), &encoded).unwrap(), whole);
    }
    let without = body(&[], &[MARKER]);
    assert_eq!(
        rebuild(&outer(), &without).unwrap(),
        message(&body(&[5; 32], &[MARKER]))
    );
}

/// RFC 9849 5.1: what has to end the connection, each with illegal_parameter.
#[test]
fn references_are_in_order_once_and_to_what_is_there() {
    for refers in [
        &[2, 0, 99][..],    // missing
        &[4, 0, 51, 0, 51], // twice
        &[4, 0, 13, 0, 51], // out of order
        &[2, 0xfe, 0x0d],   // encrypted_client_hello itself
        &[4, 0, 51, 0xfe, 0x0d],
        &[2, 0xfd, 0x00], // ech_outer_extensions, which the outer hello has, too
    ] {
        let encoded = body(&[], &[MARKER, (OUTER_EXTENSIONS, refers)]);
        assert_eq!(
            alert(&encoded),
            AlertDescription::IllegalParameter,
            "{refers:?}"
        );
    }
    let refers: (u16, &[u8]) = (OUTER_EXTENSIONS, &[2, 0, 51]);
    let twice = body(&[], &[MARKER, refers, refers]);
    assert_eq!(alert(&twice), AlertDescription::IllegalParameter);
    for refers in [
        &[][..],
        &[0],
        &[1, 0],
        &[3, 0, 51, 0],
        &[4, 0, 51],
        &[2, 0, 51, 0],
    ] {
        let encoded = body(&[], &[MARKER, (OUTER_EXTENSIONS, refers)]);
        assert_eq!(alert(&encoded), AlertDescription::DecodeError, "{refers:?}");
    }
}

#[test]
fn padding_is_zero_and_the_session_id_is_the_outer_ones() {
    let encoded = body(&[], &[MARKER]);
    for padding in [&[1][..], &[0, 0, 9], &[9, 0]] {
        let encoded = [&encoded[..], padding].concat();
        assert_eq!(alert(&encoded), AlertDescription::IllegalParameter);
    }
    assert_eq!(
        alert(&body(&[1], &[MARKER])),
        AlertDescription::IllegalParameter
    );
    for cut in 0..encoded.len() {
        assert_eq!(
            alert(&encoded[..cut]),
            AlertDescription::DecodeError,
            "{cut}"
        );
    }
}

/// What is made is bounded by the two hellos together, however often they refer to each other.
#[test]
fn nothing_is_amplified() {
    let long = vec![7; 40_000];
    let outer = message(&body(&[], &[(51, &long), OFFER]));
    let refers = [2, 0, 51];
    let fits = body(&[], &[MARKER, (OUTER_EXTENSIONS, &refers)]);
    let made = rebuild(&outer, &fits).unwrap();
    assert!(made.len() < outer.len() + fits.len());
    let too_long = body(
        &[],
        &[MARKER, (OUTER_EXTENSIONS, &refers), (0, &long[..12_000])],
    );
    let fault = rebuild(&outer, &too_long).unwrap_err();
    assert_eq!(fault.alert, AlertDescription::IllegalParameter);
}

#[test]
fn an_offer_is_read_and_nothing_else_is() {
    let offer = [&[0, 0, 1, 0, 1, 9][..], &vec16(b"enc"), &vec16(b"payload")].concat();
    let whole = [b"....", &offer[..], b"..."].concat();
    let sealed = read(&whole, 4..4 + offer.len()).unwrap();
    assert_eq!(
        (sealed.config_id, sealed.enc, sealed.payload),
        (9, &b"enc"[..], &b"payload"[..])
    );
    assert_eq!(sealed.suite, Suite { kdf: 1, aead: 1 });
    assert_eq!(&whole[sealed.at.clone()], b"payload");
    assert_eq!(
        authenticated(&whole, &sealed),
        [&offer[..offer.len() - 7], &[0; 7], b"..."].concat()
    );
    for cut in 0..offer.len() {
        let fault = read(&whole, 4..4 + cut).unwrap_err();
        assert_eq!(fault.alert, AlertDescription::DecodeError, "{cut}");
    }
    assert_eq!(
        read(&whole, 4..5 + offer.len()).unwrap_err().alert,
        AlertDescription::DecodeError
    );
    let empty = [&[0, 0, 1, 0, 1, 9][..], &vec16(b"enc"), &vec16(b"")].concat();
    assert_eq!(
        read(&empty, 0..empty.len()).unwrap_err().alert,
        AlertDescription::DecodeError
    );
    for kind in [1, 2, 255] {
        let fault = read(&[kind], 0..1).unwrap_err();
        assert_eq!(fault.alert, AlertDescription::IllegalParameter, "{kind}");
    }
}
