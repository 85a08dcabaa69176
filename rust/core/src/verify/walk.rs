// SPDX-License-Identifier: Apache-2.0
//! Chains that lead nowhere: what OpenSSL would have complained of first, and what it would not have forgiven.

use std::collections::HashMap;

use rustls_pki_types::CertificateDer;

use super::anchors::{Anchors, Kind};
use super::certificate::PathCertificate;
use super::checks::{Position, Purpose, is_authority, own_fault};
use super::reason;
use super::work::{Exhausted, Work};

/// Certificates that are walked through at most: what OpenSSL's default depth allows.
const MOST: usize = 100;

/// The certificates that a peer sent, from its own upwards as far as they name each other as issuers.
pub(super) struct Walk<'a> {
    leaf: &'a PathCertificate<'a>,
    above: Vec<PathCertificate<'a>>,
    /// Why the way leads to nobody who is trusted; `None` where it does lead there.
    untrusted: Option<&'static str>,
}

impl<'a> Walk<'a> {
    /// Walks from `leaf` through `rest` and the links that are listed, each of which is used once at most.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn new(
        leaf: &'a PathCertificate<'a>,
        rest: &'a [CertificateDer<'a>],
        anchors: &'a Anchors,
        work: &mut Work,
    ) -> Result<Self, Exhausted> {
        let mut unused: HashMap<Vec<u8>, Vec<PathCertificate<'a>>> = HashMap::new();
        for der in rest.iter().rev() {
            let Some(certificate) = read(der, work)? else {
                continue;
            };
            unused
                .entry(certificate.subject.clone())
                .or_default()
                .push(certificate);
        }
        let mut walk = Self {
            leaf,
            above: Vec::new(),
            untrusted: None,
        };
        walk.untrusted = loop {
            let top = walk.top();
            if top.claims_own_signature() {
                break Some(if walk.above.is_empty() {
                    reason::SELF_SIGNED
                } else {
                    reason::SELF_SIGNED_IN_CHAIN
                });
            }
            if find_fitting(top, anchors, Kind::Anchor, work)?.is_some() {
                break None;
            }
            let issuer = top.issuer.clone();
            let link = find_fitting(top, anchors, Kind::Link, work)?.filter(|link| {
                walk.above
                    .iter()
                    .all(|seen| seen.outline.der != link.outline.der)
            });
            let next = link.or_else(|| unused.get_mut(&issuer).and_then(Vec::pop));
            match next.filter(|_| walk.above.len() < MOST) {
                Some(next) => walk.above.push(next),
                None => break Some(reason::NO_ISSUER),
            }
        };
        Ok(walk)
    }

    fn top(&self) -> &PathCertificate<'a> {
        self.above.last().unwrap_or(self.leaf)
    }

    /// The reason to give where no path was found: that nobody vouches for the chain comes first, then `obstacle`.
    pub(super) fn first_complaint(&self, obstacle: Option<&'static str>) -> &'static str {
        if obstacle == Some(reason::TOO_LONG) {
            return reason::TOO_LONG;
        }
        self.untrusted.or(obstacle).unwrap_or(reason::NO_ISSUER)
    }

    /// What is wrong with an untrusted chain besides that, at `now` in seconds since 1970: `optional_no_ca` does not
    /// forgive it.
    pub(super) fn other_fault(&self, purpose: Purpose, now: i64) -> Option<&'static str> {
        // Nobody looks at the signature of the upper end.
        let position = if self.above.is_empty() {
            Position::Alone
        } else {
            Position::First
        };
        if let Some(fault) =
            own_fault(self.leaf, position, purpose, now).filter(|fault| !reason::is_of_dates(fault))
        {
            return Some(fault);
        }
        if !self
            .above
            .iter()
            .all(|certificate| is_authority(certificate, false))
        {
            return Some(reason::NOT_A_CA);
        }
        // An upper end that did not sign itself is looked at by nobody.
        let ends_open = !self.top().claims_own_signature();
        let judged = self.above.len().saturating_sub(usize::from(ends_open));
        std::iter::once(self.leaf)
            .chain(self.above.iter().take(judged))
            .find_map(|certificate| certificate.outside(now))
    }

    /// The reason that is shown of an untrusted chain which is let in.
    pub(super) fn last_complaint(&self) -> &'static str {
        match self.untrusted {
            // OpenSSL goes on after the first complaint, and ends with this one where the client sent nothing else.
            Some(reason::NO_ISSUER) if self.above.is_empty() => reason::UNVERIFIABLE,
            Some(why) => why,
            None => "",
        }
    }
}

/// A listed certificate that may have issued `top`.
fn find_fitting<'a>(
    top: &PathCertificate<'_>,
    anchors: &'a Anchors,
    wanted: Kind,
    work: &mut Work,
) -> Result<Option<PathCertificate<'a>>, Exhausted> {
    let listed = anchors.named(&top.issuer);
    for (der, _) in listed.filter(|(_, kind)| *kind == wanted) {
        let issuer = read(der, work)?;
        if let Some(issuer) = issuer.filter(|issuer| top.may_be_of(issuer)) {
            return Ok(Some(issuer));
        }
    }
    Ok(None)
}

fn read<'a>(der: &'a [u8], work: &mut Work) -> Result<Option<PathCertificate<'a>>, Exhausted> {
    work.charge_reading(der.len())?;
    let certificate = PathCertificate::parse(der);
    if let Some(certificate) = &certificate {
        work.charge(certificate.reading_cost())?;
    }
    Ok(certificate)
}
