// SPDX-License-Identifier: Apache-2.0
//! Policies under which nobody could connect.

use std::error::Error;
use std::fmt;

/// No handshake is possible under a policy, as rustls says it: a sentence.
#[derive(Debug)]
pub struct NoHandshake(pub(crate) rustls::Error);

impl fmt::Display for NoHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = &self.0;
        write!(
            f,
            "no handshake is possible with these protocols, cipher suites and groups: {why}"
        )
    }
}

impl Error for NoHandshake {}
