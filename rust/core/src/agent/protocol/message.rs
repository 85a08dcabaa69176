// SPDX-License-Identifier: Apache-2.0
//! What httpd's parent and the supervisor say to each other.

use std::collections::HashMap;
use std::sync::Arc;

use super::certificate_codec::{Known, Sent, decode_sets, encode_sets};
use super::codec::{Cut, Reader, Writer};
use super::requests::Requests;
use crate::agent::child::transport::Transport;
use crate::creds::{CertSet, Problem, Severity};

/// Version of these messages and of everything else in the agent. A supervisor of another version is replaced.
pub const VERSION: u32 = 7;

/// The parent's order: load this, and serve it when `serve` is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Tags the entries on the update log that belong to this configuration.
    pub generation: u64,
    /// False in the first pass of post_config: httpd has yet to detach, and children are far.
    pub serve: bool,
    /// Seconds between two looks at the files; 0 for never.
    pub reload_seconds: u32,
    /// Most children at a time, those included that finish what they had before a graceful restart.
    pub children: u32,
    /// Uid and gid that the agent takes with its first order.
    pub id: u32,
    /// What to load, one for each virtual host.
    pub requests: Requests,
}

impl Order {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.number(VERSION);
        w.long(self.generation);
        w.byte(u8::from(self.serve));
        w.number(self.reload_seconds);
        w.number(self.children);
        w.number(self.id);
        w.bytes(self.requests.as_bytes());
        w.into_bytes()
    }

    /// From bytes.
    ///
    /// # Errors
    /// The octets end too early, or are no such message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Cut> {
        let mut r = begin(bytes)?;
        Ok(Self {
            generation: r.long()?,
            serve: r.byte()? != 0,
            reload_seconds: r.number()?,
            children: r.number()?,
            id: r.number()?,
            requests: Requests::from_bytes(r.bytes()?),
        })
    }
}

/// A reader behind the version of a message; another version's is not read.
///
/// # Errors
/// The octets end too early, or are no such message.
pub fn begin(bytes: &[u8]) -> Result<Reader<'_>, Cut> {
    let mut r = Reader::new(bytes);
    (r.number()? == VERSION).then_some(r).ok_or(Cut)
}

/// What a supervisor could not take from itself or its signer; each is a line for the administrator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weaknesses {
    /// The agent runs under httpd's own uid.
    pub same_uid: bool,
    /// The supervisor stayed root without CAP_DAC_READ_SEARCH.
    pub root: bool,
    /// No system call filter.
    pub unfiltered: bool,
}

impl Weaknesses {
    /// Each with its reason, as clauses for the log.
    pub fn clauses(self) -> Vec<String> {
        let said = [
            (
                self.same_uid,
                "it runs under httpd's own uid, so that a captured child can signal it (httpd was not started as root)",
            ),
            (
                self.root && !self.same_uid,
                "its supervisor stays root, for CAP_DAC_READ_SEARCH is not to be had here (containers drop it)",
            ),
            (
                self.unfiltered,
                "its signer runs without a system call filter, for the kernel has none",
            ),
        ];
        let said = said.into_iter().filter(|(is, _)| *is);
        said.map(|(_, text)| text.to_owned()).collect()
    }

    fn bits(self) -> u8 {
        u8::from(self.same_uid) | u8::from(self.root) << 1 | u8::from(self.unfiltered) << 2
    }

    fn from_bits(bits: u8) -> Self {
        Self {
            same_uid: bits & 1 != 0,
            root: bits & 2 != 0,
            unfiltered: bits & 4 != 0,
        }
    }
}

/// How the agent is, after an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// What is less separate than it should be.
    pub weaknesses: Weaknesses,
    /// Why no signer runs, where one was asked for; else empty.
    pub failure: String,
}

impl State {
    /// The agent does not work.
    pub fn failed(error: &std::io::Error) -> Self {
        Self {
            failure: error.to_string(),
            ..Self::default()
        }
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.number(VERSION);
        w.byte(self.weaknesses.bits());
        w.text(&self.failure);
        w.into_bytes()
    }

    /// From bytes.
    ///
    /// # Errors
    /// The octets end too early, or are no such message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Cut> {
        let mut r = begin(bytes)?;
        Ok(Self {
            weaknesses: Weaknesses::from_bits(r.byte()?),
            failure: r.text()?,
        })
    }
}

/// The supervisor's answer.
#[derive(Debug, Default)]
pub struct Answer {
    /// Everything is as it was answered to the order of this generation, and goes on under its number; there is
    /// nothing else then.
    pub as_before: Option<u64>,
    /// For each request its set; `None` where nothing of it can be used.
    pub sets: Vec<Option<Arc<CertSet>>>,
    /// What is wrong with the files.
    pub problems: Vec<Problem>,
}

impl Answer {
    /// As bytes, for a parent that has the pairs of `sent`. Only public halves leave the supervisor.
    pub fn encode(&self, sent: &mut Sent) -> Vec<u8> {
        let mut w = Writer::default();
        w.number(VERSION);
        w.byte(u8::from(self.as_before.is_some()));
        if let Some(generation) = self.as_before {
            w.long(generation);
            return w.into_bytes();
        }
        w.list(&self.problems, |w, problem| {
            w.byte(severity_code(problem.severity));
            w.count(problem.request);
            w.text(&problem.place);
            w.text(&problem.file);
            w.text(&problem.text);
        });
        let mut distinct: Vec<&Arc<CertSet>> = Vec::new();
        let mut places: HashMap<*const CertSet, usize> = HashMap::new();
        for set in self.sets.iter().flatten() {
            places.entry(Arc::as_ptr(set)).or_insert_with(|| {
                distinct.push(set);
                distinct.len()
            });
        }
        encode_sets(&mut w, &distinct, sent);
        w.list(&self.sets, |w, set| {
            let place = set.as_ref().and_then(|set| places.get(&Arc::as_ptr(set)));
            w.count(place.copied().unwrap_or(0));
        });
        w.into_bytes()
    }

    /// From bytes; the keys of the sets sign over `transport`, and `known` are the pairs of the answer before.
    ///
    /// # Errors
    /// The octets end too early, or are no such message.
    pub fn decode(
        bytes: &[u8],
        transport: &Arc<Transport>,
        known: &mut Known,
    ) -> Result<Self, Cut> {
        let mut r = begin(bytes)?;
        if r.byte()? != 0 {
            return Ok(Self {
                as_before: Some(r.long()?),
                ..Self::default()
            });
        }
        let problems = r.list(|r| {
            Ok(Problem {
                severity: severity(r.byte()?)?,
                request: r.count()?,
                place: r.text()?,
                file: r.text()?,
                text: r.text()?,
            })
        })?;
        let distinct = decode_sets(&mut r, transport, known)?;
        let sets = r.list(|r| match r.count()? {
            0 => Ok(None),
            place => distinct
                .get(place.saturating_sub(1))
                .cloned()
                .map(Some)
                .ok_or(Cut),
        })?;
        Ok(Self {
            as_before: None,
            sets,
            problems,
        })
    }
}

fn severity_code(severity: Severity) -> u8 {
    match severity {
        Severity::Notice => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
        Severity::Kept => 3,
    }
}

fn severity(code: u8) -> Result<Severity, Cut> {
    match code {
        0 => Ok(Severity::Notice),
        1 => Ok(Severity::Warning),
        2 => Ok(Severity::Error),
        3 => Ok(Severity::Kept),
        _ => Err(Cut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{Random, pair};
    use crate::creds::{FileAt, LoadRequest, PairRequest, SignatureRequest, Suites12};
    use rustls::SignatureScheme;

    #[test]
    fn orders_round_trip() {
        let file_at = |path: &str, place: &str| FileAt {
            path: path.to_owned(),
            place: place.to_owned(),
        };
        let order = Order {
            generation: 3,
            serve: true,
            reload_seconds: 10,
            children: 4096,
            id: 65_533,
            requests: Requests::new(std::iter::once(LoadRequest {
                host: "www.example.com:443".to_owned(),
                passphrase: "builtin".to_owned(),
                names: vec!["www.example.com".to_owned()],
                pairs: vec![PairRequest {
                    certificate: "/a".to_owned(),
                    key: Some("/b".to_owned()),
                    staple: Some("/a.ocsp".to_owned()),
                    place: "file:1".to_owned(),
                    key_place: "file:2".to_owned(),
                }],
                spare_keys: vec![file_at("/c", "file:3")],
                chain: Some(file_at("/d", "file:4")),
                authorities: None,
                strict: true,
                placeholder: true,
                signatures: SignatureRequest {
                    schemes: vec![SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256],
                    tls13: true,
                    tls12: false,
                    place: "file:3".to_owned(),
                    suites: Suites12::default(),
                },
            })),
        };
        let back = Order::decode(&order.encode()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{order:?}"));
        let read = back.requests.read().unwrap();
        assert_eq!(Requests::new(read.into_iter()), order.requests);
        let mut other = order.encode();
        other[3] ^= 1;
        assert!(Order::decode(&other).is_err(), "another version");
    }

    #[test]
    fn answers_carry_public_halves_and_keep_sharing() {
        let set = Arc::new(CertSet::new(vec![pair("a.example"), pair("b.example")]));
        let answer = Answer {
            sets: vec![Some(Arc::clone(&set)), None, Some(Arc::clone(&set))],
            problems: vec![Problem {
                severity: Severity::Warning,
                request: 1,
                place: "x:2".to_owned(),
                file: "/c".to_owned(),
                text: "is odd".to_owned(),
            }],
            as_before: None,
        };
        let state = State {
            weaknesses: Weaknesses {
                unfiltered: true,
                ..Weaknesses::default()
            },
            failure: "none".to_owned(),
        };
        assert_eq!(State::decode(&state.encode()), Ok(state));
        let transport = Transport::new();
        let (mut sent, mut known) = (Sent::default(), Known::new());
        let whole = answer.encode(&mut sent);
        let back = Answer::decode(&whole, &transport, &mut known).unwrap();
        let again = answer.encode(&mut sent);
        assert!(
            again.len() < whole.len() / 2,
            "what is known is not sent again"
        );
        let second = Answer::decode(&again, &transport, &mut known).unwrap();
        let same = Answer {
            as_before: Some(7),
            ..Answer::default()
        };
        let short = same.encode(&mut sent);
        let short = Answer::decode(&short, &transport, &mut known).unwrap();
        assert_eq!((short.as_before, short.sets.len()), (Some(7), 0));
        let pairs = |answer: &Answer| answer.sets[0].as_ref().unwrap().pairs().to_vec();
        assert!(
            Arc::ptr_eq(&pairs(&back)[0], &pairs(&second)[0]),
            "nor parsed again"
        );
        assert!(
            Answer::decode(&again, &transport, &mut Known::new()).is_err(),
            "a number that nobody gave"
        );
        let [Some(first), None, Some(third)] = &back.sets[..] else {
            panic!("{:?}", back.sets);
        };
        assert!(Arc::ptr_eq(first, third));
        assert_eq!(back.problems, answer.problems);
        for (ours, theirs) in set.pairs().iter().zip(first.pairs()) {
            assert_eq!(ours.chain(), theirs.chain());
            assert_eq!(ours.key.public_key(), theirs.key.public_key());
            assert!(theirs.certified().keys_match().is_ok());
            assert_eq!(ours.kind, theirs.kind);
        }
    }

    #[test]
    fn damaged_answers_do_not_panic() {
        let set = Arc::new(CertSet::new(vec![pair("a.example")]));
        let answer = Answer {
            sets: vec![Some(set)],
            ..Answer::default()
        };
        let transport = Transport::new();
        let good = answer.encode(&mut Sent::default());
        let mut random = Random::new(5);
        for _ in 0..2000 {
            let mut bad = good.clone();
            bad.truncate(random.below(good.len() + 1));
            for _ in 0..random.below(4) {
                if let Some(at) = bad.len().checked_sub(1).map(|last| random.below(last + 1)) {
                    bad[at] = random.next() as u8;
                }
            }
            let _ = Answer::decode(&bad, &transport, &mut Known::new());
            let _ = Order::decode(&bad).map(|order| order.requests.read());
        }
    }
}
