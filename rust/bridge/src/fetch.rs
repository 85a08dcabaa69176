// SPDX-License-Identifier: Apache-2.0
//! The fetcher for C++.

pub(crate) mod boundary;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mod_tls_core::fetch::instance;
use mod_tls_core::fetch::news::Line;
use mod_tls_core::fetch::parent::Settings;
use mod_tls_core::fetch::staples::HostStaples;
use mod_tls_core::fetch::state;
use mod_tls_core::fetch::wants::{Rule, Wants};
use mod_tls_core::ocsp;
use mod_tls_core::verify::fetched;

use crate::credentials::Credentials;
use crate::forks::{self, claim_line, take_line};
use crate::guard::{Thrown, guard, guard_result};
use crate::os::Linux;

use boundary::ffi;

/// Forks the fetcher; see the boundary.
pub(crate) fn fetch_prepare() {
    guard(|| (), || instance::prepare(Arc::new(Linux)));
}

/// What a configuration wants of it; see the boundary.
pub(crate) fn fetch_configure(
    credentials: &Credentials,
    settings: &ffi::FetchSettings,
) -> Result<(), Thrown> {
    guard_result(|| {
        let configured = instance::configure(Arc::new(Linux), settings.with(credentials));
        Ok(configured?)
    })
}

/// A configuration begins; see the boundary.
pub(crate) fn fetch_begin(directory: &str) {
    guard(
        || (),
        || state::set_directory(Some(PathBuf::from(directory))),
    );
}

/// Lists that have come to be wanted; see the boundary.
pub(crate) fn fetch_configure_lists(id: u32) -> Result<(), Thrown> {
    guard_result(|| {
        let configured = instance::configure_lists(Arc::new(Linux), id, fetched::wants());
        Ok(configured?)
    })
}

/// Lists and rules that changed files bring; see the boundary.
pub(crate) fn fetch_renew(id: u32, rules: Vec<ffi::FetchRule>) -> Result<(), Thrown> {
    guard_result(|| {
        let rules = rules.into_iter().map(|rule| Rule::from(&rule)).collect();
        Ok(instance::renew(id, fetched::wants(), rules)?)
    })
}

/// Whether lists are fetched; see the boundary.
pub(crate) fn lists_are_wanted() -> bool {
    guard(|| false, fetched::is_wanted)
}

/// Takes lists up; see the boundary.
pub(crate) fn refresh_lists() {
    guard(|| (), fetched::refresh);
}

impl ffi::FetchSettings {
    fn with(&self, credentials: &Credentials) -> Settings {
        let rules = self.rules.iter().map(Rule::from).collect();
        let staples: Vec<_> = self.staples.iter().map(HostStaples::from).collect();
        Settings {
            id: self.id,
            threads: self.threads,
            children: self.children,
            directory: PathBuf::from(&self.directory),
            wants: Wants {
                local: self.local,
                lists: fetched::wants(),
                ..Wants::of(&credentials.0, rules, &staples)
            },
        }
    }
}

impl From<&ffi::FetchStaple> for HostStaples {
    fn from(staple: &ffi::FetchStaple) -> Self {
        Self {
            host: staple.host,
            rule: staple.rule,
            refresh: staple.refresh,
            retry: staple.retry,
        }
    }
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

/// By which id children name a rule in their questions.
pub(crate) fn fetch_rule_id(rule: &ffi::FetchRule) -> Vec<u8> {
    guard(Vec::new, || Rule::from(rule).id().to_vec())
}

/// Lines for the log; see the boundary.
pub(crate) fn fetch_look_after() -> Vec<ffi::FetchNotice> {
    guard(Vec::new, || {
        let lines = instance::look_after();
        lines.into_iter().map(ffi::FetchNotice::from).collect()
    })
}

impl From<(Line, String)> for ffi::FetchNotice {
    fn from((line, text): (Line, String)) -> Self {
        Self {
            event: match line {
                Line::Stapled => ffi::FetchEvent::Stapled,
                Line::StapleLost => ffi::FetchEvent::StapleLost,
                Line::NoVerdict => ffi::FetchEvent::NoVerdict,
                Line::Trouble => ffi::FetchEvent::Trouble,
                Line::Replaced => ffi::FetchEvent::Replaced,
                Line::List => ffi::FetchEvent::List,
                Line::ListLost => ffi::FetchEvent::ListLost,
            },
            text,
        }
    }
}

/// The fetcher's pid, or 0.
pub(crate) fn fetch_pid() -> i32 {
    guard(|| 0, instance::pid)
}

/// A child of the MPM has begun; see the boundary.
pub(crate) fn fetch_child_began(pid: i32) -> bool {
    // Taken even where nobody wants it: the child waits for nothing then.
    let line = claim_line(forks::Line::Fetcher);
    guard(|| false, move || instance::child_began(pid, line))
}

/// A child of the MPM has ended.
pub(crate) fn fetch_child_ended(pid: i32) {
    guard(|| (), || instance::child_ended(pid));
}

/// In a child; see the boundary.
pub(crate) fn fetch_become_child() {
    let become_child = || instance::become_child(take_line(forks::Line::Fetcher));
    guard(|| (), become_child);
}

/// The configuration is given up; see the boundary.
pub(crate) fn fetch_release() {
    guard(|| (), instance::release);
}

/// Ends the fetcher.
pub(crate) fn fetch_end() {
    guard(|| (), instance::end);
}
