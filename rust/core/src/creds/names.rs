// SPDX-License-Identifier: Apache-2.0
//! Which host names a certificate covers (RFC 6125, RFC 9525).

use std::net::IpAddr;

/// Whether one name of a certificate covers `host`, both without regard to case.
///
/// RFC 9525 6.3: "the wildcard character MUST be the complete left-most label"; it stands for one label.
pub fn covers(pattern: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    match pattern.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && domain.contains('.') && rest.eq_ignore_ascii_case(domain)
        }),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// The address that a ServerName spells, brackets of IPv6 allowed.
pub fn address(host: &str) -> Option<IpAddr> {
    let bare = host
        .strip_prefix('[')
        .and_then(|h| h.strip_suffix(']'))
        .unwrap_or(host);
    bare.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_label() {
        for (pattern, host, expected) in [
            ("a.example", "A.EXAMPLE", true),
            ("a.example", "a.example.", true),
            ("a.example", "b.example", false),
            ("*.a.example", "x.a.example", true),
            ("*.a.example", "X.A.EXAMPLE", true),
            ("*.a.example", "a.example", false),
            ("*.a.example", "x.y.a.example", false),
            ("*.a.example", ".a.example", false),
            ("x*.a.example", "xy.a.example", false),
            ("*.local", "host.local", false),
            ("*", "host", false),
        ] {
            assert_eq!(covers(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(address("192.0.2.1"), "192.0.2.1".parse().ok());
        assert_eq!(address("[2001:db8::1]"), "2001:db8::1".parse().ok());
        assert_eq!(address("a.example"), None);
    }
}
