// SPDX-License-Identifier: Apache-2.0
//! What the fetcher was ordered to do, as its results say it: children that take up changed files find there whether it
//! already knows what these want.

use std::collections::HashSet;

use super::results::Key;
use super::wants::{ListWant, RuleId, sha256};

/// What a rule is found by that it answers questions by.
pub(crate) fn rule(id: &RuleId) -> Key {
    Key(sha256(&[b"ordered rule", &id[..]].concat()))
}

/// What a list is found by that it fetches, and that this authority (DER) may have signed.
pub(crate) fn list(list: Key, authority: &[u8]) -> Key {
    Key(sha256(&[b"ordered list", &list.0[..], authority].concat()))
}

/// All of an order.
pub(super) fn all<'a>(rules: impl Iterator<Item = &'a RuleId>, lists: &[ListWant]) -> HashSet<Key> {
    let signed = |want: &ListWant| {
        let key = want.key;
        let authorities = want.authorities.iter();
        authorities
            .map(move |der| list(key, der))
            .collect::<Vec<_>>()
    };
    rules
        .map(rule)
        .chain(lists.iter().flat_map(signed))
        .collect()
}
