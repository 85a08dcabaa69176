// SPDX-License-Identifier: Apache-2.0
//! Single elements of extensions.

use crate::x509::canonical::canonical;
use crate::x509::der::{Element, OID, Reader, SEQUENCE, is_oid, only};

/// The canonical form of a directoryName, whose tag is explicit.
pub(super) fn directory_name(content: &[u8]) -> Option<Vec<u8>> {
    canonical(only(content, SEQUENCE)?.value)
}

/// Content of a list of GeneralName, each of which is of a known kind (RFC 5280, 4.2.1.6).
pub(super) fn general_names(value: &[u8]) -> Option<&[u8]> {
    let list = only(value, SEQUENCE)?.value;
    let mut names = Reader::new(list);
    while !names.at_end() {
        general_name(&names.any()?)?;
    }
    Some(list)
}

/// Whether it is a GeneralName of a known kind, which says no more than one.
pub(super) fn general_name(name: &Element<'_>) -> Option<()> {
    match name.tag {
        0xa0 => {
            let mut other = Reader::new(name.value);
            other.take(OID).filter(|oid| is_oid(oid))?;
            let mut value = other.enter(0xa0)?;
            value.any()?;
            (value.at_end() && other.at_end()).then_some(())
        }
        0xa3 | 0xa5 | 0x81 | 0x82 | 0x86 | 0x87 => Some(()),
        0xa4 => directory_name(name.value).map(drop),
        0x88 => is_oid(name.value).then_some(()),
        _ => None,
    }
}
