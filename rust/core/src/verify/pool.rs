// SPDX-License-Identifier: Apache-2.0
//! The certificates that a path may be made of: what the peer sent and what is listed, by name, each once.

use std::collections::{HashMap, HashSet};

use rustls_pki_types::CertificateDer;

use super::anchors::{Anchors, Kind};
use super::certificate::PathCertificate;
use super::checks::{Position, Purpose, own_fault};
use super::keys::Key;
use super::work::{Exhausted, Work};
use crate::x509::canonical::canonical;
use crate::x509::outline::Outline;

/// Certificates of one name that are tried. CAs renew their certificates now and then; who has more is none.
const MOST_OF_ONE_NAME: usize = 12;

/// Certificates above the peer's own that are looked at.
const MOST: usize = 64;

/// Where a certificate comes from, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Anchor,
    Link,
    Sent,
}

/// One certificate that may stand above another.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub certificate: PathCertificate<'a>,
    pub source: Source,
    pub key: Option<Key<'a>>,
    /// What is wrong with it wherever a path leads.
    pub fault: Option<&'static str>,
}

/// What is known beside one peer's certificate. The first candidate is that certificate.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    anchors: &'a Anchors,
    /// What was sent, by canonical subject.
    sent: HashMap<Vec<u8>, Vec<Outline<'a>>>,
    candidates: Vec<Candidate<'a>>,
    /// Places of the candidates of each name that was asked for.
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    purpose: Purpose,
    now: i64,
}

impl<'a> Pool<'a> {
    /// `rest` is what was sent beside `leaf`. Linear in it.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(super) fn new(
        leaf: PathCertificate<'a>,
        rest: &'a [CertificateDer<'a>],
        anchors: &'a Anchors,
        purpose: Purpose,
        now: i64,
        work: &mut Work,
    ) -> Result<Self, Exhausted> {
        work.charge_reading(leaf.outline.der.len())?;
        work.charge(leaf.reading_cost())?;
        let mut sent: HashMap<Vec<u8>, Vec<Outline<'a>>> = HashMap::new();
        let mut seen = HashSet::from([leaf.outline.der]);
        for der in rest {
            work.charge_reading(der.len())?;
            let Some(outline) = Outline::parse(der) else {
                continue;
            };
            if let Some(subject) = canonical(outline.subject.value)
                && seen.insert(outline.der)
            {
                sent.entry(subject).or_default().push(outline);
            }
        }
        let mut pool = Self {
            anchors,
            sent,
            candidates: Vec::new(),
            by_name: HashMap::new(),
            purpose,
            now,
        };
        pool.add(leaf, Source::Sent, Position::First);
        Ok(pool)
    }

    fn add(
        &mut self,
        certificate: PathCertificate<'a>,
        source: Source,
        position: Position,
    ) -> usize {
        let key = Key::parse(&certificate.outline.spki);
        let fault = own_fault(&certificate, position, self.purpose, self.now);
        self.candidates.push(Candidate {
            certificate,
            source,
            key,
            fault,
        });
        self.candidates.len().saturating_sub(1)
    }

    /// A candidate by its place.
    pub(super) fn get(&self, place: usize) -> Option<&Candidate<'a>> {
        self.candidates.get(place)
    }

    /// The certificates at these places.
    pub(super) fn certificates(&self, places: &[usize]) -> Vec<&PathCertificate<'a>> {
        let found = places
            .iter()
            .filter_map(|place| self.candidates.get(*place));
        found.map(|candidate| &candidate.certificate).collect()
    }

    /// Places of all that bear a name, those that were trusted first.
    ///
    /// # Errors
    /// There are more than the budget allows.
    pub(super) fn named(
        &mut self,
        subject: &[u8],
        work: &mut Work,
    ) -> Result<Vec<usize>, Exhausted> {
        if let Some(places) = self.by_name.get(subject) {
            return Ok(places.clone());
        }
        let mut places = Vec::new();
        let anchors = self.anchors;
        for (der, kind) in anchors.named(subject) {
            work.charge_reading(der.len())?;
            if let Some(certificate) = PathCertificate::parse(der) {
                work.charge(certificate.reading_cost())?;
                let (source, position) = match kind {
                    Kind::Anchor => (Source::Anchor, Position::Last),
                    Kind::Link => (Source::Link, Position::Between),
                };
                places.push(self.add(certificate, source, position));
            }
        }
        let sent = self.sent.remove(subject).unwrap_or_default();
        for outline in sent.into_iter().take(MOST_OF_ONE_NAME) {
            work.charge_reading(outline.der.len())?;
            let known = anchors
                .named(subject)
                .any(|(der, _)| der.as_ref() == outline.der);
            if known || self.candidates.len() > MOST {
                continue;
            }
            if let Some(certificate) = PathCertificate::new(outline) {
                work.charge(certificate.reading_cost())?;
                places.push(self.add(certificate, Source::Sent, Position::Between));
            }
        }
        self.by_name.insert(subject.to_vec(), places.clone());
        Ok(places)
    }

    /// Places of all that may have issued the certificate at `child`, most promising first: trusted before sent, without
    /// a fault before others, named by key identifier, ending last.
    ///
    /// # Errors
    /// There are more than the budget allows.
    pub(super) fn issuers(
        &mut self,
        child: usize,
        work: &mut Work,
    ) -> Result<Vec<usize>, Exhausted> {
        let Some(name) = self
            .get(child)
            .map(|child| child.certificate.issuer.clone())
        else {
            return Ok(Vec::new());
        };
        let mut places = self.named(&name, work)?;
        work.charge(u64::try_from(places.len()).unwrap_or(u64::MAX))?;
        let Some(child) = self.candidates.get(child).map(|child| &child.certificate) else {
            return Ok(Vec::new());
        };
        let at = |place: usize| self.candidates.get(place);
        places
            .retain(|place| at(*place).is_some_and(|issuer| child.may_be_of(&issuer.certificate)));
        places.sort_by_cached_key(|place| {
            at(*place).map(|issuer| {
                let by_key = child
                    .authority
                    .as_ref()
                    .is_some_and(|key| key.names_key(&issuer.certificate));
                let rank = (issuer.source, issuer.fault.is_some(), !by_key);
                (rank, std::cmp::Reverse(issuer.certificate.end()))
            })
        });
        Ok(places)
    }
}
