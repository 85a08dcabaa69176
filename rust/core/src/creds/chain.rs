//! What is wrong with a chain of certificates, for itself and for the names of a virtual host.

use std::time::{SystemTime, UNIX_EPOCH};

use x509_parser::time::ASN1Time;

use super::certificate::{Certificate, list_for_people};
use super::problem::Fault;

const DAY: i64 = 86_400;

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Faults of a chain, the server's own certificate first. `strict` makes an error of a wrong order, which mod_ssl
/// sends as it is and most clients sort out for themselves.
///
/// RFC 8446 4.4.2: "Each following certificate SHOULD directly certify the one immediately preceding it."
pub fn check(file: &str, chain: &[impl AsRef<Certificate>], strict: bool, now: i64) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (i, certificate) in chain.iter().map(AsRef::as_ref).enumerate() {
        faults.extend(check_validity(file, certificate, i, now));
        let Some((previous, earlier)) = chain.get(..i).and_then(<[_]>::split_last) else {
            continue;
        };
        if previous.as_ref().issuer == certificate.subject {
            continue;
        }
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

fn check_validity(file: &str, certificate: &Certificate, index: usize, now: i64) -> Option<Fault> {
    let which = || match index {
        0 => "the certificate".to_owned(),
        _ => format!(
            "certificate {} of the chain ({})",
            index + 1,
            certificate.display
        ),
    };
    if certificate.not_after < now {
        let days = (now - certificate.not_after) / DAY;
        let date = date(certificate.not_after);
        return Some(Fault::Expired {
            file: file.to_owned(),
            which: which(),
            date,
            days,
        });
    }
    if certificate.not_before > now {
        let date = date(certificate.not_before);
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
pub fn check_names(file: &str, leaf: &Certificate, hosts: &[String]) -> Option<Fault> {
    let missing: Vec<String> = hosts.iter().filter(|h| !leaf.covers(h)).cloned().collect();
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

/// `2026-11-24 03:00:00 UTC`.
pub fn date(seconds: i64) -> String {
    match ASN1Time::from_timestamp(seconds) {
        Ok(time) => {
            let t = time.to_datetime();
            let (y, m, d) = (t.year(), u8::from(t.month()), t.day());
            format!(
                "{y:04}-{m:02}-{d:02} {:02}:{:02}:{:02} UTC",
                t.hour(),
                t.minute(),
                t.second()
            )
        }
        Err(_) => format!("{seconds} seconds after 1970"),
    }
}
