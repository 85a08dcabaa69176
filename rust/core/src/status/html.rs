// SPDX-License-Identifier: Apache-2.0
//! The page: no resource from elsewhere, no script, light and dark.

mod certificates;
mod fetched;
mod sums;
mod table;

use std::fmt::Write;

use super::svg::{Curve, curves};
use super::words::{escaped, short};
use super::{Snapshot, series};
use crate::metrics::Counter;
use crate::metrics::history::{FAILURES, Sample};
use crate::x509::time::date;

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
    certificates::section(&mut out, snapshot);
    fetched::lists(&mut out, snapshot);
    last_hour(&mut out, &snapshot.totals.history());
    sums::section(&mut out, snapshot);
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
    let of = |counters: &[Counter]| snapshot.sum(counters.iter().copied());
    let completed = snapshot.all("handshakes_total");
    let failed = snapshot.failed();
    let resumed = of(&[Counter::ResumedTls13, Counter::ResumedTls12]);
    let hybrid = series("handshake_groups_total")
        .filter(|series| series.values.iter().any(|group| group.contains("MLKEM")));
    let quantum = snapshot.sum(hybrid.map(|series| series.counter));
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

fn duration(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    match minutes {
        m if m < 1 => "less than a minute".to_owned(),
        m if m < 120 => format!("{m} minutes"),
        m if m < 48 * 60 => format!("{} hours", m / 60),
        m => format!("{} days", m / (24 * 60)),
    }
}
