// SPDX-License-Identifier: Apache-2.0
//! Which certificates are served, by which virtual hosts, and which of these are counted apart.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use crate::credentials::Credentials;
use crate::creds::{Pair, StapleSource};
use crate::metrics::NO_HOST;
use crate::metrics::hosts::Hosts;
use crate::metrics::page::OTHER_HOSTS;
use crate::system::lock;
use crate::tls::context::Wants;
use crate::x509::{DnStyle, Identity, Side};

/// A certificate that is served.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Its subject, for people.
    pub subject: String,
    /// The names it is for.
    pub names: String,
    /// Kind and size of its key.
    pub key: String,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// Where it came from: `file`, `module` (mod_md) or `placeholder`.
    pub source: &'static str,
    /// The virtual hosts that serve it, and where each is written.
    pub hosts: Vec<(String, String)>,
    /// Seconds since 1970 up to which it is valid.
    pub not_after: i64,
    /// The OCSP response that clients get with it now: where it came from, from when it is and until when it is of use.
    pub staple: Option<(StapleSource, i64, i64)>,
    /// They should get one.
    pub staple_expected: bool,
    /// Certificates in the chain, itself included.
    pub chain_length: usize,
}

/// A virtual host that speaks TLS.
#[derive(Debug)]
pub struct Host {
    /// `ServerName:port`.
    pub name: String,
    /// `file:line` of where it is written.
    pub place: String,
    /// Index of its certificates.
    pub certificates: u32,
    /// Among those that are counted apart; [`NO_HOST`] for none.
    pub number: u32,
    /// Its certificates come from another module.
    pub managed: bool,
    /// What its clients get that want an OCSP response.
    pub wants: Wants,
}

/// The number that a virtual host is counted by, the same over restarts. In httpd's parent.
pub fn host_number(name: &str) -> u32 {
    static HOSTS: Mutex<Hosts> = Mutex::new(Hosts::new());
    let mut hosts = lock(&HOSTS);
    u32::try_from(hosts.number(name)).unwrap_or(NO_HOST)
}

/// The names of those that are counted apart, each number once.
pub fn counted(hosts: &[Host]) -> Vec<(String, u32)> {
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

/// Each certificate once, with the virtual hosts that serve it.
pub fn certificates(credentials: &Credentials, hosts: &[Host], now: i64) -> Vec<Served> {
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
                served.look_for_staple(pair, &host.wants, now);
            }
        }
    }
    all
}

impl Served {
    /// Clients should get a response, and there is none of use.
    pub(super) fn is_staple_missing(&self) -> bool {
        self.staple_expected && self.staple.is_none()
    }

    /// Looks for the response as the handshake does; of virtual hosts that share a certificate each may want one.
    fn look_for_staple(&mut self, pair: &Pair, wants: &Wants, now: i64) {
        if self.staple.is_none() {
            self.staple = pair.staple_of_now(wants, now);
        }
        self.staple_expected |= self.staple.is_some() || pair.expects_staple(wants);
    }
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
        staple: None,
        staple_expected: false,
        chain_length: pair.chain().len(),
    }
}
