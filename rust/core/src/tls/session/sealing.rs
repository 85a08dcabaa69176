// SPDX-License-Identifier: Apache-2.0
//! Application data into records.

use crate::tls::engine::{Exhausted, Seal};

/// What has to be sent before goes first, then as many whole records as fit.
pub(super) fn seal_records(
    traffic: &mut dyn Seal,
    owed: &[u8],
    plaintext: &[u8],
    fragment: usize,
    out: &mut [u8],
) -> Option<(usize, usize)> {
    out.get_mut(..owed.len())?.copy_from_slice(owed);
    let (mut taken, mut written) = (0, owed.len());
    while let Some(rest) = plaintext.get(taken..).filter(|rest| !rest.is_empty()) {
        let piece = rest.get(..fragment).unwrap_or(rest);
        let Some(space) = out.get_mut(written..) else {
            break;
        };
        match traffic.encrypt(piece, space) {
            Ok(Some(n)) => {
                written += n;
                taken += piece.len();
            }
            Ok(None) => break,
            Err(Exhausted) => return None,
        }
    }
    Some((taken, written))
}
