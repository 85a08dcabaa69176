// SPDX-License-Identifier: Apache-2.0
//! Certificates as they leave the supervisor: chains and public keys. Who reads them gets keys that sign over a
//! transport.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use rustls::SignatureAlgorithm;
use rustls::pki_types::CertificateDer;
use rustls::sign::{CertifiedKey, SigningKey};

use super::codec::{Cut, Reader, Writer};
use super::wire::Role;
use crate::agent::child::remote::RemoteKey;
use crate::agent::child::transport::Transport;
use crate::agent::protocol::public_key::PublicHalf;
use crate::creds::certificate::CertificateFields;
use crate::creds::key::KeyKind;
use crate::creds::{CertSet, Pair};
use crate::ocsp::Staple;

/// Appends the public part of a key and its chain.
pub fn encode_certified(w: &mut Writer, key: &dyn SigningKey, chain: &[&[u8]]) {
    let half = PublicHalf::of(key);
    w.bytes(half.as_ref().map_or(&[], |half| &half.spki));
    let algorithm = half.map_or(SignatureAlgorithm::Anonymous, |half| half.algorithm);
    w.byte(u8::from(algorithm));
    w.list(chain, |w, der| w.bytes(der));
}

/// Reads what [`encode_certified`] wrote; the key signs as `role` over `transport`.
///
/// # Errors
/// The octets end too early, or are no such message.
pub fn decode_certified(
    r: &mut Reader<'_>,
    role: Role,
    transport: &Arc<Transport>,
) -> Result<CertifiedKey, Cut> {
    let spki = r.bytes()?.to_vec();
    let algorithm = SignatureAlgorithm::from(r.byte()?);
    let chain = r.list(|r| Ok(CertificateDer::from(r.bytes()?.to_vec())))?;
    let half = PublicHalf { spki, algorithm };
    let key = RemoteKey::new(half, role, Arc::clone(transport));
    Ok(CertifiedKey::new(chain, Arc::new(key)))
}

/// Appends the public part of a pair.
pub fn encode_pair(w: &mut Writer, pair: &Pair) {
    let (kind, bits) = match pair.kind {
        KeyKind::Rsa(bits) => (0, bits),
        KeyKind::Ecdsa(bits) => (1, usize::from(bits)),
        KeyKind::Ed25519 => (2, 0),
        KeyKind::MlDsa(set) => (3, usize::from(set)),
        KeyKind::RsaPss(bits) => (4, bits),
    };
    w.byte(kind);
    w.count(bits);
    encode_certified(w, pair.key.as_ref(), &pair.chain());
    w.byte(u8::from(pair.is_placeholder));
    let staple: Vec<&Staple> = pair.stapled.iter().map(|stapled| &stapled.staple).collect();
    w.list(&staple, |w, staple| {
        w.bytes(&staple.der);
        w.long(staple.from.cast_unsigned());
        w.long(staple.until.cast_unsigned());
    });
}

/// Reads what [`encode_pair`] wrote; the key signs as a server over `transport`.
///
/// # Errors
/// The octets end too early, or are no such message.
pub fn decode_pair(r: &mut Reader<'_>, transport: &Arc<Transport>) -> Result<Arc<Pair>, Cut> {
    let (kind, bits) = (r.byte()?, r.count()?);
    let kind = match kind {
        0 => KeyKind::Rsa(bits),
        1 => KeyKind::Ecdsa(u16::try_from(bits).map_err(|_| Cut)?),
        2 => KeyKind::Ed25519,
        3 => KeyKind::MlDsa(u16::try_from(bits).map_err(|_| Cut)?),
        4 => KeyKind::RsaPss(bits),
        _ => return Err(Cut),
    };
    let certified = decode_certified(r, Role::Server, transport)?;
    let leaf = CertificateFields::parse(certified.cert.first().ok_or(Cut)?).map_err(|_| Cut)?;
    let mut pair = Pair::new(certified, kind, Arc::new(leaf));
    pair.is_placeholder = r.byte()? != 0;
    let mut staples = r.list(|r| {
        Ok(Staple {
            der: r.bytes()?.to_vec(),
            from: r.long()?.cast_signed(),
            until: r.long()?.cast_signed(),
        })
    })?;
    Ok(Arc::new(match staples.pop() {
        Some(staple) => pair.with_staple(staple),
        None => pair,
    }))
}

/// Appends the public part of a set.
pub fn encode_set(w: &mut Writer, set: &CertSet) {
    w.list(set.pairs(), |w, pair| encode_pair(w, pair));
}

/// Reads what [`encode_set`] wrote.
///
/// # Errors
/// The octets end too early, or are no such message.
pub fn decode_set(r: &mut Reader<'_>, transport: &Arc<Transport>) -> Result<CertSet, Cut> {
    r.list(|r| decode_pair(r, transport)).map(CertSet::new)
}

/// The pairs that the parent has of the supervisor's last answer, as the supervisor knows them. What is in use again
/// is named by its number, so that a restart encodes, sends and parses only what changed.
#[derive(Default)]
pub struct Sent {
    /// By address, which is nobody else's while the weak reference is held.
    pairs: HashMap<usize, (Weak<Pair>, u32)>,
    next: u32,
}

/// The same on the parent's side, by number.
pub type Known = HashMap<u32, Arc<Pair>>;

/// Appends sets: first the pairs that are new, each with its number, then each set as the numbers and places
/// of its pairs.
pub fn encode_sets(w: &mut Writer, sets: &[&Arc<CertSet>], sent: &mut Sent) {
    let mut used = HashMap::new();
    let mut fresh: Vec<(u32, &Arc<Pair>)> = Vec::new();
    let mut numbered: Vec<Vec<(u32, usize)>> = Vec::new();
    for set in sets {
        let mut numbers = Vec::new();
        for (place, pair) in set.placed() {
            let address = Arc::as_ptr(pair).addr();
            let (_, number) = used.entry(address).or_insert_with(|| {
                sent.pairs.remove(&address).unwrap_or_else(|| {
                    sent.next = sent.next.wrapping_add(1);
                    fresh.push((sent.next, pair));
                    (Arc::downgrade(pair), sent.next)
                })
            });
            numbers.push((*number, place));
        }
        numbered.push(numbers);
    }
    sent.pairs = used;
    w.list(&fresh, |w, (number, pair)| {
        w.number(*number);
        encode_pair(w, pair);
    });
    w.list(&numbered, |w, set| {
        w.list(set, |w, (number, place)| {
            w.number(*number);
            w.count(*place);
        });
    });
}

/// Reads what [`encode_sets`] wrote; `known` then holds the pairs of these sets.
///
/// # Errors
/// The octets end too early, or are no such message.
pub fn decode_sets(
    r: &mut Reader<'_>,
    transport: &Arc<Transport>,
    known: &mut Known,
) -> Result<Vec<Arc<CertSet>>, Cut> {
    let fresh = r.list(|r| Ok((r.number()?, decode_pair(r, transport)?)))?;
    known.extend(fresh);
    let mut used = Known::new();
    let sets = r.list(|r| {
        let pairs = r.list(|r| {
            let number = r.number()?;
            let pair = known.get(&number).ok_or(Cut)?;
            used.insert(number, Arc::clone(pair));
            Ok((r.count()?, Arc::clone(pair)))
        })?;
        Ok(Arc::new(CertSet::of(pairs)))
    })?;
    *known = used;
    Ok(sets)
}
