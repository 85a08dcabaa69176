// SPDX-License-Identifier: Apache-2.0
//! Which hosts that are asked over HTTP are counted apart, and by which numbers.
//!
//! Those that stand in the configuration, in the server's own certificates or in those of its authorities. What only a
//! client's certificate names is counted as [`OTHER`]: visitors make up no names here.

use std::sync::Mutex;

use super::results::{OTHER_HOSTS, Outcomes};
use super::url::Url;
use super::wants::Wants;
use super::{access, results};
use crate::system::lock;

/// What all others are called.
pub const OTHER: &str = "other";

/// Names by number, in the order in which they came to be wanted. None is given away again: what was counted by it is
/// kept. `None` where nothing was ever wanted. Of httpd's parent; children have those of the time when they were forked.
static NAMES: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// Takes in whom a configuration names; gives all names.
pub(super) fn take_in(wants: &Wants) -> Vec<String> {
    let of_rules = wants.rules.iter().filter_map(|rule| rule.responder.clone());
    let of_staples = wants.staples.iter();
    let of_staples = of_staples.filter_map(|want| Some(want.rule.responder_of(&want.leaf)?.0));
    let of_lists = wants
        .lists
        .iter()
        .flat_map(|want| want.urls.iter().cloned());
    let mut known = lock(&NAMES);
    let names = known.get_or_insert_default();
    for url in of_rules.chain(of_staples).chain(of_lists) {
        add(names, &url);
    }
    names.clone()
}

fn add(names: &mut Vec<String>, url: &str) {
    let Ok(host) = Url::parse(url).map(|url| url.authority()) else {
        return;
    };
    if names.len() < OTHER_HOSTS && !names.contains(&host) {
        names.push(host);
    }
}

/// What came of asking each host since httpd was started, all others last; nothing where nothing is fetched.
pub fn by_host() -> Vec<(String, Outcomes)> {
    let (Some(results), Some(names)) = (access::results(), lock(&NAMES).clone()) else {
        return Vec::new();
    };
    let named = names.into_iter().enumerate();
    let all = named.chain([(OTHER_HOSTS, OTHER.to_owned())]);
    let counted = |(number, name)| (name, results::outcomes(results.counts_of_host(number)));
    all.map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_each_once_and_bounded() {
        let mut names = Vec::new();
        for url in [
            "http://A.test/1",
            "http://a.test:80/2",
            "http://a.test:81",
            "ldap://x/",
        ] {
            add(&mut names, url);
        }
        assert_eq!(names, ["a.test", "a.test:81"]);
        (0..1000).for_each(|n| add(&mut names, &format!("http://{n}.test/")));
        assert_eq!(names.len(), OTHER_HOSTS);
        assert_eq!(names[..2], ["a.test", "a.test:81"]);
    }
}
