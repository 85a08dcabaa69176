// SPDX-License-Identifier: Apache-2.0
//! What is fetched over HTTP: revocation lists, what responders said of clients, and who answered.

use super::{Sample, seconds};
use crate::fetch::access::verdicts_held;
use crate::fetch::counted::by_host;
use crate::fetch::results::{Held, Outcomes};
use crate::metrics::found::{
    FETCHES, LIST_MADE, LIST_MISSING, LIST_NEXT, VERDICT_END, VERDICT_OLDEST, VERDICTS,
};
use crate::verify::fetched::{ListState, states};

/// What is told of it.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// Lists, each address once.
    pub lists: Vec<ListState>,
    /// Verdicts on certificates of clients.
    pub verdicts: Held,
    /// What came of asking whom, by host.
    pub hosts: Vec<(String, Outcomes)>,
}

const FAMILIES: [&str; 7] = [
    FETCHES.name,
    LIST_MADE.name,
    LIST_NEXT.name,
    LIST_MISSING.name,
    VERDICTS.name,
    VERDICT_OLDEST.name,
    VERDICT_END.name,
];

impl Fetched {
    /// What this process knows of it.
    pub fn now() -> Self {
        Self {
            lists: states(),
            verdicts: verdicts_held(),
            hosts: by_host(),
        }
    }

    /// How many verdicts are held of each kind.
    pub(super) fn kinds(&self) -> [(&'static str, u64); 4] {
        let Held {
            good,
            revoked,
            unknown,
            failed,
            ..
        } = self.verdicts;
        [
            ("good", good),
            ("revoked", revoked),
            ("unknown", unknown),
            ("without_answer", failed),
        ]
    }

    pub(super) fn knows(&self, family: &str) -> bool {
        FAMILIES.contains(&family)
    }

    pub(super) fn samples(&self, family: &str, now: i64) -> Vec<Sample> {
        let one = |values: Vec<String>, value| Sample { values, value };
        let time = |time: Option<i64>| time.map(|time| one(Vec::new(), seconds(time)));
        match family {
            name if name == VERDICT_OLDEST.name => time(self.verdicts.oldest).into_iter().collect(),
            name if name == VERDICT_END.name => time(self.verdicts.next_end).into_iter().collect(),
            name if name == VERDICTS.name => {
                let kinds = self.kinds().into_iter().filter(|_| !self.hosts.is_empty());
                kinds
                    .map(|(kind, count)| one(vec![kind.to_owned()], count))
                    .collect()
            }
            name if name == FETCHES.name => {
                let of_host = |(host, outcomes): &(String, Outcomes)| {
                    outcomes
                        .map(|(outcome, count)| one(vec![host.clone(), outcome.to_owned()], count))
                };
                self.hosts.iter().flat_map(of_host).collect()
            }
            name => {
                let value = |list: &ListState| match name {
                    name if name == LIST_MADE.name => list.made.map(seconds),
                    name if name == LIST_NEXT.name => list.next.map(seconds),
                    _ => Some(u64::from(list.is_missing(now))),
                };
                let sample = |list| Some(one(vec![ListState::clone(list).url], value(list)?));
                self.lists.iter().filter_map(sample).collect()
            }
        }
    }
}
