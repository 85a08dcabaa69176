// SPDX-License-Identifier: Apache-2.0
//! What OCSP responders say of a client's path, as `SSLOCSPEnable` asks for.
//!
//! mod_ssl asks from inside the handshake, one certificate after another, with a thread that waits. Here what is known is
//! looked up, and what is not is asked of the process that fetches, about all certificates at once; a handshake that has to
//! wait for that is [`Pending`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reason;
use super::revocation::Depth;
use super::verdict::{Settled, Verdict};
use crate::fetch::access::{self, Answer, Question, REMIND, Ticket};
use crate::fetch::ordered;
use crate::fetch::results::{CertStatus as Said, Found};
use crate::fetch::wants::{Rule, RuleId};
use crate::hex;
use crate::metrics::{self, Counter};
use crate::system::clock::within;
use crate::x509::Certificate;

/// What is added to the time that a responder has: the process that fetches tells of one that lets it pass.
const GRACE: Duration = Duration::from_secs(1);

/// How responders are asked about clients' certificates.
#[derive(Clone, Debug)]
pub struct Responders {
    /// About which certificates of a path.
    pub lookup: Depth,
    /// Certificates pass that name no responder, where none is configured.
    pub none_ok: bool,
    /// Certificates pass whose responder was asked and gives no answer. That nobody asked, for want of a slot or of the
    /// process that fetches, lets nobody in: a client could bring it about.
    pub soft: bool,
    /// How they are asked, and how answers are judged.
    pub rule: Arc<Rule>,
    /// What the process that fetches knows the rule by.
    pub id: RuleId,
}

/// What is known of a path by now.
pub enum Standing {
    /// All that was asked for.
    Settled(Settled),
    /// Some answers are not there yet.
    Asked(Pending),
}

impl Responders {
    /// Asked by `rule`.
    pub fn new(lookup: Depth, none_ok: bool, soft: bool, rule: Rule) -> Self {
        Self {
            lookup,
            none_ok,
            soft,
            id: rule.id(),
            rule: Arc::new(rule),
        }
    }

    /// Believes answers that are signed with these certificates (DER), whoever issued them.
    pub(super) fn believe(&mut self, certificates: Vec<Vec<u8>>) {
        let mut rule = Rule::clone(&self.rule);
        rule.judging.responders = certificates;
        *self = Self::new(self.lookup, self.none_ok, self.soft, rule);
    }

    /// Whether the process that fetches knows the rule.
    pub(super) fn is_ordered(&self) -> bool {
        access::is_ordered(ordered::rule(&self.id))
    }

    /// Looks up, and asks about, the certificates (DER) of a path, the client's own first, but for the trusted one, whose
    /// issuer is not at hand. One that has the name of its issuer was still issued by who stands above it.
    pub fn judge(&self, path: &[Vec<u8>]) -> Standing {
        let asked = match self.lookup {
            Depth::None => 0,
            Depth::Leaf => 1,
            Depth::Chain => path.len(),
        };
        let mut pending = Pending {
            soft: self.soft,
            until: i64::MAX,
            asked: Vec::new(),
            deadline: within(self.rule.timeout.saturating_add(GRACE)),
            reminded: Instant::now(),
        };
        // From the top, as OpenSSL verifies: what is said of a CA goes before what it says.
        for pair in path.windows(2).take(asked).rev() {
            let [leaf, issuer] = pair else { continue };
            if let Err(refused) = self.ask(leaf, issuer, &mut pending) {
                return Standing::Settled(Err(refused));
            }
        }
        match pending.asked.is_empty() {
            true => Standing::Settled(Ok(pending.until)),
            false => Standing::Asked(pending),
        }
    }

    fn ask(&self, leaf: &[u8], issuer: &[u8], pending: &mut Pending) -> Result<(), Box<Verdict>> {
        let Some((responder, _)) = self.rule.responder_of(leaf) else {
            return match self.none_ok {
                true => Ok(()),
                false => Err(refusal(
                    reason::APPLICATION,
                    format!(
                        "{} names no OCSP responder; name one by SSLOCSPDefaultResponder, or let such certificates pass \
                         by no_ocsp_for_cert_ok",
                        named(leaf)
                    ),
                )),
            };
        };
        let about = || Asked {
            what: named(leaf),
            responder: responder.clone(),
        };
        let Some(question) = Question::new(self.id, leaf, issuer) else {
            return pending.take(&about(), None);
        };
        if let Some(found) = question.look() {
            return pending.take(&about(), Some(found));
        }
        match question.ask() {
            Some(ticket) => {
                metrics::count(Counter::OcspWaited);
                pending.asked.push((about(), ticket));
                Ok(())
            }
            None => pending.take(&about(), None),
        }
    }
}

/// Whom a question was put to, and about what.
struct Asked {
    what: String,
    responder: String,
}

/// Questions about a path that are under way.
pub struct Pending {
    soft: bool,
    until: i64,
    asked: Vec<(Asked, Ticket)>,
    deadline: Instant,
    reminded: Instant,
}

#[cfg(test)]
impl Pending {
    /// No question at all, for what does not ask how far they are.
    pub(crate) fn nothing() -> Self {
        Self {
            soft: false,
            until: i64::MAX,
            asked: Vec::new(),
            deadline: Instant::now(),
            reminded: Instant::now(),
        }
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} questions", self.asked.len())
    }
}

impl Pending {
    /// What came of the questions; `None` while answers are missing. Never waits.
    pub fn poll(&mut self) -> Option<Settled> {
        let late = Instant::now() >= self.deadline;
        let mut waiting = Vec::new();
        for (about, mut ticket) in std::mem::take(&mut self.asked) {
            let found = match ticket.poll() {
                Answer::Waiting if !late => {
                    waiting.push((about, ticket));
                    continue;
                }
                Answer::Found(found) => Some(found),
                Answer::Waiting | Answer::Refused => None,
            };
            if let Err(refused) = self.take(&about, found) {
                return Some(Err(refused));
            }
        }
        self.asked = waiting;
        match self.asked.first() {
            Some((_, ticket)) => {
                if self.reminded.elapsed() >= REMIND {
                    ticket.remind();
                    self.reminded = Instant::now();
                }
                None
            }
            None => Some(Ok(self.until)),
        }
    }

    /// The same for a thread that may wait: until all answers are there, or it is too late for them.
    ///
    /// # Errors
    /// How the certificate is refused.
    pub fn wait(&mut self) -> Settled {
        loop {
            if let Some(settled) = self.poll() {
                return settled;
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if let Some((_, ticket)) = self.asked.first_mut() {
                ticket.wait(left.max(Duration::from_millis(1)));
            }
        }
    }

    /// What one answer comes to; none is where nobody asked.
    fn take(&mut self, about: &Asked, found: Option<Found>) -> Result<(), Box<Verdict>> {
        let Asked { what, responder } = about;
        match found.map(|found| (found.verdict, found.until)) {
            Some((Said::Good, until)) => {
                metrics::count(Counter::OcspGood);
                self.until = self.until.min(until);
                Ok(())
            }
            Some((Said::Revoked(when, why), _)) => {
                metrics::count(Counter::OcspRevoked);
                let when = crate::x509::time::date(when);
                let advice =
                    format!("{responder} says that {what} was revoked at {when} (reason {why})");
                Err(refusal(reason::REVOKED, advice))
            }
            Some((Said::Unknown, _)) => {
                metrics::count(Counter::OcspUnknown);
                let advice = format!(
                    "{responder} does not know {what}: see whether it is the responder of its issuer"
                );
                Err(refusal(reason::APPLICATION, advice))
            }
            // A session must not live on what was not learned: the responder may answer again by then.
            Some((Said::Failed, until)) if self.soft => {
                metrics::count(Counter::OcspSoft);
                self.until = self.until.min(until);
                Ok(())
            }
            None => {
                metrics::count(Counter::OcspFailed);
                let advice = format!(
                    "{responder} could not be asked about {what}: the process that fetches is not there, or has too much \
                     to do"
                );
                Err(refusal(reason::APPLICATION, advice))
            }
            Some((Said::Failed, _)) => {
                metrics::count(Counter::OcspFailed);
                let advice = format!(
                    "{responder} gave no answer about {what} that could be believed: the log says more of it; soft behind \
                     SSLOCSPEnable lets such clients in"
                );
                Err(refusal(reason::APPLICATION, advice))
            }
        }
    }
}

fn refusal(reason: &'static str, advice: String) -> Box<Verdict> {
    Box::new(Verdict {
        advice,
        ..Verdict::failed(reason)
    })
}

/// A certificate for people.
fn named(der: &[u8]) -> String {
    let Some(certificate) = Certificate::parse(der) else {
        return "a certificate".to_owned();
    };
    let subject = String::from_utf8_lossy(&certificate.subject().rfc2253()).into_owned();
    format!(
        "\"{subject}\" (serial number {})",
        hex::upper(certificate.serial)
    )
}

#[cfg(test)]
#[path = "responders_tests.rs"]
mod tests;
