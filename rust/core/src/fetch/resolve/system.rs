// SPDX-License-Identifier: Apache-2.0
//! What the machine says of names: resolv.conf(5) and hosts(5), read by httpd's parent.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::MOST_ADDRESSES;
use crate::system::file::{self, Limit};

/// As many as the C library asks.
const MOST_SERVERS: usize = 3;
/// Lines of hosts(5) that are taken.
const MOST_HOSTS: usize = 10_000;
const PORT: u16 = 53;

/// Name servers, and names that need none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Whom to ask, in order.
    pub servers: Vec<SocketAddr>,
    /// Names in lower case with an address each, in order.
    pub hosts: Vec<(String, IpAddr)>,
}

impl System {
    /// Reads both files; what is missing or odd is left out. Without a server it is the one of this machine, as
    /// resolv.conf(5) says.
    pub fn read() -> Self {
        let text = |path: &str| {
            let read = file::read(Path::new(path), Limit::CREDENTIAL);
            read.map(|content| String::from_utf8_lossy(&content.bytes).into_owned())
                .unwrap_or_default()
        };
        Self::parse(&text("/etc/resolv.conf"), &text("/etc/hosts"))
    }

    /// What the texts of the two files say.
    pub fn parse(resolv: &str, hosts: &str) -> Self {
        let server = |line: &str| {
            let mut words = line.split_ascii_whitespace();
            let address = words
                .next()
                .filter(|word| *word == "nameserver")
                .and(words.next())?;
            // A zone (fe80::1%eth0) is a number that only the kernel's tables of interfaces tell.
            Some(SocketAddr::new(address.parse().ok()?, PORT))
        };
        let mut servers: Vec<_> = resolv
            .lines()
            .filter_map(server)
            .take(MOST_SERVERS)
            .collect();
        if servers.is_empty() {
            servers.push(SocketAddr::new([127, 0, 0, 1].into(), PORT));
        }
        let entries = |line: &str| {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
            let names: Vec<_> = words.map(str::to_ascii_lowercase).collect();
            address.map(|address| names.into_iter().map(move |name| (name, address)))
        };
        let hosts = hosts.lines().filter_map(entries).flatten();
        Self {
            servers,
            hosts: hosts.take(MOST_HOSTS).collect(),
        }
    }

    /// The addresses of a name that stands in hosts(5). `localhost` is this machine whatever stands there (RFC 6761 6.3).
    pub fn host(&self, name: &str) -> Vec<IpAddr> {
        let own = |(host, address): &(String, IpAddr)| (host == name).then_some(*address);
        let found: Vec<_> = self
            .hosts
            .iter()
            .filter_map(own)
            .take(MOST_ADDRESSES)
            .collect();
        if found.is_empty() && (name == "localhost" || name.ends_with(".localhost")) {
            return vec![[127, 0, 0, 1].into()];
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_files() {
        let resolv = "# x\nnameserver 192.0.2.53\nsearch a.example\nnameserver ::53\nnameserver fe80::1%eth0\nnameserver no\n";
        let hosts =
            "127.0.0.1 localhost\n192.0.2.1 A.example b # c\nx y\n\n2001:db8::1\ta.example\n";
        let system = System::parse(resolv, hosts);
        assert_eq!(
            system.servers,
            ["192.0.2.53:53", "[::53]:53"].map(|server| server.parse().unwrap())
        );
        let addresses = |name: &str| -> Vec<String> {
            system.host(name).iter().map(ToString::to_string).collect()
        };
        assert_eq!(addresses("a.example"), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(addresses("b"), ["192.0.2.1"]);
        assert_eq!(addresses("c"), [""; 0]);
        assert_eq!(addresses("x.localhost"), ["127.0.0.1"]);
        assert_eq!(
            System::parse("", "").servers,
            ["127.0.0.1:53".parse().unwrap()]
        );
    }
}
