// SPDX-License-Identifier: Apache-2.0
//! Responses about the server's own certificates, kept fresh.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::verdicts::route;
use super::{
    Asker, Fresh, Job, Key, Service, StapleWant, Stapled, State, Task, host_of, lock, now, schedule,
};
use crate::fetch::news::{Line, News};
use crate::fetch::responder;
use crate::fetch::results::{Count, LONGEST_STAPLE};
use crate::ocsp::{self, Fault, Refusal};

/// Why there is no response to send.
#[derive(Debug)]
enum NoStaple {
    /// None was fetched.
    Fetch(responder::Fault),
    /// There is no room for one so long.
    TooLong,
    /// It may not be sent.
    Refused(Refusal),
}

impl fmt::Display for NoStaple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(fault) => fault.fmt(f),
            Self::TooLong => f.write_str("its response is too long to be stapled"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl Error for NoStaple {}

impl Service {
    /// Begins with a want: what was kept of before goes among the results if it may still be sent.
    pub(super) fn begin(&self, want: &Arc<StapleWant>, now: i64) -> Fresh {
        let kept = check(want, &want.kept, now).ok();
        let kept = kept.filter(|kept| self.put(want, kept));
        let wait = kept.as_ref().map_or(Duration::ZERO, |kept| {
            schedule::refresh(now, kept.from, kept.until, want.refresh)
        });
        Fresh {
            want: Arc::clone(want),
            due: Instant::now() + wait,
            busy: false,
            failures: 0,
            until: kept.map_or(0, |kept| kept.until),
        }
    }

    fn put(&self, want: &StapleWant, stapled: &Stapled) -> bool {
        lock(&self.results).put_staple(want.key, stapled)
    }

    /// Queues what is due.
    pub(super) fn look_at_staples(&self, state: &mut State) {
        let now = Instant::now();
        let mut due = Vec::new();
        for (key, fresh) in &mut state.staples {
            if !fresh.busy && fresh.due <= now {
                fresh.busy = true;
                let url = fresh.want.rule.responder_of(&fresh.want.leaf);
                due.push((*key, url.map_or_else(String::new, |(url, _)| host_of(&url))));
            }
        }
        for (key, host) in due {
            let (asker, task) = (Asker::Parent, Task::Staple(key));
            self.push(state, Job { asker, host, task });
        }
    }

    /// Fetches a response, and says when it is fetched again.
    pub(super) fn fetch_staple(&self, key: Key, host: &str) {
        let begun = {
            let state = lock(&self.state);
            let want = state.staples.get(&key).map(|fresh| Arc::clone(&fresh.want));
            want.map(|want| (want, Arc::clone(&state.system), state.local))
        };
        let Some((want, system, local)) = begun else {
            return;
        };
        let url = want.rule.responder_of(&want.leaf);
        let (url, trusted) = url.unwrap_or_default();
        let question = responder::Question {
            rule: &want.rule,
            leaf: &want.leaf,
            issuer: &want.issuer,
            url: &url,
            trusted,
            local,
        };
        let asked = match self.silent(Asker::Parent, &route(host, &want.rule)) {
            Some(fault) => Err(responder::Fault::Fetch(fault)),
            None => self.ask(Asker::Parent, host, &question, &system),
        };
        let outcome = match asked {
            Ok((response, nonce)) => judge(&want, &response, nonce.as_deref(), now())
                .inspect_err(|_| self.count(Count::Refused, host)),
            Err(fault) => Err(NoStaple::Fetch(fault)),
        };
        self.had(&want, &url, outcome);
    }

    fn had(&self, want: &Arc<StapleWant>, url: &str, outcome: Result<Stapled, NoStaple>) {
        let now = now();
        let name = name_of(&want.leaf);
        let mut state = lock(&self.state);
        let Some(fresh) = state.fetched_staple(want) else {
            return;
        };
        match outcome {
            Ok(stapled) => {
                let again = fresh.failures > 0;
                fresh.failures = 0;
                fresh.until = stapled.until;
                let wait = schedule::refresh(now, stapled.from, stapled.until, want.refresh);
                fresh.due = Instant::now() + wait;
                drop(state);
                if self.put(want, &stapled) {
                    self.news_sender.say(&News::Stapled(want.key));
                    let after = if again { ", after failures" } else { "" };
                    self.say(Line::Stapled, format!("{name} from {url}{after}"));
                } else {
                    self.say(
                        Line::StapleLost,
                        format!("{name}: there is no room for the response of {url}"),
                    );
                }
            }
            Err(why) => {
                fresh.failures = fresh.failures.saturating_add(1);
                let failures = fresh.failures;
                fresh.due = Instant::now() + schedule::retry(failures, want.retry);
                let good = fresh.until > now;
                drop(state);
                // Each power of two, so that what lasts is said again and does not fill the log.
                if failures.is_power_of_two() {
                    let rest = if good {
                        "; the response of before is sent as long as it may be"
                    } else {
                        ""
                    };
                    self.say(Line::StapleLost, format!("{name}: {url}: {why}{rest}"));
                }
            }
        }
    }
}

fn name_of(leaf: &[u8]) -> String {
    let certificate = crate::x509::Certificate::parse(leaf);
    certificate.map_or_else(
        || "a certificate".to_owned(),
        |leaf| String::from_utf8_lossy(&leaf.subject().rfc2253()).into_owned(),
    )
}

/// What may be sent of a response that was kept.
fn check(want: &StapleWant, response: &[u8], now: i64) -> Result<Stapled, Refusal> {
    if response.is_empty() {
        return Err(Fault::Unreadable.into());
    }
    let staple = ocsp::check(response, &want.leaf, &want.issuer, now)?;
    Ok(Stapled {
        der: staple.der,
        from: staple.from,
        until: staple.until,
    })
}

/// A response as a client judges it, and as skew and age say that are configured.
fn judge(
    want: &StapleWant,
    response: &[u8],
    nonce: Option<&[u8]>,
    now: i64,
) -> Result<Stapled, NoStaple> {
    if response.len() > LONGEST_STAPLE {
        return Err(NoStaple::TooLong);
    }
    let (leaf, issuer, rules) = (&want.leaf, &want.issuer, &want.rule.judging);
    let stapled = check(want, response, now).map_err(NoStaple::Refused)?;
    ocsp::judge(response, leaf, issuer, nonce, rules, now)
        .map(|_| stapled)
        .map_err(|fault| NoStaple::Refused(fault.into()))
}
