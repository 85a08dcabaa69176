// SPDX-License-Identifier: Apache-2.0
//! Addresses of what is fetched: `http` alone (RFC 3986; RFC 6960 A.1 and RFC 5280 4.2.1.13 need no more).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest address that is followed.
pub const LONGEST: usize = 2048;

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// An address of something to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whom to connect to.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// What is asked for: path and query, with a slash before it.
    pub path: String,
}

/// Why an address is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is longer than [`LONGEST`], or holds what no address may.
    Characters,
    /// It is not of the scheme `http`.
    Scheme,
    /// It names a user or a password.
    User,
    /// The name of the host or the port is none.
    Host,
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "it is too long, or has characters that no address has",
            Self::Scheme => "its scheme is not http",
            Self::User => "it names a user",
            Self::Host => "its host or port is none",
        })
    }
}

impl Url {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Fault::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(Fault::Scheme)?;
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(Fault::Scheme);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(Fault::Host)?;
        if authority.contains('@') {
            return Err(Fault::User);
        }
        let (host, port) = host_and_port(authority)?;
        // A fragment is the reader's own (RFC 3986 3.5).
        let path = rest.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            host,
            port,
            path: format!("{slash}{path}"),
        })
    }

    /// What a reference in an answer of this address leads to (RFC 9110 10.2.2): another absolute address, or a path here.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn join(&self, reference: &str) -> Result<Self, Fault> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("http:{reference}"));
        }
        let place = self.path.split('?').next().unwrap_or_default();
        let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
        let authority = self.authority();
        match reference.starts_with('/') {
            true => Self::parse(&format!("http://{authority}{reference}")),
            false => Self::parse(&format!("http://{authority}{folder}/{reference}")),
        }
    }

    /// Host and port as they stand in an address: without the port that http has by itself.
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.to_string(),
            port => format!("{}:{port}", self.host),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path)
    }
}

fn host_and_port(authority: &str) -> Result<(Host, u16), Fault> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(Fault::Host)?;
            let address: Ipv6Addr = address.parse().map_err(|_| Fault::Host)?;
            (Host::Address(address.into()), port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at_checked(end).ok_or(Fault::Host)?;
            (named(name)?, port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => 80,
        Some("") => 80,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| Fault::Host)?
        }
        _ => return Err(Fault::Host),
    };
    if port == 0 {
        return Err(Fault::Host);
    }
    Ok((host, port))
}

/// A name of DNS, or an address in four decimal numbers. A name whose last label is a number is neither: others would read
/// `127.1` and `2130706433` as addresses.
fn named(name: &str) -> Result<Host, Fault> {
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .get(..2)
            .is_some_and(|two| two.eq_ignore_ascii_case("0x"));
    if name.len() > 253 || !name.split('.').all(is_label) || numeric {
        return Err(Fault::Host);
    }
    Ok(Host::Name(name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Url::parse(text).map_or_else(|fault| format!("{fault:?}"), |url| url.to_string())
    }

    #[test]
    fn addresses_that_are_followed() {
        for (text, meant) in [
            ("http://ocsp.example", "http://ocsp.example/"),
            (
                "HTTP://OCSP.Example.:80/a%2Fb?c#d",
                "http://ocsp.example/a%2Fb?c",
            ),
            ("http://a:8080?x", "http://a:8080/?x"),
            ("http://192.0.2.7:/", "http://192.0.2.7/"),
            ("http://[2001:db8::1]:81/", "http://[2001:db8::1]:81/"),
            ("http://r_1.example/", "http://r_1.example/"),
        ] {
            assert_eq!(read(text), meant, "{text}");
        }
    }

    #[test]
    fn addresses_that_are_not() {
        for (text, fault) in [
            ("https://a/", "Scheme"),
            ("ldap://a/", "Scheme"),
            ("file:///etc/passwd", "Scheme"),
            ("a", "Scheme"),
            ("http://a b/", "Characters"),
            ("http://a/\r\nHost:b", "Characters"),
            ("http://u:p@a/", "User"),
            ("http:///x", "Host"),
            ("http://a..b/", "Host"),
            ("http://a:0/", "Host"),
            ("http://a:65536/", "Host"),
            ("http://a:+80/", "Host"),
            ("http://127.1/", "Host"),
            ("http://2130706433/", "Host"),
            ("http://0x7f.0x1/", "Host"),
            ("http://[::1/", "Host"),
            ("http://[fe80::1%25eth0]/", "Host"),
            ("http://[::1]x/", "Host"),
        ] {
            assert_eq!(read(text), fault, "{text}");
        }
        assert_eq!(
            read(&format!("http://a/{}", "x".repeat(LONGEST))),
            "Characters"
        );
    }

    #[test]
    fn references_in_answers() {
        let base = Url::parse("http://a.example:81/x/y?z").unwrap();
        for (reference, meant) in [
            ("/new?q", "http://a.example:81/new?q"),
            ("new", "http://a.example:81/x/new"),
            ("//b.example/q", "http://b.example/q"),
            ("http://c.example", "http://c.example/"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), meant);
        }
        assert_eq!(base.join("https://a/"), Err(Fault::Scheme));
        assert_eq!(base.join("/a b"), Err(Fault::Characters));
    }
}
