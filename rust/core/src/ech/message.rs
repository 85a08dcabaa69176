// SPDX-License-Identifier: Apache-2.0
//! Changes of single handshake messages, and of the records that hold them.

use rustls::crypto::tls13::Hkdf;

use super::EXTENSION;
use crate::tls::hello::{HANDSHAKE, MESSAGE_HEADER, RECORD_HEADER};
use crate::tls::reader::Reader;

/// Version and random of a ServerHello; session id, suite and compression method follow, then extensions.
const FRONT: usize = 34;

/// Whether these are the bytes of one handshake message, no more and no less.
pub(super) fn is_whole(message: &[u8]) -> bool {
    let mut r = Reader(message);
    let length = r.u8().and_then(|_| r.take(3)).map(|length| {
        length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    });
    length == Some(r.0.len())
}

/// A ServerHello or HelloRetryRequest with one extension more, its last; `None` where it cannot be read.
pub(super) fn with_extension_in_hello(message: &[u8], contents: &[u8]) -> Option<Vec<u8>> {
    let mut r = Reader(message);
    r.take(MESSAGE_HEADER + FRONT)?;
    r.vec8()?; // legacy_session_id_echo
    r.take(3)?; // cipher_suite, legacy_compression_method
    with_extension(message, message.len().checked_sub(r.0.len())?, contents)
}

/// The same for EncryptedExtensions.
pub(super) fn with_extension_in_encrypted(message: &[u8], contents: &[u8]) -> Option<Vec<u8>> {
    with_extension(message, MESSAGE_HEADER, contents)
}

/// Appends the extension to the list that begins `at` and ends with the message.
fn with_extension(message: &[u8], at: usize, contents: &[u8]) -> Option<Vec<u8>> {
    let (front, list) = message.split_at_checked(at)?;
    let mut list = Reader(list);
    let before = list.vec16()?.0;
    if !list.0.is_empty() {
        return None;
    }
    let added = [
        &EXTENSION.to_be_bytes()[..],
        &u16::try_from(contents.len()).ok()?.to_be_bytes(),
        contents,
    ]
    .concat();
    let length = u16::try_from(before.len().saturating_add(added.len())).ok()?;
    let mut whole = [front, &length.to_be_bytes(), before, &added].concat();
    let [_, length @ ..] = u32::try_from(whole.len().checked_sub(MESSAGE_HEADER)?)
        .ok()?
        .to_be_bytes();
    whole.get_mut(1..MESSAGE_HEADER)?.copy_from_slice(&length);
    Some(whole)
}

/// RFC 9849 7.2: the confirmation of an inner hello with this random, over the hash of a transcript that has zeros where it
/// is to stand.
pub(super) fn confirmation(
    hkdf: &dyn Hkdf,
    random: &[u8; 32],
    label: &[u8],
    transcript: &[u8],
    value: &mut [u8],
) -> Option<()> {
    // HkdfLabel of RFC 8446 7.1.
    const PREFIX: &[u8] = b"tls13 ";
    let byte = |length: usize| u8::try_from(length).ok();
    let [high, low] = u16::try_from(value.len()).ok()?.to_be_bytes();
    let info = [
        &[high, low, byte(label.len().saturating_add(PREFIX.len()))?][..],
        PREFIX,
        label,
        &[byte(transcript.len())?],
        transcript,
    ];
    let expander = hkdf.extract_from_secret(None, random);
    expander.expand_slice(&info, value).ok()
}

/// Where a message stands among records.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Not all of it is there.
    NotYet,
    /// Something else is.
    Other,
    /// It fills records of so many bytes.
    Bytes(usize),
}

/// Looks for a message at the beginning of what is sent in the clear.
pub(super) fn find(sent: &[u8], message: &[u8]) -> Found {
    let mut rest = Reader(sent);
    let mut wanted = message;
    while !wanted.is_empty() {
        let (Some(header), whole) = (rest.take(RECORD_HEADER - 2), rest.vec16()) else {
            return Found::NotYet;
        };
        let Some(Reader(payload)) = whole else {
            return Found::NotYet;
        };
        match wanted.strip_prefix(payload) {
            Some(left) if header.first() == Some(&HANDSHAKE) && !payload.is_empty() => {
                wanted = left;
            }
            _ => return Found::Other,
        }
    }
    Found::Bytes(sent.len().saturating_sub(rest.0.len()))
}

/// A message in records of at most so many bytes, of the version that RFC 8446 5.1 wants.
pub(super) fn records(message: &[u8], fragment: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len().saturating_add(RECORD_HEADER));
    for piece in message.chunks(fragment.max(1)) {
        out.extend_from_slice(&[HANDSHAKE, 3, 3]);
        out.extend_from_slice(&u16::try_from(piece.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_is_added_and_three_lengths_with_it() {
        let hello = [
            &[2, 0, 0, 44, 3, 3][..],
            &[7; 32],
            &[0, 0x13, 1, 0, 0, 4, 0, 43, 0, 0],
        ]
        .concat();
        let longer = with_extension_in_hello(&hello, &[1, 2]).unwrap();
        assert!(is_whole(&hello) && is_whole(&longer));
        assert_eq!(longer[42..], [0, 10, 0, 43, 0, 0, 0xfe, 0x0d, 0, 2, 1, 2]);
        let extensions = [8, 0, 0, 2, 0, 0];
        assert_eq!(
            with_extension_in_encrypted(&extensions, &[9]).unwrap(),
            [8, 0, 0, 7, 0, 5, 0xfe, 0x0d, 0, 1, 9]
        );
        for cut in 0..hello.len() {
            assert_eq!(with_extension_in_hello(&hello[..cut], &[]), None);
            assert!(!is_whole(&hello[..cut]));
        }
        assert_eq!(
            with_extension_in_encrypted(&[8, 0, 0, 3, 0, 0, 1], &[]),
            None
        );
    }

    #[test]
    fn a_message_is_found_in_records_of_any_size_and_nothing_else_is() {
        let message: Vec<u8> = (0..100).collect();
        for fragment in [1, 7, 99, 100, 500] {
            let sent = records(&message, fragment);
            let length = sent.len();
            assert_eq!(find(&sent, &message), Found::Bytes(length));
            let more = [&sent[..], &[20, 3, 3, 0, 1, 1]].concat();
            assert_eq!(find(&more, &message), Found::Bytes(length));
            for cut in 0..length {
                assert_eq!(find(&sent[..cut], &message), Found::NotYet);
            }
            for flipped in (0..length).filter(|at| at % (fragment.min(100) + 5) >= 5) {
                let mut other = sent.clone();
                other[flipped] ^= 1;
                assert_eq!(find(&other, &message), Found::Other);
            }
        }
        let joined = records(&[&message[..], &[1]].concat(), 500);
        assert_eq!(find(&joined, &message), Found::Other);
        assert_eq!(find(&[21, 3, 3, 0, 2, 2, 40], &message), Found::Other);
    }
}
