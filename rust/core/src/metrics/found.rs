// SPDX-License-Identifier: Apache-2.0
//! The metrics that no process counts: they are found out when somebody asks.

use super::table::{FAMILIES, Family, Kind, MEASURED};

const fn found(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        labels,
        help,
        series: &[],
        histogram: None,
        by_parent: false,
    }
}

/// Version of module and engine.
pub const BUILD: Family = found(
    "build_info",
    &["version", "engine"],
    "Always 1: the labels say which version runs",
);
/// When httpd's parent began.
pub const STARTED: Family = found(
    "start_time_seconds",
    &[],
    "When counting began, in seconds since 1970",
);
/// End of a certificate.
pub const NOT_AFTER: Family = found(
    "certificate_not_after_timestamp_seconds",
    CERTIFICATE_LABELS,
    "When a certificate expires, in seconds since 1970",
);
/// End of a staple.
pub const STAPLE: Family = found(
    "certificate_staple_end_timestamp_seconds",
    STAPLE_LABELS,
    "When the OCSP response that clients get with a certificate expires, in seconds since 1970, and where it came from: file, module (mod_md) or fetched; absent where clients get none",
);
/// Age of a staple.
pub const STAPLE_MADE: Family = found(
    "certificate_staple_made_timestamp_seconds",
    STAPLE_LABELS,
    "When the OCSP response that clients get with a certificate was made (thisUpdate), in seconds since 1970",
);
/// Requests by whom they went to.
pub const FETCHES: Family = Family {
    kind: Kind::Counter,
    ..found(
        "fetch_requests_total",
        &["responder", "outcome"],
        "Requests for OCSP responses and revocation lists by host; 'other' has the hosts that only clients' certificates name",
    )
};
/// Age of a list.
pub const LIST_MADE: Family = found(
    "revocation_list_made_timestamp_seconds",
    &["list"],
    "When the list in use from this address was made (thisUpdate), in seconds since 1970",
);
/// Next update of a list.
pub const LIST_NEXT: Family = found(
    "revocation_list_next_timestamp_seconds",
    &["list"],
    "When the next list is due there (nextUpdate), in seconds since 1970; absent if the list does not say",
);
/// A list that is not there.
pub const LIST_MISSING: Family = found(
    "revocation_list_missing",
    &["list"],
    "1 if there is no list from this address, or it has expired; otherwise 0",
);
/// Verdicts of responders that are held.
pub const VERDICTS: Family = found(
    "client_ocsp_verdicts",
    &["verdict"],
    "OCSP verdicts on clients' certificates that still count; without_answer for failed requests, which count for some seconds",
);
/// Age of the oldest.
pub const VERDICT_OLDEST: Family = found(
    "client_ocsp_oldest_verdict_timestamp_seconds",
    &[],
    "When the oldest of these was made (thisUpdate), in seconds since 1970; absent if there are none",
);
/// End of the next.
pub const VERDICT_END: Family = found(
    "client_ocsp_next_end_timestamp_seconds",
    &[],
    "When the next of these expires and is asked for again, in seconds since 1970; absent if there are none",
);
/// A staple that is not there.
pub const STAPLE_MISSING: Family = found(
    "certificate_staple_missing",
    CERTIFICATE_LABELS,
    "1 if clients should get an OCSP response with a certificate and there is no valid one, 0 if they get it; absent if none is wanted or no responder is known",
);
/// Handshakes of a virtual host.
pub const HOST_HANDSHAKES: Family = Family {
    kind: Kind::Counter,
    ..found(
        "host_handshakes_total",
        &["host", "result"],
        "Handshakes by virtual host, where TLSMetrics hosts is set; 'other' has those beyond the first 1,000",
    )
};

/// What tells certificates apart.
pub const CERTIFICATE_LABELS: &[&str] = &["subject", "key", "serial", "source"];

/// The same of an OCSP response.
pub const STAPLE_LABELS: &[&str] = &["subject", "key", "serial", "source", "staple"];

const FOUND: &[Family] = &[
    BUILD,
    STARTED,
    NOT_AFTER,
    STAPLE,
    STAPLE_MADE,
    STAPLE_MISSING,
    HOST_HANDSHAKES,
    FETCHES,
    LIST_MADE,
    LIST_NEXT,
    LIST_MISSING,
    VERDICTS,
    VERDICT_OLDEST,
    VERDICT_END,
];

/// Those that processes count.
pub fn counted() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().chain(MEASURED)
}

/// Every metric.
pub fn families() -> impl Iterator<Item = &'static Family> {
    counted().chain(FOUND)
}
