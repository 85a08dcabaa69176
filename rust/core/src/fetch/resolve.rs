// SPDX-License-Identifier: Apache-2.0
//! Messages of DNS (RFC 1035) as a stub resolver has them: questions for addresses of one name, and their answers.
//!
//! The process that fetches can open no file and so cannot use the C library's resolver. httpd's parent tells it the name
//! servers and the hosts of resolv.conf(5) and hosts(5).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub mod system;

/// Most addresses of a name that are tried.
pub const MOST_ADDRESSES: usize = 8;
/// Most names on the way to the one with addresses (CNAME).
const MOST_ALIASES: usize = 16;
/// Most records of an answer that are looked at.
const MOST_RECORDS: usize = 64;
/// Longest name in octets (RFC 1035 3.1), and so most pointers that lead to one.
const LONGEST_NAME: usize = 255;

const CLASS_IN: u16 = 1;
const CNAME: u16 = 5;

/// Kinds of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4.
    A = 1,
    /// IPv6.
    Aaaa = 28,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not the answer to that question: the next one may be.
    Foreign,
    /// It cannot be read.
    Unreadable,
    /// It was too long for its datagram, and is to be had by TCP.
    Truncated,
    /// There is no such name.
    NoName,
    /// The server cannot or will not say.
    Refused,
}

/// A question. `None` where the name is none of DNS.
pub fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(name.len().saturating_add(32));
    message.extend_from_slice(&id.to_be_bytes());
    // A standard query, recursion desired; one question.
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..64).contains(length))?;
        message.push(length);
        message.extend_from_slice(label.as_bytes());
    }
    message.push(0);
    message.extend_from_slice(&(kind as u16).to_be_bytes());
    message.extend_from_slice(&CLASS_IN.to_be_bytes());
    (name.len() <= 253).then_some(message)
}

/// The addresses that `message` gives as an answer to `question`, at most [`MOST_ADDRESSES`].
///
/// # Errors
/// Why there are none; a name without addresses of that kind has none, and is no error.
pub fn answer(question: &[u8], message: &[u8], kind: Kind) -> Result<Vec<IpAddr>, Fault> {
    let (asked, body) = question.split_at_checked(12).ok_or(Fault::Foreign)?;
    let (head, rest) = message.split_at_checked(12).ok_or(Fault::Foreign)?;
    let [i0, i1, high, low, questions @ ..] = head else {
        return Err(Fault::Foreign);
    };
    let [q0, q1, answers0, answers1, ..] = questions else {
        return Err(Fault::Foreign);
    };
    let is_response = high & 0x80 != 0 && high & 0x78 == 0;
    if asked.get(..2) != Some(&[*i0, *i1][..]) || !is_response {
        return Err(Fault::Foreign);
    }
    let same_question = rest
        .get(..body.len())
        .is_some_and(|said| said.eq_ignore_ascii_case(body));
    if [*q0, *q1] != [0, 1] || !same_question {
        return Err(Fault::Foreign);
    }
    match low & 0x0f {
        0 => {}
        3 => return Err(Fault::NoName),
        _ => return Err(Fault::Refused),
    }
    if high & 0x02 != 0 {
        return Err(Fault::Truncated);
    }
    let count = usize::from(u16::from_be_bytes([*answers0, *answers1])).min(MOST_RECORDS);
    let mut reader = Reader {
        message,
        at: body.len().saturating_add(12),
    };
    let records: Option<Vec<Record<'_>>> = (0..count).map(|_| reader.record()).collect();
    let mut asked = Reader { message, at: 12 };
    let name = asked.name().ok_or(Fault::Unreadable)?;
    Ok(addresses(&records.ok_or(Fault::Unreadable)?, name, kind))
}

/// Follows aliases from `name` to where addresses are.
fn addresses(records: &[Record<'_>], mut name: Vec<u8>, kind: Kind) -> Vec<IpAddr> {
    for _ in 0..MOST_ALIASES {
        let of_name = || records.iter().filter(|record| record.name == name);
        let found: Vec<IpAddr> = of_name()
            .filter_map(|record| record.address(kind))
            .take(MOST_ADDRESSES)
            .collect();
        let alias = of_name().find_map(|record| record.alias.clone());
        match alias {
            Some(alias) if found.is_empty() => name = alias,
            _ => return found,
        }
    }
    Vec::new()
}

struct Record<'a> {
    name: Vec<u8>,
    kind: u16,
    data: &'a [u8],
    alias: Option<Vec<u8>>,
}

impl Record<'_> {
    fn address(&self, kind: Kind) -> Option<IpAddr> {
        if self.kind != kind as u16 {
            return None;
        }
        match kind {
            Kind::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(self.data).ok()?).into()),
            Kind::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(self.data).ok()?).into()),
        }
    }
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.message.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn record(&mut self) -> Option<Record<'a>> {
        let name = self.name()?;
        let (kind, class) = (self.short()?, self.short()?);
        self.take(4)?;
        let length = usize::from(self.short()?);
        let start = self.at;
        let data = self.take(length)?;
        let mut inside = Reader {
            message: self.message,
            at: start,
        };
        let alias = (kind == CNAME && class == CLASS_IN).then(|| inside.name());
        let alias = match alias {
            Some(alias) => Some(alias.filter(|_| inside.at == self.at)?),
            None => None,
        };
        Some(Record {
            name,
            kind: if class == CLASS_IN { kind } else { 0 },
            data,
            alias,
        })
    }

    /// A name in lower case, each label with its length. Pointers lead backwards only (RFC 1035 4.1.4), and a name is no
    /// longer than 255 octets, so that no message makes more work than that.
    fn name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        let mut end = None;
        let mut before = self.at;
        loop {
            let [length] = *self.take(1)? else {
                return None;
            };
            match length {
                0 => break,
                1..=63 => {
                    name.push(length);
                    name.extend(
                        self.take(usize::from(length))?
                            .iter()
                            .map(u8::to_ascii_lowercase),
                    );
                    if name.len() > LONGEST_NAME {
                        return None;
                    }
                }
                0xc0..=0xff => {
                    let [low] = *self.take(1)? else {
                        return None;
                    };
                    end = end.or(Some(self.at));
                    let to = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                    if to >= before {
                        return None;
                    }
                    (before, self.at) = (to, to);
                }
                _ => return None,
            }
        }
        self.at = end.unwrap_or(self.at);
        Some(name)
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
