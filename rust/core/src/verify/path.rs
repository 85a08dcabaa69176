// SPDX-License-Identifier: Apache-2.0
//! From a peer's certificates to a verdict.

use rustls_pki_types::{CertificateDer, UnixTime};

use super::advice::advice;
use super::anchors::Anchors;
use super::certificate::PathCertificate;
use super::checks::{Position, Purpose, own_fault};
use super::constraints;
use super::judging::{Judging, Searched};
use super::pool::Pool;
use super::reason;
use super::revocation::{Depth, Revocation};
use super::verdict::{Outcome, Verdict};
use super::walk::Walk;
use super::work::{Exhausted, Work};

/// Everything a chain is judged by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub anchors: &'a Anchors,
    pub revocation: &'a Revocation,
    /// Certificates that may stand above the peer's own.
    pub depth: u32,
    /// What the certificate has to be good for.
    pub purpose: Purpose,
    /// The verdict tells the path.
    pub tells_path: bool,
}

impl Rules<'_> {
    /// Judges `chain`, the peer's certificate first. Never [`Outcome::Unverified`].
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        self.judge_within(&mut Work::default(), chain, now)
    }

    /// The same, and what is left of the budget.
    pub(super) fn judge_within(
        &self,
        work: &mut Work,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Verdict {
        let Some((leaf, rest)) = chain.split_first() else {
            return Verdict::default();
        };
        let Some(certificate) = PathCertificate::parse(leaf) else {
            return Verdict::failed(reason::UNREADABLE);
        };
        let time = seconds(now);
        let pool = Pool::new(
            certificate.clone(),
            rest,
            self.anchors,
            self.purpose,
            time,
            work,
        );
        let mut concern = None;
        let judged = pool.and_then(|pool| {
            let mut judging = Judging::new(pool, work, self.revocation, self.depth, time);
            let verdict = if self.anchors.holds_self_signed(leaf) {
                self.judge_own_anchor(&certificate, &mut judging)
            } else {
                self.judge_path(&certificate, rest, &mut judging)
            };
            concern = judging.concern;
            verdict
        });
        let mut verdict = judged.unwrap_or_else(|Exhausted| Verdict::failed(reason::TOO_COMPLEX));
        if verdict.outcome == Outcome::Failed {
            verdict.advice = advice(verdict.reason, concern.as_ref(), self.purpose, seconds(now));
        }
        verdict
    }

    /// Judges `chain` as `optional_no_ca` does: nobody need vouch for it. What is wrong with it besides is not forgiven.
    pub(crate) fn judge_unverified(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> Verdict {
        self.judge_unverified_within(&mut Work::default(), chain, now)
    }

    /// The same, and what is left of the budget.
    pub(super) fn judge_unverified_within(
        &self,
        work: &mut Work,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Verdict {
        let verdict = self.judge_within(work, chain, now);
        if verdict.outcome != Outcome::Failed || !reason::is_untrusted(verdict.reason) {
            return verdict;
        }
        let parsed = chain
            .split_first()
            .and_then(|(leaf, rest)| Some((PathCertificate::parse(leaf)?, rest)));
        let Some((leaf, rest)) = parsed else {
            return verdict;
        };
        let Ok(walk) = Walk::new(&leaf, rest, self.anchors, work) else {
            return Verdict::failed(reason::TOO_COMPLEX);
        };
        match walk.other_fault(self.purpose, seconds(now)) {
            Some(fault) => Verdict {
                advice: advice(fault, None, self.purpose, seconds(now)),
                ..Verdict::failed(fault)
            },
            None => Verdict {
                outcome: Outcome::Unverified,
                reason: walk.last_complaint(),
                advice: String::new(),
                ..verdict
            },
        }
    }

    /// A self-signed certificate that is listed itself: the listing is the proof.
    fn judge_own_anchor(
        &self,
        certificate: &PathCertificate<'_>,
        judging: &mut Judging<'_>,
    ) -> Result<Verdict, Exhausted> {
        if let Some(fault) = own_fault(certificate, Position::Alone, self.purpose, judging.now) {
            return Ok(Verdict::failed(fault));
        }
        if self.revocation.depth() != Depth::None
            && let Err(why) = judging.check_revocation(&[0], true)?
        {
            return Ok(Verdict::failed(why));
        }
        Ok(Verdict {
            outcome: Outcome::Success,
            depth: 0,
            not_after: certificate.end(),
            authority: certificate.outline.subject.value.to_vec(),
            ..Verdict::default()
        })
    }

    fn judge_path(
        &self,
        leaf: &PathCertificate<'_>,
        rest: &[CertificateDer<'_>],
        judging: &mut Judging<'_>,
    ) -> Result<Verdict, Exhausted> {
        match judging.search()? {
            Searched::Found(path) => self.verdict(&path, judging),
            Searched::Refused(why) => Ok(Verdict::failed(why)),
            Searched::Nowhere(obstacle) => {
                let walk = Walk::new(leaf, rest, self.anchors, judging.work)?;
                Ok(Verdict::failed(walk.first_complaint(obstacle)))
            }
        }
    }

    /// The verdict holds until the first certificate of the path expires.
    fn verdict(&self, path: &[usize], judging: &mut Judging<'_>) -> Result<Verdict, Exhausted> {
        let certificates = judging.pool.certificates(path);
        let common_names_denied = self.purpose == Purpose::Server
            && !constraints::admits_common_names(&certificates, judging.work)?;
        let above = path.len().saturating_sub(1);
        Ok(Verdict {
            outcome: Outcome::Success,
            depth: u32::try_from(above).unwrap_or(u32::MAX),
            not_after: certificates.iter().map(|c| c.end()).min().unwrap_or(0),
            authority: certificates
                .last()
                .map(|anchor| anchor.outline.subject.value.to_vec())
                .unwrap_or_default(),
            path: match self.tells_path {
                true => certificates
                    .iter()
                    .map(|c| c.outline.der.to_vec())
                    .collect(),
                false => Vec::new(),
            },
            common_names_denied,
            ..Verdict::default()
        })
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
