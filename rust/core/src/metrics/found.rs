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
    STAPLE_MISSING,
    HOST_HANDSHAKES,
];

/// Every metric.
pub fn families() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().chain(MEASURED).chain(FOUND)
}
