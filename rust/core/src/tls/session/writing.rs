// SPDX-License-Identifier: Apache-2.0
//! What goes out: application data in records, bytes for the network.

use super::sealing::seal_records;
use super::{MAX_FRAGMENT, Session};
use crate::tls::context;
use crate::tls::engine::{RustlsConnection, Seal, Step, StepIo};

impl Session {
    /// Encrypts from the front of `plaintext` into `out`, records of at most `fragment` bytes each.
    /// Returns (bytes taken, bytes written); `None` when nothing can be written any more.
    pub fn seal(
        &mut self,
        plaintext: &[u8],
        fragment: usize,
        out: &mut [u8],
    ) -> Option<(usize, usize)> {
        if self.failure.is_some() {
            return None;
        }
        let most = self.record_limit.unwrap_or(MAX_FRAGMENT).min(MAX_FRAGMENT);
        let fragment = fragment.clamp(1, most);
        let mut tls = self.tls.take()?;
        let mut context = self.context.take();
        let mut sealed = None;
        context::enter(&mut context, || {
            self.write(&mut tls, &mut |traffic, owed| {
                sealed = seal_records(traffic, owed, plaintext, fragment, out);
            });
        });
        if let Some(context) = &mut context {
            context.pack();
        }
        self.context = context;
        self.tls = Some(tls);
        if let Some((taken, written)) = sealed {
            self.count_sent(written, taken.div_ceil(fragment) as u64);
        }
        sealed
    }

    /// Brings the session to the state in which data may be written; `write` is not called where it never will be.
    pub(super) fn write(
        &mut self,
        tls: &mut RustlsConnection,
        write: &mut dyn FnMut(&mut dyn Seal, &[u8]),
    ) {
        loop {
            let unread = &mut self.unread;
            let io = &mut StepIo {
                outgoing: &mut self.outgoing,
                sink: &mut |data| unread.extend_from_slice(data),
                write: Some(write),
            };
            let (consumed, next) = tls.step(&mut self.incoming.bytes, io);
            self.incoming.discard(consumed);
            match next {
                Step::Again => {}
                Step::PeerClosed => self.peer_closed = true,
                Step::Wait | Step::Written => return,
                Step::Failed(error) => {
                    self.failure.get_or_insert(error);
                    return;
                }
            }
        }
    }

    /// Bytes for the network. They are to be sent in the order in which they are taken.
    pub fn take_ciphertext(&mut self) -> Vec<u8> {
        if self.is_judging() {
            return Vec::new();
        }
        self.count_sent(self.outgoing.len(), 0);
        std::mem::take(&mut self.outgoing)
    }
}
