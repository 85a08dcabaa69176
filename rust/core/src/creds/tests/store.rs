// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use super::super::passphrase::{Dialog, Unchecked};
use super::super::severity::{Problem, Severity};
use super::super::{FileAt, LoadReport, LoadRequest, PairRequest, load};
use super::{Scratch, data, path};

pub(super) fn pair(certificate: String, key: Option<String>, place: &str) -> PairRequest {
    PairRequest {
        certificate,
        key,
        place: place.to_owned(),
        ..PairRequest::default()
    }
}

pub(super) fn file_at(path: &str) -> FileAt {
    FileAt {
        path: path.to_owned(),
        place: String::new(),
    }
}

pub(super) fn request(names: &[&str], pairs: Vec<PairRequest>) -> LoadRequest {
    LoadRequest {
        host: "a.example:443".into(),
        names: names.iter().map(|n| (*n).to_owned()).collect(),
        pairs,
        strict: true,
        ..LoadRequest::default()
    }
}

fn load_one(certificate: String, key: Option<String>) -> LoadReport {
    load(
        &[request(&[], vec![pair(certificate, key, "c:1")])],
        &mut Dialog::default(),
    )
}

pub(super) fn the_error(report: &LoadReport) -> &Problem {
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(report.problems[0].severity, Severity::Error);
    assert!(report.sets[0].is_none());
    &report.problems[0]
}

#[test]
fn loads_own_certificates_that_webpki_would_refuse() {
    for certificate in [
        "p256.v1.crt.pem",
        "p256.sha1.crt.pem",
        "p256.trusted.crt.pem",
    ] {
        let report = load_one(path(certificate), Some(path("p256.pkcs8.pem")));
        assert_eq!(report.problems, [], "{certificate}");
        assert_eq!(report.sets[0].as_ref().unwrap().pairs().len(), 1);
    }
    let v1 = vec![pair(
        path("p256.v1.crt.pem"),
        Some(path("p256.pkcs8.pem")),
        "c:1",
    )];
    let report = load(&[request(&["v1.example"], v1)], &mut Dialog::default());
    assert_eq!(report.problems[0].severity, Severity::Warning);
    assert!(
        report.problems[0].text.contains("common name"),
        "{}",
        report.problems[0].text
    );
}

/// Each fault once, with what it says.
#[test]
fn every_fault_says_what_and_what_to_do() {
    let dir = Scratch::new("faults");
    let text = |name: &str| String::from_utf8(data(name)).unwrap();
    let (certificate, key) = (path("p256.crt.pem"), path("p256.pkcs8.pem"));
    let cut = dir.write("cut.pem", &data("p256.crt.pem")[..300]);
    let damaged = dir.write("damaged.pem", text("p256.crt.pem").replace("MII", "M*I"));
    let not_x509 = dir.write(
        "not-x509.pem",
        text("p256.pkcs8.pem").replace("PRIVATE KEY", "CERTIFICATE"),
    );
    let broken = dir.write(
        "broken.pem",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    let ssh = dir.write(
        "ssh.pem",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    let behind = dir.write(
        "behind.pem",
        [data("rsa.crt.pem"), data("p256.crt.pem")].concat(),
    );
    let table: Vec<(String, Option<String>, &str)> = vec![
        (
            dir.path("none.pem"),
            None,
            "none.pem cannot be read: No such file or directory; check the path",
        ),
        (dir.path(""), None, " cannot be read: it is a directory"),
        (
            dir.write("empty.pem", ""),
            None,
            "empty.pem is empty; put the PEM text",
        ),
        (
            dir.write("huge.pem", vec![b'x'; 1_100_000]),
            None,
            "huge.pem is larger than 1 MiB",
        ),
        (
            dir.write("text.pem", "hello"),
            None,
            "text.pem holds no PEM block",
        ),
        (
            path("p256.crt.der"),
            None,
            "p256.crt.der holds a certificate but no private key; name the key's file too",
        ),
        (
            cut,
            None,
            "cut.pem: the block that begins in line 1 has no END line",
        ),
        (
            damaged,
            None,
            "damaged.pem: the block that begins in line 1 is not base64",
        ),
        (
            not_x509,
            None,
            "not-x509.pem: the certificate in line 1 cannot be read",
        ),
        (
            key.clone(),
            None,
            "holds no certificate, but \"PRIVATE KEY\"; name a file with certificates",
        ),
        (
            certificate.clone(),
            None,
            "p256.crt.pem holds a certificate but no private key; name the key's file too",
        ),
        (
            certificate.clone(),
            Some(path("rsa.crt.pem")),
            "rsa.crt.pem holds no private key, but a certificate; name the file of the key",
        ),
        (
            certificate.clone(),
            Some(path("rsa.public.pem")),
            "rsa.public.pem holds a public key",
        ),
        (
            certificate.clone(),
            Some(ssh),
            "ssh.pem holds a key in OpenSSH's format",
        ),
        (
            certificate.clone(),
            Some(broken),
            "broken.pem cannot be used: it is damaged",
        ),
        (
            certificate.clone(),
            Some(path("ed448.pkcs8.pem")),
            "of a kind that TLS cannot use here (Ed448)",
        ),
        (
            path("rsa1024.crt.pem"),
            Some(path("rsa1024.pkcs8.pem")),
            "has 1024 bits, usable are 2048 to 8192",
        ),
        (
            certificate.clone(),
            Some(path("p256.aes256.enc.pem")),
            "is encrypted and no pass phrase opens it",
        ),
        (
            certificate.clone(),
            Some(path("p384.pkcs8.pem")),
            "p384.pkcs8.pem does not fit the certificate in",
        ),
        (
            behind,
            Some(key.clone()),
            "behind.pem: the server's own certificate, the one that fits the key, stands in place 2",
        ),
    ];
    for (certificate, key, expected) in table {
        let report = load_one(certificate, key);
        let problem = the_error(&report);
        assert!(
            problem.text.contains(expected),
            "{}\nshould say: {expected}",
            problem.text
        );
        assert_eq!((problem.request, problem.place.as_str()), (0, "c:1"));
        assert!(
            !problem.text.contains('\n') && problem.text.contains(&problem.file),
            "{problem:?}"
        );
    }
}

#[test]
fn all_faults_come_in_one_run_and_the_rest_is_loaded() {
    let rsa = pair(path("rsa.crt.pem"), Some(path("rsa.pkcs1.pem")), "c:2");
    let requests = [
        request(
            &["rsa.example"],
            vec![pair("/none/a".into(), None, "c:1"), rsa.clone()],
        ),
        request(&["other.example"], vec![rsa]),
        request(
            &[],
            vec![pair(path("p256.crt.pem"), Some("/none/b".into()), "c:9")],
        ),
    ];
    let report = load(&requests, &mut Dialog::default());
    let seen: Vec<_> = report
        .problems
        .iter()
        .map(|p| (p.request, p.place.as_str(), p.severity))
        .collect();
    assert_eq!(
        seen,
        [
            (0, "c:1", Severity::Error),
            (1, "c:2", Severity::Warning),
            (2, "c:9", Severity::Error)
        ]
    );
    assert!(
        report.problems[1].text.contains("but not other.example"),
        "{}",
        report.problems[1].text
    );
    assert!(
        Arc::ptr_eq(
            report.sets[0].as_ref().unwrap().at(1).unwrap(),
            report.sets[1].as_ref().unwrap().at(0).unwrap()
        ),
        "equal pairs are one"
    );
    assert!(report.sets[2].is_none());
}

#[test]
fn one_line_of_the_configuration_is_blamed_once() {
    let inherited = request(&[], vec![pair("/none".into(), None, "c:1")]);
    let report = load(&[inherited.clone(), inherited], &mut Dialog::default());
    assert_eq!(report.problems.len(), 1);
}

#[test]
fn keys_find_their_certificates_in_the_words_of_mod_ssl() {
    let crossed = vec![
        pair(path("rsa.crt.pem"), Some(path("p256.pkcs8.pem")), "c:1"),
        pair(path("p256.crt.pem"), Some(path("rsa.pkcs8.pem")), "c:2"),
    ];
    let mut request = request(&[], crossed);
    let report = load(std::slice::from_ref(&request), &mut Dialog::default());
    assert_eq!(report.problems.len(), 2);
    let other = path("p256.crt.pem");
    assert!(
        report.problems[0]
            .text
            .contains(&format!("made for another one ({other})")),
        "{:?}",
        report.problems[0]
    );
    request.strict = false;
    let report = load(&[request], &mut Dialog::default());
    assert_eq!(report.problems, []);
    assert_eq!(report.sets[0].as_ref().unwrap().pairs().len(), 2);
}

#[test]
fn a_second_certificate_of_the_same_kind_is_never_used() {
    let twice = vec![
        pair(path("p256.crt.pem"), Some(path("p256.pkcs8.pem")), "c:1"),
        pair(path("p256.v1.crt.pem"), Some(path("p256.pkcs8.pem")), "c:2"),
    ];
    let mut request = request(&[], twice);
    let served = |report: &LoadReport| {
        report.sets[0].as_ref().unwrap().pairs()[0]
            .leaf
            .display
            .to_string()
    };
    let first = load(std::slice::from_ref(&request), &mut Dialog::default());
    assert_eq!(
        (first.problems.len(), served(&first).as_str()),
        (1, "p256.example")
    );
    let text = &first.problems[0].text;
    assert!(
        text.contains("ECDSA P-256") && text.starts_with(&path("p256.v1.crt.pem")),
        "{text}"
    );
    request.strict = false;
    let last = load(&[request], &mut Dialog::default());
    assert_eq!(
        (last.problems.len(), served(&last).as_str()),
        (1, "v1.example"),
        "in mod_ssl's words the last one"
    );
    assert!(
        last.problems[0].text.starts_with(&path("p256.crt.pem")),
        "{:?}",
        last.problems
    );
}

#[test]
fn encrypted_keys_are_a_notice_where_nobody_may_be_asked() {
    let pairs = vec![pair(
        path("p256.crt.pem"),
        Some(path("p256.aes256.enc.pem")),
        "c:1",
    )];
    let report = load(&[request(&[], pairs)], &mut Unchecked);
    assert_eq!(report.problems[0].severity, Severity::Notice);
}

#[test]
fn a_spare_key_finds_its_certificate() {
    let pairs = vec![pair(
        path("rsa.crt.pem"),
        Some(path("p256.pkcs8.pem")),
        "c:1",
    )];
    let mut request = LoadRequest {
        spare_keys: ["p384.pkcs8.pem", "rsa.pkcs1.pem"]
            .map(|name| file_at(&path(name)))
            .into(),
        strict: false,
        ..request(&[], pairs)
    };
    let report = load(std::slice::from_ref(&request), &mut Dialog::default());
    assert_eq!(report.problems, []);
    assert!(report.sets[0].is_some());
    request.spare_keys.pop();
    assert_eq!(load(&[request], &mut Dialog::default()).problems.len(), 1);
}
