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
        if let Some(question) = state.questions.get_mut(&key) {
            // Places are slots of channels: those that nobody waits for any more make room.
            question.places.retain(Place::is_waited_for);
            question.places.push(place);
            return;
        }
        let pid = place.pid();
        if !state.has_room(pid, leaf.len() + issuer.len()) {
            return place.refuse();
        }
        let url = rule.responder_of(leaf);
        let host = url.map_or_else(String::new, |(url, _)| host_of(&url));
        let question = Question {
            rule,
            leaf: leaf.to_vec(),
            issuer: issuer.to_vec(),
            places: vec![place],
            asker: pid,
            begun: false,
        };
        state.insert(key, question);
        let (asker, task) = (Asker::Child(pid), Task::CertStatus(key));
        self.push(state, Job { asker, host, task });
    }

    /// A child has ended: what it alone has asked and nobody has begun is not asked.
    pub(crate) fn forget(&self, pid: i32) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        state.asked.retain(|(child, _), _| *child != pid);
        state.hosts.forget(Asker::Child(pid));
        for mut job in state.queue.forget(Asker::Child(pid)) {
            let Task::CertStatus(key) = job.task else {
                continue;
            };
            let Some(question) = state.questions.get_mut(&key) else {
                continue;
            };
            question.places.retain(|place| place.pid() != pid);
            match question.places.first() {
                Some(other) => {
                    job.asker = Asker::Child(other.pid());
                    self.push(state, job);
                }
                None => drop(state.remove(key)),
            }
        }
    }

    /// Asks a responder, keeps the verdict, and answers all who wait for it.
    pub(super) fn judge(&self, key: Key, host: &str) {
        let begun = {
            let mut state = lock(&self.state);
            let Some(question) = state.questions.get_mut(&key) else {
                return;
            };
            question.places.retain(Place::is_waited_for);
            if question.places.is_empty() {
                state.remove(key);
                return;
            }
            question.begun = true;
            let asked = (
                Asker::Child(question.asker),
                Arc::clone(&question.rule),
                question.leaf.clone(),
                question.issuer.clone(),
            );
            (asked, Arc::clone(&state.system), state.local)
        };
        let ((asker, rule, leaf, issuer), system, local) = begun;
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
                found.unwrap_or_else(|fault| self.failed(&url, host, &fault))
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
        let route = Route {
            host: host.to_owned(),
            proxy: question.rule.proxy.clone(),
            timeout: question.rule.timeout,
        };
        let asked = self.heard(asker, &route, || match question.ask(system) {
            Err(Fault::Fetch(fault)) => Err(fault),
            other => Ok(other),
        });
        asked.unwrap_or_else(|fault| Err(Fault::Fetch(fault)))
    }

    /// Fetches for `asker`, unless the host has been silent to it so often of late that it is not asked for a while.
    pub(super) fn heard<T>(
        &self,
        asker: Asker,
        route: &Route,
        fetch: impl FnOnce() -> Result<T, client::Fault>,
    ) -> Result<T, client::Fault> {
        if let Some(fault) = lock(&self.state).hosts.silent(asker, route, Instant::now()) {
            return Err(fault);
        }
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

    fn failed(&self, url: &str, host: &str, fault: &Fault) -> Found {
        if matches!(fault, Fault::Answer(_)) {
            self.count(Count::Refused, host);
        }
        let first = lock(&self.state).hosts.is_news(url, Instant::now());
        if first {
            self.say(Line::NoVerdict, format!("{url}: {fault}"));
        }
        failure()
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
