// SPDX-License-Identifier: Apache-2.0
//! Questions of children about their clients' certificates.

use std::sync::Arc;
use std::time::Instant;

use super::{
    Asker, CertStatus, FAILURE, Found, Job, Key, Place, Question, Service, Task, host_of, lock,
    now, verdict_key,
};
use crate::fetch::client;
use crate::fetch::frames::Asked;
use crate::fetch::hosts::Route;
use crate::fetch::news::Line;
use crate::fetch::responder::{self, Fault};
use crate::fetch::results::Count;
use crate::fetch::wants::Rule;
use crate::ocsp;

/// How long a verdict counts whose responder does not say when there will be another: there may be one at any time (RFC 6960
/// 4.2.2.1). For as long mod_ssl resumes sessions without asking again.
const WITHOUT_END: i64 = 300;
/// How long one counts at most, however long a life a responder gives it: neither its mistake nor an answer of who stood in
/// its place for a moment is for ever.
const LONGEST: i64 = 24 * 3600;
/// How long it counts that a responder does not know a certificate, at most: it may only just have been issued.
const UNKNOWN: i64 = 60;

impl Service {
    /// Takes in what a child asks: answers at once where it can, else queues it. One question is asked once, whoever and
    /// how many wait for it.
    pub(crate) fn asked(&self, place: Place, asked: Asked<'_>) {
        let Asked { rule, leaf, issuer } = asked;
        let Some(key) = verdict_key(&rule, leaf, issuer) else {
            return place.refuse();
        };
        if let Some(found) = lock(&self.results).results().verdict(key, now()) {
            return place.answer(&found);
        }
        let mut state = lock(&self.state);
        let state = &mut *state;
        let known = state
            .rules
            .get(&rule)
            .or_else(|| state.rules_before.get(&rule));
        let Some(rule) = known.map(Arc::clone) else {
            return place.refuse();
        };
        state.supersede(&place, key);
        let pid = place.pid();
        let host = rule
            .responder_of(leaf)
            .map_or_else(String::new, |(url, _)| host_of(&url));
        if let Some(question) = state.questions.get_mut(&key) {
            // Places are slots of channels: those that nobody waits for any more make room.
            question.places.retain(Place::is_waited_for);
            let has_job = question.begun || question.is_waited_for_by(pid);
            question.places.push(place);
            if has_job {
                return;
            }
        } else {
            if !state.has_room(pid, leaf.len() + issuer.len()) {
                return place.refuse();
            }
            let question = Question {
                rule,
                leaf: leaf.to_vec(),
                issuer: issuer.to_vec(),
                places: vec![place],
                asker: pid,
                begun: false,
            };
            state.insert(key, question);
        }
        let (asker, task) = (Asker::Child(pid), Task::CertStatus(key));
        // One that is left of places where nobody waits any more.
        state.queue.withdraw(asker, |other| *other == task);
        self.push(state, Job { asker, host, task });
    }

    /// A child has ended: what it alone has asked and nobody has begun is not asked.
    pub(crate) fn forget(&self, pid: i32) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        state.asked.retain(|(child, _), _| *child != pid);
        state.hosts.forget(Asker::Child(pid));
        for job in state.queue.forget(Asker::Child(pid)) {
            if let Task::CertStatus(key) = job.task {
                state.leave(key, pid, |place| place.pid() != pid);
            }
        }
    }

    /// Asks a responder in the turn of `asker`, keeps the verdict, and answers all who wait for it.
    pub(super) fn judge(&self, key: Key, asker: Asker, host: &str) {
        let begun = {
            let mut state = lock(&self.state);
            let state = &mut *state;
            let Some(question) = state.questions.get_mut(&key) else {
                return;
            };
            if question.begun {
                return;
            }
            question.places.retain(Place::is_waited_for);
            let route = route(host, &question.rule);
            if state.hosts.silent(asker, &route, Instant::now()).is_some() {
                // Nobody asks for who has asked there in vain; others who wait have their own turns.
                let is_own = |place: &Place| Asker::Child(place.pid()) == asker;
                for own in question.places.extract_if(.., |place| is_own(place)) {
                    own.answer(&failure());
                }
            }
            if question.places.is_empty() {
                state.remove(key);
                return;
            }
            if !question
                .places
                .iter()
                .any(|place| Asker::Child(place.pid()) == asker)
            {
                return;
            }
            question.begun = true;
            let asked = (
                Arc::clone(&question.rule),
                question.leaf.clone(),
                question.issuer.clone(),
            );
            (asked, Arc::clone(&state.system), state.local)
        };
        let ((rule, leaf, issuer), system, local) = begun;
        let found = match rule.responder_of(&leaf) {
            Some((url, trusted)) => {
                let question = responder::Question {
                    rule: &rule,
                    leaf: &leaf,
                    issuer: &issuer,
                    url: &url,
                    trusted,
                    local,
                };
                let found =
                    self.ask(asker, host, &question, &system)
                        .and_then(|(response, nonce)| {
                            judge(&rule, &leaf, &issuer, &response, nonce.as_deref())
                        });
                found.unwrap_or_else(|fault| self.failed(asker, &url, host, &fault))
            }
            None => failure(),
        };
        lock(&self.results).put_verdict(key, &found, now());
        let question = lock(&self.state).remove(key);
        let places = question.map(|question| question.places).unwrap_or_default();
        places.iter().for_each(|place| place.answer(&found));
    }

    /// Puts a question of `asker`'s.
    pub(super) fn ask(
        &self,
        asker: Asker,
        host: &str,
        question: &responder::Question<'_>,
        system: &super::System,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), Fault> {
        let asked = self.heard(asker, &route(host, question.rule), || {
            match question.ask(system) {
                Err(Fault::Fetch(fault)) => Err(fault),
                other => Ok(other),
            }
        });
        asked.unwrap_or_else(|fault| Err(Fault::Fetch(fault)))
    }

    /// Why a host is not asked now for `asker`, which it was silent to so often of late; `None` where it is.
    pub(super) fn silent(&self, asker: Asker, route: &Route) -> Option<client::Fault> {
        lock(&self.state).hosts.silent(asker, route, Instant::now())
    }

    /// Fetches for `asker`, and counts and remembers what came of it.
    pub(super) fn heard<T>(
        &self,
        asker: Asker,
        route: &Route,
        fetch: impl FnOnce() -> Result<T, client::Fault>,
    ) -> Result<T, client::Fault> {
        self.count(Count::Asked, &route.host);
        let found = fetch();
        let fault = found.as_ref().err();
        lock(&self.state)
            .hosts
            .heard(asker, route, fault, Instant::now());
        let outcome = fault.map_or(Count::Answered, client::Fault::count);
        self.count(outcome, &route.host);
        found
    }

    fn failed(&self, asker: Asker, url: &str, host: &str, fault: &Fault) -> Found {
        if matches!(fault, Fault::Answer(_)) {
            self.count(Count::Refused, host);
        }
        let first = lock(&self.state).hosts.is_news(asker, url, Instant::now());
        if first {
            self.say(Line::NoVerdict, format!("{url}: {fault}"));
        }
        failure()
    }
}

pub(super) fn route(host: &str, rule: &Rule) -> Route {
    Route {
        host: host.to_owned(),
        proxy: rule.proxy.clone(),
        timeout: rule.timeout,
    }
}

fn failure() -> Found {
    let from = now();
    Found {
        verdict: CertStatus::Failed,
        from,
        until: from + FAILURE,
    }
}

fn judge(
    rule: &Rule,
    leaf: &[u8],
    issuer: &[u8],
    response: &[u8],
    nonce: Option<&[u8]>,
) -> Result<Found, Fault> {
    let now = now();
    let answer = ocsp::judge(response, leaf, issuer, nonce, &rule.judging, now);
    let answer = answer.map_err(|fault| Fault::Answer(fault.to_string()))?;
    let verdict = match answer.status {
        ocsp::Status::Good => CertStatus::Good,
        ocsp::Status::Revoked { when, reason } => CertStatus::Revoked(when, reason),
        ocsp::Status::Unknown => CertStatus::Unknown,
    };
    let said = answer
        .until
        .unwrap_or_else(|| now.saturating_add(WITHOUT_END));
    let most = match (verdict, rule.judging.max_age) {
        (CertStatus::Unknown, _) => now.saturating_add(UNKNOWN),
        (_, Some(age)) => answer.from.saturating_add(age),
        (_, None) => i64::MAX,
    };
    let most = most.min(now.saturating_add(LONGEST));
    Ok(Found {
        verdict,
        from: answer.from,
        // A skewed clock of the responder's is no reason to ask for each handshake.
        until: said.min(most).max(now.saturating_add(FAILURE)),
    })
}
