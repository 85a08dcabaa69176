// SPDX-License-Identifier: Apache-2.0
//! Which virtual host is counted by which number.

use super::page::OTHER_HOSTS;

/// Names of virtual hosts, in the order in which they were first configured. A number is never given away again, since
/// what was counted by it is kept.
#[derive(Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// With none yet.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The number of a virtual host.
    pub fn number(&mut self, name: &str) -> usize {
        if let Some(known) = self.0.iter().position(|other| other == name) {
            return known;
        }
        if self.0.len() < OTHER_HOSTS {
            self.0.push(name.to_owned());
            return self.0.len() - 1;
        }
        OTHER_HOSTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_and_those_that_are_too_many_share_one() {
        let mut hosts = Hosts::default();
        assert_eq!(
            [hosts.number("a"), hosts.number("b"), hosts.number("a")],
            [0, 1, 0]
        );
        (0..2000).for_each(|n| _ = hosts.number(&n.to_string()));
        assert_eq!(hosts.number("new"), OTHER_HOSTS);
        assert_eq!(hosts.number("b"), 1);
    }
}
