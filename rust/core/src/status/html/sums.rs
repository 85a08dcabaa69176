// SPDX-License-Identifier: Apache-2.0
//! What was counted since the start: shares, times, sessions, traffic, the key agent, virtual hosts.

use super::super::svg::{bars, rate};
use super::super::words::{escaped, short};
use super::super::{Snapshot, series};
use super::fetched;
use super::table::{facts, table};
use crate::metrics::buckets::BUCKETS;
use crate::metrics::{Counter, Histogram};

/// Families shown as bars: title, name, label whose values are the rows, and tone.
const BARS: &[(&str, &str, &str)] = &[
    ("Versions", "handshakes_total", "a"),
    ("Key exchange groups", "handshake_groups_total", "b"),
    ("Cipher suites", "handshake_cipher_suites_total", "a"),
    ("Protocols by ALPN", "handshake_protocols_total", "b"),
    (
        "Signatures of the server",
        "handshake_signatures_total",
        "a",
    ),
    ("Client certificates", "client_certificates_total", "b"),
    ("Encrypted ClientHello", "handshake_ech_total", "b"),
    ("OCSP of clients", "client_ocsp_total", "b"),
    ("Failed handshakes", "handshake_failures_total", "c"),
    ("Refused by a limit", "handshakes_limited_total", "c"),
    ("Alerts received from clients", "alerts_received_total", "c"),
    ("Alerts sent to clients", "alerts_sent_total", "c"),
    ("Tickets not accepted", "tickets_refused_total", "c"),
    ("Session cache", "session_cache_total", "b"),
    ("Handshakes with backends", "backend_handshakes_total", "a"),
    (
        "Failed handshakes with backends",
        "backend_handshake_failures_total",
        "c",
    ),
    ("Signatures by key", "signatures_total", "a"),
    ("Requests to OCSP responders", "ocsp_requests_total", "b"),
    (
        "CAs and lists for clients that changed",
        "client_list_reloads_total",
        "b",
    ),
    ("Internal errors caught", "internal_errors_total", "c"),
];

/// Families that take no room while this server does nothing of the kind.
const OPTIONAL: &[&str] = &[
    "handshake_ech_total",
    "client_ocsp_total",
    "handshakes_limited_total",
    "session_cache_total",
    "backend_handshakes_total",
    "backend_handshake_failures_total",
    "ocsp_requests_total",
    "client_list_reloads_total",
    "internal_errors_total",
];

/// The family before which it is shown how long things take: in two columns, what failed then begins the second.
const BEHIND_TIMES: &str = "handshake_failures_total";

/// What was counted since the start.
pub(super) fn section(out: &mut String, snapshot: &Snapshot) {
    out.push_str("<h2>Since the start</h2><div class=\"cards\">");
    for (title, name, tone) in BARS {
        if *name == BEHIND_TIMES {
            times(out, snapshot);
        }
        let mut rows: Vec<_> = series(name)
            .map(|series| (series.values.join(", "), snapshot.of(series.counter)))
            .collect();
        rows.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        if !OPTIONAL.contains(name) || rows.iter().any(|(_, value)| *value > 0) {
            out.push_str(&bars(title, &rows, tone));
        }
    }
    connections(out, snapshot);
    sessions(out, snapshot);
    traffic(out, snapshot);
    agent(out, snapshot);
    fetched::verdicts(out, snapshot);
    out.push_str("</div>");
    fetched::hosts(out, snapshot);
    hosts(out, snapshot);
}

fn times(out: &mut String, snapshot: &Snapshot) {
    for (title, histogram) in [
        ("Time of a handshake", Histogram::Handshake),
        ("Time of a signature", Histogram::Signature),
        ("Time of a call to the session cache", Histogram::CacheCall),
    ] {
        let measured = snapshot.totals.measured(histogram);
        if histogram == Histogram::CacheCall && measured.cumulative.last() == Some(&0) {
            continue;
        }
        let mut before = 0;
        let bounds = BUCKETS.iter().map(|(micros, _)| span(*micros));
        let names = bounds.map(|bound| format!("up to {bound}"));
        let names = names.chain(["longer".to_owned()]);
        let rows: Vec<_> = names
            .zip(&measured.cumulative)
            .map(|(name, sum)| {
                (
                    name,
                    sum.saturating_sub(std::mem::replace(&mut before, *sum)),
                )
            })
            .collect();
        out.push_str(&bars(title, &rows, "a"));
    }
}

fn connections(out: &mut String, snapshot: &Snapshot) {
    let rows = [
        ("Handshakes under way", Counter::UnderWay),
        ("Those that wait for the client", Counter::Waiting),
        ("Connections that broke later", Counter::Broken),
        ("Requests misdirected (421)", Counter::Misdirected),
        (
            "Questions to OCSP that were waited for",
            Counter::OcspWaited,
        ),
        ("Processes that serve", Counter::Serving),
        ("Those since the last restart", Counter::Current),
    ];
    let rows = rows.map(|(name, counter)| (name, short(snapshot.of(counter))));
    facts(out, "Connections", &rows);
}

fn sessions(out: &mut String, snapshot: &Snapshot) {
    let of = |counter| short(snapshot.of(counter));
    let rows = [
        ("Tickets issued", of(Counter::Issued)),
        ("Tickets accepted", of(Counter::Accepted)),
        (
            "Tickets not accepted",
            short(snapshot.all("tickets_refused_total")),
        ),
        ("Sessions found in the cache", of(Counter::CacheHits)),
    ];
    facts(out, "Sessions", &rows);
}

fn traffic(out: &mut String, snapshot: &Snapshot) {
    let octets = |counter| format!("{}B", rate(snapshot.of(counter) as f64));
    let records = |counter| short(snapshot.of(counter));
    let rows = [
        ("Sent to clients", octets(Counter::SentToClients)),
        (
            "Received from clients",
            octets(Counter::ReceivedFromClients),
        ),
        ("Sent to backends", octets(Counter::SentToBackends)),
        (
            "Received from backends",
            octets(Counter::ReceivedFromBackends),
        ),
        (
            "Records of data sent to clients",
            records(Counter::RecordsToClients),
        ),
        (
            "Records of data received from clients",
            records(Counter::RecordsFromClients),
        ),
        (
            "Records of data sent to backends",
            records(Counter::RecordsToBackends),
        ),
        (
            "Records of data received from backends",
            records(Counter::RecordsFromBackends),
        ),
    ];
    facts(out, "Traffic", &rows);
}

/// Virtual hosts that are counted apart, those with most handshakes first.
fn hosts(out: &mut String, snapshot: &Snapshot) {
    if snapshot.hosts.is_empty() {
        return;
    }
    out.push_str("<h2>Handshakes by virtual host</h2>");
    let counted = snapshot.hosts.iter().map(|(name, number)| {
        let number = usize::try_from(*number).unwrap_or(usize::MAX);
        (name, snapshot.totals.host(number))
    });
    let mut counted: Vec<_> = counted.collect();
    counted.sort_by_key(|(_, (completed, failed))| {
        std::cmp::Reverse(completed.saturating_add(*failed))
    });
    let rows = counted.into_iter().map(|(name, (completed, failed))| {
        format!(
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>",
            escaped(name),
            short(completed),
            short(failed)
        )
    });
    let head = "<table class=\"list\"><thead><tr><th scope=\"col\">Virtual host</th>\
         <th scope=\"col\" class=\"number\">Completed</th><th scope=\"col\" class=\"number\">Failed</th></tr></thead>";
    table(out, head, &rows.collect::<Vec<_>>(), "virtual hosts");
}

fn agent(out: &mut String, snapshot: &Snapshot) {
    let up = snapshot.of(Counter::AgentRuns) > 0;
    let (class, state) = match (snapshot.isolated, up) {
        (false, _) => ("soon", "not used"),
        (true, true) => ("good", "runs"),
        (true, false) => ("bad", "down"),
    };
    let signatures = |result| {
        let series = series("signatures_total");
        let series = series.filter(|series| series.values.last() == Some(&result));
        snapshot.sum(series.map(|series| series.counter))
    };
    let (made, failed) = (signatures("made"), signatures("failed"));
    let rows = [
        ("Signatures made", made),
        ("Signatures that failed", failed),
        ("Signatures waited for now", snapshot.of(Counter::Signing)),
        ("Signers replaced", snapshot.of(Counter::SignerReplaced)),
        ("Children refused", snapshot.of(Counter::AgentRefusal)),
        ("Faults", snapshot.of(Counter::AgentTrouble)),
        ("Certificates reloaded", snapshot.of(Counter::ReloadTaken)),
        ("Reloads refused", snapshot.of(Counter::ReloadRefused)),
    ];
    let title = format!("Key agent <span class=\"badge {class}\">{state}</span>");
    facts(out, &title, &rows.map(|(name, value)| (name, short(value))));
}

fn span(micros: u64) -> String {
    match micros {
        m if m < 1_000 => format!("{m} µs"),
        m if m < 1_000_000 => format!("{} ms", m as f64 / 1e3),
        m => format!("{} s", m as f64 / 1e6),
    }
}
