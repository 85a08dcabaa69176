// SPDX-License-Identifier: Apache-2.0
use super::super::passphrase::Dialog;
use super::super::severity::Severity;
use super::super::{LoadRequest, PairRequest, Store};
use super::path;

fn request(host: &str, certificate: &str, placeholder: bool) -> LoadRequest {
    LoadRequest {
        host: host.to_owned(),
        names: vec![host.to_owned()],
        pairs: vec![PairRequest {
            certificate: path(certificate),
            key: Some(path("p256.pkcs8.pem")),
            ..PairRequest::default()
        }],
        placeholder,
        strict: true,
        ..LoadRequest::default()
    }
}

#[test]
fn placeholders_fill_gaps_and_nothing_else() {
    let mut store = Store::default();
    let requests = [
        request("a.example", "nowhere.pem", true),
        request("b.example", "p256.crt.pem", true),
        request("c.example", "elsewhere.pem", false),
    ];
    let mut report = store.load(&requests, &mut Dialog::default());
    store.fill_gaps(&requests, &mut report);
    let is_placeholder: Vec<_> = report
        .sets
        .iter()
        .map(|set| set.as_ref().map(|set| set.is_placeholder()))
        .collect();
    assert_eq!(is_placeholder, [Some(true), Some(false), None]);
    let severity = |file: &str| {
        let mut problems = report.problems.iter();
        problems.find(|p| p.file == path(file)).map(|p| p.severity)
    };
    assert_eq!(severity("nowhere.pem"), Some(Severity::Warning));
    assert_eq!(severity("elsewhere.pem"), Some(Severity::Error));
    let mut again = store.load(&requests, &mut Dialog::default());
    store.fill_gaps(&requests, &mut again);
    let leaf = |set: &Option<std::sync::Arc<super::super::CertSet>>| {
        set.as_ref().unwrap().pairs()[0].leaf.public.clone()
    };
    assert_eq!(
        leaf(&report.sets[0]),
        leaf(&again.sets[0]),
        "the same over restarts"
    );
}

/// The first virtual host is blamed for a file that both name; the second has no placeholder.
#[test]
fn a_file_that_others_need_stops_the_start() {
    let mut store = Store::default();
    let requests = [
        request("a.example", "nowhere.pem", true),
        request("b.example", "nowhere.pem", false),
    ];
    let mut report = store.load(&requests, &mut Dialog::default());
    store.fill_gaps(&requests, &mut report);
    assert!(report.sets[0].is_some() && report.sets[1].is_none());
    assert!(
        report
            .problems
            .iter()
            .any(|p| p.severity == Severity::Error)
    );
}
