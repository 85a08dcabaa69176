// SPDX-License-Identifier: Apache-2.0
//! What the sections of a virtual host make of a client's certificate, each by its own CAs and depth.

use std::sync::{Mutex, PoisonError};

use rustls_pki_types::{CertificateDer, UnixTime};

use super::authorities::Authorities;
use super::verdict::{Outcome, Verdict};
use super::verifier::{Mode, Verifier};

/// Verdicts of one connection, by section. Requests of one connection ask again and again, on several threads at once,
/// and a verdict costs a signature check or two.
#[derive(Debug, Default)]
pub struct Sections {
    known: Mutex<Vec<(Key, Verdict)>>,
}

/// A connection whose requests meet more kinds of sections than this judges some of them anew.
const MOST: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    verifier: [u8; 32],
    lists: u64,
    mode: Mode,
    depth: u32,
}

impl Sections {
    /// The same by the CAs and lists that are in force now.
    pub fn judge_by(
        &self,
        authorities: &Authorities,
        chain: &[CertificateDer<'_>],
        mode: Mode,
        depth: u32,
    ) -> Verdict {
        match authorities.current() {
            Some(verifier) => self.judge(chain, &verifier, mode, depth, UnixTime::now()),
            None => Verdict::failed("internal error"),
        }
    }

    /// Judges `chain` by the CAs and lists of `verifier`, and by `mode` and `depth` of a section.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        verifier: &Verifier,
        mode: Mode,
        depth: u32,
        now: UnixTime,
    ) -> Verdict {
        let key = Key {
            verifier: verifier.id(),
            lists: verifier.generation(),
            mode,
            depth,
        };
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let valid =
            |verdict: &Verdict| verdict.outcome != Outcome::Success || seconds <= verdict.not_after;
        let judged = |(k, v): &(Key, Verdict)| (*k == key && valid(v)).then(|| v.clone());
        let (mut verdict, pending) = {
            let known = known();
            match known.iter().find_map(judged) {
                Some(verdict) => return verdict,
                None => verifier.begin(chain, now, mode, depth),
            }
        };
        // Requests to other sections do not wait for this one's responders.
        if let Some(mut pending) = pending {
            verdict.settle(pending.wait());
        }
        let mut known = known();
        known.retain(|(k, _)| *k != key);
        if known.len() < MOST {
            known.push((key, verdict.clone()));
        }
        verdict
    }
}
