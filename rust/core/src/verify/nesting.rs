// SPDX-License-Identifier: Apache-2.0
//! Whether what a certificate has of addresses and numbers the one above it has, too (RFC 3779).

use super::certificate::PathCertificate;
use super::resources::{Family, Resources, covers};

/// One of the two extensions of a certificate.
type Pick = for<'c, 'd> fn(&'c PathCertificate<'d>) -> Option<&'c Resources>;

/// RFC 3779, 2.3 and 3.3. `path` has the first certificate first.
pub(super) fn are_nested(path: &[&PathCertificate<'_>]) -> bool {
    let each: [Pick; 2] = [
        |certificate| certificate.systems.as_deref(),
        |certificate| certificate.addresses.as_deref(),
    ];
    each.into_iter().all(|pick| is_nested(path, pick))
}

fn is_nested(path: &[&PathCertificate<'_>], of: Pick) -> bool {
    let Some((own, above)) = path.split_first() else {
        return true;
    };
    let Some(own) = of(own) else {
        return true;
    };
    let mut wanted: Vec<&Family> = own.0.iter().collect();
    for certificate in above {
        let theirs = of(certificate).map_or(&[][..], |resources| &resources.0);
        for family in &mut wanted {
            let place = theirs.binary_search_by(|other| other.kind.cmp(&family.kind));
            let same = place.ok().and_then(|place| theirs.get(place));
            match (&family.ranges, same.map(|same| &same.ranges)) {
                (Some(_), None) => return false,
                (Some(inner), Some(Some(outer))) if !covers(outer, inner) => return false,
                (_, Some(Some(_))) => *family = same.unwrap_or(family),
                (None, None) | (_, Some(None)) => {}
            }
        }
    }
    // Above the last there is nobody to have anything of.
    let last = path.last().and_then(|last| of(last));
    !last.is_some_and(Resources::inherits)
}
