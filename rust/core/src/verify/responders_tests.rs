// SPDX-License-Identifier: Apache-2.0
//! What answers, and their absence, come to.

use super::*;
use crate::fetch::results::Found;
use crate::ocsp::Rules;
use crate::verify::testing::{client, params, root};

fn responders(soft: bool, responder: Option<&str>) -> Responders {
    let rule = Rule {
        responder: responder.map(str::to_owned),
        always: true,
        proxy: None,
        timeout: Duration::from_secs(20),
        nonce: false,
        judging: Rules::default(),
    };
    Responders::new(Depth::Chain, false, soft, rule)
}

fn path(name: &str) -> Vec<Vec<u8>> {
    let root = root("Root");
    let leaf = client(params(name, 7), &root).to_vec();
    vec![leaf, root.der().to_vec()]
}

fn refused(standing: Standing) -> String {
    match standing {
        Standing::Settled(Err(verdict)) => verdict.advice,
        Standing::Settled(Ok(until)) => panic!("let in until {until}"),
        Standing::Asked(pending) => panic!("{pending:?}"),
    }
}

#[test]
fn the_name_of_its_issuer_spares_a_certificate_nothing() {
    for name in ["client", "Root"] {
        let advice = refused(responders(false, None).judge(&path(name)));
        assert!(advice.contains("names no OCSP responder"), "{advice}");
    }
}

/// Processes of tests have no way to the fetcher.
#[test]
fn soft_lets_in_nobody_about_whom_nobody_was_asked() {
    for soft in [false, true] {
        let advice = refused(responders(soft, Some("http://127.0.0.1:1/")).judge(&path("client")));
        assert!(advice.contains("could not be asked"), "{advice}");
    }
}

#[test]
fn soft_counts_as_long_as_the_failure_does() {
    let about = Asked {
        what: "a certificate".to_owned(),
        responder: "http://127.0.0.1:1/".to_owned(),
    };
    let failed = Found {
        verdict: Said::Failed,
        from: 1,
        until: 11,
    };
    let mut pending = Pending {
        soft: true,
        ..Pending::nothing()
    };
    assert!(pending.take(&about, None).is_err());
    assert!(pending.take(&about, Some(failed)).is_ok());
    assert_eq!(pending.poll(), Some(Ok(11)));
    assert!(Pending::nothing().take(&about, Some(failed)).is_err());
}
