// SPDX-License-Identifier: Apache-2.0
//! Which certificates a list is about (RFC 5280, 5.2.5), and where a certificate says that its list is (4.2.1.13).

use crate::verify::elements::{directory_name, general_name};
use crate::x509::canonical::canonical;
use crate::x509::der::{Element, Reader, SEQUENCE, SET, whole, written};
use crate::x509::uses::bits;

/// Reasons for revocation, one bit each, as in ReasonFlags: bit 0 is none.
pub(crate) type Reasons = u16;

/// All of them: bits 1 to 8.
pub(crate) const ALL_REASONS: Reasons = 0x1fe;

/// GeneralNames, each as its tag and content, directory names canonical.
type Names = Vec<(u8, Vec<u8>)>;

/// What an IssuingDistributionPoint says.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Names of the partition; `None` where there are none.
    point: Option<Names>,
    users: bool,
    authorities: bool,
    attributes: bool,
    /// Entries may be about certificates of other issuers.
    pub indirect: bool,
    /// What it knows of.
    pub reasons: Reasons,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            point: None,
            users: false,
            authorities: false,
            attributes: false,
            indirect: false,
            reasons: ALL_REASONS,
        }
    }
}

impl Scope {
    /// Reads the value of the extension in a list of `issuer`, the content of whose name is given.
    pub(crate) fn parse(value: &[u8], issuer: &[u8]) -> Option<Self> {
        let mut scope = Self::default();
        let mut fields = whole(value, SEQUENCE)?;
        let mut last = None;
        while !fields.at_end() {
            let field = later_field(&mut fields, &mut last)?;
            let flag = || match field.value {
                [octet] => Some(*octet != 0),
                _ => None,
            };
            match field.tag {
                0xa0 => scope.point = Some(point_names(field.value, &[issuer])?),
                0x81 => scope.users = flag()?,
                0x82 => scope.authorities = flag()?,
                0x83 => scope.reasons = reasons(field.value)?,
                0x84 => scope.indirect = flag()?,
                0x85 => scope.attributes = flag()?,
                _ => return None,
            }
        }
        // At most one of them (RFC 5280, 5.2.5).
        let kinds = [scope.users, scope.authorities, scope.attributes];
        (kinds.iter().filter(|kind| **kind).count() <= 1).then_some(scope)
    }

    /// Whether a list of `issuer` with this scope is all of what a certificate means by one of these points. `authority`: for
    /// certificates of authorities, else for others; `own`: the list's issuer is the certificate's.
    pub(crate) fn fills(
        &self,
        points: &[Point],
        authority: bool,
        own: bool,
        issuer: &[u8],
    ) -> bool {
        let is_filled =
            |point: &Point| self.fits(point, own, issuer) && point.reasons & !self.reasons == 0;
        !self.is_of_others(authority) && points.iter().any(is_filled)
    }

    fn is_of_others(&self, authority: bool) -> bool {
        self.attributes || (authority && self.users) || (!authority && self.authorities)
    }

    fn fits(&self, point: &Point, own: bool, issuer: &[u8]) -> bool {
        point.is_of(own, issuer) && point.meets(self.point.as_ref())
    }

    /// What the list knows of a certificate with these distribution points; `None` where it is about others. `own` says
    /// that the list's issuer is the certificate's (RFC 5280, 6.3.3 (b) and (d)).
    pub(crate) fn covers(
        &self,
        points: &[Point],
        authority: bool,
        own: bool,
        issuer: &[u8],
    ) -> Option<Reasons> {
        if self.is_of_others(authority) {
            return None;
        }
        let fitting = points.iter().filter(|point| self.fits(point, own, issuer));
        let named = fitting.fold(None, |sum, point| {
            Some(sum.unwrap_or(0) | (point.reasons & self.reasons))
        });
        match named {
            // A list of everything is about a certificate wherever that says that its list is.
            None | Some(_) if own && self.point.is_none() => Some(self.reasons),
            named => named,
        }
    }
}

/// One distribution point of a certificate.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    names: Option<Names>,
    reasons: Reasons,
    /// Canonical names of whoever signs the list instead of the certificate's issuer.
    pub issuers: Vec<Vec<u8>>,
}

impl Point {
    /// Reads CRLDistributionPoints of a certificate whose issuer's name has `issuer` for content.
    pub(crate) fn parse_all(content: &[u8], issuer: &[u8]) -> Option<Vec<Self>> {
        let mut list = Reader::new(content);
        let mut found = Vec::new();
        while !list.at_end() {
            let fields = list.enter(SEQUENCE)?;
            found.push(Self::parse(fields, issuer)?);
        }
        Some(found)
    }

    fn parse(mut fields: Reader<'_>, issuer: &[u8]) -> Option<Self> {
        let mut names = None;
        let mut point = Self {
            names: None,
            reasons: ALL_REASONS,
            issuers: Vec::new(),
        };
        let (mut signers, mut named) = (Vec::new(), false);
        let mut last = None;
        while !fields.at_end() {
            let field = later_field(&mut fields, &mut last)?;
            match field.tag {
                0xa0 => names = Some(field.value),
                0x81 => point.reasons = reasons(field.value)?,
                0xa2 => {
                    let mut list = Reader::new(field.value);
                    named = !list.at_end();
                    while !list.at_end() {
                        let name = list.any()?;
                        general_name(&name)?;
                        if name.tag == 0xa4 {
                            point.issuers.push(directory_name(name.value)?);
                            signers.push(Reader::new(name.value).require(SEQUENCE)?.value);
                        }
                    }
                }
                _ => return None,
            }
        }
        // Reasons alone are no point (RFC 5280, 4.2.1.13).
        (named || names.is_some()).then_some(())?;
        if let Some(names) = names {
            // A relative name is beneath the list's issuer (RFC 5280, 4.2.1.13).
            let bases = if signers.is_empty() {
                vec![issuer]
            } else {
                signers
            };
            point.names = Some(point_names(names, &bases)?);
        }
        Some(point)
    }

    /// Addresses in its full name (GeneralName's uniformResourceIdentifier).
    pub(crate) fn urls(&self) -> Vec<String> {
        let names = self.names.iter().flatten().filter(|(tag, _)| *tag == 0x86);
        let text = |(_, content): &(u8, Vec<u8>)| String::from_utf8(content.clone()).ok();
        names.filter_map(text).collect()
    }

    fn is_of(&self, own: bool, issuer: &[u8]) -> bool {
        if self.issuers.is_empty() {
            own
        } else {
            self.issuers.iter().any(|name| name == issuer)
        }
    }

    fn meets(&self, partition: Option<&Names>) -> bool {
        let Some(partition) = partition else {
            return true;
        };
        match &self.names {
            Some(names) => names.iter().any(|name| partition.contains(name)),
            // RFC 5280, 6.3.3 (b)(2)(i): then the name of who signs counts.
            None => self.issuers.iter().any(|name| {
                partition
                    .iter()
                    .any(|(tag, content)| *tag == 0xa4 && content == name)
            }),
        }
    }
}

/// The next field, whose number must be greater than that of the one before it: each stands once, in its place.
fn later_field<'a>(fields: &mut Reader<'a>, last: &mut Option<u8>) -> Option<Element<'a>> {
    let field = fields.any()?;
    let number = field.tag & 0x1f;
    let before = last.replace(number);
    before.is_none_or(|before| before < number).then_some(field)
}

/// The addresses of each list that CRLDistributionPoints names, in a certificate whose issuer's name has `issuer` for
/// content. One that cannot be read names none.
pub(crate) fn addresses(content: &[u8], issuer: &[u8]) -> Vec<Vec<String>> {
    let points = Point::parse_all(content, issuer).unwrap_or_default();
    points.iter().map(Point::urls).collect()
}

/// DistributionPointName: full names, or one that is relative to one of `bases`.
fn point_names(content: &[u8], bases: &[&[u8]]) -> Option<Names> {
    let mut choice = Reader::new(content);
    let name = choice.any().filter(|_| choice.at_end())?;
    match name.tag {
        0xa0 => {
            let mut list = Reader::new(name.value);
            let mut found = Vec::new();
            while !list.at_end() {
                let name = list.any()?;
                general_name(&name)?;
                found.push(match name.tag {
                    0xa4 => (name.tag, directory_name(name.value)?),
                    tag => (tag, name.value.to_vec()),
                });
            }
            Some(found)
        }
        0xa1 => {
            let relative = written(SET, &[name.value]);
            let full = |base: &&[u8]| Some((0xa4, canonical(&[*base, &relative].concat())?));
            bases.iter().map(full).collect()
        }
        _ => None,
    }
}

fn reasons(content: &[u8]) -> Option<Reasons> {
    let (&unused, octets) = content.split_first()?;
    bits(unused, octets).map(|bits| bits & ALL_REASONS)
}
