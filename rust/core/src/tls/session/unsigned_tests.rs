// SPDX-License-Identifier: Apache-2.0
//! Handshakes for which a key does not sign.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, ClientConnection, Error, SignatureAlgorithm, SignatureScheme};

use super::ech_tests::{config, enabled, grease, key, known, meet_limited, only, spec, to};
use super::tests::{client, context_for, policy, sent_by, shown};
use super::*;
use crate::creds::timed::TimedKey;
use crate::tls::context::Shown;
use crate::tls::policy::Policy;

/// Long enough for a flight of two records.
const MANY: usize = 60;

#[derive(Debug)]
struct Dumb(Arc<dyn SigningKey>);

impl SigningKey for Dumb {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer = self.0.choose_scheme(offered)?;
        Some(Box::new(Refusing(signer.scheme())))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }
}

#[derive(Debug)]
struct Refusing(SignatureScheme);

impl Signer for Refusing {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::General("nobody signs".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.0
    }
}

fn unsigned(copies: usize) -> Shown {
    let pair = shown().certified;
    let key = TimedKey(Arc::new(Dumb(Arc::clone(&pair.key))));
    let chain = vec![pair.cert[0].clone(); copies];
    Shown::new(CertifiedKey::new(chain, Arc::new(key)))
}

/// What a client makes of the answer.
fn told(client: &mut ClientConnection, shown: &Shown, must_resume: bool) -> (Session, Error) {
    let mut session = Session::new();
    let hello = sent_by(client);
    assert!(matches!(session.read_hello(&hello), Parsed::Hello(_)));
    let mut context = context_for("a.test", shown);
    context.must_resume = must_resume;
    session.start(&policy(), b"h2", false, context).unwrap();
    assert_eq!(session.feed(b"", &mut |_| {}), Status::Failed);
    let answer = session.take_ciphertext().clone();
    let mut answer = answer.as_slice();
    while !answer.is_empty() {
        client.read_tls(&mut answer).unwrap();
        if let Err(error) = client.process_new_packets() {
            return (session, error);
        }
    }
    panic!("the client was told nothing")
}

#[test]
fn who_gets_no_signature_is_told_in_all_versions() {
    for versions in [[&TLS12], [&TLS13]] {
        for (copies, must_resume) in [(1, false), (MANY, false), (1, true)] {
            let mut client = client(&versions);
            let (session, error) = told(&mut client, &unsigned(copies), must_resume);
            let alert = Error::AlertReceived(AlertDescription::InternalError);
            assert_eq!(error, alert, "{versions:?}");
            let why = match must_resume {
                true => "beyond a limit",
                false => "nobody signs",
            };
            assert_eq!(session.failure(), Some(&Error::General(why.to_owned())));
        }
    }
}

/// Where encrypters shape what they are given, where the keys come late, and where a flight takes many records.
#[test]
fn who_hides_a_name_or_is_asked_again_is_told_too() {
    for hides in [true, false] {
        for group in [29, 24] {
            for limit in [None, Some(100)] {
                let key = key(7);
                let mode = match hides {
                    true => enabled(&known(&key)),
                    false => grease(),
                };
                let mut spec = spec();
                spec.negotiated.groups = vec![group];
                let met = meet_limited(
                    to(&Arc::new(config(Some(mode), aws_lc_rs::default_provider()))),
                    only(key),
                    &Policy::build(&spec).unwrap(),
                    100_000,
                    &unsigned(MANY),
                    limit,
                );
                let alert = Error::AlertReceived(AlertDescription::InternalError);
                assert_eq!(met.fault, Some(alert), "{hides} {group} {limit:?}");
                assert_eq!(met.session.status(), Status::Failed);
            }
        }
    }
}

#[test]
fn the_connection_is_over_then() {
    let mut client = client(&[&TLS13]);
    let (mut session, _) = told(&mut client, &unsigned(1), false);
    assert_eq!(
        session.feed(&sent_by(&mut client), &mut |_| {}),
        Status::Failed
    );
    session.close_notify();
    assert!(session.take_ciphertext().is_empty());
}
