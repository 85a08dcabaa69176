// SPDX-License-Identifier: Apache-2.0
//! One judgement: the certificates at hand, what was found of them, and how much work is left.

use super::advice::Concern;
use super::checks::{Position, Purpose, check_lengths, own_fault};
use super::paths::{Known, Paths};
use super::pool::Pool;
use super::revocation::status::{self, Refused, Subject};
use super::revocation::{Depth, Lists, Revocation};
use super::work::{Exhausted, Work};
use super::{constraints, nesting, policies, reason};

/// CAs between who signs a list and the trusted certificate.
const DEPTH_OF_SIGNERS: usize = 8;

/// What a search for a path came to.
#[derive(Debug)]
pub(super) enum Searched {
    /// A path that holds, as places in the pool.
    Found(Vec<usize>),
    /// There are paths, and this is wrong with the best.
    Refused(&'static str),
    /// None leads to a trusted certificate; what stood in the way, if that is known.
    Nowhere(Option<&'static str>),
}

/// The judgement of one chain.
#[derive(Debug)]
pub(super) struct Judging<'a> {
    pub pool: Pool<'a>,
    pub work: &'a mut Work,
    /// Seconds since 1970.
    pub now: i64,
    /// Certificates that may stand above the first.
    depth: usize,
    known: Known,
    revocation: &'a Revocation,
    lists: std::sync::Arc<Lists>,
    /// What the refusal is about.
    pub concern: Option<Concern>,
}

impl<'a> Judging<'a> {
    /// Begins to judge the first certificate of `pool`.
    pub(super) fn new(
        pool: Pool<'a>,
        work: &'a mut Work,
        revocation: &'a Revocation,
        depth: u32,
        now: i64,
    ) -> Self {
        Self {
            pool,
            work,
            now,
            depth: usize::try_from(depth).unwrap_or(usize::MAX),
            known: Known::new(),
            revocation,
            lists: revocation.lists(),
            concern: None,
        }
    }

    /// Searches a path from the first certificate that holds. As in OpenSSL one may be longer by one than it may be, and
    /// is refused for that after what is wrong with its certificates.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn search(&mut self) -> Result<Searched, Exhausted> {
        let longest = self.depth.saturating_add(1);
        let mut refused = None;
        let leaf_is_good = self.pool.get(0).is_some_and(|leaf| leaf.fault.is_none());
        if leaf_is_good {
            let mut paths = Paths::new(0, longest, false, &mut self.pool, self.work)?;
            while let Some(path) = paths.next(&mut self.pool, &mut self.known, self.work)? {
                match self.check(&path)? {
                    Ok(()) => return Ok(Searched::Found(path)),
                    Err(why) => drop(refused.get_or_insert(why)),
                }
            }
        }
        if let Some(why) = refused {
            return Ok(Searched::Refused(why));
        }
        // None of sound certificates: one of others tells what is wrong.
        let mut paths = Paths::new(0, longest, true, &mut self.pool, self.work)?;
        match paths.next(&mut self.pool, &mut self.known, self.work)? {
            Some(path) => {
                let why = self.first_complaint(&path)?;
                Ok(Searched::Refused(why.unwrap_or(reason::UNREADABLE)))
            }
            None => Ok(Searched::Nowhere(paths.obstacle)),
        }
    }

    /// The first complaint about a path whose certificates have faults of their own, in OpenSSL's order: extensions and
    /// keys from the first certificate upwards, lengths, revocation, and dates from the trusted one downwards.
    fn first_complaint(&mut self, path: &[usize]) -> Result<Option<&'static str>, Exhausted> {
        let certificates = self.pool.certificates(path);
        let lengths = check_lengths(&certificates).err();
        let faults = || path.iter().filter_map(|place| self.pool.get(*place)?.fault);
        let too_long = self.is_too_long(path).then_some(reason::TOO_LONG);
        let of_itself = faults().find(|why| !reason::is_of_dates(why));
        let of_dates = faults().next_back();
        if let Some(why) = of_itself.or(lengths).or(too_long) {
            self.concern = self.holder_of(path, why);
            return Ok(Some(why));
        }
        if let Err(why) = self.check_revocation(path, true)? {
            return Ok(Some(why));
        }
        self.concern = of_dates.and_then(|why| self.holder_of(path, why));
        Ok(of_dates)
    }

    /// Whose certificate of a path has this fault.
    fn holder_of(&self, path: &[usize], why: &str) -> Option<Concern> {
        let of_path = path.iter().filter_map(|place| self.pool.get(*place));
        let holder = of_path.rev().find(|held| held.fault == Some(why))?;
        Some(Concern {
            name: holder.certificate.outline.subject.value.to_vec(),
            place: String::new(),
            end: Some(holder.certificate.end()),
        })
    }

    fn is_too_long(&self, path: &[usize]) -> bool {
        path.len().saturating_sub(1) > self.depth
    }

    /// What a path has to hold beside its signatures and each certificate's own soundness.
    fn check(&mut self, path: &[usize]) -> Result<Result<(), &'static str>, Exhausted> {
        self.work
            .charge(u64::try_from(path.len()).unwrap_or(u64::MAX))?;
        let certificates = self.pool.certificates(path);
        if let Err(why) = check_lengths(&certificates) {
            return Ok(Err(why));
        }
        if let Err(why) = self.check_revocation(path, true)? {
            return Ok(Err(why));
        }
        if self.is_too_long(path) {
            return Ok(Err(reason::TOO_LONG));
        }
        let certificates = self.pool.certificates(path);
        if let Err(why) = constraints::check(&certificates, self.work)? {
            return Ok(Err(why));
        }
        let held = certificates.iter().flat_map(|c| [&c.systems, &c.addresses]);
        let comparisons: usize = held.flatten().map(|resources| resources.size()).sum();
        self.work.charge_reading(comparisons.saturating_mul(32))?;
        if !nesting::are_nested(&certificates) {
            return Ok(Err(reason::RESOURCE));
        }
        self.check_policies(path)
    }

    fn check_policies(&mut self, path: &[usize]) -> Result<Result<(), &'static str>, Exhausted> {
        let certificates = self.pool.certificates(path);
        let octets: usize = certificates
            .iter()
            .flat_map(|certificate| [certificate.policies, certificate.mappings])
            .flatten()
            .map(<[u8]>::len)
            .sum();
        self.work.charge_reading(octets.saturating_mul(8))?;
        Ok(policies::check(&certificates))
    }

    /// Looks the certificates of a path up, as far as is asked for.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn check_revocation(
        &mut self,
        path: &[usize],
        outsiders: bool,
    ) -> Result<Result<(), &'static str>, Exhausted> {
        let count = match self.revocation.depth() {
            Depth::None => 0,
            Depth::Leaf => 1,
            Depth::Chain => self.looked_up(path),
        };
        let lists = self.lists.clone();
        for index in 0..count {
            let subject = Subject {
                path,
                index,
                outsiders,
            };
            let missing_ok = self.revocation.missing_ok();
            if let Err(refused) = status::check(self, &lists, subject, missing_ok)? {
                if outsiders && self.concern.is_none() {
                    self.concern = self.missed(path, index, &refused);
                }
                return Ok(Err(refused.why));
            }
        }
        Ok(Ok(()))
    }

    /// The CA whose list told of a certificate, or should have.
    fn missed(&self, path: &[usize], index: usize, refused: &Refused) -> Option<Concern> {
        let held = self.pool.get(*path.get(index)?)?;
        let list = refused.list.clone();
        Some(Concern {
            name: held.certificate.outline.issuer.value.to_vec(),
            ..list.unwrap_or_default()
        })
    }

    /// How many certificates of a path have a list to be looked up in: the trusted one only where it is its own issuer.
    fn looked_up(&self, path: &[usize]) -> usize {
        let last = path.last().and_then(|place| self.pool.get(*place));
        let own = last.is_some_and(|last| last.certificate.claims_own_signature());
        path.len().saturating_sub(usize::from(!own))
    }

    fn signer_holds(&mut self, path: &[usize]) -> Result<bool, Exhausted> {
        let certificates = self.pool.certificates(path);
        if check_lengths(&certificates).is_err()
            || constraints::check(&certificates, self.work)?.is_err()
        {
            return Ok(false);
        }
        if self.revocation.depth() != Depth::Chain {
            return Ok(true);
        }
        Ok(self.check_revocation(path, false)?.is_ok())
    }
}

impl<'a> status::Paths<'a> for Judging<'a> {
    fn pool(&self) -> &Pool<'a> {
        &self.pool
    }

    fn pool_and_work(&mut self) -> (&mut Pool<'a>, &mut Work) {
        (&mut self.pool, self.work)
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn reaches_same_anchor(&mut self, place: usize, path: &[usize]) -> Result<bool, Exhausted> {
        let Some(anchor) = path.last() else {
            return Ok(false);
        };
        if place == *anchor {
            return Ok(true);
        }
        let signer = self.pool.get(place);
        let sound = signer.is_some_and(|signer| {
            own_fault(
                &signer.certificate,
                Position::First,
                Purpose::Lists,
                self.now,
            )
            .is_none()
        });
        if !sound {
            return Ok(false);
        }
        let mut paths = Paths::new(place, DEPTH_OF_SIGNERS, false, &mut self.pool, self.work)?;
        while let Some(found) = paths.next(&mut self.pool, &mut self.known, self.work)? {
            if found.last() == Some(anchor) && self.signer_holds(&found)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
