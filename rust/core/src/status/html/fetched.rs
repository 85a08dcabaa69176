// SPDX-License-Identifier: Apache-2.0
//! What is fetched: revocation lists, what responders said of clients, and who answered.

use super::super::Snapshot;
use super::super::words::{escaped, short};
use super::table::{facts, table};
use crate::metrics::Counter;
use crate::x509::time::date;

/// Revocation lists with their times, where any are fetched.
pub(super) fn lists(out: &mut String, snapshot: &Snapshot) {
    if snapshot.fetched.lists.is_empty() {
        return;
    }
    out.push_str("<h2>Revocation lists</h2>");
    let rows = snapshot.fetched.lists.iter().map(|list| {
        let time = |time: Option<i64>| time.map_or_else(|| "–".to_owned(), date);
        let (class, state) = match (list.made, list.is_missing(snapshot.now)) {
            (None, _) => ("bad", "not there"),
            (_, true) => ("bad", "expired"),
            _ => ("good", "in force"),
        };
        format!(
            "<tr><th scope=\"row\">{}</th><td><span class=\"badge {class}\">{state}</span></td><td>{}</td><td>{}</td>\
             <td class=\"number\">{}</td></tr>",
            escaped(&list.url),
            time(list.made),
            time(list.next),
            short(list.entries as u64)
        )
    });
    let head = "<table class=\"list\"><thead><tr><th scope=\"col\">Address</th><th scope=\"col\">State</th>\
         <th scope=\"col\">Made</th><th scope=\"col\">Next</th>\
         <th scope=\"col\" class=\"number\">Certificates</th></tr></thead>";
    table(out, head, &rows.collect::<Vec<_>>(), "lists");
}

/// What responders said of clients and still counts, where anything is fetched.
pub(super) fn verdicts(out: &mut String, snapshot: &Snapshot) {
    if snapshot.fetched.hosts.is_empty() {
        return;
    }
    let held = &snapshot.fetched.verdicts;
    let time = |time: Option<i64>| time.map_or_else(|| "–".to_owned(), date);
    let mut rows = vec![
        (
            "Process that fetches replaced",
            short(snapshot.of(Counter::FetcherReplaced)),
        ),
        ("Oldest of what is known of clients", time(held.oldest)),
        ("Next end of it", time(held.next_end)),
    ];
    let names = [
        "Clients known as good",
        "Known as revoked",
        "Unknown",
        "Without an answer",
    ];
    let kinds = snapshot.fetched.kinds();
    rows.extend(
        names
            .into_iter()
            .zip(kinds)
            .map(|(name, (_, count))| (name, short(count))),
    );
    facts(out, "Fetched", &rows);
}

/// What came of asking whom.
pub(super) fn hosts(out: &mut String, snapshot: &Snapshot) {
    let asked = snapshot.fetched.hosts.iter();
    let asked = asked.filter(|(_, outcomes)| outcomes.iter().any(|(_, count)| *count > 0));
    let rows: Vec<String> = asked
        .map(|(host, outcomes)| {
            let counts =
                outcomes.map(|(_, count)| format!("<td class=\"number\">{}</td>", short(count)));
            format!(
                "<tr><th scope=\"row\">{}</th>{}</tr>",
                escaped(host),
                counts.concat()
            )
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("<h2>Requests to responders and for lists</h2>");
    let head = "<table class=\"list\"><thead><tr><th scope=\"col\">Host</th>\
         <th scope=\"col\" class=\"number\">Answered</th><th scope=\"col\" class=\"number\">No address</th>\
         <th scope=\"col\" class=\"number\">Unreachable</th><th scope=\"col\" class=\"number\">Late</th>\
         <th scope=\"col\" class=\"number\">Led inside</th><th scope=\"col\" class=\"number\">Garbage</th>\
         <th scope=\"col\" class=\"number\">Not believed</th></tr></thead>";
    table(out, head, &rows, "hosts");
}
