// SPDX-License-Identifier: Apache-2.0
//! The page: no resource from elsewhere, no script, light and dark.

use crate::metrics::found::families;
use std::fmt::Write;

use super::svg::{Curve, bars, curves};
use super::words::{escaped, short};
use super::{Served, Snapshot};
use crate::creds::chain::days_left;
use crate::metrics::buckets::BUCKETS;
use crate::metrics::history::{FAILURES, Sample};
use crate::metrics::{Counter, Histogram};
use crate::x509::time::date;

/// Days before its end from which a certificate is shown as one to look after.
const SOON: i64 = 21;
/// Days before its end from which it is shown as an alarm.
const LATE: i64 = 7;

/// The page; `refresh` is the number of seconds after which a browser loads it again, 0 for never.
pub fn page(snapshot: &Snapshot, refresh: u32) -> String {
    let mut out = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">",
    );
    if refresh > 0 {
        let _ = write!(out, "<meta http-equiv=\"refresh\" content=\"{refresh}\">");
    }
    let server = escaped(&snapshot.server);
    let _ = write!(
        out,
        "<title>TLS on {server}</title><style>{}</style></head><body><header><h1>TLS on {server}</h1>\
         <p>mod_tls {} over {}, counting for {}</p></header><main>",
        include_str!("style.css"),
        escaped(&snapshot.version),
        escaped(crate::ENGINE_VERSION),
        duration(snapshot.now - snapshot.started)
    );
    tiles(&mut out, snapshot);
    certificates(&mut out, snapshot);
    last_hour(&mut out, &snapshot.totals.history());
    shares(&mut out, snapshot);
    let _ = writeln!(
        out,
        "</main><footer>Sums over all processes since httpd was started, as of a few seconds ago \
         ({}). The same as <a href=\"?format=json\">JSON</a> and for \
         <a href=\"?format=prometheus\">Prometheus</a>; <a href=\"?refresh=10\">load again</a> every ten seconds.\
         </footer></body></html>",
        date(snapshot.now)
    );
    out
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

fn tiles(out: &mut String, snapshot: &Snapshot) {
    let of = |counters: &[Counter]| {
        let sums = counters.iter().map(|counter| snapshot.of(*counter));
        sums.fold(0, u64::saturating_add)
    };
    let completed = snapshot.all("handshakes_total");
    let failed = snapshot.all("handshake_failures_total");
    let resumed = of(&[Counter::ResumedTls13, Counter::ResumedTls12]);
    let quantum = of(&[
        Counter::GroupX25519Mlkem768,
        Counter::GroupP256Mlkem768,
        Counter::GroupMlkem768,
        Counter::GroupMlkem1024,
    ]);
    let keyed = completed.saturating_sub(of(&[Counter::GroupNone]));
    let modern = of(&[Counter::FullTls13, Counter::ResumedTls13]);
    out.push_str("<div class=\"tiles\">");
    let tile = |out: &mut String, value: &str, name: &str| {
        let _ = write!(
            out,
            "<div class=\"tile\"><b>{value}</b><span>{name}</span></div>"
        );
    };
    tile(out, &short(completed), "handshakes completed");
    tile(
        out,
        &percent(failed, completed.saturating_add(failed)),
        "failed",
    );
    tile(out, &percent(resumed, completed), "resumed");
    tile(out, &percent(modern, completed), "TLS 1.3");
    tile(out, &percent(quantum, keyed), "post-quantum key exchange");
    tile(
        out,
        &short(of(&[Counter::UnderWay])),
        "handshakes under way",
    );
    out.push_str("</div>");
}

fn certificates(out: &mut String, snapshot: &Snapshot) {
    out.push_str("<h2>Certificates</h2>");
    if snapshot.certificates.is_empty() {
        out.push_str("<p class=\"none\">None is served.</p>");
        return;
    }
    out.push_str(
        "<div class=\"card scroll\"><table class=\"list\"><thead><tr><th scope=\"col\">Certificate</th>\
         <th scope=\"col\">Expires</th><th scope=\"col\">Key</th><th scope=\"col\">OCSP response</th>\
         <th scope=\"col\">Served by</th></tr></thead><tbody>",
    );
    let mut sorted: Vec<_> = snapshot.certificates.iter().collect();
    sorted.sort_by_key(|served| served.not_after);
    for served in sorted {
        certificate(out, served, snapshot.now);
    }
    out.push_str("</tbody></table></div>");
}

/// Virtual hosts named beside a certificate.
const HOSTS_SHOWN: usize = 5;

fn certificate(out: &mut String, served: &Served, now: i64) {
    let days = days_left(served.not_after, now);
    let (class, left) = match days {
        d if d < 0 => ("bad", "expired".to_owned()),
        d if d < LATE => ("bad", format!("{d} days left")),
        d if d < SOON => ("soon", format!("{d} days left")),
        d => ("good", format!("{d} days left")),
    };
    let source = match served.source {
        "placeholder" => " · <span class=\"badge bad\">placeholder</span>",
        "module" => " · from another module",
        _ => "",
    };
    let staple = match served.staple_end {
        0 => "none".to_owned(),
        end => format!("until {}", date(end)),
    };
    let _ = write!(
        out,
        "<tr><th scope=\"row\">{}<small>{}</small></th><td><span class=\"badge {class}\">{left}</span>\
         <small>{}</small></td><td>{}<small>{} in the chain{source}</small></td><td>{staple}</td><td>",
        escaped(&served.subject),
        escaped(&served.names),
        date(served.not_after),
        escaped(&served.key),
        served.chain_length
    );
    for (host, place) in served.hosts.iter().take(HOSTS_SHOWN) {
        let _ = write!(out, "{}<small>{}</small>", escaped(host), escaped(place));
    }
    if served.hosts.len() > HOSTS_SHOWN {
        let _ = write!(
            out,
            "<small>and {} more</small>",
            served.hosts.len() - HOSTS_SHOWN
        );
    }
    out.push_str("</td></tr>");
}

fn last_hour(out: &mut String, history: &[Sample]) {
    out.push_str("<h2>The last hour</h2>");
    if history.len() < 3 {
        out.push_str(
            "<p class=\"none\">Pictures are here when the server has run for two minutes.</p>",
        );
        return;
    }
    let rates = |what: usize| {
        let rate = |pair: &[Sample]| match pair {
            [before, after] => {
                let value = |sample: &Sample| sample.values.get(what).copied().unwrap_or(0);
                let seconds = after.at.saturating_sub(before.at).max(1);
                value(after).saturating_sub(value(before)) as f64 / seconds as f64
            }
            _ => 0.0,
        };
        history.windows(2).map(rate).collect::<Vec<_>>()
    };
    let span = history.last().map_or(0, |last| last.at);
    let span = span.saturating_sub(history.first().map_or(0, |first| first.at));
    let minutes = span.div_ceil(60);
    out.push_str("<div class=\"grid2\">");
    let curve = |class, name, what| Curve {
        class,
        name,
        values: rates(what),
    };
    out.push_str(&curves(
        "Handshakes",
        "a second",
        &[
            curve("a", "full", 0),
            curve("b", "resumed", 1),
            curve("c", "failed", FAILURES),
        ],
        minutes,
    ));
    out.push_str(&curves(
        "Traffic",
        "bytes a second",
        &[curve("a", "sent", 4), curve("b", "received", 3)],
        minutes,
    ));
    out.push_str("</div>");
}

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
];

fn shares(out: &mut String, snapshot: &Snapshot) {
    out.push_str("<h2>Since the start</h2><div class=\"grid2\">");
    for (title, name, tone) in BARS {
        let family = families().find(|family| family.name == *name);
        let series = family.into_iter().flat_map(|family| family.series);
        let mut rows: Vec<_> = series
            .map(|series| (series.values.join(", "), snapshot.of(series.counter)))
            .collect();
        rows.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
        // What this server does not do at all takes no room.
        let optional = name.starts_with("backend")
            || ["session_cache_total", "handshakes_limited_total"].contains(name);
        if !optional || rows.iter().any(|(_, value)| *value > 0) {
            out.push_str(&bars(title, &rows, tone));
        }
    }
    for (title, histogram) in [
        ("Time of a handshake", Histogram::Handshake),
        ("Time of a signature", Histogram::Signature),
    ] {
        let measured = snapshot.totals.measured(histogram);
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
    agent(out, snapshot);
    out.push_str("</div>");
}

fn agent(out: &mut String, snapshot: &Snapshot) {
    let up = snapshot.of(Counter::AgentRuns) > 0;
    let badge = if up {
        ("good", "runs")
    } else {
        ("soon", "off")
    };
    let _ = write!(
        out,
        "<section class=\"card\"><h3>Key agent <span class=\"badge {}\">{}</span></h3><table class=\"list\"><tbody>",
        badge.0, badge.1
    );
    let signatures = |result| {
        let family = families().find(|family| family.name == "signatures_total");
        let series = family.into_iter().flat_map(|family| family.series);
        let series = series.filter(|series| series.values.last() == Some(&result));
        series.fold(0u64, |sum, series| {
            sum.saturating_add(snapshot.of(series.counter))
        })
    };
    let (made, failed) = (signatures("made"), signatures("failed"));
    let rows = [
        ("Signatures made", made),
        ("Signatures that failed", failed),
        ("Signatures waited for now", snapshot.of(Counter::Signing)),
        ("Signers replaced", snapshot.of(Counter::SignerReplaced)),
        ("Children refused", snapshot.of(Counter::AgentRefusal)),
        ("Certificates reloaded", snapshot.of(Counter::ReloadTaken)),
        ("Reloads refused", snapshot.of(Counter::ReloadRefused)),
        (
            "Internal errors caught",
            snapshot.all("internal_errors_total"),
        ),
    ];
    for (name, value) in rows {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"number\">{}</td></tr>",
            short(value)
        );
    }
    out.push_str("</tbody></table></section>");
}

fn span(micros: u64) -> String {
    match micros {
        m if m < 1_000 => format!("{m} µs"),
        m if m < 1_000_000 => format!("{} ms", m as f64 / 1e3),
        m => format!("{} s", m as f64 / 1e6),
    }
}

fn duration(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    match minutes {
        m if m < 1 => "less than a minute".to_owned(),
        m if m < 120 => format!("{m} minutes"),
        m if m < 48 * 60 => format!("{} hours", m / 60),
        m => format!("{} days", m / (24 * 60)),
    }
}
