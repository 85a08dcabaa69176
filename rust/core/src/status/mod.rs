// SPDX-License-Identifier: Apache-2.0
//! What the server tells of itself: the metrics' sums and the certificates that are served, in three forms.
//!
//! Nothing here comes from visitors but numbers; names are those of the configuration and of certificates, and are
//! escaped for the form at hand.

mod html;
mod json;
mod prometheus;
mod served;
mod svg;
mod text;
mod words;

use std::collections::BTreeMap;

use crate::metrics::found::{BUILD, HOST_HANDSHAKES, NOT_AFTER, STAPLE, STARTED, families};
use crate::metrics::table::Family;
use crate::metrics::{Counter, Totals};

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
    /// Virtual hosts that are counted apart, and their numbers.
    pub hosts: Vec<(String, u32)>,
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
            name if name == NOT_AFTER.name => self.of_certificates(|served| served.not_after),
            name if name == STAPLE.name => self.of_certificates(|served| served.staple_end),
            name if name == HOST_HANDSHAKES.name => self.of_hosts(),
            _ => {
                let sample = |series: &crate::metrics::table::Series| Sample {
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

    fn of_certificates(&self, value: impl Fn(&Served) -> i64) -> Vec<Sample> {
        let sample = |served: &Served| Sample {
            values: vec![
                served.subject.clone(),
                served.key.clone(),
                served.serial.clone(),
                served.source.to_owned(),
            ],
            value: seconds(value(served)),
        };
        // Series differ by their labels: of certificates that those do not tell apart the one that ends first is shown.
        let mut series = BTreeMap::new();
        for Sample { values, value } in self.certificates.iter().map(sample) {
            let least = series.entry(values).or_insert(value);
            *least = value.min(*least);
        }
        let sample = |(values, value)| Sample { values, value };
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

    /// The sum over a family's series.
    fn all(&self, name: &str) -> u64 {
        let family = families().find(|family| family.name == name);
        let series = family.into_iter().flat_map(|family| family.series);
        series.fold(0, |sum, series| sum.saturating_add(self.of(series.counter)))
    }
}

fn seconds(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
