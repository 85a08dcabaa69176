// SPDX-License-Identifier: Apache-2.0
//! Paths from a certificate to a trusted one, one after the other, the most promising first.
//!
//! A search by depth with a stack of its own. A signature is checked when a path would grow by it, once for each pair of
//! certificates, and only grown paths are followed: certificates that nobody signed cost one check each.

use std::collections::HashMap;

use super::keys::Fault;
use super::pool::{Pool, Source};
use super::reason;
use super::signed::Signed;
use super::work::{Exhausted, Work};

/// Signatures that were checked, by the places of the two certificates.
pub(super) type Known = HashMap<(usize, usize), Result<(), Fault>>;

/// One step of a path, and what may come next.
#[derive(Debug)]
struct Step {
    place: usize,
    issuers: std::vec::IntoIter<usize>,
}

/// A search that goes on where it was left.
#[derive(Debug)]
pub(super) struct Paths {
    steps: Vec<Step>,
    /// Certificates that may stand above the first.
    depth: usize,
    /// Whether certificates with a fault of their own are followed too, to tell what it is.
    faulty: bool,
    /// What stood in the way of other paths.
    pub obstacle: Option<&'static str>,
}

impl Paths {
    /// A search upwards from `first`.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn new(
        first: usize,
        depth: usize,
        faulty: bool,
        pool: &mut Pool<'_>,
        work: &mut Work,
    ) -> Result<Self, Exhausted> {
        let issuers = pool.issuers(first, work)?.into_iter();
        let place = first;
        Ok(Self {
            steps: vec![Step { place, issuers }],
            depth,
            faulty,
            obstacle: None,
        })
    }

    /// The next path, as places in the pool, its first certificate first.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn next(
        &mut self,
        pool: &mut Pool<'_>,
        known: &mut Known,
        work: &mut Work,
    ) -> Result<Option<Vec<usize>>, Exhausted> {
        while let Some(top) = self.steps.last_mut() {
            let child = top.place;
            let Some(place) = top.issuers.next() else {
                self.steps.pop();
                continue;
            };
            work.charge(1)?;
            let Some(issuer) = pool.get(place) else {
                continue;
            };
            let source = issuer.source;
            if (issuer.fault.is_some() && !self.faulty) || self.repeats(place, pool) {
                continue;
            }
            if self.steps.len() > self.depth {
                self.obstacle = Some(reason::TOO_LONG);
                continue;
            }
            if let Err(fault) = is_signed(child, place, pool, known, work)? {
                self.obstacle.get_or_insert(match fault {
                    Fault::Wrong => reason::SIGNATURE,
                    Fault::Unsupported => reason::ALGORITHM,
                });
                continue;
            }
            if source == Source::Anchor {
                let path = self.steps.iter().map(|step| step.place);
                return Ok(Some(path.chain([place]).collect()));
            }
            let issuers = pool.issuers(place, work)?.into_iter();
            self.steps.push(Step { place, issuers });
        }
        Ok(None)
    }

    /// Whether the path has a certificate of the same name and key: a longer way to the same place.
    fn repeats(&self, place: usize, pool: &Pool<'_>) -> bool {
        let Some(new) = pool.get(place).map(|issuer| &issuer.certificate) else {
            return true;
        };
        self.steps.iter().any(|step| {
            step.place == place
                || pool.get(step.place).is_some_and(|old| {
                    old.certificate.subject == new.subject
                        && old.certificate.outline.spki.raw == new.outline.spki.raw
                })
        })
    }
}

/// Whether the certificate at `issuer` signed the one at `child`.
fn is_signed(
    child: usize,
    issuer: usize,
    pool: &Pool<'_>,
    known: &mut Known,
    work: &mut Work,
) -> Result<Result<(), Fault>, Exhausted> {
    if let Some(found) = known.get(&(child, issuer)) {
        return Ok(*found);
    }
    let (Some(signed), Some(issuer_key)) = (
        pool.get(child),
        pool.get(issuer).and_then(|issuer| issuer.key),
    ) else {
        return Ok(Err(Fault::Unsupported));
    };
    let outline = &signed.certificate.outline;
    let signed = Signed {
        message: outline.body,
        algorithm: outline.algorithm,
        signature: outline.signature,
    };
    work.charge(signed.cost(&issuer_key))?;
    // RFC 5280, 4.1.1.2: both identifiers are the same.
    let found = if outline.algorithm.raw == outline.inner_algorithm.raw {
        signed.check(&issuer_key)
    } else {
        Err(Fault::Wrong)
    };
    known.insert((child, issuer), found);
    Ok(found)
}
