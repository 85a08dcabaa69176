// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a chain of certificates, for itself and for the names of a virtual host.

use std::collections::HashSet;

use super::certificate::{CertificateFields, list_for_people};
use super::fault::Fault;
use crate::x509::time::date;

const DAY: i64 = 86_400;

/// Faults of a chain, the server's own certificate first, and the files of that and of those behind it. `strict` makes an error of a wrong order, which mod_ssl
/// sends as it is and most clients sort out for themselves.
///
/// RFC 8446 4.4.2: "Each following certificate SHOULD directly certify the one immediately preceding it."
pub fn check(
    (own, behind): (&str, &str),
    chain: &[impl AsRef<CertificateFields>],
    strict: bool,
    now: i64,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (i, certificate) in chain.iter().map(AsRef::as_ref).enumerate() {
        let file = if i == 0 { own } else { behind };
        faults.extend(check_validity(file, certificate, i, now));
        let before = chain.get(..i).and_then(<[_]>::split_last);
        let Some((previous, earlier)) =
            before.filter(|(previous, _)| previous.as_ref().issuer != certificate.subject)
        else {
            faults.extend(check_use(file, certificate, i));
            continue;
        };
        let position = i + 1;
        let file = file.to_owned();
        let issued_one = earlier
            .iter()
            .any(|c| c.as_ref().issuer == certificate.subject);
        let issued_by_earlier = chain
            .iter()
            .skip(position)
            .any(|c| c.as_ref().subject == previous.as_ref().issuer);
        if issued_one || issued_by_earlier {
            faults.push(Fault::OutOfOrder {
                file,
                position,
                strict,
            });
            break; // one such line says it all
        }
        faults.push(Fault::Unrelated {
            file,
            position,
            subject: certificate.display.to_string(),
        });
    }
    faults
}

fn name_of(certificate: &CertificateFields, index: usize) -> String {
    match index {
        0 => "the certificate".to_owned(),
        _ => format!(
            "certificate {} of the chain ({})",
            index + 1,
            certificate.display
        ),
    }
}

fn check_use(file: &str, certificate: &CertificateFields, index: usize) -> Option<Fault> {
    let own = certificate.is_self_issued();
    let unfit = match index {
        0 => certificate.uses.of_server(own),
        _ => certificate.uses.of_issuer(own),
    };
    unfit.map(|why| Fault::Unfit {
        file: file.to_owned(),
        which: name_of(certificate, index),
        why,
    })
}

fn check_validity(
    file: &str,
    certificate: &CertificateFields,
    index: usize,
    now: i64,
) -> Option<Fault> {
    let which = || name_of(certificate, index);
    let (not_before, not_after) = (certificate.not_before, certificate.not_after);
    if !certificate.has_dates() {
        return Some(Fault::BadDates {
            file: file.to_owned(),
            which: which(),
        });
    }
    if not_after < now {
        let days = (now - not_after) / DAY;
        let date = date(not_after);
        return Some(Fault::Expired {
            file: file.to_owned(),
            which: which(),
            date,
            days,
        });
    }
    if not_before > now {
        let date = date(not_before);
        return Some(Fault::NotYetValid {
            file: file.to_owned(),
            which: which(),
            date,
        });
    }
    None
}

/// Faults of a certificate for the names of one virtual host: its ServerName and those of its aliases that are names
/// and not patterns.
pub fn check_names(file: &str, leaf: &CertificateFields, hosts: &[String]) -> Option<Fault> {
    // An alias may repeat the ServerName.
    let mut seen = HashSet::new();
    let missing: Vec<String> = hosts
        .iter()
        .filter(|h| !leaf.covers(h) && seen.insert(*h))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Some(Fault::NamesNotCovered {
            file: file.to_owned(),
            missing: list_for_people(&missing),
            covered: leaf.names_for_people(),
        });
    }
    (leaf.only_common_name && !hosts.is_empty()).then(|| Fault::OnlyCommonName {
        file: file.to_owned(),
    })
}

/// Whole days until `not_after`; negative when it is past.
pub fn days_left(not_after: i64, now: i64) -> i64 {
    (not_after - now).div_euclid(DAY)
}
