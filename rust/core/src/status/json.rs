// SPDX-License-Identifier: Apache-2.0
//! JSON, as `docs/status.schema.json` describes it.

use std::fmt::Write;

use super::{Served, Snapshot};
use crate::metrics::buckets::BUCKETS;
use crate::metrics::found::families;
use crate::metrics::table::{Family, PREFIX};

/// Everything.
pub fn json(snapshot: &Snapshot) -> String {
    let mut out = String::from("{");
    let _ = write!(
        out,
        "\"server\":{},\"version\":{},\"engine\":{},\"time\":{},\"started\":{},\"metrics\":",
        quoted(&snapshot.server),
        quoted(&snapshot.version),
        quoted(crate::ENGINE_VERSION),
        snapshot.now,
        snapshot.started
    );
    list(&mut out, families(), |out, family| {
        write_family(out, snapshot, family);
    });
    out.push_str(",\"certificates\":");
    list(&mut out, &snapshot.certificates, |out, served| {
        write_certificate(out, served, snapshot.now);
    });
    write_fetched(&mut out, snapshot);
    out.push_str(",\"history\":");
    list(&mut out, snapshot.totals.history(), |out, sample| {
        let [full, resumed, failed, received, sent, under_way] = sample.values;
        let _ = write!(
            out,
            "{{\"time\":{},\"full\":{full},\"resumed\":{resumed},\"failed\":{failed},\
             \"received_bytes\":{received},\"sent_bytes\":{sent},\"in_progress\":{under_way}}}",
            sample.at
        );
    });
    out.push_str("}\n");
    out
}

fn write_family(out: &mut String, snapshot: &Snapshot, family: &Family) {
    let _ = write!(
        out,
        "{{\"name\":\"{PREFIX}{}\",\"type\":\"{}\",\"help\":{},",
        family.name,
        family.kind.name(),
        quoted(family.help)
    );
    if let Some(histogram) = family.histogram {
        let measured = snapshot.totals.measured(histogram);
        let bounds = BUCKETS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        out.push_str("\"buckets\":");
        list(
            out,
            bounds.zip(&measured.cumulative),
            |out, (bound, count)| {
                let _ = write!(out, "{{\"le\":\"{bound}\",\"count\":{count}}}");
            },
        );
        let (whole, part) = (measured.micros / 1_000_000, measured.micros % 1_000_000);
        let count = measured.cumulative.last().copied().unwrap_or(0);
        let _ = write!(out, ",\"sum\":{whole}.{part:06},\"count\":{count}}}");
        return;
    }
    out.push_str("\"series\":");
    list(out, snapshot.samples(family), |out, sample| {
        out.push_str("{\"labels\":{");
        for (index, (label, value)) in family.labels.iter().zip(&sample.values).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(out, "{comma}\"{label}\":{}", quoted(value));
        }
        let _ = write!(out, "}},\"value\":{}}}", sample.value);
    });
    out.push('}');
}

fn write_certificate(out: &mut String, served: &Served, now: i64) {
    let _ = write!(
        out,
        "{{\"subject\":{},\"names\":{},\"key\":{},\"serial\":{},\"source\":\"{}\",\"not_after\":{},\
         \"days_left\":{},\"chain_length\":{},\"staple_end\":",
        quoted(&served.subject),
        quoted(&served.names),
        quoted(&served.key),
        quoted(&served.serial),
        served.source,
        served.not_after,
        crate::creds::chain::days_left(served.not_after, now),
        served.chain_length
    );
    let _ = match served.staple {
        None => write!(out, "null,\"staple_made\":null,\"staple_source\":null"),
        Some((source, made, end)) => write!(
            out,
            "{end},\"staple_made\":{made},\"staple_source\":\"{}\"",
            source.name()
        ),
    };
    let _ = write!(out, ",\"staple_missing\":{}", served.is_staple_missing());
    out.push_str(",\"hosts\":");
    list(out, &served.hosts, |out, (host, place)| {
        let _ = write!(
            out,
            "{{\"host\":{},\"place\":{}}}",
            quoted(host),
            quoted(place)
        );
    });
    out.push('}');
}

fn write_fetched(out: &mut String, snapshot: &Snapshot) {
    let optional =
        |time: Option<i64>| time.map_or_else(|| "null".to_owned(), |time| time.to_string());
    out.push_str(",\"lists\":");
    list(out, &snapshot.fetched.lists, |out, state| {
        let _ = write!(
            out,
            "{{\"url\":{},\"made\":{},\"next\":{},\"certificates\":{},\"missing\":{}}}",
            quoted(&state.url),
            optional(state.made),
            optional(state.next),
            state.entries,
            state.is_missing(snapshot.now)
        );
    });
    let held = &snapshot.fetched.verdicts;
    let (oldest, next) = (optional(held.oldest), optional(held.next_end));
    let _ = write!(
        out,
        ",\"client_verdicts\":{{\"oldest\":{oldest},\"next_end\":{next}"
    );
    for (kind, count) in snapshot.fetched.kinds() {
        let _ = write!(out, ",\"{kind}\":{count}");
    }
    out.push('}');
}

fn list<T>(out: &mut String, items: impl IntoIterator<Item = T>, write: impl Fn(&mut String, T)) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// RFC 8259 7.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            control if u32::from(control) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
