// SPDX-License-Identifier: Apache-2.0
//! docs/metrics.md is what the table says.

use super::found::families;
use std::fmt::Write;

use super::buckets::BUCKETS;
use super::choose::NOISE;
use super::table::PREFIX;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

fn render() -> String {
    let mut out = String::from(
        "# Metrics\n\n\
         Generated from the code. What to watch and which alarm to set: [operations.md](operations.md).\n\n",
    );
    let bounds: Vec<_> = BUCKETS.iter().map(|(_, text)| *text).collect();
    let (first, rest) = bounds.split_at(bounds.len() / 2);
    let _ = writeln!(
        out,
        "Buckets of histograms, in seconds: {},\n{}.\n",
        first.join(", "),
        rest.join(", ")
    );
    for family in families() {
        let _ = writeln!(out, "## {PREFIX}{}\n", family.name);
        let by = if family.by_parent {
            " Counted by httpd's parent alone."
        } else {
            ""
        };
        let line = format!("{}: {}.{by}", family.kind.name(), family.help);
        let _ = writeln!(out, "{}\n", wrapped(&line));
        if family.series.is_empty() {
            for label in family.labels {
                let _ = writeln!(out, "- `{label}`");
            }
        }
        for series in family.series.iter().filter(|_| !family.labels.is_empty()) {
            let labels = family.labels.iter().zip(series.values);
            let labels = labels.map(|(name, value)| format!("`{name}=\"{value}\"`"));
            let noise = if NOISE.contains(&series.counter) {
                " (noise)"
            } else {
                ""
            };
            let labels = labels.collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "- {labels}{noise}");
        }
        if !family.labels.is_empty() {
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Lines of at most 98 letters.
fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        let fits = column + word.len() < 98;
        if column > 0 {
            out.push(if fits { ' ' } else { '\n' });
        }
        out.push_str(word);
        column = word.len() + if fits { column + 1 } else { 0 };
    }
    out
}

/// `TLS_WRITE_DOCUMENTS=1 cargo test metrics::documents_tests` writes it anew.
#[test]
fn the_document_is_what_the_table_says() {
    if std::env::var_os("TLS_WRITE_DOCUMENTS").is_some() {
        std::fs::write(DOCUMENT, render()).unwrap();
    }
    let written = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
    assert!(
        written == render(),
        "docs/metrics.md is not what the table says: ./dev docs writes it"
    );
}
