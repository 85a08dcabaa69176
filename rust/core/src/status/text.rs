// SPDX-License-Identifier: Apache-2.0
//! The block on mod_status' page, and its lines in `?auto`: what matters most under names of its own, and all that was
//! counted under those of the table.

use std::fmt::Write;

use super::Snapshot;
use super::words::{escaped, short};
use crate::metrics::Counter;
use crate::metrics::found::counted;
use crate::metrics::table::Family;

/// What is shown, and what it is called: for people, and for programs.
fn facts(snapshot: &Snapshot) -> Vec<(&'static str, &'static str, u64)> {
    let of = |counters: &[Counter]| snapshot.sum(counters.iter().copied());
    let full = of(&[Counter::FullTls13, Counter::FullTls12]);
    let resumed = of(&[Counter::ResumedTls13, Counter::ResumedTls12]);
    let next = snapshot.certificates.iter();
    let next = next.map(|served| served.not_after).min();
    let mut facts = vec![
        ("Full handshakes", "TLSFullHandshakes", full),
        ("Resumed handshakes", "TLSResumedHandshakes", resumed),
        (
            "Failed handshakes",
            "TLSFailedHandshakes",
            snapshot.failed(),
        ),
        (
            "Scanners and floods turned away",
            "TLSTurnedAway",
            snapshot.noise(),
        ),
        (
            "Handshakes under way",
            "TLSHandshakesInProgress",
            of(&[Counter::UnderWay]),
        ),
        (
            "Handshakes with backends",
            "TLSBackendHandshakes",
            snapshot.all("backend_handshakes_total"),
        ),
        (
            "Failed ones",
            "TLSFailedBackendHandshakes",
            snapshot.all("backend_handshake_failures_total"),
        ),
        (
            "Bytes received",
            "TLSReceivedBytes",
            of(&[Counter::ReceivedFromClients]),
        ),
        ("Bytes sent", "TLSSentBytes", of(&[Counter::SentToClients])),
    ];
    if let Some(next) = next {
        let left = crate::creds::chain::days_left(next, snapshot.now).max(0);
        let left = u64::try_from(left).unwrap_or(0);
        facts.push((
            "Days until the next certificate expires",
            "TLSCertificateDaysLeft",
            left,
        ));
    }
    facts
}

/// All that is not nought, as "TLSHandshakeFailures{reason=timeout}" and its number.
fn everything(snapshot: &Snapshot) -> impl Iterator<Item = (String, u64)> {
    let series = move |family: &'static Family| {
        let name = camel(family.name);
        let measured = family
            .histogram
            .map(|histogram| snapshot.totals.measured(histogram).cumulative);
        let measured = measured.and_then(|counts| counts.last().copied());
        let measured = measured.map(|count| (format!("{name}Count"), count));
        let one = move |labels: &[&str], value| (named(&name, family.labels, labels), value);
        let samples = family.series.iter();
        let samples = samples.map(move |s| one(s.values, snapshot.of(s.counter)));
        samples.chain(measured)
    };
    counted().flat_map(series).filter(|(_, value)| *value > 0)
}

/// "handshake_failures_total" as the keys of `?auto` are written.
fn camel(name: &str) -> String {
    let mut out = String::from("TLS");
    for word in name.trim_end_matches("_total").split('_') {
        let (first, rest) = word.split_at(word.len().min(1));
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

fn named(name: &str, labels: &[&str], values: &[&str]) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    let pairs = labels.iter().zip(values);
    let pairs: Vec<_> = pairs
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    format!("{name}{{{}}}", pairs.join(","))
}

/// HTML without tables.
pub fn block(snapshot: &Snapshot) -> String {
    let mut out = format!(
        "<hr />\n<h2>mod_tls {}</h2>\n<dl>\n",
        escaped(&snapshot.version)
    );
    for (name, _, value) in facts(snapshot) {
        let _ = writeln!(out, "<dt>{name}: {}</dt>", short(value));
    }
    out.push_str("</dl>\n<details><summary>All that was counted</summary>\n<dl>\n");
    for (name, value) in everything(snapshot) {
        let _ = writeln!(out, "<dt>{name}: {}</dt>", short(value));
    }
    out.push_str("</dl>\n</details>\n");
    out
}

/// One line each.
pub fn lines(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for (_, name, value) in facts(snapshot) {
        let _ = writeln!(out, "{name}: {value}");
    }
    for (name, value) in everything(snapshot) {
        let _ = writeln!(out, "{name}: {value}");
    }
    out
}
