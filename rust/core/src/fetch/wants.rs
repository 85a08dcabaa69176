// SPDX-License-Identifier: Apache-2.0
//! What httpd's parent wants: how questions are asked, which responses and lists are to be kept fresh.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::resolve::system::System;
use super::results::Key;
use crate::agent::protocol::codec::{Cut, Reader, Writer};
use crate::ocsp;

/// What a configuration wants of the fetcher.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Uid and gid that it runs under.
    pub id: u32,
    /// Threads of one child.
    pub threads: u32,
    /// Most children at a time.
    pub children: u32,
    /// Where what was fetched is kept over a stop of httpd; empty for nowhere.
    pub directory: PathBuf,
    /// What to fetch.
    pub wants: Wants,
}

/// How a responder is asked and its answer judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A responder that the administrator names.
    pub responder: Option<String>,
    /// That one is asked whatever the certificate names.
    pub always: bool,
    /// The proxy over which responders are reached.
    pub proxy: Option<String>,
    /// How long all of it may take.
    pub timeout: Duration,
    /// A nonce goes with the question, and has to come back.
    pub nonce: bool,
    /// How an answer is judged.
    pub judging: ocsp::Rules,
}

/// A rule by its contents: the same in every process and configuration.
pub type RuleId = [u8; 32];

impl Rule {
    /// Its id.
    pub fn id(&self) -> RuleId {
        let mut w = Writer::default();
        self.encode(&mut w);
        sha256(&w.into_bytes())
    }

    fn encode(&self, w: &mut Writer) {
        w.optional(self.responder.as_deref());
        w.byte(u8::from(self.always));
        w.optional(self.proxy.as_deref());
        w.number(u32::try_from(self.timeout.as_millis()).unwrap_or(u32::MAX));
        w.byte(u8::from(self.nonce));
        w.long(self.judging.skew.cast_unsigned());
        w.byte(u8::from(self.judging.max_age.is_some()));
        w.long(self.judging.max_age.unwrap_or(0).cast_unsigned());
        w.byte(u8::from(self.judging.verify));
        w.list(&self.judging.responders, |w, der| w.bytes(der));
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Cut> {
        let age = |r: &mut Reader<'_>| {
            let (is_some, age) = (r.byte()? != 0, r.long()?.cast_signed());
            Ok(is_some.then_some(age))
        };
        Ok(Self {
            responder: r.optional()?,
            always: r.byte()? != 0,
            proxy: r.optional()?,
            timeout: Duration::from_millis(r.number()?.into()),
            nonce: r.byte()? != 0,
            judging: ocsp::Rules {
                skew: r.long()?.cast_signed(),
                max_age: age(r)?,
                verify: r.byte()? != 0,
                responders: r.list(|r| Ok(r.bytes()?.to_vec()))?,
            },
        })
    }

    /// Whom to ask about a certificate (DER): the address, and whether the administrator named it.
    pub fn responder_of(&self, leaf: &[u8]) -> Option<(String, bool)> {
        let configured = || self.responder.clone().map(|url| (url, true));
        if self.always && self.responder.is_some() {
            return configured();
        }
        let named = ocsp::responder(leaf).map(|url| (url, false));
        named.or_else(configured)
    }
}

/// What a verdict by a rule on a certificate is found by. `None` where one of the two (DER) cannot be read or they do not
/// belong together.
pub fn verdict_key(rule: &RuleId, leaf: &[u8], issuer: &[u8]) -> Option<Key> {
    let about = ocsp::key(leaf, issuer)?;
    Some(Key(sha256(&[&about[..], rule].concat())))
}

/// What the response to staple for a certificate is found by, where `forced` is the responder that the configuration names
/// for it. `None` as above.
pub fn staple_key(leaf: &[u8], issuer: &[u8], forced: Option<&str>) -> Option<Key> {
    let about = ocsp::key(leaf, issuer)?;
    let forced = forced.unwrap_or_default().as_bytes();
    Some(Key(sha256(&[&about[..], b"staple", forced].concat())))
}

pub(super) fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, octets).as_ref());
    hash
}

/// A response about a certificate of the server, to be had ready for handshakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StapleWant {
    /// What it is to be found by.
    pub key: Key,
    /// The certificate, DER.
    pub leaf: Vec<u8>,
    /// Its issuer's, DER.
    pub issuer: Vec<u8>,
    /// How it is asked for. Of the judging only skew and age matter.
    pub rule: Arc<Rule>,
    /// Seconds after which it is asked for anew at the latest.
    pub refresh: u32,
    /// Seconds after which it is asked for anew at the latest where there was no answer.
    pub retry: u32,
    /// The response that was had before, DER; may be empty.
    pub kept: Vec<u8>,
}

/// A revocation list, to be had ready for handshakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListWant {
    /// What it is to be found by.
    pub key: Key,
    /// Where it is; each address is as good as the first one, and asked if those before it fail.
    pub urls: Vec<String>,
    /// The administrator named them.
    pub trusted: bool,
    /// The proxy over which it is fetched.
    pub proxy: Option<String>,
    /// Certificates of the authorities (DER), one of which has to have signed it.
    pub authorities: Vec<Vec<u8>>,
    /// Those (DER) that name the addresses, and so say who signs it and what it is about; empty where the administrator
    /// alone does.
    pub named_by: Vec<Vec<u8>>,
    /// The list that was had before, DER; may be empty.
    pub kept: Vec<u8>,
}

impl ListWant {
    /// Whether a list that is good for the other one is good for this.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.key, &self.authorities, &self.named_by)
            == (other.key, &other.authorities, &other.named_by)
    }
}

/// What a list is found by that is fetched from these addresses.
pub fn list_key(urls: &[String], trusted: bool, proxy: Option<&str>) -> Key {
    let mut w = Writer::default();
    w.text("list");
    w.list(urls, |w, url| w.text(url));
    w.byte(u8::from(trusted));
    w.optional(proxy);
    Key(sha256(&w.into_bytes()))
}

/// All that a configuration wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Certificates' addresses may lead to this machine.
    pub local: bool,
    /// Rules by which children will ask.
    pub rules: Vec<Arc<Rule>>,
    /// Responses to keep fresh.
    pub staples: Vec<StapleWant>,
    /// Lists to keep fresh.
    pub lists: Vec<ListWant>,
}

impl Wants {
    /// Whether there is nothing to fetch.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.staples.is_empty() && self.lists.is_empty()
    }
}

/// An order of the parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Uid and gid to run under.
    pub id: u32,
    /// Most children at a time.
    pub children: u32,
    /// What knows names.
    pub system: System,
    /// Whom to count apart, by number.
    pub hosts: Vec<String>,
    /// What is wanted.
    pub wants: Wants,
}

impl Order {
    /// As it goes to the fetcher.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.number(self.id);
        w.number(self.children);
        w.list(&self.system.servers, |w, server| {
            w.text(&server.to_string());
        });
        w.list(&self.system.hosts, |w, (name, address)| {
            w.text(name);
            w.text(&address.to_string());
        });
        w.list(&self.hosts, |w, host| w.text(host));
        w.byte(u8::from(self.wants.local));
        // Each rule once: those of 10,000 responses are few.
        let mut rules: Vec<&Arc<Rule>> = self.wants.rules.iter().collect();
        let mut places: HashMap<RuleId, usize> = HashMap::new();
        for (place, rule) in rules.iter().enumerate() {
            places.insert(rule.id(), place);
        }
        let of_staples = self.wants.staples.iter().map(|want| {
            *places.entry(want.rule.id()).or_insert_with(|| {
                rules.push(&want.rule);
                rules.len() - 1
            })
        });
        let of_staples: Vec<usize> = of_staples.collect();
        w.list(&rules, |w, rule| rule.encode(w));
        w.count(self.wants.staples.len());
        for (want, rule) in self.wants.staples.iter().zip(of_staples) {
            w.bytes(&want.key.0);
            w.bytes(&want.leaf);
            w.bytes(&want.issuer);
            w.count(rule);
            w.number(want.refresh);
            w.number(want.retry);
            w.bytes(&want.kept);
        }
        w.list(&self.wants.lists, |w, want| {
            w.bytes(&want.key.0);
            w.list(&want.urls, |w, url| w.text(url));
            w.byte(u8::from(want.trusted));
            w.optional(want.proxy.as_deref());
            w.list(&want.authorities, |w, der| w.bytes(der));
            w.list(&want.named_by, |w, der| w.bytes(der));
            w.bytes(&want.kept);
        });
        w.into_bytes()
    }

    /// What came.
    ///
    /// # Errors
    /// The octets end too early, or are no such message.
    pub fn decode(bytes: &[u8]) -> Result<Self, Cut> {
        let mut r = Reader::new(bytes);
        let (id, children) = (r.number()?, r.number()?);
        let server = |r: &mut Reader<'_>| r.text()?.parse::<SocketAddr>().map_err(|_| Cut);
        let system = System {
            servers: r.list(server)?,
            hosts: r.list(|r| Ok((r.text()?, r.text()?.parse().map_err(|_| Cut)?)))?,
        };
        let hosts = r.list(Reader::text)?;
        let local = r.byte()? != 0;
        let rules = r.list(|r| Rule::decode(r).map(Arc::new))?;
        let staples = r.list(|r| {
            Ok(StapleWant {
                key: key(r)?,
                leaf: r.bytes()?.to_vec(),
                issuer: r.bytes()?.to_vec(),
                rule: Arc::clone(rules.get(r.count()?).ok_or(Cut)?),
                refresh: r.number()?,
                retry: r.number()?,
                kept: r.bytes()?.to_vec(),
            })
        })?;
        let lists = r.list(|r| {
            Ok(ListWant {
                key: key(r)?,
                urls: r.list(Reader::text)?,
                trusted: r.byte()? != 0,
                proxy: r.optional()?,
                authorities: r.list(|r| Ok(r.bytes()?.to_vec()))?,
                named_by: r.list(|r| Ok(r.bytes()?.to_vec()))?,
                kept: r.bytes()?.to_vec(),
            })
        })?;
        let wants = Wants {
            local,
            rules,
            staples,
            lists,
        };
        Ok(Self {
            id,
            children,
            system,
            hosts,
            wants,
        })
    }
}

fn key(r: &mut Reader<'_>) -> Result<Key, Cut> {
    r.bytes()?.try_into().map(Key).map_err(|_| Cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(responder: &str) -> Arc<Rule> {
        Arc::new(Rule {
            responder: Some(responder.to_owned()),
            always: true,
            proxy: None,
            timeout: Duration::from_secs(10),
            nonce: true,
            judging: ocsp::Rules {
                skew: 300,
                max_age: Some(7),
                verify: true,
                responders: vec![vec![1, 2]],
            },
        })
    }

    fn staple(n: u8, rule: &Arc<Rule>) -> StapleWant {
        StapleWant {
            key: Key([n; 32]),
            leaf: vec![n],
            issuer: vec![n, n],
            rule: Arc::clone(rule),
            refresh: 3600,
            retry: 600,
            kept: vec![n; 3],
        }
    }

    #[test]
    fn orders_arrive_as_they_were_given() {
        let (first, second) = (rule("http://a/"), rule("http://b/"));
        let order = Order {
            id: 7,
            children: 9,
            system: System::parse("nameserver 192.0.2.1", "192.0.2.2 a"),
            hosts: vec!["a".to_owned(), "b:81".to_owned()],
            wants: Wants {
                local: true,
                rules: vec![Arc::clone(&first), Arc::clone(&second)],
                staples: vec![staple(1, &second), staple(2, &first), staple(3, &second)],
                lists: vec![ListWant {
                    key: Key([9; 32]),
                    urls: vec!["http://l/".to_owned(), "http://m/".to_owned()],
                    trusted: true,
                    proxy: Some("http://p:1/".to_owned()),
                    authorities: vec![vec![5]],
                    named_by: vec![vec![6], vec![5]],
                    kept: vec![],
                }],
            },
        };
        let bytes = order.encode();
        assert_eq!(Order::decode(&bytes).as_ref(), Ok(&order));
        for length in 0..bytes.len() {
            assert!(Order::decode(&bytes[..length]).is_err());
        }
        assert_ne!(first.id(), second.id());
        assert_eq!(first.id(), rule("http://a/").id());
    }
}
