// SPDX-License-Identifier: Apache-2.0
//! What the server tells of itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use mod_tls_core::creds::Pair;
use mod_tls_core::metrics::NO_HOST;
use mod_tls_core::metrics::hosts::Hosts;
use mod_tls_core::metrics::page::OTHER_HOSTS;
use mod_tls_core::status::{self, Served, Snapshot};
use mod_tls_core::x509::{DnStyle, Identity, Side};

use crate::counts;
use crate::credentials::Credentials;
use crate::ffi::{StatusForm, StatusHost, StatusRequest};
use crate::guard::guard;
use crate::resumption;

/// See the bridge.
pub fn status(credentials: &Credentials, request: &StatusRequest) -> String {
    guard(String::new, || {
        let Some(totals) = resumption::totals() else {
            return String::new();
        };
        let snapshot = Snapshot {
            totals,
            now: mod_tls_core::x509::time::now(),
            started: i64::try_from(counts::started()).unwrap_or(0),
            version: request.version.clone(),
            server: request.server.clone(),
            certificates: certificates(credentials, &request.hosts),
            hosts: counted(&request.hosts),
        };
        match request.form {
            StatusForm::Json => status::json(&snapshot),
            StatusForm::Prometheus => status::prometheus(&snapshot),
            StatusForm::Block => status::block(&snapshot),
            StatusForm::Lines => status::lines(&snapshot),
            _ => status::page(&snapshot, request.refresh),
        }
    })
}

/// The names of those that are counted apart, each number once.
fn counted(hosts: &[StatusHost]) -> Vec<(String, u32)> {
    let apart = hosts.iter().filter(|host| host.number != NO_HOST);
    let mut counted: BTreeMap<u32, String> = BTreeMap::new();
    for host in apart {
        let other = usize::try_from(host.number).is_ok_and(|number| number == OTHER_HOSTS);
        let name = if other { "other" } else { &host.name };
        counted
            .entry(host.number)
            .or_insert_with(|| name.to_owned());
    }
    let turned = |(number, name)| (name, number);
    counted.into_iter().map(turned).collect()
}

/// See the bridge.
pub fn host_number(name: &str) -> u32 {
    static HOSTS: Mutex<Hosts> = Mutex::new(Hosts::new());
    let number = || {
        let mut hosts = HOSTS.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(hosts.number(name)).unwrap_or(NO_HOST)
    };
    guard(|| NO_HOST, number)
}

/// Each certificate once, with the virtual hosts that serve it.
fn certificates(credentials: &Credentials, hosts: &[StatusHost]) -> Vec<Served> {
    let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut all: Vec<Served> = Vec::new();
    for host in hosts {
        let set = usize::try_from(host.certificates).ok();
        let Some(set) = set.and_then(|index| credentials.set(index)) else {
            continue;
        };
        for pair in set.pairs() {
            let place = *places.entry(pair.id()).or_insert_with(|| {
                all.push(served(pair, set.is_placeholder(), host.managed));
                all.len() - 1
            });
            if let Some(served) = all.get_mut(place) {
                served.hosts.push((host.name.clone(), host.place.clone()));
            }
        }
    }
    all
}

fn served(pair: &Arc<Pair>, placeholder: bool, managed: bool) -> Served {
    let identity = Identity::new(Some(Arc::clone(pair.certified())), Vec::new());
    let serial = identity.field(Side::Server, "M_SERIAL", DnStyle::Rfc2253, 0);
    Served {
        subject: pair.leaf.display.to_string(),
        names: pair.leaf.names_for_people(),
        key: pair.kind.to_string(),
        serial: String::from_utf8(serial.unwrap_or_default()).unwrap_or_default(),
        source: match (placeholder, managed) {
            (true, _) => "placeholder",
            (false, true) => "module",
            (false, false) => "file",
        },
        hosts: Vec::new(),
        not_after: pair.leaf.not_after,
        staple_end: pair.stapled.as_ref().map_or(0, |s| s.staple.until),
        chain_length: pair.chain().len(),
    }
}
