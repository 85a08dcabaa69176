// SPDX-License-Identifier: Apache-2.0
//! Which lists an address may send.

use rcgen::{
    CertificateRevocationListParams, CertifiedIssuer, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, KeyIdMethod, KeyPair, SerialNumber, date_time_ymd,
};

use super::fetched::judge;
use super::testing::{Issuer, NOW, ca_params, crl};
use crate::fetch::results::Key;
use crate::fetch::wants::ListWant;

fn naming(name: &str, url: &str) -> Issuer {
    let mut params = ca_params(name, 1);
    params.crl_distribution_points = vec![CrlDistributionPoint {
        uris: vec![url.to_owned()],
    }];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn partition(issuer: &Issuer, url: &str, scope: Option<CrlScope>) -> Vec<u8> {
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 1, 1),
        next_update: date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(3),
        issuing_distribution_point: Some(CrlIssuingDistributionPoint {
            distribution_point: CrlDistributionPoint {
                uris: vec![url.to_owned()],
            },
            scope,
        }),
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(issuer).unwrap().der().to_vec()
}

#[test]
fn an_address_sends_the_list_of_who_names_it_and_no_other() {
    const A: &str = "http://a.test/a.crl";
    let (a, b) = (naming("a", A), naming("b", "http://b.test/b.crl"));
    let want = |named_by: &[&Issuer]| ListWant {
        key: Key([1; 32]),
        urls: vec![A.to_owned()],
        trusted: named_by.is_empty(),
        proxy: None,
        authorities: vec![a.der().to_vec(), b.der().to_vec()],
        named_by: named_by.iter().map(|ca| ca.der().to_vec()).collect(),
        kept: Vec::new(),
    };
    let now = NOW.cast_signed();
    let is_taken = |list: &[u8], want: &ListWant| judge(list, want, now).is_ok();
    let named = want(&[&a]);
    assert!(is_taken(&crl(&a, &[], 2030), &named));
    assert!(is_taken(&partition(&a, A, None), &named));
    let users = Some(CrlScope::UserCertsOnly);
    assert!(is_taken(&partition(&a, A, users), &named));
    let authorities = Some(CrlScope::CaCertsOnly);
    for (list, what) in [
        (crl(&b, &[], 2030), "another authority's"),
        (
            partition(&b, A, None),
            "another authority's, for this address",
        ),
        (partition(&a, A, authorities), "for authorities only"),
        (
            partition(&a, "http://a.test/2.crl", None),
            "another partition",
        ),
    ] {
        assert!(!is_taken(&list, &named), "{what}");
        assert!(
            is_taken(&list, &want(&[])),
            "as the administrator says: {what}"
        );
    }
    let stranger = naming("a", A);
    assert!(!is_taken(&crl(&stranger, &[], 2030), &want(&[])));
}
