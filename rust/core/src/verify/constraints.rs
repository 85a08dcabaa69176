// SPDX-License-Identifier: Apache-2.0
//! Name constraints (RFC 5280, 4.2.1.10 and 6.1.3 (b) and (c)), each CA's against all names beneath it.
//!
//! Where the RFC leaves room the reading is OpenSSL's: a trusted certificate's constraints count, a common name that could
//! be a host's counts as one where no dNSName is, and the subject's emailAddress counts as an rfc822Name.

use super::certificate::PathCertificate;
use super::elements::directory_name;
use super::reason;
use super::work::{Exhausted, Work};
use crate::x509::canonical::{is_beneath, string};
use crate::x509::der::{IA5_STRING, OID, Reader, SEQUENCE, SET};

mod matching;

use matching::{Match, dns, email, ip, uri};

const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const DIRECTORY: u8 = 0xa4;
const URI: u8 = 0x86;
const IP: u8 = 0x87;
const OTHER: u8 = 0xa0;

/// emailAddress of PKCS#9, and commonName.
const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];

/// Comparisons that cost one unit of work.
const COMPARISONS: u64 = 8;

/// What was found of a path.
type Checked = Result<Result<(), &'static str>, Exhausted>;

/// One name, or the base of one subtree: its tag as a GeneralName and its content; directory names canonical.
#[derive(Clone, Debug)]
struct Name {
    tag: u8,
    content: Vec<u8>,
}

/// The subtrees of one CA.
#[derive(Debug, Default)]
struct Subtrees {
    permitted: Vec<Name>,
    excluded: Vec<Name>,
    /// One of them has a minimum or maximum, which nobody may use (RFC 5280, 4.2.1.10).
    bounded: bool,
}

/// Checks the names of a path, first certificate first, against the constraints above each.
///
/// # Errors
/// There are more comparisons than the budget allows.
pub(super) fn check(path: &[&PathCertificate<'_>], work: &mut Work) -> Checked {
    let mut above: Vec<Subtrees> = Vec::new();
    for (place, certificate) in path.iter().enumerate().rev() {
        // RFC 5280, 6.1.3 (b): self-issued ones are not bound, unless they are the first.
        if !above.is_empty() && (place == 0 || !certificate.is_self_issued()) {
            work.charge_reading(certificate.outline.subject.raw.len())?;
            work.charge_reading(certificate.alt_names.map_or(0, <[u8]>::len))?;
            let Some(names) = names_of(certificate, place == 0) else {
                return Ok(Err(reason::NAME_SYNTAX));
            };
            for subtrees in &above {
                if let Err(why) = admits(subtrees, &names, work)? {
                    return Ok(Err(why));
                }
            }
        }
        if place > 0
            && let Some(content) = certificate.constraints
        {
            work.charge_reading(content.len())?;
            match Subtrees::parse(content) {
                Some(subtrees) => above.push(subtrees),
                None => return Ok(Err(reason::EXTENSION)),
            }
        }
    }
    Ok(Ok(()))
}

/// Whether the common names of the first certificate, each taken for a host's, are admitted by all above it.
///
/// # Errors
/// There are more comparisons than the budget allows.
pub(super) fn admits_common_names(
    path: &[&PathCertificate<'_>],
    work: &mut Work,
) -> Result<bool, Exhausted> {
    let Some((first, above)) = path.split_first() else {
        return Ok(true);
    };
    work.charge_reading(first.outline.subject.raw.len())?;
    let Some(names) = attributes(first, COMMON_NAME) else {
        return Ok(false);
    };
    let names: Vec<Name> = names
        .into_iter()
        .map(|(_, text)| Name {
            tag: DNS,
            content: text.unwrap_or_default().into_bytes(),
        })
        .collect();
    for content in above.iter().filter_map(|issuer| issuer.constraints) {
        work.charge_reading(content.len())?;
        let Some(subtrees) = Subtrees::parse(content) else {
            return Ok(false);
        };
        if admits(&subtrees, &names, work)?.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn admits(subtrees: &Subtrees, names: &[Name], work: &mut Work) -> Checked {
    let count = subtrees
        .permitted
        .len()
        .saturating_add(subtrees.excluded.len());
    let comparisons = u64::try_from(count.saturating_mul(names.len())).unwrap_or(u64::MAX);
    work.charge(comparisons / COMPARISONS)?;
    for name in names {
        if let Err(why) = admits_one(subtrees, name) {
            return Ok(Err(why));
        }
    }
    Ok(Ok(()))
}

fn admits_one(subtrees: &Subtrees, name: &Name) -> Result<(), &'static str> {
    let of_kind = |base: &&Name| {
        base.tag == name.tag
            && (name.tag != OTHER || other_type(&base.content) == other_type(&name.content))
    };
    let mut permitted = subtrees.permitted.iter().filter(of_kind).peekable();
    let mut excluded = subtrees.excluded.iter().filter(of_kind).peekable();
    if permitted.peek().is_none() && excluded.peek().is_none() {
        return Ok(());
    }
    if subtrees.bounded {
        return Err(reason::MINMAX);
    }
    if permitted.peek().is_some() {
        let mut found = false;
        for base in permitted {
            found |= compare(name, base, false)?;
        }
        if !found {
            return Err(reason::SUBTREE);
        }
    }
    for base in excluded {
        if compare(name, base, true)? {
            return Err(reason::EXCLUDED);
        }
    }
    Ok(())
}

/// Whether a name lies in a subtree. With `any` it is enough that one host of a wildcard does.
fn compare(name: &Name, base: &Name, any: bool) -> Result<bool, &'static str> {
    let matched = match name.tag {
        DIRECTORY => Match::of(is_beneath(&name.content, &base.content)),
        DNS => dns(&name.content, &base.content, any),
        EMAIL => email(&name.content, &base.content),
        URI => uri(&name.content, &base.content),
        IP => ip(&name.content, &base.content),
        _ => return Err(reason::CONSTRAINT_TYPE),
    };
    match matched {
        Match::Inside => Ok(true),
        Match::Outside => Ok(false),
        Match::BadName => Err(reason::NAME_SYNTAX),
        Match::BadBase => Err(reason::CONSTRAINT_SYNTAX),
    }
}

fn other_type(content: &[u8]) -> Option<&[u8]> {
    Reader::new(content).require(OID).map(|oid| oid.value)
}

impl Subtrees {
    /// Reads NameConstraints.
    fn parse(content: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        let mut fields = Reader::new(content);
        // Neither field may be there for nothing.
        if fields.at_end() {
            return None;
        }
        while !fields.at_end() {
            let field = fields.any()?;
            let mut list = Reader::new(field.value);
            while !list.at_end() {
                let mut subtree = list.enter(SEQUENCE)?;
                let base = subtree.any()?;
                let base = Name::new(base.tag, base.value)?;
                while !subtree.at_end() {
                    let bound = subtree.any()?;
                    found.bounded |= bound.tag != 0x80 || bound.value != [0];
                }
                match field.tag {
                    0xa0 => found.permitted.push(base),
                    0xa1 => found.excluded.push(base),
                    _ => return None,
                }
            }
        }
        Some(found)
    }
}

impl Name {
    fn new(tag: u8, content: &[u8]) -> Option<Self> {
        let content = if tag == DIRECTORY {
            directory_name(content)?
        } else {
            content.to_vec()
        };
        Some(Self { tag, content })
    }
}

/// All names of a certificate. Of the first one of a path a common name counts as a host's where there is no dNSName and
/// it looks like one.
fn names_of(certificate: &PathCertificate<'_>, first: bool) -> Option<Vec<Name>> {
    let mut names = Vec::new();
    if !certificate.subject.is_empty() {
        let content = certificate.subject.clone();
        names.push(Name {
            tag: DIRECTORY,
            content,
        });
        for (tag, text) in attributes(certificate, EMAIL_ADDRESS)? {
            // It is an IA5String (RFC 2985, 5.2.1); OpenSSL wants no other either.
            let content = text.filter(|_| tag == IA5_STRING)?.into_bytes();
            names.push(Name {
                tag: EMAIL,
                content,
            });
        }
    }
    let mut alt_names = Reader::new(certificate.alt_names.unwrap_or_default());
    while !alt_names.at_end() {
        let name = alt_names.any()?;
        names.push(Name::new(name.tag, name.value)?);
    }
    if first && !names.iter().any(|name| name.tag == DNS) {
        for (_, text) in attributes(certificate, COMMON_NAME)? {
            let text = text?;
            let text = text.trim_end_matches('\0');
            if text.contains('\0') {
                return None;
            }
            if matching::is_host(text) {
                let content = text.as_bytes().to_vec();
                names.push(Name { tag: DNS, content });
            }
        }
    }
    Some(names)
}

/// Tags and texts of the attributes of one type in a subject; no text where the value is no string.
fn attributes(certificate: &PathCertificate<'_>, oid: &[u8]) -> Option<Vec<(u8, Option<String>)>> {
    let mut found = Vec::new();
    let mut subject = Reader::new(certificate.outline.subject.value);
    while !subject.at_end() {
        let mut set = subject.enter(SET)?;
        while !set.at_end() {
            let mut attribute = set.enter(SEQUENCE)?;
            let kind = attribute.require(OID)?.value;
            let value = attribute.any()?;
            if kind == oid {
                found.push((value.tag, string(value.tag, value.value).flatten()));
            }
        }
    }
    Some(found)
}
