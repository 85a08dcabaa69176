// SPDX-License-Identifier: Apache-2.0
//! What an administrator can do about a certificate that was refused.

use super::checks::Purpose;
use super::reason;
use crate::creds::chain::days_left;
use crate::x509::name::shown;
use crate::x509::time::date;

/// What a refusal is about: a certificate, or the revocation list of a CA.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Concern {
    /// Name of the certificate's subject, or of the CA: the content of the DER.
    pub name: Vec<u8>,
    /// The file of the list, where one is known.
    pub place: String,
    /// Until when the certificate or the list was good, in seconds since 1970.
    pub end: Option<i64>,
}

/// Directives by their purpose.
struct Words {
    authorities: &'static str,
    depth: &'static str,
    lists: &'static str,
    /// Who shows the certificate.
    whose: &'static str,
    /// How the lists are read again.
    read_again: &'static str,
}

const CLIENTS: Words = Words {
    authorities: "TLSClientCA (SSLCACertificateFile)",
    depth: "TLSClientDepth (SSLVerifyDepth)",
    lists: "TLSClientCRL (SSLCARevocationFile)",
    whose: "the client",
    read_again: "it counts within seconds where User may read the file, else after a graceful restart",
};

const BACKENDS: Words = Words {
    authorities: "TLSProxyCA (SSLProxyCACertificateFile)",
    depth: "TLSProxyVerifyDepth (SSLProxyVerifyDepth)",
    lists: "TLSProxyCRL (SSLProxyCARevocationFile)",
    whose: "the backend",
    read_again: "a graceful restart reads it",
};

/// What to do about a refusal, at `now` in seconds since 1970; empty where that is nothing. One sentence without its full
/// stop. Names in it are cut where they are long, and of printable characters.
pub(crate) fn advice(why: &str, concern: Option<&Concern>, purpose: Purpose, now: i64) -> String {
    let words = match purpose {
        Purpose::Server => &BACKENDS,
        Purpose::Client | Purpose::Lists => &CLIENTS,
    };
    let Words {
        authorities,
        whose,
        depth,
        ..
    } = words;
    match why {
        reason::SELF_SIGNED => format!(
            "To trust this certificate itself, add it to {authorities}"
        ),
        why if reason::is_untrusted(why) || why == reason::UNVERIFIABLE => format!(
            "Accepted are certificates of the authorities in {authorities}; certificates between them and its own {whose} \
             has to send along"
        ),
        reason::EXPIRED => expired(concern, whose, now),
        reason::NOT_YET_VALID => {
            "Compare this machine's clock with that of who issued it, or wait".to_owned()
        }
        reason::TOO_LONG => format!("{depth} says how many certificates may stand above its own"),
        reason::REVOKED => format!(
            "{} has withdrawn it{}: {whose} needs a new one",
            authority(concern),
            in_file(concern),
        ),
        why if reason::is_of_lists(why) => about_list(why, concern, words, now),
        reason::PURPOSE => format!(
            "It may not be used for this (extended key usage): {whose} needs one that was issued for {}",
            match purpose {
                Purpose::Server => "serverAuth",
                Purpose::Client | Purpose::Lists => "clientAuth",
            }
        ),
        reason::WEAK_KEY => format!(
            "{whose} needs one with a longer key: RSA of 2048 bits or ECDSA P-256, say", whose = capital(whose)
        ),
        reason::CA_KEY | reason::CA_DIGEST | reason::ALGORITHM => {
            "A CA above it has a key or a signature that is not accepted any more: it has to be issued again, by a CA with \
             RSA of 2048 bits or ECDSA, and with SHA-256"
                .to_owned()
        }
        reason::TOO_COMPLEX => format!(
            "Leave out of what {whose} sends, and of {authorities}, what no path needs"
        ),
        _ => format!("Who issued it has to issue another: {whose} can do nothing about this one"),
    }
}

/// In which sentence a backend's refusal is told: the advice after a semicolon.
pub(crate) fn attached(advice: &str) -> String {
    let mut letters = advice.chars();
    match letters.next() {
        Some(first) => format!("; {}{}", first.to_lowercase(), letters.as_str()),
        None => String::new(),
    }
}

fn expired(concern: Option<&Concern>, whose: &str, now: i64) -> String {
    match concern.and_then(|concern| Some((concern, concern.end?))) {
        Some((concern, end)) => format!(
            "That of {} ended on {}{}: {whose} needs a new one",
            shown(&concern.name),
            date(end),
            ago(end, now),
        ),
        None => format!("{} needs a new one", capital(whose)),
    }
}

fn about_list(why: &str, concern: Option<&Concern>, words: &Words, now: i64) -> String {
    let Words {
        lists, read_again, ..
    } = words;
    let authority = authority(concern);
    let list = concern.filter(|concern| !concern.place.is_empty());
    match (why, list) {
        (reason::CRL_EXPIRED, _) => {
            let since = concern
                .and_then(|concern| concern.end)
                .map_or(String::new(), |end| {
                    format!(" on {}{}", date(end), ago(end, now))
                });
            let place = list.map_or_else(|| format!("into {lists}"), |_| "there".to_owned());
            format!(
                "The list of {authority}{} ended{since}: put its next one {place}; {read_again}",
                in_file(concern)
            )
        }
        (_, Some(list)) => format!(
            "The list of {authority} in {} cannot be used: put another one there; {read_again}",
            list.place
        ),
        (reason::NO_CRL, None) => {
            format!("There is no list of {authority}: add it to {lists}; {read_again}")
        }
        (_, None) => format!(
            "No list of {authority} can be used: put another one into {lists}; {read_again}"
        ),
    }
}

fn authority(concern: Option<&Concern>) -> String {
    concern.map_or("its CA".to_owned(), |concern| shown(&concern.name))
}

fn in_file(concern: Option<&Concern>) -> String {
    match concern {
        Some(concern) if !concern.place.is_empty() => format!(" in {}", concern.place),
        _ => String::new(),
    }
}

/// How long ago that was, to be said after it; empty for less than a day.
pub(crate) fn ago(end: i64, now: i64) -> String {
    match days_left(now, end) {
        1 => ", a day ago".to_owned(),
        days @ 2.. => format!(", {days} days ago"),
        _ => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        format!("{}{}", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CN=` and this text, as the content of a name.
    fn named(text: &str) -> Vec<u8> {
        let length = |octets: &[u8]| u8::try_from(octets.len()).unwrap();
        let wrap = |tag: u8, content: &[u8]| [&[tag, length(content)], content].concat();
        let value = wrap(0x0c, text.as_bytes());
        wrap(
            0x31,
            &wrap(0x30, &[&[6, 3, 0x55, 4, 3], &value[..]].concat()),
        )
    }

    #[test]
    fn a_list_is_named_with_its_ca_its_file_and_its_end() {
        let concern = Concern {
            name: named("Some CA"),
            place: "/etc/list.pem (line 3)".to_owned(),
            end: Some(1_700_000_000),
        };
        let now = 1_700_000_000 + 3 * 86_400;
        let said = advice(reason::CRL_EXPIRED, Some(&concern), Purpose::Client, now);
        assert!(said.starts_with(
            "The list of \"CN=Some CA\" in /etc/list.pem (line 3) ended on 2023-11-14 22:13:20 UTC, 3 days ago: put its next \
             one there"
        ), "{said}");
        let said = advice(reason::NO_CRL, None, Purpose::Server, now);
        assert!(
            said.contains("no list of its CA: add it to TLSProxyCRL"),
            "{said}"
        );
    }

    #[test]
    fn names_are_printable_and_short() {
        let concern = Concern {
            name: named(&"x\n\u{1b}\"".repeat(20)),
            ..Concern::default()
        };
        let said = advice(reason::NO_CRL, Some(&concern), Purpose::Client, 0);
        assert!(!said.contains(['\n', '\u{1b}']), "{said}");
        let long = Concern {
            name: [named(&"y".repeat(100)), named(&"z".repeat(100))].concat(),
            ..Concern::default()
        };
        let said = advice(reason::NO_CRL, Some(&long), Purpose::Client, 0);
        assert!(said.contains("...\"") && said.len() < 400, "{said}");
    }

    #[test]
    fn each_refusal_has_its_advice() {
        for why in reason::all() {
            let said = advice(why, None, Purpose::Client, 0);
            assert!(!said.is_empty(), "{why}");
            assert_eq!(
                said.contains("SSLCARevocationFile"),
                reason::is_of_lists(why),
                "{why}: {said}"
            );
        }
    }
}
