// SPDX-License-Identifier: Apache-2.0
//! The certificates that are served.

use std::fmt::Write;

use super::super::words::escaped;
use super::super::{Served, Snapshot};
use super::table::table;
use crate::creds::StapleSource;
use crate::creds::chain::days_left;
use crate::x509::time::date;

/// Days before its end from which a certificate is shown as one to look after.
const SOON: i64 = 21;
/// Days before its end from which it is shown as an alarm.
const LATE: i64 = 7;

/// Those that end first come first.
pub(super) fn section(out: &mut String, snapshot: &Snapshot) {
    out.push_str("<h2>Certificates</h2>");
    if snapshot.certificates.is_empty() {
        out.push_str("<p class=\"none\">None is served.</p>");
        return;
    }
    let mut sorted: Vec<_> = snapshot.certificates.iter().collect();
    sorted.sort_by_key(|served| served.not_after);
    let rows = sorted
        .into_iter()
        .map(|served| row(served, snapshot.now))
        .collect::<Vec<_>>();
    table(out, HEAD, &rows, "certificates");
}

const HEAD: &str = "<table class=\"list certificates\"><thead><tr><th scope=\"col\">Certificate</th>\
     <th scope=\"col\">Expires</th><th scope=\"col\">Key</th><th scope=\"col\">OCSP response</th>\
     <th scope=\"col\">Served by</th></tr></thead>";

/// Virtual hosts named beside a certificate.
const HOSTS_SHOWN: usize = 5;

fn row(served: &Served, now: i64) -> String {
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
    let staple = match served.staple {
        Some((source, made, end)) => {
            format!(
                "until {}<small>{}, of {}</small>",
                date(end),
                staple_source(source),
                date(made)
            )
        }
        None if served.staple_expected => "<span class=\"badge soon\">missing</span>".to_owned(),
        None => "none wanted".to_owned(),
    };
    let mut out = format!(
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
    out
}

fn staple_source(source: StapleSource) -> &'static str {
    match source {
        StapleSource::File => "from a file",
        StapleSource::Module => "from another module",
        StapleSource::Fetched => "fetched",
    }
}
