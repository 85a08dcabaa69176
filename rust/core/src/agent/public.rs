//! Certificates as they leave the supervisor: chains and public keys. Who reads them gets keys that sign over a
//! transport.

use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::codec::{Cut, Reader, Writer};
use super::keys::PublicHalf;
use super::remote::RemoteKey;
use super::transport::Transport;
use super::wire::Role;
use crate::creds::certificate::Certificate;
use crate::creds::key::KeyKind;
use crate::creds::{CertSet, Pair};

/// Appends the public part of a key and its chain.
pub fn encode_certified(w: &mut Writer, certified: &CertifiedKey) {
    let half = PublicHalf::of(certified.key.as_ref());
    w.bytes(half.as_ref().map_or(&[], |half| &half.spki));
    let algorithm = half.map_or(SignatureAlgorithm::Anonymous, |half| half.algorithm);
    w.byte(u8::from(algorithm));
    w.list(&certified.cert, |w, der| w.bytes(der));
}

/// Reads what [`encode_certified`] wrote; the key signs as `role` over `transport`.
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

/// Appends the public part of a set.
pub fn encode_set(w: &mut Writer, set: &CertSet) {
    w.list(set.pairs(), |w, pair| {
        let (kind, bits) = match pair.kind {
            KeyKind::Rsa(bits) => (0, bits),
            KeyKind::Ecdsa(bits) => (1, usize::from(bits)),
            KeyKind::Ed25519 => (2, 0),
        };
        w.byte(kind);
        w.count(bits);
        encode_certified(w, &pair.certified);
    });
}

/// Reads what [`encode_set`] wrote; the keys sign over `transport`.
pub fn decode_set(r: &mut Reader<'_>, transport: &Arc<Transport>) -> Result<CertSet, Cut> {
    let pairs = r.list(|r| {
        let (kind, bits) = (r.byte()?, r.count()?);
        let kind = match kind {
            0 => KeyKind::Rsa(bits),
            1 => KeyKind::Ecdsa(u16::try_from(bits).map_err(|_| Cut)?),
            2 => KeyKind::Ed25519,
            _ => return Err(Cut),
        };
        let certified = decode_certified(r, Role::Server, transport)?;
        let leaf = Certificate::parse(certified.cert.first().ok_or(Cut)?).map_err(|_| Cut)?;
        Ok(Arc::new(Pair {
            certified: Arc::new(certified),
            kind,
            leaf: Arc::new(leaf),
        }))
    })?;
    Ok(CertSet::new(pairs))
}
