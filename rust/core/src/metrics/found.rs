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
    "certificate_not_after_seconds",
    CERTIFICATE_LABELS,
    "When a certificate expires, in seconds since 1970",
);
/// End of a staple.
pub const STAPLE: Family = found(
    "certificate_staple_end_seconds",
    CERTIFICATE_LABELS,
    "When the OCSP response of a certificate expires, in seconds since 1970; 0 where there is none",
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

const FOUND: &[Family] = &[BUILD, STARTED, NOT_AFTER, STAPLE, HOST_HANDSHAKES];

/// Every metric.
pub fn families() -> impl Iterator<Item = &'static Family> {
    FAMILIES.iter().chain(MEASURED).chain(FOUND)
}
