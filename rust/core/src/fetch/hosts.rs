// SPDX-License-Identifier: Apache-2.0
//! Responders that do not answer: for a while nobody asks them, and nobody waits.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::client::Fault;

/// Failures one after another that make a host silent.
const FAILURES: u32 = 3;
/// How long it is not asked then.
const PAUSE: Duration = Duration::from_secs(10);
/// How often the same address is spoken of in the log.
const NEWS: Duration = Duration::from_secs(60);
/// Hosts, and addresses, that are remembered; the names come from certificates.
const MOST: usize = 1024;

struct Host {
    failures: u32,
    last: Fault,
    until: Instant,
}

/// What is remembered of hosts.
#[derive(Default)]
pub struct Hosts {
    failed: HashMap<String, Host>,
    said: HashMap<String, Instant>,
}

impl Hosts {
    /// Why a host is not asked now; `None` where it is.
    pub fn silent(&self, host: &str, now: Instant) -> Option<Fault> {
        let known = self.failed.get(host)?;
        (known.failures >= FAILURES && now < known.until).then(|| known.last.clone())
    }

    /// What came of asking a host.
    pub fn heard(&mut self, host: &str, fault: Option<&Fault>, now: Instant) {
        let Some(fault) = fault.filter(|fault| fault.is_of_host()) else {
            self.failed.remove(host);
            return;
        };
        if self.failed.len() >= MOST {
            self.failed.retain(|_, known| now < known.until);
        }
        if self.failed.len() >= MOST && !self.failed.contains_key(host) {
            return;
        }
        let failures = self.failed.get(host).map_or(0, |known| known.failures);
        let known = Host {
            failures: failures.saturating_add(1),
            last: fault.clone(),
            until: now + PAUSE,
        };
        self.failed.insert(host.to_owned(), known);
    }

    /// Whether an address is to be spoken of in the log.
    pub fn is_news(&mut self, url: &str, now: Instant) -> bool {
        if self
            .said
            .get(url)
            .is_some_and(|said| now.duration_since(*said) < NEWS)
        {
            return false;
        }
        if self.said.len() >= MOST {
            self.said.retain(|_, said| now.duration_since(*said) < NEWS);
        }
        if self.said.len() < MOST {
            self.said.insert(url.to_owned(), now);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_left_alone_for_a_while() {
        let (mut hosts, now) = (Hosts::default(), Instant::now());
        for _ in 0..FAILURES {
            assert_eq!(hosts.silent("a", now), None);
            hosts.heard("a", Some(&Fault::Late), now);
        }
        assert_eq!(hosts.silent("a", now), Some(Fault::Late));
        assert_eq!(hosts.silent("b", now), None);
        assert_eq!(hosts.silent("a", now + PAUSE), None, "it is tried again");
        hosts.heard("a", Some(&Fault::Status(500)), now);
        assert_eq!(hosts.silent("a", now), None, "it is there");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut hosts, now) = (Hosts::default(), Instant::now());
        for n in 0..2 * MOST {
            hosts.heard(&n.to_string(), Some(&Fault::Late), now);
            let _ = hosts.is_news(&n.to_string(), now);
        }
        assert_eq!((hosts.failed.len(), hosts.said.len()), (MOST, MOST));
        assert!(!hosts.is_news("0", now) && hosts.is_news("0", now + NEWS));
    }
}
