// SPDX-License-Identifier: Apache-2.0
//! Which list an address has to send: who signs it, and what it is about.

use std::cell::OnceCell;

use super::certificate::PathCertificate;
use super::keys::Key as SigningKey;
use super::list_fault::ListFault;
use super::revocation::list::{List, issuer_of};
use super::revocation::scope;
use super::signed::Signed;
use super::work::Work;
use crate::x509::uses::CRL_SIGN;

/// Who may have signed a list from an address, and what it has to be about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// Where it is.
    pub(crate) urls: &'a [String],
    /// Certificates of the authorities (DER), one of which has to have signed it.
    pub(crate) authorities: &'a [Vec<u8>],
    /// Those (DER) that name the address; empty where the administrator alone does.
    pub(crate) named_by: &'a [Vec<u8>],
}

impl Expected<'_> {
    /// Reads a list (DER), the entries last of all.
    ///
    /// # Errors
    /// Why it is of no use.
    pub(crate) fn read(&self, der: Vec<u8>, place: String) -> Result<List, ListFault> {
        let signed = Signed::parse(&der).ok_or(ListFault::Unreadable)?;
        let issuer = issuer_of(&der).ok_or(ListFault::Unreadable)?;
        let digest = OnceCell::new();
        let signs = |key: &SigningKey<'_>| {
            let digest = digest.get_or_init(|| signed.digest());
            signed.check_hashed(key, digest.as_ref()).is_ok()
        };
        if !self.is_signed(&issuer, signs) {
            return Err(ListFault::Unsigned);
        }
        let list = List::parse(der, place)?;
        if let Some(fault) = list.fault {
            return Err(ListFault::Unusable(fault));
        }
        if list.base.is_some() {
            return Err(ListFault::Delta);
        }
        match self.is_meant(&list) {
            true => Ok(list),
            false => Err(ListFault::Foreign),
        }
    }

    /// Whether a list that was read for somebody may be used here, too.
    pub(crate) fn accepts(&self, list: &List) -> bool {
        let signs = |key: &SigningKey<'_>| {
            matches!(list.is_signed_by(key, &mut Work::default()), Ok(Ok(_)))
        };
        self.is_meant(list) && self.is_signed(&list.issuer, signs)
    }

    /// Whether one of the authorities is called `issuer`, may sign lists, and has the key that `signs`.
    fn is_signed(&self, issuer: &[u8], signs: impl Fn(&SigningKey<'_>) -> bool) -> bool {
        self.authorities.iter().any(|authority| {
            PathCertificate::parse(authority)
                .filter(|certificate| certificate.subject == issuer && certificate.allows(CRL_SIGN))
                .and_then(|certificate| Some(signs(&SigningKey::parse(&certificate.outline.spki)?)))
                .unwrap_or(false)
        })
    }

    /// Whether it is the list of a certificate that names the address: for itself, or where it is its own issuer for those
    /// that it issues.
    fn is_meant(&self, list: &List) -> bool {
        let by = |der: &Vec<u8>| {
            let certificate = PathCertificate::parse(der)?;
            let content = certificate.distribution_points?;
            let mut points = scope::Point::parse_all(content, certificate.outline.issuer.value)?;
            points.retain(|point| point.urls().iter().any(|url| self.urls.contains(url)));
            let own = certificate.issuer == list.issuer;
            let authority = !certificate.is_self_issued();
            Some(list.scope.fills(&points, authority, own, &list.issuer))
        };
        self.named_by.is_empty() || self.named_by.iter().any(|der| by(der) == Some(true))
    }
}
