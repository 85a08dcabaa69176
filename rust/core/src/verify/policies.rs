// SPDX-License-Identifier: Apache-2.0
//! Certificate policies (RFC 5280, 6.1.2 to 6.1.5, as RFC 9618 mends it), for somebody who asks for none.
//!
//! Any policy will do and nothing is required at first, so that all that matters is whether some policy goes through the
//! whole path where a CA of it requires that. RFC 9618 keeps one node for each policy of a level: what a level needs of the
//! one above it is which policies are expected there, so that one set is kept, and work is linear in the certificates.

use std::collections::{HashMap, HashSet};

use super::certificate::PathCertificate;
use super::reason;
use crate::x509::der::{INTEGER, OID, Reader, SEQUENCE, count, only, whole};

const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

/// The nodes of one level: valid policies, and what each is called in the next certificate.
type Level<'a> = HashMap<&'a [u8], HashSet<&'a [u8]>>;

#[derive(Debug)]
struct State<'a> {
    /// `None` where no policy goes through.
    level: Option<Level<'a>>,
    /// Certificates after which a policy must go through, none must be mapped, and anyPolicy is none.
    explicit: u64,
    mapping: u64,
    inhibit_any: u64,
}

/// Checks the policies of a path, first certificate first. The trusted one's are not looked at (RFC 5280, 6.1).
pub(super) fn check(path: &[&PathCertificate<'_>]) -> Result<(), &'static str> {
    let Some((_trusted, path)) = path.split_last() else {
        return Ok(());
    };
    let endless = u64::try_from(path.len())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut state = State {
        level: Some(HashMap::from([(ANY, HashSet::from([ANY]))])),
        explicit: endless,
        mapping: endless,
        inhibit_any: endless,
    };
    for (place, certificate) in path.iter().enumerate().rev() {
        let last = place == 0;
        state
            .step(certificate, last)
            .ok_or(reason::POLICY_EXTENSION)?;
        if state.explicit == 0 && state.level.is_none() {
            return Err(reason::POLICY);
        }
        if last {
            state.finish(certificate).ok_or(reason::POLICY_EXTENSION)?;
        } else {
            state.prepare(certificate).ok_or(reason::POLICY_EXTENSION)?;
        }
    }
    if state.explicit == 0 && state.level.is_none() {
        return Err(reason::POLICY);
    }
    Ok(())
}

impl<'a> State<'a> {
    /// 6.1.3 (d) and (e).
    fn step(&mut self, certificate: &PathCertificate<'a>, last: bool) -> Option<()> {
        let Some(value) = certificate.policies else {
            self.level = None;
            return Some(());
        };
        let policies = policies(value)?;
        let Some(above) = self.level.take() else {
            return Some(());
        };
        let has_any = policies.contains(ANY);
        let expected: HashSet<&[u8]> = above.values().flatten().copied().collect();
        let mut level = Level::new();
        for policy in policies.iter().filter(|policy| **policy != ANY) {
            if expected.contains(policy) || above.contains_key(ANY) {
                level.insert(policy, HashSet::from([*policy]));
            }
        }
        if has_any && (self.inhibit_any > 0 || (!last && certificate.is_self_issued())) {
            for policy in expected {
                level
                    .entry(policy)
                    .or_insert_with(|| HashSet::from([policy]));
            }
        }
        self.level = Some(level).filter(|level| !level.is_empty());
        Some(())
    }

    /// 6.1.4 (a), (b) and (h) to (j).
    fn prepare(&mut self, certificate: &PathCertificate<'a>) -> Option<()> {
        if let Some(value) = certificate.mappings {
            self.map(value)?;
        }
        if !certificate.is_self_issued() {
            for counter in [&mut self.explicit, &mut self.mapping, &mut self.inhibit_any] {
                *counter = counter.saturating_sub(1);
            }
        }
        let (explicit, mapping) = limits(certificate)?;
        self.explicit = self.explicit.min(explicit);
        self.mapping = self.mapping.min(mapping);
        if let Some(value) = certificate.inhibit_any {
            let skipped = only(value, INTEGER)?.value;
            self.inhibit_any = self.inhibit_any.min(count(skipped)?);
        }
        Some(())
    }

    fn map(&mut self, value: &'a [u8]) -> Option<()> {
        let mut mapped: HashMap<&[u8], HashSet<&[u8]>> = HashMap::new();
        let mut list = whole(value, SEQUENCE)?;
        while !list.at_end() {
            let mut pair = list.enter(SEQUENCE)?;
            let (from, to) = (pair.require(OID)?.value, pair.require(OID)?.value);
            if from == ANY || to == ANY {
                return None;
            }
            mapped.entry(from).or_default().insert(to);
        }
        let Some(level) = &mut self.level else {
            return Some(());
        };
        let any = level.contains_key(ANY);
        for (from, to) in mapped {
            if self.mapping == 0 {
                level.remove(from);
            } else if any || level.contains_key(from) {
                level.insert(from, to);
            }
        }
        if level.is_empty() {
            self.level = None;
        }
        Some(())
    }

    /// 6.1.5 (a) and (b).
    fn finish(&mut self, certificate: &PathCertificate<'a>) -> Option<()> {
        self.explicit = self.explicit.saturating_sub(1);
        let (explicit, _) = limits(certificate)?;
        if explicit == 0 {
            self.explicit = 0;
        }
        Some(())
    }
}

/// The policies of CertificatePolicies, each of which stands there once (RFC 5280, 4.2.1.4).
fn policies(value: &[u8]) -> Option<HashSet<&[u8]>> {
    let mut list = whole(value, SEQUENCE)?;
    let mut found = HashSet::new();
    while !list.at_end() {
        if !found.insert(list.enter(SEQUENCE)?.require(OID)?.value) {
            return None;
        }
    }
    Some(found)
}

/// requireExplicitPolicy and inhibitPolicyMapping of PolicyConstraints (RFC 5280, 4.2.1.11).
fn limits(certificate: &PathCertificate<'_>) -> Option<(u64, u64)> {
    let (mut explicit, mut mapping) = (u64::MAX, u64::MAX);
    let Some(value) = certificate.policy_constraints else {
        return Some((explicit, mapping));
    };
    let mut fields: Reader<'_> = whole(value, SEQUENCE)?;
    // RFC 5280, 4.2.1.11: never an empty sequence.
    if fields.at_end() {
        return None;
    }
    while !fields.at_end() {
        let field = fields.any()?;
        match field.tag {
            0x80 => explicit = count(field.value)?,
            0x81 => mapping = count(field.value)?,
            _ => return None,
        }
    }
    Some((explicit, mapping))
}
