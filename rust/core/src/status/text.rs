// SPDX-License-Identifier: Apache-2.0
//! The block on mod_status' page, and its lines in `?auto`.

use std::fmt::Write;

use super::Snapshot;
use super::words::{escaped, short};
use crate::metrics::Counter;

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

/// HTML without tables.
pub fn block(snapshot: &Snapshot) -> String {
    let mut out = format!(
        "<hr />\n<h2>mod_tls {}</h2>\n<dl>\n",
        escaped(&snapshot.version)
    );
    for (name, _, value) in facts(snapshot) {
        let _ = writeln!(out, "<dt>{name}: {}</dt>", short(value));
    }
    out.push_str("</dl>\n");
    out
}

/// One line each.
pub fn lines(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for (_, name, value) in facts(snapshot) {
        let _ = writeln!(out, "{name}: {value}");
    }
    out
}
