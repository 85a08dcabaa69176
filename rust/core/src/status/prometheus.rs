// SPDX-License-Identifier: Apache-2.0
//! The text format of Prometheus, version 0.0.4.

use std::fmt::Write;

use super::Snapshot;
use crate::metrics::buckets::BUCKETS;
use crate::metrics::found::families;
use crate::metrics::table::{Family, PREFIX};

/// All metrics.
pub fn prometheus(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for family in families() {
        write_family(&mut out, snapshot, family);
    }
    out
}

fn write_family(out: &mut String, snapshot: &Snapshot, family: &Family) {
    let Family {
        name, kind, help, ..
    } = family;
    let _ = writeln!(out, "# HELP {PREFIX}{name} {help}.");
    let _ = writeln!(out, "# TYPE {PREFIX}{name} {}", kind.name());
    if let Some(histogram) = family.histogram {
        let measured = snapshot.totals.measured(histogram);
        let bounds = BUCKETS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (bound, count) in bounds.zip(&measured.cumulative) {
            let _ = writeln!(out, "{PREFIX}{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let (whole, part) = (measured.micros / 1_000_000, measured.micros % 1_000_000);
        let count = measured.cumulative.last().copied().unwrap_or(0);
        let _ = writeln!(out, "{PREFIX}{name}_sum {whole}.{part:06}");
        let _ = writeln!(out, "{PREFIX}{name}_count {count}");
        return;
    }
    for sample in snapshot.samples(family) {
        let _ = write!(out, "{PREFIX}{name}");
        let labels = family.labels.iter().zip(&sample.values);
        for (index, (label, value)) in labels.enumerate() {
            out.push(if index == 0 { '{' } else { ',' });
            let _ = write!(out, "{label}=\"{}\"", escaped(value));
        }
        out.push_str(if family.labels.is_empty() { " " } else { "} " });
        let _ = writeln!(out, "{}", sample.value);
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}
