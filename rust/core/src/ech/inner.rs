// SPDX-License-Identifier: Apache-2.0
//! The inner hello: what of it stands in the outer one, and how it is put together again (RFC 9849 5).
//!
//! Everything here comes from a stranger, also what was decrypted. Each list is walked once: the work and the length of
//! what is made are bounded by the two hellos together.

use std::ops::Range;

use rustls::AlertDescription;

use super::{EXTENSION, OUTER_EXTENSIONS, Suite};
use crate::tls::hello::{CLIENT_HELLO, Fault, Hello, MAX_HELLO, MESSAGE_HEADER, fault};
use crate::tls::reader::Reader;

/// ECHClientHelloType (RFC 9849 5).
const OUTER: u8 = 0;
const INNER: u8 = 1;

/// Version of TLS 1.3 (RFC 8446 4.2.1).
const TLS13: u16 = 0x0304;

/// Version and random of a hello.
const FRONT: usize = 34;

const UNREADABLE: Fault = fault(
    "the extension encrypted_client_hello cannot be read",
    AlertDescription::DecodeError,
);

const INNER_UNREADABLE: Fault = fault(
    "the encrypted ClientHello cannot be read",
    AlertDescription::DecodeError,
);

/// RFC 9849 7: "A shared mode server which receives a ClientHello with ECHClientHello.type of inner MUST abort".
const SHOWN_INNER: Fault =
    illegal("a ClientHello that is meant to be encrypted comes in the clear");

const UNKNOWN_TYPE: Fault = illegal("encrypted_client_hello is of an unknown type");

const fn illegal(text: &'static str) -> Fault {
    fault(text, AlertDescription::IllegalParameter)
}

/// encrypted_client_hello of an outer hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed<'a> {
    /// What it is encrypted with.
    pub suite: Suite,
    /// Which key it is encrypted to, among others.
    pub config_id: u8,
    /// The encapsulated secret; empty in a second hello.
    pub enc: &'a [u8],
    /// The inner hello, encrypted.
    pub payload: &'a [u8],
    /// Where that stands in the message.
    pub at: Range<usize>,
}

/// Reads the extension whose contents stand at `place` of a hello.
///
/// # Errors
/// It is none that a client may send to us.
pub fn read(message: &[u8], place: Range<usize>) -> Result<Sealed<'_>, Fault> {
    let end = place.end;
    let mut data = Reader(message.get(place).ok_or(UNREADABLE)?);
    match data.u8().ok_or(UNREADABLE)? {
        OUTER => read_outer(data, end).ok_or(UNREADABLE),
        INNER => Err(SHOWN_INNER),
        _ => Err(UNKNOWN_TYPE),
    }
}

fn read_outer(mut data: Reader<'_>, end: usize) -> Option<Sealed<'_>> {
    let suite = Suite {
        kdf: data.u16()?,
        aead: data.u16()?,
    };
    let config_id = data.u8()?;
    let enc = data.vec16()?.0;
    let payload = data.vec16()?.0;
    let sound = data.0.is_empty() && !payload.is_empty();
    sound.then(|| Sealed {
        suite,
        config_id,
        enc,
        payload,
        at: end.saturating_sub(payload.len())..end,
    })
}

/// What is authenticated with the inner hello: the body of the outer one, with zeros for what is encrypted (RFC 9849 5.2).
pub fn authenticated(message: &[u8], sealed: &Sealed<'_>) -> Vec<u8> {
    let mut body = message.to_vec();
    if let Some(payload) = body.get_mut(sealed.at.clone()) {
        payload.fill(0);
    }
    body.drain(..MESSAGE_HEADER.min(body.len()));
    body
}

/// The body of a hello, taken apart.
struct Parts<'a> {
    front: &'a [u8],
    session_id: &'a [u8],
    /// Suites and compression methods, with their lengths.
    choices: &'a [u8],
    extensions: Reader<'a>,
    behind: &'a [u8],
}

fn take_apart(body: &[u8]) -> Option<Parts<'_>> {
    let mut r = Reader(body);
    let front = r.take(FRONT)?;
    let session_id = r.vec8()?.0;
    let from = r.0;
    r.vec16()?; // cipher_suites
    r.vec8()?; // legacy_compression_methods
    let choices = from.get(..from.len().checked_sub(r.0.len())?)?;
    let extensions = r.vec16()?;
    Some(Parts {
        front,
        session_id,
        choices,
        extensions,
        behind: r.0,
    })
}

/// The inner hello as a handshake message, from what was decrypted and the outer hello around it (RFC 9849 5.1).
///
/// # Errors
/// What is wrong with either, with the RFC's alert.
pub fn rebuild(outer: &[u8], encoded: &[u8]) -> Result<Vec<u8>, Fault> {
    let outer = take_apart(outer.get(MESSAGE_HEADER..).unwrap_or_default()).ok_or(UNREADABLE)?;
    let inner = take_apart(encoded).ok_or(INNER_UNREADABLE)?;
    if !inner.session_id.is_empty() {
        return Err(illegal("the encrypted ClientHello has a session id"));
    }
    // "If any padding byte is non-zero, the server MUST abort the connection with an "illegal_parameter" alert."
    if inner.behind.iter().any(|byte| *byte != 0) {
        return Err(illegal(
            "the encrypted ClientHello is padded with other bytes than zeros",
        ));
    }
    let extensions = expand(inner.extensions, outer.extensions)?;
    let length = u16::try_from(extensions.len())
        .map_err(|_| illegal("the extensions of the encrypted ClientHello are too long"))?;
    let mut body = Vec::with_capacity(
        [FRONT, encoded.len(), extensions.len()]
            .into_iter()
            .fold(0, usize::saturating_add),
    );
    body.extend_from_slice(inner.front);
    body.push(u8::try_from(outer.session_id.len()).map_err(|_| UNREADABLE)?);
    body.extend_from_slice(outer.session_id);
    body.extend_from_slice(inner.choices);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(&extensions);
    if body.len() > MAX_HELLO {
        return Err(illegal("the encrypted ClientHello is longer than 48 KiB"));
    }
    let [_, length @ ..] = u32::try_from(body.len()).unwrap_or(0).to_be_bytes();
    Ok([&[CLIENT_HELLO][..], &length, &body].concat())
}

/// Puts extensions of the outer hello where the inner one refers to them.
fn expand(mut inner: Reader<'_>, mut outer: Reader<'_>) -> Result<Vec<u8>, Fault> {
    let mut extensions = Vec::new();
    let mut refers = false;
    while !inner.0.is_empty() {
        let whole = inner.0;
        let (kind, mut data) = inner.extension().ok_or(INNER_UNREADABLE)?;
        if kind != OUTER_EXTENSIONS {
            append(&mut extensions, whole, inner);
            continue;
        }
        if std::mem::replace(&mut refers, true) {
            return Err(illegal(
                "the encrypted ClientHello has ech_outer_extensions twice",
            ));
        }
        let kinds = data.vec8().filter(|list| is_list_of_kinds(*list));
        let kinds = kinds
            .filter(|_| data.0.is_empty())
            .ok_or(INNER_UNREADABLE)?;
        for kind in kinds.u16s() {
            copy(&mut extensions, kind, &mut outer)?;
        }
    }
    Ok(extensions)
}

fn is_list_of_kinds(list: Reader<'_>) -> bool {
    !list.0.is_empty() && list.0.len().is_multiple_of(2)
}

/// Copies the next extension of this type. What is missing, named twice or out of order is not found behind the one
/// before it.
fn copy(extensions: &mut Vec<u8>, kind: u16, outer: &mut Reader<'_>) -> Result<(), Fault> {
    if kind == EXTENSION || kind == OUTER_EXTENSIONS {
        return Err(illegal(
            "the encrypted ClientHello refers to an extension of Encrypted ClientHello itself",
        ));
    }
    while !outer.0.is_empty() {
        let whole = outer.0;
        let (found, _) = outer.extension().ok_or(UNREADABLE)?;
        if found == kind {
            append(extensions, whole, *outer);
            return Ok(());
        }
    }
    Err(illegal(
        "the encrypted ClientHello refers to an extension that does not follow in the outer one",
    ))
}

/// Appends what stands in `whole` before `rest`.
fn append(extensions: &mut Vec<u8>, whole: &[u8], rest: Reader<'_>) {
    let taken = whole.len().saturating_sub(rest.0.len());
    extensions.extend_from_slice(whole.get(..taken).unwrap_or_default());
}

/// RFC 9849 7.1: the inner hello "includes a well-formed "encrypted_client_hello" extension of type inner and [...] does
/// not offer TLS 1.2 or below".
///
/// # Errors
/// What it lacks.
pub fn check(message: &[u8], hello: &Hello) -> Result<(), Fault> {
    let marker = hello.ech.clone().and_then(|place| message.get(place));
    if marker != Some(&[INNER]) {
        return Err(illegal(
            "the encrypted ClientHello does not say that it is one",
        ));
    }
    if !hello.versions.contains(&TLS13) || hello.versions.iter().any(|version| *version < TLS13) {
        return Err(illegal(
            "the encrypted ClientHello offers other versions than TLS 1.3 and newer",
        ));
    }
    Ok(())
}

/// rustls never sees an outer hello whose inner one is taken. RFC 8446 4.2: "There MUST NOT be more than one extension of
/// the same type in a given extension block."
///
/// # Errors
/// There is.
pub fn check_outer(hello: &Hello) -> Result<(), Fault> {
    let mut kinds = hello.extensions.clone();
    kinds.sort_unstable();
    if kinds.binary_search(&OUTER_EXTENSIONS).is_ok() {
        return Err(illegal("the ClientHello has ech_outer_extensions"));
    }
    match kinds
        .windows(2)
        .any(|pair| matches!(pair, [a, b] if a == b))
    {
        true => Err(illegal("the ClientHello has an extension twice")),
        false => Ok(()),
    }
}

#[cfg(test)]
#[path = "inner_tests.rs"]
mod tests;
