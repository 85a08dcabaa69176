// SPDX-License-Identifier: Apache-2.0
//! A pass phrase as it comes: one line.

use std::io::Read;

use zeroize::Zeroizing;

/// Longer phrases are cut, as OpenSSL's dialog does.
const MAX_PHRASE: usize = 1024;

/// One line without its end, in a buffer that never moves; `None` where there is none.
pub(super) fn read_line(from: &mut impl Read) -> Option<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_PHRASE));
    let mut byte = Zeroizing::new([0u8; 1]);
    let mut any = false;
    loop {
        match from.read(&mut byte[..]) {
            Ok(0) => break,
            Ok(_) => any = true,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
        let [read] = *byte;
        match read {
            b'\n' => break,
            other if line.len() < MAX_PHRASE => line.push(other),
            _ => {}
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    any.then_some(line)
}
