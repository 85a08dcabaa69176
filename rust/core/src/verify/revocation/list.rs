// SPDX-License-Identifier: Apache-2.0
//! One revocation list (RFC 5280, 5), read once and found in by halves.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use ::aws_lc_rs::digest::Digest;

use super::scope::Scope;
use crate::verify::certificate::{AuthorityKey, seconds};
use crate::verify::edition::Edition;
use crate::verify::elements::directory_name;
use crate::verify::keys::{Fault, Key};
use crate::verify::list_fault::ListFault;
use crate::verify::reason;
use crate::verify::signed::Signed;
use crate::verify::work::{Exhausted, Work};
use crate::x509::canonical::canonical;
use crate::x509::der::{INTEGER, Reader, SEQUENCE, is_integer, only, whole};
use crate::x509::outline::{RawExtensions, time};

mod outline;
use outline::{Outline, digits, number};

/// Keys by which a list was checked that are remembered, and how many may be tried in vain at nobody's expense.
const MOST_KEYS: usize = 8;

/// CRLReason (RFC 5280, 5.3.1).
const REMOVE_FROM_CRL: u8 = 8;

/// One entry: whose certificate, and where in the list it begins.
#[derive(Clone, Copy, Debug)]
struct Entry {
    issuer: u32,
    offset: u32,
}

/// A revocation list.
#[derive(Debug)]
pub(crate) struct List {
    der: Vec<u8>,
    /// The file that it is of, and the line; empty where that is not known.
    pub place: String,
    /// Canonical name of who signed it.
    pub issuer: Vec<u8>,
    /// Seconds since 1970.
    this_update: i64,
    next_update: Option<i64>,
    /// CRLNumber; and the number of the list that a delta is to.
    pub number: Option<Vec<u8>>,
    pub base: Option<Vec<u8>>,
    /// Whose key signed it.
    pub authority: Option<AuthorityKey>,
    pub scope: Scope,
    /// The IssuingDistributionPoint as it stands there: equal for lists of one scope.
    pub partition: Vec<u8>,
    /// Why it says nothing of any certificate.
    pub fault: Option<&'static str>,
    /// Issuers of the entries, canonical, with their numbers; the list's own is 0.
    issuers: HashMap<Vec<u8>, u32>,
    /// In the order of issuers and serial numbers.
    entries: Vec<Entry>,
    tried: Mutex<Tried>,
    /// What was signed, hashed once; `None` where that cannot be done for all keys at once.
    digest: OnceLock<Option<Digest>>,
}

/// The keys by which a list was checked.
#[derive(Debug, Default)]
struct Tried {
    /// Digests of the last few, and what was found.
    keys: Vec<([u8; 32], Result<(), Fault>)>,
    /// How often the list was hashed for a key that did not sign it, or may not have.
    in_vain: usize,
}

/// What a list says of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Revoked,
    /// Revoked no more, in a delta.
    Removed,
    Unlisted,
}

impl List {
    /// Reads DER, found in `place`.
    ///
    /// # Errors
    /// It is no list whose issuer can be told.
    pub(crate) fn parse(der: Vec<u8>, place: String) -> Result<Self, ListFault> {
        let outline = Outline::parse(&der);
        let Some(mut list) = outline.and_then(|outline| Self::new(&outline)) else {
            return Err(ListFault::NotDer);
        };
        list.der = der;
        list.place = place;
        let order = |entry: &Entry| (entry.issuer, list.serial(*entry).unwrap_or_default());
        let mut entries = list.entries.clone();
        entries.sort_by(|a, b| order(a).cmp(&order(b)));
        list.entries = entries;
        Ok(list)
    }

    fn new(outline: &Outline<'_>) -> Option<Self> {
        let mut list = Self {
            der: Vec::new(),
            place: String::new(),
            issuer: canonical(outline.issuer.value)?,
            this_update: seconds(&outline.this_update).unwrap_or(i64::MIN),
            next_update: outline.next_update.as_ref().and_then(seconds),
            number: None,
            base: None,
            authority: None,
            scope: Scope::default(),
            partition: Vec::new(),
            fault: None,
            issuers: HashMap::new(),
            entries: Vec::new(),
            tried: Mutex::default(),
            digest: OnceLock::new(),
        };
        if list.this_update == i64::MIN {
            list.fault = Some(reason::CRL_BEFORE_FIELD);
        } else if outline.next_update.is_some() && list.next_update.is_none() {
            list.fault = Some(reason::CRL_AFTER_FIELD);
        }
        for extension in RawExtensions::new(outline.extensions) {
            let extension = extension?;
            let value = extension.value;
            // RFC 5280, 5.2: who does not know a critical one must not use the list. These three alone may be critical.
            let may_be_critical = matches!(extension.oid, [0x55, 0x1d, 0x1b | 0x1c | 0x23]);
            if extension.critical && !may_be_critical {
                list.fault.get_or_insert(reason::CRL_CRITICAL);
            }
            let read = match extension.oid {
                // A negative one tells nothing, but the list is as good as without.
                [0x55, 0x1d, 0x14] => only(value, INTEGER).map(|_| list.number = number(value)),
                [0x55, 0x1d, 0x1b] => number(value).map(|number| list.base = Some(number)),
                [0x55, 0x1d, 0x1c] => Scope::parse(value, outline.issuer.value).map(|scope| {
                    list.scope = scope;
                    list.partition = value.to_vec();
                }),
                [0x55, 0x1d, 0x23] => {
                    AuthorityKey::parse(value).map(|key| list.authority = Some(key))
                }
                _ => Some(()),
            };
            if read.is_none() {
                list.fault = Some(reason::EXTENSION);
            }
        }
        list.issuers.insert(list.issuer.clone(), 0);
        if list.read_entries(outline).is_none() {
            list.fault = Some(reason::EXTENSION);
        }
        Some(list)
    }

    fn read_entries(&mut self, outline: &Outline<'_>) -> Option<()> {
        let mut entries = Reader::new(outline.entries.map_or(&[][..], |entries| entries.value));
        let mut offset = outline.entries_at;
        // RFC 5280, 5.3.3: an entry without an issuer of its own has that of the one before it.
        let mut issuer = 0_u32;
        while !entries.at_end() {
            let entry = entries.require(SEQUENCE)?;
            let mut fields = Reader::new(entry.value);
            fields.take(INTEGER).filter(|serial| is_integer(serial))?;
            time(&mut fields)?;
            if let Some(extensions) = fields.require(SEQUENCE) {
                for extension in RawExtensions::new(extensions.value) {
                    let extension = extension?;
                    match extension.oid {
                        [0x55, 0x1d, 0x1d] if self.scope.indirect => {
                            issuer = self.issuer_of_entry(extension.value)?;
                        }
                        // RFC 5280, 5.3: who does not know a critical one must not use the list.
                        _ if extension.critical => {
                            self.fault.get_or_insert(reason::CRL_CRITICAL);
                        }
                        _ => {}
                    }
                }
            }
            fields.at_end().then_some(())?;
            let place = u32::try_from(offset).ok()?;
            self.entries.push(Entry {
                issuer,
                offset: place,
            });
            offset = offset.checked_add(entry.raw.len())?;
        }
        Some(())
    }

    fn issuer_of_entry(&mut self, value: &[u8]) -> Option<u32> {
        let mut names = whole(value, SEQUENCE)?;
        let name = loop {
            let name = names.any()?;
            if name.tag == 0xa4 {
                break directory_name(name.value)?;
            }
        };
        let next = u32::try_from(self.issuers.len()).ok()?;
        Some(*self.issuers.entry(name).or_insert(next))
    }

    fn entry(&self, entry: Entry) -> Option<Reader<'_>> {
        let offset = usize::try_from(entry.offset).ok()?;
        Reader::new(self.der.get(offset..)?).enter(SEQUENCE)
    }

    fn serial(&self, entry: Entry) -> Option<&[u8]> {
        self.entry(entry)?
            .require(INTEGER)
            .map(|serial| digits(serial.value))
    }

    /// What it says of the certificate with this issuer (canonical) and serial number.
    pub(crate) fn find(&self, issuer: &[u8], serial: &[u8]) -> Status {
        let Some(issuer) = self.issuers.get(issuer) else {
            return Status::Unlisted;
        };
        let wanted = (*issuer, digits(serial));
        let found = self.entries.binary_search_by(|entry| {
            (entry.issuer, self.serial(*entry).unwrap_or_default()).cmp(&wanted)
        });
        let entry = found.ok().and_then(|place| self.entries.get(place));
        match entry {
            None => Status::Unlisted,
            Some(entry) if self.is_removed(*entry) => Status::Removed,
            Some(_) => Status::Revoked,
        }
    }

    fn is_removed(&self, entry: Entry) -> bool {
        let reason = || {
            let mut fields = self.entry(entry)?;
            fields.require(INTEGER)?;
            fields.any()?;
            let extensions = fields.require(SEQUENCE)?;
            RawExtensions::new(extensions.value)
                .flatten()
                .find(|extension| extension.oid == [0x55, 0x1d, 0x15])
                .and_then(|extension| only(extension.value, 0x0a))
                .map(|reason| reason.value)
        };
        reason() == Some(&[REMOVE_FROM_CRL])
    }

    /// Why it is not in force at `now`, in seconds since 1970.
    pub(crate) fn outside(&self, now: i64) -> Option<&'static str> {
        if now < self.this_update {
            Some(reason::CRL_NOT_YET_VALID)
        } else if self.next_update.is_some_and(|end| now > end) {
            Some(reason::CRL_EXPIRED)
        } else {
            None
        }
    }

    /// How good it is among lists of one scope: one in force before others, then the latest.
    pub(crate) fn rank(&self, now: i64) -> (bool, i64, usize, &[u8]) {
        let number = self.number.as_deref().unwrap_or_default();
        (
            self.outside(now).is_none(),
            self.this_update,
            number.len(),
            number,
        )
    }

    /// Whether it is from a later time than `other`.
    pub(crate) fn is_later(&self, other: &Self) -> bool {
        self.this_update > other.this_update
    }

    /// The content of its issuer's name in DER.
    pub(crate) fn issuer_name(&self) -> &[u8] {
        Outline::parse(&self.der).map_or(&[], |outline| outline.issuer.value)
    }

    /// The list itself.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// How many certificates it names.
    pub(crate) fn entries(&self) -> usize {
        self.entries.len()
    }

    /// What it is among lists from one address.
    pub(crate) fn edition(&self) -> Edition {
        Edition {
            issuer: self.issuer.clone(),
            partition: self.partition.clone(),
            from: self.this_update,
            until: self.next_update.unwrap_or(i64::MAX),
        }
    }

    /// When it was made, in seconds since 1970.
    pub(crate) fn made(&self) -> i64 {
        self.this_update
    }

    /// When it had to be replaced, in seconds since 1970.
    pub(crate) fn end(&self) -> Option<i64> {
        self.next_update
    }

    /// Whether `key` signed it. Each key is tried once, however often it is asked for. The list is hashed once, which is
    /// nobody's cost, so that a list may be long. Where it cannot be hashed for all keys at once (Ed25519, ML-DSA) that is
    /// nobody's while few keys were tried in vain; from then on it is charged to `work`, since who has a CA below the
    /// trusted one can make keys without end.
    ///
    /// # Errors
    /// It is more than the budget allows.
    pub(crate) fn is_signed_by(
        &self,
        key: &Key<'_>,
        work: &mut Work,
    ) -> Result<Result<(), Fault>, Exhausted> {
        work.charge(key.cost())?;
        let id = key.digest();
        let lock = || self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let free = {
            let mut tried = lock();
            if let Some((_, found)) = tried.keys.iter().find(|(other, _)| *other == id) {
                return Ok(*found);
            }
            let free = tried.in_vain < MOST_KEYS;
            // Taken back if the key signed the list: many threads may try keys at once.
            tried.in_vain = tried.in_vain.saturating_add(1);
            free
        };
        let signed = Signed::parse(&self.der);
        let digest = self
            .digest
            .get_or_init(|| signed.as_ref().and_then(Signed::digest))
            .as_ref();
        if let Some(signed) = &signed
            && digest.is_none()
            && !free
        {
            work.charge(signed.cost(key).saturating_sub(key.cost()))?;
        }
        let check = |signed: Signed<'_>| signed.check_hashed(key, digest);
        let found = signed.map_or(Err(Fault::Unsupported), check);
        let mut tried = lock();
        if found.is_ok() {
            tried.in_vain = tried.in_vain.saturating_sub(1);
        }
        if tried.keys.len() >= MOST_KEYS {
            // What did not sign may be anybody's. What did is one key, or few, whoever made certificates of it.
            match tried.keys.iter().position(|(_, found)| found.is_err()) {
                Some(oldest) => drop(tried.keys.remove(oldest)),
                None => return Ok(found),
            }
        }
        tried.keys.push((id, found));
        Ok(found)
    }

    /// What was found by the keys that are remembered.
    #[cfg(test)]
    pub(crate) fn found(&self) -> Vec<Result<(), Fault>> {
        let tried = self.tried.lock().unwrap();
        tried.keys.iter().map(|(_, found)| *found).collect()
    }
}

/// The canonical name of who issued a list (DER), without a look at its entries.
pub(crate) fn issuer_of(der: &[u8]) -> Option<Vec<u8>> {
    canonical(Outline::parse(der)?.issuer.value)
}
