// SPDX-License-Identifier: Apache-2.0
//! What Encrypted ClientHello costs who does not offer it, and who waits once it is accepted: counted in allocations.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use rustls::SupportedCipherSuite;
use rustls::client::EchMode;
use rustls::crypto::aws_lc_rs;

use super::ech_tests::{config, enabled, grease, key, known, meet_under, only, source, spec, to};
use super::tests::shown;
use crate::ech::{Outcome, Source};
use crate::tls::policy::Policy;
use crate::tls::transcript::watched;

/// A whole handshake, of which the server's end is kept.
fn keep(keys: &'static dyn Source, mode: Option<EchMode>, expected: &[Outcome]) -> AllocationInfo {
    let config = Arc::new(config(mode, aws_lc_rs::default_provider()));
    let (policy, shown) = (Policy::build(&spec()).unwrap(), shown());
    let handshake = || {
        let met = meet_under(to(&config), keys, &policy, 100_000, &shown);
        assert_eq!(met.fault, None);
        assert!(expected.contains(&met.session.ech_outcome()));
        Box::new(met.session)
    };
    drop(handshake()); // what is made once in a process, and once for a configuration
    let measured = |_| measure(|| std::mem::forget(handshake()));
    // The client puts its extensions into an order of chance, and allocates one time more or two for some.
    (0..64)
        .map(measured)
        .min_by_key(|info| (info.count_total, info.bytes_current))
        .unwrap()
}

/// What a suite's transcript allocates.
fn of_transcript(suite: SupportedCipherSuite) -> u64 {
    let common = match suite {
        SupportedCipherSuite::Tls13(suite) => &suite.common,
        SupportedCipherSuite::Tls12(suite) => &suite.common,
    };
    measure(|| drop(common.hash_provider.start())).count_total
}

#[test]
fn transcripts_are_those_of_rustls_where_there_is_no_offer() {
    for suite in aws_lc_rs::ALL_CIPHER_SUITES {
        let ours = watched(vec![*suite]);
        assert_eq!(
            ours.iter().copied().map(of_transcript).sum::<u64>(),
            of_transcript(*suite)
        );
    }
}

#[test]
fn a_hello_without_an_offer_costs_nothing() {
    let without = keep(source(None), None, &[Outcome::NotTried]);
    let with = keep(only(key(7)), None, &[Outcome::NotTried]);
    assert_eq!(
        (with.count_total, with.count_current, with.bytes_current),
        (
            without.count_total,
            without.count_current,
            without.bytes_current
        ),
        "keys that nobody asks for"
    );
}

#[test]
fn who_waits_after_an_offer_takes_what_others_take() {
    let without = keep(source(None), None, &[Outcome::NotTried]);
    let key = key(7);
    let list = known(&key);
    // What GREASE names is a key of ours for once.
    let by_chance = [Outcome::Grease, Outcome::Failed];
    let accepted = keep(only(key), Some(enabled(&list)), &[Outcome::Accepted]);
    let refused = keep(only(super::ech_tests::key(8)), Some(grease()), &by_chance);
    for with in [accepted, refused] {
        let more = with.bytes_current - without.bytes_current;
        assert!(more <= 512, "{more} octets more");
    }
}
