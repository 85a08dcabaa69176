// SPDX-License-Identifier: Apache-2.0
//! Whether a certificate of a path is revoked (RFC 5280, 6.3.3), by the lists at hand.
//!
//! Of the lists of one issuer and scope the one counts that is in force and the latest, whatever order they came in; of
//! several that are equally late each counts. Lists for some reasons add up until all reasons are covered. A list counts if the certificate's issuer signed it, another of
//! the same name in the path, or somebody who has a path of his own to the same trusted certificate.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Lists;
use super::list::{List, Status};
use super::scope::{ALL_REASONS, Point, Reasons};
use crate::verify::advice::Concern;
use crate::verify::certificate::PathCertificate;
use crate::verify::keys::Fault;
use crate::verify::pool::Pool;
use crate::verify::reason;
use crate::verify::work::{Exhausted, Work};
use crate::x509::uses::CRL_SIGN;

/// The search for a path that a certificate is looked up in.
pub(crate) trait Paths<'p> {
    /// The certificates at hand.
    fn pool(&self) -> &Pool<'p>;

    /// The same, with the work that is left.
    fn pool_and_work(&mut self) -> (&mut Pool<'p>, &mut Work);

    /// The time to judge for, in seconds since 1970.
    fn now(&self) -> i64;

    /// Whether the certificate at `place`, of who signs lists, has a path to the trusted certificate of `path` (RFC 5280,
    /// 6.3.3 (f)). Its own revocation is looked up where all certificates are, in lists of its path's own issuers.
    ///
    /// # Errors
    /// It is more than the budget allows.
    fn reaches_same_anchor(&mut self, place: usize, path: &[usize]) -> Result<bool, Exhausted>;
}

/// Why a certificate does not pass, and the list that says so or should have known better.
pub(crate) struct Refused {
    pub why: &'static str,
    pub list: Option<Concern>,
}

impl Refused {
    fn because(why: &'static str) -> Self {
        Self { why, list: None }
    }

    fn by(why: &'static str, list: Option<&List>) -> Self {
        let list = list.map(|list| Concern {
            name: Vec::new(),
            place: list.place.clone(),
            end: list.end(),
        });
        Self { why, list }
    }
}

/// What was found of a list.
type Found = Result<Result<(), &'static str>, Exhausted>;

/// Lists of one certificate that are looked at.
const MOST_LISTS: usize = 64;

/// One certificate in its path, by places in the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The path, first certificate first.
    pub path: &'a [usize],
    /// Which of its certificates.
    pub index: usize,
    /// Whether lists may be signed by somebody outside of the path.
    pub outsiders: bool,
}

/// Looks a certificate up. `missing_ok`: one that no list is about passes.
///
/// # Errors
/// It is more than the budget allows.
pub(crate) fn check(
    judging: &mut dyn Paths<'_>,
    lists: &Lists,
    subject: Subject<'_>,
    missing_ok: bool,
) -> Result<Result<(), Refused>, Exhausted> {
    let Some(place) = subject.path.get(subject.index) else {
        return Ok(Ok(()));
    };
    let octets = judging
        .pool()
        .get(*place)
        .and_then(|about| about.certificate.distribution_points)
        .map_or(0, <[u8]>::len);
    judging.pool_and_work().1.charge_reading(octets)?;
    let Some(about) = judging
        .pool()
        .get(*place)
        .map(|about| About::of(&about.certificate))
    else {
        return Ok(Ok(()));
    };
    let Some(about) = about else {
        return Ok(Err(Refused::because(reason::EXTENSION)));
    };
    let mut search = Search {
        judging,
        subject,
        about: &about,
        covered: 0,
        complaint: None,
    };
    for Current {
        full,
        delta,
        reasons,
        beside,
    } in search.current(lists)?
    {
        let is_news = beside || reasons & !search.covered != 0;
        let stale_ok = lists.may_have_expired(full);
        if is_news && search.consult(full, delta, reasons, stale_ok)? {
            return Ok(Err(Refused::by(reason::REVOKED, Some(full))));
        }
    }
    Ok(match search.complaint {
        _ if search.covered & ALL_REASONS == ALL_REASONS => Ok(()),
        Some((why, list)) => Err(Refused::by(why, list)),
        None if lists.passes_without(missing_ok, search.judging.now()) => Ok(()),
        None => Err(Refused::because(reason::NO_CRL)),
    })
}

/// What lists are asked about.
struct About {
    issuer: Vec<u8>,
    serial: Vec<u8>,
    authority: bool,
    points: Vec<Point>,
}

impl About {
    fn of(certificate: &PathCertificate<'_>) -> Option<Self> {
        let points = match certificate.distribution_points {
            Some(content) => Point::parse_all(content, certificate.outline.issuer.value)?,
            None => Vec::new(),
        };
        Some(Self {
            issuer: certificate.issuer.clone(),
            serial: certificate.outline.serial.to_vec(),
            authority: certificate.basic.is_some_and(|(authority, _)| authority),
            points,
        })
    }
}

struct Search<'s, 'j, 'p, 'l> {
    judging: &'j mut dyn Paths<'p>,
    subject: Subject<'s>,
    about: &'s About,
    /// Reasons for which it is known not to be revoked.
    covered: Reasons,
    /// Why the first list that should have told did not.
    complaint: Option<(&'static str, Option<&'l List>)>,
}

/// A full list, a delta to it, and the reasons that they know of.
struct Current<'l> {
    full: &'l List,
    delta: Option<&'l List>,
    reasons: Reasons,
    /// There is another one that is as good.
    beside: bool,
}

impl<'l> Search<'_, '_, '_, 'l> {
    fn complain(&mut self, why: &'static str, list: Option<&'l List>) {
        self.complaint.get_or_insert((why, list));
    }

    /// The best list of each scope, those that know of more reasons first.
    fn current(&mut self, lists: &'l Lists) -> Result<Vec<Current<'l>>, Exhausted> {
        let now = self.judging.now();
        // Lists of another key are others: whose they are is asked when they are consulted.
        let mut full: HashMap<_, Vec<(&List, Reasons)>> = HashMap::new();
        let mut deltas: Vec<&List> = Vec::new();
        let about = self.about;
        // Each point is compared with each list.
        let octets = about.points.len().saturating_mul(64);
        let mut issuers = vec![&about.issuer];
        for named in about.points.iter().flat_map(|point| &point.issuers) {
            if !issuers.contains(&named) && issuers.len() < MOST_LISTS {
                issuers.push(named);
            }
        }
        for list in issuers.iter().flat_map(|issuer| lists.of(issuer)) {
            self.judging.pool_and_work().1.charge_reading(octets)?;
            let own = list.issuer == about.issuer;
            if !own && !list.scope.indirect {
                continue;
            }
            if let Some(fault) = list.fault {
                self.complain(fault, Some(list));
                continue;
            }
            let Some(reasons) =
                list.scope
                    .covers(&about.points, about.authority, own, &list.issuer)
            else {
                self.complain(reason::CRL_SCOPE, Some(list));
                continue;
            };
            if list.base.is_some() {
                deltas.push(list);
                continue;
            }
            let best = full
                .entry((&list.issuer, &list.partition, &list.authority))
                .or_default();
            let rank = |known: &(&List, Reasons)| known.0.rank(now).cmp(&list.rank(now));
            match best.first().map(rank) {
                Some(Ordering::Greater) => {}
                Some(Ordering::Equal) => best.push((list, reasons)),
                _ => *best = vec![(list, reasons)],
            }
        }
        if full.is_empty() && !deltas.is_empty() {
            self.complain(reason::CRL_SCOPE, None);
        }
        let mut found: Vec<Current<'_>> = full
            .into_values()
            .flat_map(|best| {
                let beside = best.len() > 1;
                best.into_iter().map(move |each| (each, beside))
            })
            .map(|((full, reasons), beside)| Current {
                full,
                delta: delta_of(full, &deltas, now),
                reasons,
                beside,
            })
            .collect();
        // The order of a map is any: let the result not depend on it.
        found.sort_by(|a, b| {
            let known = b.reasons.count_ones().cmp(&a.reasons.count_ones());
            let by_rank = known.then_with(|| b.full.rank(now).cmp(&a.full.rank(now)));
            by_rank.then_with(|| a.full.partition.cmp(&b.full.partition))
        });
        Ok(found)
    }

    /// Asks one list, and its delta; whether the certificate is revoked. Where `stale_ok`, a list that has expired goes on
    /// to say who is.
    fn consult(
        &mut self,
        full: &'l List,
        delta: Option<&'l List>,
        reasons: Reasons,
        stale_ok: bool,
    ) -> Result<bool, Exhausted> {
        let outside = full.outside(self.judging.now());
        if let Some(why) = outside.filter(|_| !stale_ok) {
            self.complain(why, Some(full));
            return Ok(false);
        }
        if let Err(why) = self.is_signed(full)? {
            // One of a key that nobody here has is another CA's of the same name.
            if why != reason::NO_CRL {
                self.complain(why, Some(full));
            }
            return Ok(false);
        }
        let (issuer, serial) = (&self.about.issuer, &self.about.serial);
        let mut status = Status::Unlisted;
        if let Some(delta) = delta
            && self.is_signed(delta)?.is_ok()
        {
            status = delta.find(issuer, serial);
        }
        if status == Status::Unlisted {
            status = full.find(issuer, serial);
        }
        if outside.is_none() {
            self.covered |= reasons;
        }
        Ok(status == Status::Revoked)
    }

    /// Whether somebody signed the list who may (RFC 5280, 6.3.3 (f) and (g)).
    fn is_signed(&mut self, list: &List) -> Found {
        let mut complaint = reason::NO_CRL;
        // A trusted certificate is its own issuer, and who signs lists for a CA may be in the scope of his own.
        let is_last = self.subject.index.saturating_add(1) == self.subject.path.len();
        let itself = is_last || !self.subject.outsiders;
        let from = self.subject.index.saturating_add(usize::from(!itself));
        let inside: Vec<usize> = self.subject.path.iter().copied().skip(from).collect();
        for place in &inside {
            match self.is_signer(list, *place)? {
                Some(Ok(())) => return Ok(Ok(())),
                Some(Err(why)) => complaint = why,
                None => {}
            }
        }
        if !self.subject.outsiders {
            return Ok(Err(complaint));
        }
        let (pool, work) = self.judging.pool_and_work();
        let named = pool.named(&list.issuer, work)?;
        for place in named.into_iter().filter(|place| !inside.contains(place)) {
            // The path first, whose price is known: any client can make keys, and a list may be long.
            if self.is_meant(list, place) != Some(Ok(())) {
                continue;
            }
            if !self.judging.reaches_same_anchor(place, self.subject.path)? {
                complaint = reason::CRL_PATH;
            } else if self.is_signer(list, place)? == Some(Ok(())) {
                return Ok(Ok(()));
            }
        }
        Ok(Err(complaint))
    }

    /// Whether the certificate at `place` is of who may sign the list, by all but the signature; `None` where it is of
    /// somebody else.
    fn is_meant(&self, list: &List, place: usize) -> Option<Result<(), &'static str>> {
        let signer = self.judging.pool().get(place)?;
        let certificate = &signer.certificate;
        let meant = certificate.subject == list.issuer
            && list
                .authority
                .as_ref()
                .is_none_or(|key| key.fits(certificate));
        signer.key.filter(|_| meant)?;
        Some(match certificate.allows(CRL_SIGN) {
            true => Ok(()),
            false => Err(reason::CRL_SIGNER),
        })
    }

    /// Whether the certificate at `place` is of who signed the list; `None` where it cannot be meant.
    fn is_signer(
        &mut self,
        list: &List,
        place: usize,
    ) -> Result<Option<Result<(), &'static str>>, Exhausted> {
        match self.is_meant(list, place) {
            Some(Ok(())) => {}
            other => return Ok(other),
        }
        let (pool, work) = self.judging.pool_and_work();
        let Some(key) = pool.get(place).and_then(|signer| signer.key) else {
            return Ok(None);
        };
        let signed = list.is_signed_by(&key, work)?;
        Ok(Some(signed.map_err(|fault| match fault {
            Fault::Wrong => reason::CRL_SIGNATURE,
            Fault::Unsupported => reason::CRL_ALGORITHM,
        })))
    }
}

/// The latest delta in force to `full` (RFC 5280, 5.2.4 and 6.3.3 (c)).
fn delta_of<'l>(full: &List, deltas: &[&'l List], now: i64) -> Option<&'l List> {
    let size =
        |number: &Option<Vec<u8>>| number.as_ref().map(|number| (number.len(), number.clone()));
    let fits = |delta: &&&List| {
        delta.issuer == full.issuer
            && delta.partition == full.partition
            && delta.authority == full.authority
            && delta.outside(now).is_none()
            && size(&delta.base) <= size(&full.number)
            && (size(&full.number) < size(&delta.number) || delta.is_later(full))
    };
    let latest = deltas.iter().filter(fits);
    latest.max_by(|a, b| a.rank(now).cmp(&b.rank(now))).copied()
}
