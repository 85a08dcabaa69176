// SPDX-License-Identifier: Apache-2.0
//! Hellos within hellos: what the reader asks of who can decrypt them.

use super::{Fault, Hello};

/// Knows whether a hello is the client's real one.
pub trait Inner {
    /// The hello that stands in another one's place, as a handshake message; `None` where the one that came is meant.
    /// `second`: it answers a HelloRetryRequest.
    ///
    /// # Errors
    /// The connection has to end.
    fn open(
        &mut self,
        message: &[u8],
        hello: &Hello,
        second: bool,
    ) -> Result<Option<(Vec<u8>, Hello)>, Fault>;
}

/// Each hello is what it seems.
impl Inner for () {
    fn open(&mut self, _: &[u8], _: &Hello, _: bool) -> Result<Option<(Vec<u8>, Hello)>, Fault> {
        Ok(None)
    }
}
