// SPDX-License-Identifier: Apache-2.0
//! What limits refuse, for one log line a minute of the whole server: httpd's parent writes it, by the sums that it
//! publishes, so that nothing else that clients do uses its line up.

use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use crate::metrics::{Counter, Totals};
use crate::system::lock;

/// Seconds between two lines.
const EVERY: u64 = 60;

const LIMITS: [(Counter, &str); 6] = [
    (Counter::LimitedAddressRate, "TLSHandshakeRate address"),
    (Counter::LimitedChildRate, "TLSHandshakeRate child"),
    (Counter::LimitedServerRate, "TLSHandshakeRate server"),
    (
        Counter::LimitedAddressUnderWay,
        "TLSHandshakesUnderWay address",
    ),
    (Counter::LimitedChildUnderWay, "TLSHandshakesUnderWay child"),
    (
        Counter::LimitedServerUnderWay,
        "TLSHandshakesUnderWay server",
    ),
];

/// What the limits of all processes refused since this said it last, once a minute. In httpd's parent.
pub fn report(totals: &Totals) -> Option<String> {
    static REPORT: Mutex<Report> = Mutex::new(Report::new());
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let now = BEGUN.get_or_init(Instant::now).elapsed().as_secs();
    lock(&REPORT).look(now, |counter| totals.of(counter))
}

/// What was said last.
#[derive(Debug, Default)]
struct Report {
    said: [u64; LIMITS.len()],
    at: Option<u64>,
}

impl Report {
    /// With nothing said yet.
    const fn new() -> Self {
        Self {
            said: [0; LIMITS.len()],
            at: None,
        }
    }

    /// What is to be said now: how many each limit refused since the last line. `total` is the sum of a series, `now` in
    /// seconds.
    fn look(&mut self, now: u64, total: impl Fn(Counter) -> u64) -> Option<String> {
        let early = |at: u64| (at..at.saturating_add(EVERY)).contains(&now);
        if self.at.is_some_and(early) {
            return None;
        }
        let mut parts = Vec::new();
        for ((counter, name), said) in LIMITS.iter().zip(&mut self.said) {
            let sum = total(*counter);
            let more = sum.saturating_sub(std::mem::replace(said, sum));
            if more > 0 {
                parts.push(format!("{more} by {name}"));
            }
        }
        if parts.is_empty() {
            return None;
        }
        self.at = Some(now);
        Some(parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_has_all_that_was_refused_since_the_last() {
        let mut report = Report::new();
        let look = |report: &mut Report, now, sum| {
            report.look(now, |counter| match counter {
                Counter::LimitedServerRate => sum,
                Counter::LimitedAddressUnderWay => sum / 2,
                _ => 0,
            })
        };
        assert_eq!(look(&mut report, 100, 0), None);
        let first = look(&mut report, 110, 4).unwrap();
        assert_eq!(
            first,
            "4 by TLSHandshakeRate server, 2 by TLSHandshakesUnderWay address"
        );
        assert_eq!(look(&mut report, 120, 50), None, "not yet");
        assert_eq!(look(&mut report, 169, 90), None);
        let next = look(&mut report, 170, 104).unwrap();
        assert!(next.starts_with("100 by TLSHandshakeRate server, 50 by"));
        assert_eq!(look(&mut report, 300, 104), None, "nothing new");
        assert!(look(&mut report, 50, 105).is_some(), "a clock set back");
    }
}
