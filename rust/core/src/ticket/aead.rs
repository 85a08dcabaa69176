// SPDX-License-Identifier: Apache-2.0
//! Authenticated encryption of tickets and cache entries: AES-256-GCM with a random nonce.
//!
//! A random 96-bit nonce is safe for 2^32 messages of one key; a key of an hour would need a million tickets a second.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Octets of a key.
pub(super) const KEY_LEN: usize = 32;

/// Octets that sealing adds: the nonce in front, the tag behind.
pub(super) const OVERHEAD: usize = NONCE_LEN + TAG_LEN;

const TAG_LEN: usize = 16;

/// Appends nonce, ciphertext and tag to `out`, of `parts` joined. False when there is no randomness.
pub(super) fn seal(key: &[u8; KEY_LEN], aad: &[u8], parts: &[&[u8]], out: &mut Vec<u8>) -> bool {
    let mut nonce = [0; NONCE_LEN];
    let Ok(key) = UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new) else {
        return false;
    };
    if aws_lc_rs::rand::fill(&mut nonce).is_err() {
        return false;
    }
    out.extend_from_slice(&nonce);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    let Some(text) = out.get_mut(start..) else {
        return false;
    };
    let nonce = Nonce::assume_unique_for_key(nonce);
    match key.seal_in_place_separate_tag(nonce, Aad::from(aad), text) {
        Ok(tag) => {
            out.extend_from_slice(tag.as_ref());
            true
        }
        Err(_) => false,
    }
}

/// Opens in place what [`seal`] appended; None when one bit differs.
pub(super) fn open<'a>(key: &[u8; KEY_LEN], aad: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    key.open_in_place(nonce, Aad::from(aad), text)
        .ok()
        .map(|text| &*text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let (key, other) = ([1; KEY_LEN], [2; KEY_LEN]);
        let mut sealed = Vec::new();
        assert!(seal(&key, b"aad", &[b"one ", b"two"], &mut sealed));
        assert_eq!(sealed.len(), 7 + OVERHEAD);
        assert_eq!(open(&key, b"aad", &mut sealed.clone()).unwrap(), b"one two");
        assert!(open(&other, b"aad", &mut sealed.clone()).is_none());
        assert!(open(&key, b"aae", &mut sealed.clone()).is_none());
        for cut in 0..sealed.len() {
            assert!(
                open(&key, b"aad", &mut sealed[..cut].to_vec()).is_none(),
                "cut at {cut}"
            );
            let mut bent = sealed.clone();
            bent[cut] ^= 1;
            assert!(
                open(&key, b"aad", &mut bent).is_none(),
                "bit of octet {cut}"
            );
        }
    }
}
