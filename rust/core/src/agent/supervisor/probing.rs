// SPDX-License-Identifier: Apache-2.0
//! Whether the signer works: the supervisor asks it as children do.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::agent::Os;
use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim, Way};
use crate::agent::protocol::children::Child;
use crate::agent::protocol::wire;

/// How long a signer may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Longer, and this process has been asleep itself: the signer may have been so, too.
const ASLEEP: Duration = Duration::from_secs(3);

/// The supervisor's own channel, and the question that is under way.
pub(super) struct Probe {
    end: Arc<ChildEnd>,
    asked: Option<(Claim, Instant)>,
}

impl Probe {
    /// A channel, and what the signers are to be given of it.
    pub(super) fn new(os: &dyn Os) -> io::Result<(Self, Child)> {
        let (own, way) = Way::pair(1, os)?;
        let end = ChildEnd::new(own, os)?;
        let pid = i32::try_from(std::process::id()).map_err(io::Error::other)?;
        let child = Child {
            pid,
            way,
            pidfd: None,
        };
        Ok((Self { end, asked: None }, child))
    }

    /// Forgets the question: a new signer is asked anew.
    pub(super) fn reset(&mut self) {
        self.asked = None;
    }

    /// The descriptor that it needs.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.end.bell()
    }

    /// In a signer, which was forked with it: forgets all of it, and leaves the supervisor's question as it is.
    pub(super) fn leave(mut self) {
        if let Some((claim, _)) = self.asked.take() {
            claim.leave();
        }
    }

    /// Asks, where nothing is asked; says whether the signer has failed to answer.
    pub(super) fn has_failed(&mut self, now: Instant) -> bool {
        let Some((claim, since)) = &self.asked else {
            self.ask(now);
            return false;
        };
        let waited = now.saturating_duration_since(*since);
        if claim.progress() == Progress::Done || waited >= ASLEEP {
            self.ask(now);
            return false;
        }
        waited >= TIMEOUT
    }

    fn ask(&mut self, now: Instant) {
        self.asked = None;
        self.asked = self.end.claim().map(|mut claim| {
            claim.ask(|number| wire::probe(number).to_vec());
            (claim, now)
        });
    }
}
