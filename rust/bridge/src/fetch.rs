// SPDX-License-Identifier: Apache-2.0
//! The fetcher for C++. There is one for each httpd instance, kept here as the key agent is.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mod_tls_core::creds::Pair;
use mod_tls_core::fetch::news::Line;
use mod_tls_core::fetch::parent::{Parent, Settings};
use mod_tls_core::fetch::wants::{Rule, StapleWant, Wants, staple_key};
use mod_tls_core::metrics::{self, Counter};
use mod_tls_core::ocsp;

use crate::credentials::Credentials;
use crate::ffi;
use crate::forks::{self, claim_line, take_line};
use crate::guard::{guard, guard_result};
use crate::os::Linux;

static FETCHER: Mutex<Option<Parent>> = Mutex::new(None);

fn fetcher() -> MutexGuard<'static, Option<Parent>> {
    FETCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn made(place: &mut Option<Parent>) -> Result<&mut Parent, String> {
    Ok(match place {
        Some(parent) => parent,
        None => place.insert(Parent::new(Arc::new(Linux)).map_err(|error| error.to_string())?),
    })
}

/// See the bridge.
pub fn fetch_prepare() {
    guard(
        || (),
        || {
            // What cannot be had now is said when it is wanted.
            if let Ok(parent) = made(&mut fetcher()) {
                let _ = parent.prepare();
            }
        },
    );
}

/// See the bridge.
pub fn fetch_configure(
    credentials: &Credentials,
    settings: &ffi::FetchSettings,
) -> Result<(), String> {
    guard_result(|| {
        let wants = wants(credentials, settings);
        let mut fetcher = fetcher();
        if wants.is_empty() && fetcher.is_none() {
            return Ok(());
        }
        let settings = Settings {
            id: settings.id,
            threads: settings.threads,
            children: settings.children,
            directory: PathBuf::from(&settings.directory),
            wants,
        };
        made(&mut fetcher)?
            .configure(settings)
            .map_err(|error| error.to_string())
    })
}

fn wants(credentials: &Credentials, settings: &ffi::FetchSettings) -> Wants {
    let rules: Vec<Arc<Rule>> = settings
        .rules
        .iter()
        .map(|rule| Arc::new(Rule::from(rule)))
        .collect();
    let mut staples: Vec<StapleWant> = Vec::new();
    let mut known = HashSet::new();
    for wanted in &settings.staples {
        let (host, rule) = (usize::try_from(wanted.host), usize::try_from(wanted.rule));
        let (Ok(host), Some(rule)) = (host, rule.ok().and_then(|rule| rules.get(rule))) else {
            continue;
        };
        let set = credentials.set(host).filter(|set| !set.is_placeholder());
        let pairs = set.iter().flat_map(|set| set.pairs());
        staples.extend(
            pairs
                .filter_map(|pair| want(pair, rule, wanted))
                .filter(|want| known.insert(want.key)),
        );
    }
    let of_staples: HashSet<usize> = settings
        .staples
        .iter()
        .filter_map(|wanted| usize::try_from(wanted.rule).ok())
        .collect();
    Wants {
        local: settings.local,
        proxy: (!settings.proxy.is_empty()).then(|| settings.proxy.clone()),
        // Those that responses to staple have go with them: where nothing is to be stapled, nothing is wanted.
        rules: rules
            .into_iter()
            .enumerate()
            .filter_map(|(at, rule)| (!of_staples.contains(&at)).then_some(rule))
            .collect(),
        staples,
        lists: Vec::new(),
    }
}

/// The response that a pair lacks; `None` where a file has it, or nobody could be asked.
fn want(pair: &Arc<Pair>, rule: &Arc<Rule>, wanted: &ffi::FetchStaple) -> Option<StapleWant> {
    let chain = pair.chain();
    let [leaf, issuer, ..] = &chain[..] else {
        return None;
    };
    if pair.stapled.is_some() {
        return None;
    }
    rule.responder_of(leaf)?;
    let forced = rule.responder.as_deref().filter(|_| rule.always);
    Some(StapleWant {
        key: staple_key(leaf, issuer, forced)?,
        leaf: leaf.to_vec(),
        issuer: issuer.to_vec(),
        rule: Arc::clone(rule),
        refresh: wanted.refresh,
        retry: wanted.retry,
        errors: wanted.errors,
        kept: Vec::new(),
    })
}

impl From<&ffi::FetchRule> for Rule {
    fn from(rule: &ffi::FetchRule) -> Self {
        let text = |text: &String| (!text.is_empty()).then(|| text.clone());
        Self {
            responder: text(&rule.responder),
            always: rule.always,
            proxy: text(&rule.proxy),
            timeout: Duration::from_millis(rule.timeout_ms.into()),
            nonce: rule.nonce,
            judging: ocsp::Rules {
                skew: rule.skew,
                max_age: (rule.max_age >= 0).then_some(rule.max_age),
                verify: rule.verify,
                responders: rule.responders.iter().map(|one| one.der.clone()).collect(),
            },
        }
    }
}

impl From<&Rule> for ffi::FetchRule {
    fn from(rule: &Rule) -> Self {
        let responders = rule.judging.responders.iter();
        Self {
            responder: rule.responder.clone().unwrap_or_default(),
            always: rule.always,
            proxy: rule.proxy.clone().unwrap_or_default(),
            timeout_ms: u32::try_from(rule.timeout.as_millis()).unwrap_or(u32::MAX),
            nonce: rule.nonce,
            skew: rule.judging.skew,
            max_age: rule.judging.max_age.unwrap_or(-1),
            verify: rule.judging.verify,
            responders: responders
                .map(|der| ffi::Der { der: der.clone() })
                .collect(),
        }
    }
}

/// See the bridge.
pub fn fetch_rule_id(rule: &ffi::FetchRule) -> Vec<u8> {
    guard(Vec::new, || Rule::from(rule).id().to_vec())
}

/// Counts what the fetcher has asked since the last call.
fn count() {
    let since = fetcher().as_mut().map(Parent::counts).unwrap_or_default();
    let [
        _,
        answered,
        no_name,
        unreachable,
        late,
        inside,
        garbage,
        refused,
    ] = since;
    for (counter, amount) in [
        (Counter::FetchAnswered, answered.saturating_sub(refused)),
        (Counter::FetchNoName, no_name),
        (Counter::FetchUnreachable, unreachable),
        (Counter::FetchLate, late),
        (Counter::FetchInside, inside),
        (Counter::FetchGarbage, garbage),
        (Counter::FetchRefused, refused),
    ] {
        if amount > 0 {
            metrics::add(counter, amount);
        }
    }
}

/// See the bridge.
pub fn fetch_look_after() -> Vec<ffi::FetchNotice> {
    let event = |line| match line {
        Line::Stapled => ffi::FetchEvent::Stapled,
        Line::StapleLost => ffi::FetchEvent::StapleLost,
        Line::NoVerdict => ffi::FetchEvent::NoVerdict,
        Line::Trouble => ffi::FetchEvent::Trouble,
        Line::Replaced => ffi::FetchEvent::Replaced,
    };
    guard(Vec::new, || {
        count();
        let lines = fetcher()
            .as_mut()
            .map(Parent::look_after)
            .unwrap_or_default();
        let notice = |(line, text)| ffi::FetchNotice {
            event: event(line),
            text,
        };
        lines.into_iter().map(notice).collect()
    })
}

/// See the bridge.
pub fn fetch_pid() -> i32 {
    guard(|| 0, || fetcher().as_ref().map_or(0, Parent::pid))
}

/// See the bridge.
pub fn fetch_child_began(pid: i32) -> bool {
    // Taken even where nobody wants it: the child waits for nothing then.
    let line = claim_line(forks::Line::Fetcher);
    guard(
        || false,
        move || {
            fetcher()
                .as_mut()
                .is_some_and(|parent| parent.child_began(pid, line))
        },
    )
}

/// See the bridge.
pub fn fetch_child_ended(pid: i32) {
    guard(
        || (),
        || {
            if let Some(parent) = fetcher().as_mut() {
                parent.child_ended(pid);
            }
        },
    );
}

/// See the bridge.
pub fn fetch_become_child() {
    guard(
        || (),
        || {
            let line = take_line(forks::Line::Fetcher);
            if let Some(parent) = fetcher().take() {
                parent.become_child(line);
            }
        },
    );
}

/// See the bridge.
pub fn fetch_end() {
    guard(
        || (),
        || {
            if let Some(mut parent) = fetcher().take() {
                parent.end();
            }
        },
    );
}
