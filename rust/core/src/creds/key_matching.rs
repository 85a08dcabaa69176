// SPDX-License-Identifier: Apache-2.0
//! Which key belongs to which certificate.

use std::sync::Arc;

use super::certificate::{CertificateFields, Certificates};
use super::fault::Fault;
use super::key::PrivateKey;
use super::request::PairRequest;

/// A pair of a request as far as its files could be read.
pub(super) struct Candidate<'a> {
    pub(super) request: &'a PairRequest,
    pub(super) chain: Option<Arc<Certificates>>,
    pub(super) key: Option<Arc<PrivateKey>>,
}

/// The key for a certificate: its own, or in mod_ssl's words any that is named; `None` where one of both is missing, which
/// has been said.
pub(super) fn find_matching_key<'a>(
    candidate: &'a Candidate<'_>,
    all: &'a [Candidate<'_>],
    spare: &'a [Arc<PrivateKey>],
    strict: bool,
) -> Result<Option<&'a Arc<PrivateKey>>, Fault> {
    let (Some(chain), Some(own)) = (&candidate.chain, &candidate.key) else {
        return Ok(None);
    };
    let fits =
        |key: &&Arc<PrivateKey>| chain.fields.first().is_some_and(|l| l.public == key.public);
    let others = all
        .iter()
        .filter_map(|c| c.key.as_ref())
        .chain(spare)
        .filter(|_| !strict);
    match std::iter::once(own).chain(others).find(fits) {
        Some(key) => Ok(Some(key)),
        None => Err(mismatch(candidate, own, chain, all)),
    }
}

/// Says why no key fits: the certificate stands in the wrong place, or the key is another certificate's.
fn mismatch(
    candidate: &Candidate<'_>,
    key: &PrivateKey,
    chain: &Certificates,
    all: &[Candidate<'_>],
) -> Fault {
    let request = candidate.request;
    if let Some(position) = chain.fields.iter().position(|c| c.public == key.public) {
        return Fault::LeafNotFirst {
            file: request.certificate.clone(),
            position: position + 1,
        };
    }
    let alike = |c: &Arc<CertificateFields>| c.public.bits == key.public.bits;
    if chain.fields.first().is_some_and(alike) {
        return Fault::KeyOfOtherUse {
            key: request.key.as_ref().unwrap_or(&request.certificate).clone(),
            certificate: request.certificate.clone(),
            for_pss_alone: key.public.for_pss_alone,
        };
    }
    let owner = all.iter().find(|c| {
        c.chain
            .as_ref()
            .and_then(|chain| chain.fields.first())
            .is_some_and(|l| l.public == key.public)
    });
    Fault::KeyMismatch {
        key: request.key.as_ref().unwrap_or(&request.certificate).clone(),
        certificate: request.certificate.clone(),
        hint: owner.map_or(String::new(), |c| format!(" ({})", c.request.certificate)),
    }
}
