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
    "When the OCSP response that clients get with a certificate expires, in seconds since 1970, and where it came from: file, module (mod_md) or fetched; not there where clients get none",
);
/// Age of a staple.
pub const STAPLE_MADE: Family = found(
    "certificate_staple_made_timestamp_seconds",
    STAPLE_LABELS,
    "When the responder said what the OCSP response says that clients get with a certificate (thisUpdate), in seconds since 1970",
);
/// Requests by whom they went to.
pub const FETCHES: Family = Family {
    kind: Kind::Counter,
    ..found(
        "fetch_requests_total",
        &["responder", "outcome"],
        "Requests for OCSP responses and revocation lists by the host that was asked, of those that the configuration or the server's and its authorities' certificates name; 'other' has those that only clients' certificates name",
    )
};
/// Age of a list.
pub const LIST_MADE: Family = found(
    "revocation_list_made_timestamp_seconds",
    &["list"],
    "When the revocation list in use was made that is fetched from this address (thisUpdate), in seconds since 1970",
);
/// Next update of a list.
pub const LIST_NEXT: Family = found(
    "revocation_list_next_timestamp_seconds",
    &["list"],
    "When there is to be another list there (nextUpdate), in seconds since 1970; not there where the list does not say",
);
/// A list that is not there.
pub const LIST_MISSING: Family = found(
    "revocation_list_missing",
    &["list"],
    "1 where there is no list of this address to judge by, or the one there has expired, 0 where there is",
);
/// Verdicts of responders that are held.
pub const VERDICTS: Family = found(
    "client_ocsp_verdicts",
    &["verdict"],
    "What OCSP responders said of certificates of clients, as far as it still counts; without_answer those that could not be asked, for some seconds",
);
/// Age of the oldest.
pub const VERDICT_OLDEST: Family = found(
    "client_ocsp_oldest_verdict_timestamp_seconds",
    &[],
    "When the oldest of these was said (thisUpdate), in seconds since 1970; not there where there are none",
);
/// End of the next.
pub const VERDICT_END: Family = found(
    "client_ocsp_next_end_timestamp_seconds",
    &[],
    "When the next of these ends and is asked for anew, in seconds since 1970; not there where there are none",
);
/// A staple that is not there.
pub const STAPLE_MISSING: Family = found(
    "certificate_staple_missing",
    CERTIFICATE_LABELS,
    "1 where clients should get an OCSP response with a certificate and there is none of use, 0 where they get it; not there where none is wanted or nobody could be asked for one",
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
