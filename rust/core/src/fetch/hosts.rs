// SPDX-License-Identifier: Apache-2.0
//! Responders that do not answer: for a while nobody asks them, and nobody waits.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::client::Fault;
use super::queue::Asker;

/// Failures one after another that make a host silent.
const FAILURES: u32 = 3;
/// How long it is not asked then.
const PAUSE: Duration = Duration::from_secs(10);
/// How often the same address is spoken of in the log.
const NEWS: Duration = Duration::from_secs(60);
/// Hosts, and addresses that were spoken of, that are remembered of one asker: the names come from certificates.
const MOST_OF_ONE: usize = 64;

/// How a host is asked. Where who waits for a second has asked in vain, or over a proxy, who waits longer or asks by another
/// way may still be answered: virtual hosts differ in that, and one's visitors must not keep another's out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Route {
    pub(super) host: String,
    pub(super) proxy: Option<String>,
    pub(super) timeout: Duration,
}

struct Host {
    failures: u32,
    last: Fault,
    until: Instant,
}

/// What is remembered of hosts. Who has asked in vain is told so, and nobody else: a child may ask what no responder would
/// answer.
#[derive(Default)]
pub(super) struct Hosts {
    failed: HashMap<Asker, HashMap<Route, Host>>,
    said: HashMap<Asker, HashMap<String, Instant>>,
}

impl Hosts {
    /// Why a host is not asked now for somebody; `None` where it is.
    pub(super) fn silent(&self, asker: Asker, route: &Route, now: Instant) -> Option<Fault> {
        let known = self.failed.get(&asker)?.get(route)?;
        (known.failures >= FAILURES && now < known.until).then(|| known.last.clone())
    }

    /// What came of asking a host for somebody.
    pub(super) fn heard(
        &mut self,
        asker: Asker,
        route: &Route,
        fault: Option<&Fault>,
        now: Instant,
    ) {
        let Some(fault) = fault.filter(|fault| fault.is_of_host()) else {
            if let Some(failed) = self.failed.get_mut(&asker) {
                failed.remove(route);
            }
            return;
        };
        let failed = self.failed.entry(asker).or_default();
        if failed.len() >= MOST_OF_ONE {
            failed.retain(|_, known| now < known.until);
        }
        if failed.len() >= MOST_OF_ONE && !failed.contains_key(route) {
            return;
        }
        let failures = failed.get(route).map_or(0, |known| known.failures);
        let known = Host {
            failures: failures.saturating_add(1),
            last: fault.clone(),
            until: now + PAUSE,
        };
        failed.insert(route.clone(), known);
    }

    /// Forgets what was remembered for somebody.
    pub(super) fn forget(&mut self, asker: Asker) {
        self.failed.remove(&asker);
        self.said.remove(&asker);
    }

    /// Whether an address is to be spoken of in the log. What one asks in vain leaves room for what others do.
    pub(super) fn is_news(&mut self, asker: Asker, url: &str, now: Instant) -> bool {
        let is_fresh = |said: &Instant| now.duration_since(*said) < NEWS;
        let mut known = self.said.values().filter_map(|said| said.get(url));
        if known.any(is_fresh) {
            return false;
        }
        let own = self.said.entry(asker).or_default();
        if own.len() >= MOST_OF_ONE {
            own.retain(|_, said| is_fresh(said));
        }
        let has_room = own.len() < MOST_OF_ONE;
        if has_room {
            own.insert(url.to_owned(), now);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Asker = Asker::Child(1);

    fn route(host: &str) -> Route {
        Route {
            host: host.to_owned(),
            proxy: None,
            timeout: Duration::from_secs(1),
        }
    }

    #[test]
    fn who_is_silent_is_left_alone_for_a_while() {
        let (mut hosts, now) = (Hosts::default(), Instant::now());
        let (a, b) = (route("a"), route("b"));
        for _ in 0..FAILURES {
            assert_eq!(hosts.silent(ONE, &a, now), None);
            hosts.heard(ONE, &a, Some(&Fault::Late), now);
        }
        assert_eq!(hosts.silent(ONE, &a, now), Some(Fault::Late));
        assert_eq!(hosts.silent(ONE, &b, now), None);
        let longer = Route {
            timeout: a.timeout * 2,
            ..a.clone()
        };
        let by_proxy = Route {
            proxy: Some("p".to_owned()),
            ..a.clone()
        };
        for other in [longer, by_proxy] {
            assert_eq!(hosts.silent(ONE, &other, now), None, "{other:?}");
        }
        for other in [Asker::Child(2), Asker::Parent, Asker::Lists] {
            assert_eq!(hosts.silent(other, &a, now), None, "{other:?} asks itself");
        }
        assert_eq!(
            hosts.silent(ONE, &a, now + PAUSE),
            None,
            "it is tried again"
        );
        hosts.heard(ONE, &a, Some(&Fault::Status(500)), now);
        assert_eq!(hosts.silent(ONE, &a, now), None, "it is there");
        for _ in 0..FAILURES {
            hosts.heard(ONE, &a, Some(&Fault::Late), now);
        }
        hosts.forget(ONE);
        assert_eq!(
            hosts.silent(ONE, &a, now),
            None,
            "another process has its pid"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut hosts, now) = (Hosts::default(), Instant::now());
        for n in 0..4 * MOST_OF_ONE {
            hosts.heard(ONE, &route(&n.to_string()), Some(&Fault::Late), now);
            let _ = hosts.is_news(ONE, &n.to_string(), now);
        }
        let counts = (hosts.failed[&ONE].len(), hosts.said[&ONE].len());
        assert_eq!(counts, (MOST_OF_ONE, MOST_OF_ONE));
        let other = Asker::Child(2);
        assert!(!hosts.is_news(ONE, "more", now) && !hosts.is_news(other, "0", now));
        assert!(
            hosts.is_news(other, "more", now),
            "it is silenced by nobody"
        );
        assert!(!hosts.is_news(ONE, "more", now) && hosts.is_news(ONE, "0", now + NEWS));
        hosts.forget(ONE);
        hosts.forget(other);
        assert!(hosts.failed.is_empty() && hosts.said.is_empty());
    }
}
