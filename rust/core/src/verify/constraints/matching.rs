// SPDX-License-Identifier: Apache-2.0
//! Whether one name lies in one subtree, by the rules of its kind (RFC 5280, 4.2.1.10).

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Inside,
    Outside,
    /// The name is none of its kind.
    BadName,
    /// The base is none of its kind.
    BadBase,
}

impl Match {
    /// Inside or not.
    pub(super) fn of(inside: bool) -> Self {
        if inside { Self::Inside } else { Self::Outside }
    }
}

/// A host name in a subtree of them: the base itself and what has labels before it. With `any`, also a wildcard of which
/// some host lies there. A base that begins with a dot covers what is beneath it alone, as OpenSSL has it.
pub(super) fn dns(name: &[u8], base: &[u8], any: bool) -> Match {
    if base.is_empty() {
        return Match::Inside;
    }
    // A dot behind everything stands in no name of RFC 5280: nobody is permitted by one, and nobody escapes by one.
    let (name, base) = match any {
        true => (undotted(name), undotted(base)),
        false => (name, base),
    };
    if ends_with(name, base) {
        let before = name.len().saturating_sub(base.len());
        let at_label = before == 0
            || base.first() == Some(&b'.')
            || before.checked_sub(1).and_then(|place| name.get(place)) == Some(&b'.');
        return Match::of(at_label);
    }
    let parent = name.strip_prefix(b"*.").filter(|_| any);
    let covered = parent.is_some_and(|parent| {
        let above = base
            .iter()
            .position(|octet| *octet == b'.')
            .and_then(|dot| base.get(dot.checked_add(1)?..));
        above.is_some_and(|above| above.eq_ignore_ascii_case(parent))
    });
    Match::of(covered)
}

/// A mailbox in a subtree: the one mailbox, all of a host, or with a dot in front all of the hosts beneath it.
pub(super) fn email(name: &[u8], base: &[u8]) -> Match {
    let Some((local, host)) = split_last(name, b'@') else {
        return Match::BadName;
    };
    match split_last(base, b'@') {
        Some((base_local, base_host)) => {
            // The part before @ is as its host reads it: letter for letter.
            let same_local = base_local.is_empty() || base_local == local;
            Match::of(same_local && host.eq_ignore_ascii_case(base_host))
        }
        None => host_in(host, base),
    }
}

/// The host of a URI in a subtree. A URI without one lies in none.
pub(super) fn uri(name: &[u8], base: &[u8]) -> Match {
    let host = || {
        let colon = name.iter().position(|octet| *octet == b':')?;
        let rest = name.get(colon.checked_add(1)?..)?.strip_prefix(b"//")?;
        let end = rest
            .iter()
            .position(|octet| matches!(octet, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let authority = rest.get(..end)?;
        // An address is no host name (RFC 5280, 4.2.1.10), and what is in brackets is one. A user before the host is
        // taken for a part of it by OpenSSL.
        if authority.first() == Some(&b'[') || authority.contains(&b'@') {
            return None;
        }
        let end = authority
            .iter()
            .position(|octet| *octet == b':')
            .unwrap_or(authority.len());
        authority.get(..end).filter(|host| !host.is_empty())
    };
    host().map_or(Match::BadName, |host| host_in(host, base))
}

/// An address in a network: as many octets of address and mask as the name has.
pub(super) fn ip(name: &[u8], base: &[u8]) -> Match {
    if !matches!(name.len(), 4 | 16) {
        return Match::BadName;
    }
    if !matches!(base.len(), 8 | 32) {
        return Match::BadBase;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    if name.len() != network.len() {
        return Match::Outside;
    }
    let same = name
        .iter()
        .zip(network)
        .zip(mask)
        .all(|((octet, network), mask)| (octet ^ network) & mask == 0);
    Match::of(same)
}

/// Whether a common name looks like a host's, as OpenSSL tells them: labels of letters, digits, hyphens and underscores,
/// two of them at least.
pub(super) fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        !label.is_empty()
            && label.chars().all(good)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(is_label)
}

fn undotted(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

fn host_in(host: &[u8], base: &[u8]) -> Match {
    if base.is_empty() {
        return Match::Outside;
    }
    if base.first() == Some(&b'.') {
        return Match::of(host.len() > base.len() && ends_with(host, base));
    }
    Match::of(host.eq_ignore_ascii_case(base))
}

fn ends_with(name: &[u8], end: &[u8]) -> bool {
    name.len()
        .checked_sub(end.len())
        .and_then(|start| name.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn split_last(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().rposition(|octet| *octet == separator)?;
    Some((text.get(..place)?, text.get(place.checked_add(1)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lie_beneath_labels() {
        for (name, base, any, inside) in [
            ("a.test", "a.test", false, true),
            ("A.Test", "a.test", false, true),
            ("a.test.", "a.test", false, false),
            ("a.test.", "a.test", true, true),
            ("a.test", "a.test.", true, true),
            ("x.a.test", "a.test", false, true),
            ("xa.test", "a.test", false, false),
            ("test", "a.test", false, false),
            ("x.a.test", ".a.test", false, true),
            ("a.test", ".a.test", false, false),
            ("x", "", false, true),
            ("*.a.test", "a.test", false, true),
            ("*.a.test", "x.a.test", false, false),
            ("*.a.test", "x.a.test", true, true),
            ("*.a.test", "y.x.a.test", true, false),
        ] {
            assert_eq!(
                dns(name.as_bytes(), base.as_bytes(), any),
                Match::of(inside),
                "{name} {base}"
            );
        }
    }

    #[test]
    fn mailboxes_and_uris_have_hosts() {
        for (name, base, inside) in [
            ("u@a.test", "a.test", true),
            ("u@A.test", "a.Test", true),
            ("u@x.a.test", "a.test", false),
            ("u@x.a.test", ".a.test", true),
            ("u@a.test", ".a.test", false),
            ("u@a.test", "u@a.test", true),
            ("U@a.test", "u@a.test", false),
            ("u@a.test", "@a.test", true),
        ] {
            assert_eq!(
                email(name.as_bytes(), base.as_bytes()),
                Match::of(inside),
                "{name} {base}"
            );
        }
        assert_eq!(email(b"nobody", b"a.test"), Match::BadName);
        for (name, base, inside) in [
            ("https://a.test/x", "a.test", true),
            ("https://a.test:8/x", "a.test", true),
            ("https://x.a.test?q", ".a.test", true),
        ] {
            assert_eq!(
                uri(name.as_bytes(), base.as_bytes()),
                Match::of(inside),
                "{name} {base}"
            );
        }
        for none in [
            "urn:x",
            "https://[::1]/",
            "https:///x",
            "x",
            "https://u@a.test/",
        ] {
            assert_eq!(uri(none.as_bytes(), b"a.test"), Match::BadName);
        }
    }

    #[test]
    fn addresses_lie_in_networks() {
        let net = [192, 0, 2, 0, 255, 255, 255, 0];
        assert_eq!(ip(&[192, 0, 2, 9], &net), Match::Inside);
        assert_eq!(ip(&[192, 0, 3, 9], &net), Match::Outside);
        assert_eq!(ip(&[0; 16], &net), Match::Outside);
        assert_eq!(ip(&[192, 0, 2], &net), Match::BadName);
        assert_eq!(ip(&[192, 0, 2, 9], &net[..7]), Match::BadBase);
    }

    #[test]
    fn common_names_may_be_hosts() {
        for host in ["a.test", "a-b.c_d.test", "192.0.2.1"] {
            assert!(is_host(host), "{host}");
        }
        for none in [
            "a", "Jane Doe", "a..test", "-a.test", "a-.test", "a.test.", "*.a.test", "",
        ] {
            assert!(!is_host(none), "{none}");
        }
    }
}
