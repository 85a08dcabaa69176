// SPDX-License-Identifier: Apache-2.0
//! Where a certificate's address must not lead: to this machine, to what only it can reach, to nobody in particular.
//!
//! Who issues a certificate chooses the addresses in it, and a responder where it redirects to; httpd's machine often
//! reaches services that take whoever comes from it for a friend (cloud metadata on 169.254.169.254, daemons on the
//! loopback interface). Private networks (RFC 1918, RFC 4193) are not refused: companies have their responders there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where clouds have their metadata besides link-local addresses: Alibaba's, Azure's, and those of AWS and Google in IPv6.
const METADATA_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// Why an address is not connected to; `None` where it may be. That it is one of this machine's own shows when a socket
/// is connected ([`super::net`]).
pub fn refused(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => refused_v4(address),
        IpAddr::V6(address) => refused_v6(address),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = address.octets();
    match first {
        _ if address.is_loopback() => Some("a loopback address"),
        0 => Some("an unspecified address"),
        _ if address.is_link_local() => Some("a link-local address"),
        _ if address.is_multicast() => Some("a multicast address"),
        // RFC 6890: protocol assignments.
        192 if second == 0 && third == 0 => Some("a reserved address"),
        240..=255 => Some("a reserved address"),
        _ if METADATA_V4.contains(&address) => Some("an address of cloud metadata"),
        _ => None,
    }
}

fn refused_v6(address: Ipv6Addr) -> Option<&'static str> {
    let mut embedded = embedded(address).peekable();
    if embedded.peek().is_some() {
        return embedded.find_map(refused_v4);
    }
    let [first, ..] = address.segments();
    match first {
        _ if address.is_loopback() => Some("a loopback address"),
        _ if address.is_unspecified() => Some("an unspecified address"),
        _ if address.is_multicast() => Some("a multicast address"),
        0xfe80..=0xfebf => Some("a link-local address"),
        // RFC 3879: as link-local ones to whoever still has them.
        0xfec0..=0xfeff => Some("a site-local address"),
        _ if METADATA_V6.contains(&address) => Some("an address of cloud metadata"),
        _ => None,
    }
}

/// The IPv4 addresses that one of IPv6 may stand for: mapped and compatible (RFC 4291 2.5.5), translated (RFC 2765 2.1, RFC
/// 6052 2.1, RFC 8215), 6to4 (RFC 3056).
pub(super) fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let one = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    };
    one.into_iter().chain(of_local_prefix(address))
}

/// Those in 64:ff9b:1::/48, of which each network makes prefixes of its own: behind 96 bits, or behind 64 and an octet of
/// zero, with zeros behind it (RFC 6052 2.2). What stands behind shorter ones reads as 0.0.0.0 here.
fn of_local_prefix(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let found = match address.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 1, _, _, 0, c, d, e, f, 0, 0, 0] => {
            [Some([c, d, e, f]), Some([f, 0, 0, 0])]
        }
        [0, 0x64, 0xff, 0x9b, 0, 1, .., f, g, h, i] => [Some([f, g, h, i]), None],
        _ => [None; 2],
    };
    found.into_iter().flatten().map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_inside_in_whatever_dress() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::127.0.0.1",
            "64:ff9b:1:a9fe:a9:fe00::",
            "64:ff9b:1:0:7f:0:100::",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "100.100.100.200",
            "168.63.129.16",
            "::ffff:168.63.129.16",
            "fd00:ec2::254",
            "fd20:ce::254",
        ] {
            assert!(refused(text.parse().unwrap()).is_some(), "{text}");
        }
    }

    #[test]
    fn others_are_reached() {
        for text in [
            "192.0.2.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "2001:db8::1",
            "fd00::1",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "64:ff9b:1::192.0.2.1",
            "64:ff9b:1:0:c0:2:100::",
            "2002:c000:201::",
        ] {
            assert_eq!(refused(text.parse().unwrap()), None, "{text}");
        }
    }
}
