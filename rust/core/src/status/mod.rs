// SPDX-License-Identifier: Apache-2.0
//! What the server tells of itself: the metrics' sums and the certificates that are served, in three forms.
//!
//! Nothing here comes from visitors but numbers; names are those of the configuration and of certificates, and are
//! escaped for the form at hand.

mod fetched;
mod html;
mod json;
mod prometheus;
mod served;
mod svg;
mod text;
mod words;

use std::collections::BTreeMap;

use crate::metrics::choose::NOISE;
use crate::metrics::found::{
    BUILD, HOST_HANDSHAKES, NOT_AFTER, STAPLE, STAPLE_MADE, STAPLE_MISSING, STARTED, families,
};
use crate::metrics::table::{Family, Series};
use crate::metrics::{Counter, Totals};

pub use fetched::Fetched;
pub use html::page;
pub use json::json;
pub use prometheus::prometheus;
pub use served::{Host, Served, certificates, counted, host_number};
pub use text::{block, lines};

/// What is told.
#[derive(Debug)]
pub struct Snapshot {
    /// The metrics.
    pub totals: Totals,
    /// Seconds since 1970.
    pub now: i64,
    /// When counting began.
    pub started: i64,
    /// Version of the module.
    pub version: String,
    /// The server's own name.
    pub server: String,
    /// Each certificate once.
    pub certificates: Vec<Served>,
    /// Keys are to be in processes of their own.
    pub isolated: bool,
    /// Virtual hosts that are counted apart, and their numbers.
    pub hosts: Vec<(String, u32)>,
    /// What is fetched.
    pub fetched: Fetched,
}

/// One number, with the values of its family's labels.
struct Sample {
    values: Vec<String>,
    value: u64,
}

impl Snapshot {
    /// The samples of a family that is no histogram.
    fn samples(&self, family: &Family) -> Vec<Sample> {
        let one = |values: Vec<String>, value: u64| vec![Sample { values, value }];
        match family.name {
            name if name == BUILD.name => {
                let engine = crate::ENGINE_VERSION.to_owned();
                one(vec![self.version.clone(), engine], 1)
            }
            name if name == STARTED.name => one(Vec::new(), seconds(self.started)),
            name if name == NOT_AFTER.name => {
                self.of_certificates(i64::min, |served| Some((None, served.not_after)))
            }
            name if name == STAPLE.name => self.of_certificates(i64::min, |served| {
                let (source, _, end) = served.staple?;
                Some((Some(source.name()), end))
            }),
            name if name == STAPLE_MADE.name => self.of_certificates(i64::min, |served| {
                let (source, made, _) = served.staple?;
                Some((Some(source.name()), made))
            }),
            name if name == STAPLE_MISSING.name => self.of_certificates(i64::max, |served| {
                let missing = i64::from(served.is_staple_missing());
                served.staple_expected.then_some((None, missing))
            }),
            name if name == HOST_HANDSHAKES.name => self.of_hosts(),
            name if self.fetched.knows(name) => self.fetched.samples(name, self.now),
            // Where there is to be no agent, none is missing.
            "agent_up" if !self.isolated => Vec::new(),
            _ => {
                let sample = |series: &Series| Sample {
                    values: series
                        .values
                        .iter()
                        .map(|value| (*value).to_owned())
                        .collect(),
                    value: self.of(series.counter),
                };
                family.series.iter().map(sample).collect()
            }
        }
    }

    /// Series differ by their labels: of certificates that those do not tell apart the `worst` value is shown. `value` is
    /// that of a certificate which has one, with one more label.
    fn of_certificates(
        &self,
        worst: fn(i64, i64) -> i64,
        value: impl Fn(&Served) -> Option<(Option<&'static str>, i64)>,
    ) -> Vec<Sample> {
        let mut series: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for served in &self.certificates {
            let Some((label, value)) = value(served) else {
                continue;
            };
            let own = [&served.subject, &served.key, &served.serial].map(String::as_str);
            let labels = own.into_iter().chain([served.source]).chain(label);
            let labels = labels.map(ToOwned::to_owned).collect();
            let shown = series.entry(labels).or_insert(value);
            *shown = worst(*shown, value);
        }
        let sample = |(values, value)| Sample {
            values,
            value: seconds(value),
        };
        series.into_iter().map(sample).collect()
    }

    fn of_hosts(&self) -> Vec<Sample> {
        let sample = |(host, number): &(String, u32)| {
            let (completed, failed) = self.totals.host(usize::try_from(*number).unwrap_or(0));
            [(completed, "completed"), (failed, "failed")].map(|(value, result)| Sample {
                values: vec![host.clone(), result.to_owned()],
                value,
            })
        };
        self.hosts.iter().flat_map(sample).collect()
    }

    fn of(&self, counter: Counter) -> u64 {
        self.totals.of(counter)
    }

    fn sum(&self, counters: impl IntoIterator<Item = Counter>) -> u64 {
        let counted = counters.into_iter().map(|counter| self.of(counter));
        counted.fold(0, u64::saturating_add)
    }

    /// The sum over a family's series.
    fn all(&self, name: &str) -> u64 {
        self.sum(series(name).map(|series| series.counter))
    }

    /// Handshakes with clients that failed, without what is noise.
    fn failed(&self) -> u64 {
        self.all("handshake_failures_total")
            .saturating_sub(self.noise())
    }

    /// Those that are noise.
    fn noise(&self) -> u64 {
        self.sum(NOISE.iter().copied())
    }
}

/// The series of a family.
fn series(name: &str) -> impl Iterator<Item = &'static Series> {
    let family = families().find(|family| family.name == name);
    family.into_iter().flat_map(|family| family.series)
}

fn seconds(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
