// SPDX-License-Identifier: Apache-2.0
//! Which responses to staple a configuration wants.

use std::collections::HashSet;
use std::sync::Arc;

use super::wants::{Rule, StapleWant, Wants, staple_key};
use crate::credentials::Credentials;
use crate::creds::Pair;

/// A virtual host whose certificates' responses are to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct HostStaples {
    /// Index of its certificates.
    pub host: u32,
    /// Index of its rule.
    pub rule: u32,
    /// Seconds after which a response is fetched anew; 0 for half of its life.
    pub refresh: u32,
    /// Seconds after which a responder that failed is asked again.
    pub retry: u32,
}

impl Wants {
    /// The responses that these virtual hosts lack, each once, and the rules that other questions are put by.
    pub fn of(credentials: &Credentials, rules: Vec<Rule>, staples: &[HostStaples]) -> Self {
        let rules: Vec<Arc<Rule>> = rules.into_iter().map(Arc::new).collect();
        let index = |number: u32| usize::try_from(number).ok();
        let mut known = HashSet::new();
        let mut wanted: Vec<StapleWant> = Vec::new();
        for host in staples {
            let rule = index(host.rule).and_then(|rule| rules.get(rule));
            if let (Some(at), Some(rule)) = (index(host.host), rule) {
                let pairs = credentials.real_pairs(at);
                let wants = pairs.iter().filter_map(|pair| want(pair, rule, host));
                wanted.extend(wants.filter(|want| known.insert(want.key)));
            }
        }
        let of_staples: HashSet<usize> = staples.iter().filter_map(|h| index(h.rule)).collect();
        // Those that responses to staple have go with them: where nothing is to be stapled, nothing is wanted.
        let others = rules.into_iter().enumerate();
        let others = others.filter_map(|(at, rule)| (!of_staples.contains(&at)).then_some(rule));
        Self {
            rules: others.collect(),
            staples: wanted,
            ..Self::default()
        }
    }
}

/// The response that a pair lacks; `None` where a file has it, or nobody could be asked.
fn want(pair: &Arc<Pair>, rule: &Arc<Rule>, host: &HostStaples) -> Option<StapleWant> {
    let chain = pair.chain();
    let [leaf, issuer, ..] = &chain[..] else {
        return None;
    };
    if pair.stapled.is_some() {
        return None;
    }
    rule.responder_of(leaf)?;
    let forced = rule.responder.as_deref().filter(|_| rule.always);
    Some(StapleWant {
        key: staple_key(leaf, issuer, forced)?,
        leaf: leaf.to_vec(),
        issuer: issuer.to_vec(),
        rule: Arc::clone(rule),
        refresh: host.refresh,
        retry: host.retry,
        kept: Vec::new(),
    })
}
