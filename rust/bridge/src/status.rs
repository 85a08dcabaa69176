// SPDX-License-Identifier: Apache-2.0
//! What the server tells of itself.

pub(crate) mod boundary;

use mod_tls_core::status::{self, Host, Snapshot};

use crate::counts;
use crate::credentials::Credentials;
use crate::guard::guard;
use crate::resumption;
use crate::session::wants;
use boundary::ffi::{StatusForm, StatusHost, StatusRequest};

/// What the server tells of itself; see the boundary.
pub(crate) fn status(credentials: &Credentials, request: &StatusRequest) -> String {
    guard(String::new, || {
        let snapshot = request.snapshot(credentials);
        snapshot.map_or_else(String::new, |snapshot| request.told(&snapshot))
    })
}

impl StatusRequest {
    fn snapshot(&self, credentials: &Credentials) -> Option<Snapshot> {
        let hosts: Vec<Host> = self.hosts.iter().map(Host::from).collect();
        let now = mod_tls_core::system::clock::now();
        Some(Snapshot {
            totals: resumption::totals()?,
            now,
            started: i64::try_from(counts::started()).unwrap_or(0),
            version: self.version.clone(),
            server: self.server.clone(),
            certificates: status::certificates(&credentials.0, &hosts, now),
            hosts: status::counted(&hosts),
            isolated: self.isolated,
            fetched: status::Fetched::now(),
        })
    }

    fn told(&self, snapshot: &Snapshot) -> String {
        match self.form {
            StatusForm::Json => status::json(snapshot),
            StatusForm::Prometheus => status::prometheus(snapshot),
            StatusForm::Block => status::block(snapshot),
            StatusForm::Lines => status::lines(snapshot),
            _ => status::page(snapshot, self.refresh),
        }
    }
}

impl From<&StatusHost> for Host {
    fn from(host: &StatusHost) -> Self {
        Self {
            name: host.name.clone(),
            place: host.place.clone(),
            certificates: host.certificates,
            number: host.number,
            managed: host.managed,
            wants: wants(true, &host.staples, host.fetched, &host.staple_url),
        }
    }
}

/// The number that a virtual host is counted by.
pub(crate) fn host_number(name: &str) -> u32 {
    guard(
        || mod_tls_core::metrics::NO_HOST,
        || status::host_number(name),
    )
}
