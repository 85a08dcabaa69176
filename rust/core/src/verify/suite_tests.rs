// SPDX-License-Identifier: Apache-2.0
//! NIST's PKITS and x509-limbo (tests/data/README.md), without handshakes. The same by handshakes, beside mod_ssl, is in
//! tests/httpd.

use std::path::PathBuf;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::checks::Purpose;
use super::path::Rules;
use super::{Anchors, Ends, Outcome, Revocation, RevocationDepth, Verdict};
use crate::x509::time::{GENERALIZED_TIME, Time};

/// 2027-01-01; the suites are valid until 2030.
const NOW: u64 = 1_798_761_600;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

/// The strings behind `"key":` of an object that stands on one line: one, or those of a list.
fn strings(line: &str, key: &str) -> Vec<String> {
    let Some((_, rest)) = line.split_once(&format!("\"{key}\": ")) else {
        return Vec::new();
    };
    let end = if rest.starts_with('[') { "]" } else { "\"" };
    let mut found = Vec::new();
    let mut rest = rest.trim_start_matches('[');
    while let Some(text) = rest.strip_prefix('"') {
        let (text, after) = text.split_once('"').unwrap();
        found.push(text.replace("\\n", "\n"));
        rest = after.trim_start_matches(", ");
        if end == "\"" {
            break;
        }
    }
    found
}

struct Case {
    chain: Vec<CertificateDer<'static>>,
    trusted: Vec<CertificateDer<'static>>,
    lists: Vec<Vec<u8>>,
    depth: u32,
    purpose: Purpose,
    now: u64,
}

impl Case {
    fn judge(&self) -> Verdict {
        let (anchors, _) = Anchors::new(&self.trusted, Ends::Anywhere);
        let lookup = if self.lists.is_empty() {
            RevocationDepth::None
        } else {
            RevocationDepth::Chain
        };
        let (revocation, _) = Revocation::new(lookup, false, &self.lists);
        let rules = Rules {
            anchors: &anchors,
            revocation: &revocation,
            depth: self.depth,
            purpose: self.purpose,
            tells_path: false,
        };
        rules.judge(
            &self.chain,
            UnixTime::since_unix_epoch(Duration::from_secs(self.now)),
        )
    }
}

#[test]
fn pkits_is_judged_as_nist_does() {
    let pkits = data().join("pkits");
    let read = |folder: &str, name: &str, end: &str| {
        std::fs::read(pkits.join(folder).join(format!("{name}.{end}"))).unwrap()
    };
    let certificate = |name: &String| CertificateDer::from(read("certs", name, "crt"));
    let table = std::fs::read_to_string(pkits.join("tests.json")).unwrap();
    let mut rows = 0;
    let mut other = Vec::new();
    for line in table.lines().filter(|line| line.contains("\"test\"")) {
        let leaf = strings(line, "leaf");
        let case = Case {
            chain: leaf
                .iter()
                .chain(&strings(line, "chain"))
                .map(certificate)
                .collect(),
            trusted: vec![certificate(&"TrustAnchorRootCertificate".to_owned())],
            lists: strings(line, "crls")
                .iter()
                .map(|name| read("crls", name, "crl"))
                .collect(),
            depth: 20,
            purpose: Purpose::Client,
            now: NOW,
        };
        let valid = line.contains("\"valid\": true");
        let verdict = case.judge();
        if (verdict.outcome == Outcome::Success) != valid {
            other.push((strings(line, "test"), leaf, valid, verdict.reason));
        }
        rows += 1;
    }
    assert_eq!(rows, 224);
    let numbers: Vec<&str> = other
        .iter()
        .flat_map(|(number, ..)| number)
        .map(String::as_str)
        .collect();
    // Signed with DSA, which AWS-LC has not.
    assert_eq!(numbers, ["4.1.4", "4.1.5"], "{other:#?}");
}

/// Cases that ask for what RFC 5280 or the Web's profile wants of who issues certificates, and which mod_ssl lets in too; and
/// two of keys with which no handshake is possible.
const LIMBO_LETS_IN: &[&str] = &[
    "crl::crlnumber-missing",
    "rfc5280::aki::cross-signed-root-missing-aki",
    "rfc5280::aki::intermediate-missing-aki",
    "rfc5280::aki::leaf-missing-aki",
    "rfc5280::ca-empty-subject",
    "rfc5280::leaf-ku-keycertsign",
    "rfc5280::nc::invalid-dnsname-leading-period",
    "rfc5280::nc::nc-permits-invalid-dns-san",
    "rfc5280::nc::nc-permits-invalid-email-san",
    "rfc5280::nc::not-allowed-in-ee-critical",
    "rfc5280::nc::not-allowed-in-ee-noncritical",
    "rfc5280::nc::permitted-dns-match-noncritical",
    "rfc5280::pc::ica-noncritical-pc",
    "rfc5280::root-missing-basic-constraints",
    "rfc5280::root-non-critical-basic-constraints",
    "rfc5280::san::ip-in-dns",
    "rfc5280::san::noncritical-with-empty-subject",
    "rfc5280::san::underscore-dns",
    "rfc5280::serial::too-long",
    "rfc5280::serial::zero",
    "rfc5280::ski::intermediate-missing-ski",
    "rfc5280::ski::root-missing-ski",
    "webpki::aki::root-with-aki-missing-keyidentifier",
    "webpki::ee-basicconstraints-ca",
    "webpki::eku::ee-anyeku",
    "webpki::eku::ee-critical-eku",
    "webpki::eku::ee-without-eku",
    "webpki::eku::root-has-eku",
    "webpki::forbidden-dsa-leaf",
    "webpki::forbidden-p192-leaf",
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf",
    "webpki::forbidden-rsa-not-divisible-by-8-in-root",
    "webpki::malformed-aia",
    "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences",
    "webpki::v1-cert",
];

/// Cases in which mod_ssl refuses too: all certificates count for the depth, and who may only sign certificates is no server.
const LIMBO_REFUSED: &[&str] = &[
    "pathlen::max-chain-depth-1-self-issued",
    "pathlen::validation-ignores-pathlen-in-leaf",
    "rfc5280::ca-as-leaf",
];

/// Seconds since 1970 of a time like 2024-03-01T00:00:00+00:00.
fn moment(text: &str) -> u64 {
    let digits: String = text.chars().take(19).filter(char::is_ascii_digit).collect();
    let time = Time::new(GENERALIZED_TIME, format!("{digits}Z").as_bytes());
    time.seconds().unwrap().unsigned_abs()
}

fn limbo_case(line: &str) -> Case {
    let ders = |key| -> Vec<CertificateDer<'static>> {
        let all = strings(line, key).concat();
        CertificateDer::pem_slice_iter(all.as_bytes())
            .map(Result::unwrap)
            .collect()
    };
    let lists = strings(line, "crls").concat();
    let lists = CertificateRevocationListDer::pem_slice_iter(lists.as_bytes());
    let depth = line
        .split_once("\"max_chain_depth\": ")
        .and_then(|(_, rest)| rest.get(..1)?.parse().ok());
    Case {
        chain: [ders("peer_certificate"), ders("untrusted_intermediates")].concat(),
        trusted: ders("trusted_certs"),
        lists: lists.map(|list| list.unwrap().as_ref().to_vec()).collect(),
        depth: depth.map_or(20, |links: u32| links + 1),
        purpose: if line.contains("\"CLIENT\"") {
            Purpose::Client
        } else {
            Purpose::Server
        },
        now: strings(line, "validation_time")
            .first()
            .map_or(NOW, |text| moment(text)),
    }
}

#[test]
fn limbo_is_judged_as_mod_ssl_does_or_more_strictly() {
    let mut let_in = Vec::new();
    let mut refused = Vec::new();
    for file in std::fs::read_dir(data().join("limbo")).unwrap() {
        let table = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in table.lines().filter(|line| line.contains("\"id\"")) {
            let id = strings(line, "id").concat();
            // Whether a name is the one that was asked for is not judged here.
            if ["webpki::san::", "webpki::cn::"]
                .iter()
                .any(|names| id.starts_with(names))
            {
                continue;
            }
            let valid = strings(line, "expected_result") == ["SUCCESS"];
            let verdict = limbo_case(line).judge();
            match verdict.outcome {
                Outcome::Success if !valid => let_in.push(id),
                Outcome::Failed if valid => refused.push(id),
                _ => {}
            }
        }
    }
    let_in.sort();
    refused.sort();
    assert_eq!(let_in, LIMBO_LETS_IN);
    assert_eq!(refused, LIMBO_REFUSED);
}
