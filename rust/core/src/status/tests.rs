// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::creds::StapleSource;
use crate::fetch::results::{Held, outcomes};
use crate::metrics::tally::Sums;
use crate::metrics::{Counters, PAGE_WORDS, PUBLISHED_WORDS, Tally};
use crate::ticket::keeper::testing::words;
use crate::verify::fetched::ListState;

const ODD: &str = "<b>\"a\\b'&\u{1}\n";

fn snapshot() -> Snapshot {
    let memory = words(PUBLISHED_WORDS);
    let counters = Counters::new(words(PAGE_WORDS)).unwrap();
    for (index, (counter, _)) in crate::metrics::COUNTERS.iter().enumerate() {
        counters.add(*counter, index as u64 + 1);
    }
    counters.count_host(0, true);
    let mut tally = Tally::new(memory).unwrap();
    for second in [100, 131, 170, 210] {
        let mut sums = Sums::default();
        sums.look(&counters.copy());
        tally.publish(second, [sums].iter());
        counters.add(Counter::FullTls13, 7);
    }
    Snapshot {
        totals: Totals::new(memory).unwrap(),
        now: 1000,
        started: 100,
        version: "1.2.3".to_owned(),
        server: ODD.to_owned(),
        certificates: vec![Served {
            subject: ODD.to_owned(),
            source: "file",
            hosts: vec![(ODD.to_owned(), "a.conf:3".to_owned())],
            not_after: 1000 + 3 * 86_400,
            staple: Some((StapleSource::Fetched, 500, 5000)),
            staple_expected: true,
            ..Served::default()
        }],
        isolated: true,
        hosts: vec![("a.example:443".to_owned(), 0)],
        fetched: fetched(),
    }
}

fn fetched() -> Fetched {
    let list = |url: &str, made, next| ListState {
        url: url.to_owned(),
        made,
        next,
        entries: 7,
    };
    Fetched {
        lists: vec![
            list(ODD, Some(100), Some(2000)),
            list("late", Some(100), Some(999)),
            list("none", None, None),
        ],
        verdicts: Held {
            good: 3,
            revoked: 2,
            oldest: Some(50),
            next_end: Some(1500),
            ..Held::default()
        },
        hosts: vec![
            (ODD.to_owned(), outcomes([9, 5, 1, 2, 0, 0, 0, 1])),
            ("other".to_owned(), outcomes([0; 8])),
        ],
    }
}

#[test]
fn what_is_fetched_stands_in_all_forms() {
    let snapshot = snapshot();
    let text = prometheus(&snapshot);
    for line in [
        "fetch_requests_total{responder=\"other\",outcome=\"late\"} 0",
        "revocation_list_missing{list=\"late\"} 1",
        "revocation_list_missing{list=\"none\"} 1",
        "revocation_list_next_timestamp_seconds{list=\"late\"} 999",
        "client_ocsp_verdicts{verdict=\"revoked\"} 2",
        "client_ocsp_oldest_verdict_timestamp_seconds 50",
        "client_ocsp_next_end_timestamp_seconds 1500",
    ] {
        assert!(text.contains(&format!("\nmod_tls_{line}\n")), "{line}");
    }
    assert!(
        text.contains("outcome=\"answered\"} 4\n") && text.contains("outcome=\"refused\"} 1\n")
    );
    assert!(!text.contains("made_timestamp_seconds{list=\"none\"}"));
    let json = json(&snapshot);
    assert!(json.contains(
        "{\"url\":\"late\",\"made\":100,\"next\":999,\"certificates\":7,\"missing\":true}"
    ));
    assert!(json.contains("\"client_verdicts\":{\"oldest\":50,\"next_end\":1500,\"good\":3,"));
    assert!(json.contains("\"staple_end\":5000,\"staple_made\":500"));
    let page = page(&snapshot, 0);
    for part in [
        ">in force<",
        ">expired<",
        ">not there<",
        "Requests to responders",
        "Clients known as good",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let nothing = Snapshot {
        fetched: Fetched::default(),
        ..snapshot
    };
    for name in ["fetch_requests", "revocation_list", "client_ocsp_verdicts"] {
        assert!(said(&nothing, name).is_empty(), "{name}");
    }
    assert!(!super::page(&nothing, 0).contains("Revocation lists"));
}

#[test]
fn every_series_stands_in_the_text_for_prometheus() {
    let text = prometheus(&snapshot());
    for family in families() {
        assert!(text.contains(&format!("# TYPE mod_tls_{} ", family.name)));
        for series in family.series {
            let value = series.counter as usize + 1;
            let labels: Vec<_> = family.labels.iter().zip(series.values).collect();
            let line = text.lines().find(|line| {
                let named = line.starts_with(&format!("mod_tls_{}{{", family.name))
                    || line.starts_with(&format!("mod_tls_{} ", family.name));
                let fits = |(label, value): &(&&str, &&str)| {
                    line.contains(&format!("{label}=\"{value}\""))
                };
                named && labels.iter().all(fits)
            });
            let expected = if series.counter == Counter::FullTls13 {
                value + 21
            } else {
                value
            };
            assert!(line.unwrap().ends_with(&format!(" {expected}")), "{line:?}");
        }
    }
    assert!(text.contains("subject=\"<b>\\\"a\\\\b'&\u{1}\\n\""));
    assert!(text.contains("host_handshakes_total{host=\"a.example:443\",result=\"completed\"} 1"));
}

/// What Prometheus gets of these families, without comments.
fn said(snapshot: &Snapshot, name: &str) -> Vec<String> {
    let text = prometheus(snapshot);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && line.contains(name));
    lines.map(ToOwned::to_owned).collect()
}

/// Numbers that are told apart, one for each series, and what the outputs for people have of them.
#[test]
fn every_series_stands_on_the_page_and_in_what_mod_status_shows() {
    let memory = words(PUBLISHED_WORDS);
    let counters = Counters::new(words(PAGE_WORDS)).unwrap();
    let number = |counter: Counter| 100_000 + 7 * counter as u64;
    for (counter, _) in crate::metrics::COUNTERS {
        counters.add(*counter, number(*counter));
    }
    let mut sums = Sums::default();
    sums.look(&counters.copy());
    Tally::new(memory).unwrap().publish(100, [sums].iter());
    let mut snapshot = snapshot();
    snapshot.totals = Totals::new(memory).unwrap();
    let (page, block, lines) = (page(&snapshot, 0), block(&snapshot), lines(&snapshot));
    for family in families() {
        for series in family.series {
            let value = number(series.counter);
            let shown = match family.name {
                // Not a number for people.
                "agent_up" => ">runs<".to_owned(),
                "received_bytes_total" | "sent_bytes_total" => {
                    format!(">{}B<", svg::rate(value as f64))
                }
                _ => format!(">{}<", words::short(value)),
            };
            assert!(page.contains(&shown), "{} {:?}", family.name, series.values);
            let pairs = family.labels.iter().zip(series.values);
            let pairs: Vec<_> = pairs
                .map(|(label, value)| format!("{label}={value}"))
                .collect();
            let braces = if pairs.is_empty() {
                String::new()
            } else {
                format!("{{{}}}", pairs.join(","))
            };
            let line = format!("{braces}: {value}\n");
            assert!(lines.contains(&line), "{} {:?}", family.name, series.values);
            let term = format!("{braces}: {}</dt>", words::short(value));
            assert!(block.contains(&term), "{} {:?}", family.name, series.values);
        }
    }
    assert!(lines.contains("TLSHandshakeFailures{reason=timeout}: "));
}

#[test]
fn what_is_not_wanted_has_no_series_and_is_not_missing() {
    let mut snapshot = snapshot();
    let [end] = &said(&snapshot, "staple_end")[..] else {
        panic!("one response");
    };
    assert!(end.contains("staple=\"fetched\"") && end.ends_with(" 5000"));
    assert!(said(&snapshot, "staple_missing")[0].ends_with(" 0"));
    assert_eq!(said(&snapshot, "agent_up").len(), 1);
    // Of two that labels do not tell apart the one without a response is shown.
    snapshot.certificates.push(snapshot.certificates[0].clone());
    snapshot.certificates[0].staple = None;
    assert!(said(&snapshot, "staple_missing")[0].ends_with(" 1"));
    assert!(json(&snapshot).contains(
        "\"staple_end\":null,\"staple_made\":null,\"staple_source\":null,\"staple_missing\":true"
    ));
    assert!(page(&snapshot, 0).contains(">missing<"));
    snapshot.certificates.iter_mut().for_each(|served| {
        served.staple = None;
        served.staple_expected = false;
    });
    snapshot.isolated = false;
    for name in ["staple_end", "staple_missing", "agent_up"] {
        assert!(said(&snapshot, name).is_empty(), "{name}");
    }
    assert!(page(&snapshot, 0).contains("none wanted"));
}

#[test]
fn names_are_escaped_for_where_they_stand() {
    let page = page(&snapshot(), 5);
    assert!(page.contains("&lt;b&gt;&quot;a\\b&#39;&amp;") && !page.contains("<b>\""));
    assert!(page.contains("http-equiv=\"refresh\" content=\"5\""));
    assert!(page.contains("3 days left") && page.contains("<path class=\"line a\""));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    let json = json(&snapshot());
    assert!(json.contains("\"subject\":\"<b>\\\"a\\\\b'&\\u0001\\u000a\""));
}

#[test]
fn what_many_hosts_have_is_not_before_everything_else() {
    let mut snapshot = snapshot();
    let one = snapshot.certificates[0].clone();
    snapshot.certificates = (0..500)
        .map(|day| Served {
            subject: format!("s{day}."),
            not_after: 1000 + (500 - day) * 86_400,
            ..one.clone()
        })
        .collect();
    snapshot.hosts = (0..500).map(|n| (format!("h{n}."), n)).collect();
    let page = page(&snapshot, 0);
    let place = |text: &str| page.find(text).unwrap();
    let folded = place("<details><summary>480 more certificates</summary>");
    assert!(place("s499.") < place("s480.") && place("s480.") < folded && folded < place("s479."));
    assert!(place("Since the start") < place("Handshakes by virtual host"));
    assert!(
        place("h0.") < place("480 more virtual hosts"),
        "that with most first"
    );
}

#[test]
fn tiles_leave_noise_out_and_know_all_hybrid_groups() {
    let memory = words(PUBLISHED_WORDS);
    let counters = Counters::new(words(PAGE_WORDS)).unwrap();
    for counter in crate::metrics::choose::NOISE {
        counters.add(*counter, 100);
    }
    counters.add(Counter::FullTls13, 8);
    counters.add(Counter::GroupP384Mlkem1024, 2);
    counters.add(Counter::GroupMlkem768, 2);
    counters.add(Counter::GroupX25519, 4);
    counters.add(Counter::FailedTimeout, 2);
    let mut sums = Sums::default();
    sums.look(&counters.copy());
    Tally::new(memory).unwrap().publish(100, [sums].iter());
    let mut snapshot = snapshot();
    snapshot.totals = Totals::new(memory).unwrap();
    let page = page(&snapshot, 0);
    assert!(page.contains("<b>20.0 %</b><span>failed</span>"));
    assert!(page.contains("<b>50.0 %</b><span>post-quantum key exchange</span>"));
    let lines = lines(&snapshot);
    assert!(lines.contains("TLSFailedHandshakes: 2\n") && lines.contains("TLSTurnedAway: 700\n"));
    snapshot.isolated = false;
    assert!(super::page(&snapshot, 0).contains(">not used<"));
}

#[test]
fn mod_status_gets_lines_and_a_block() {
    let snapshot = snapshot();
    assert!(lines(&snapshot).contains("TLSCertificateDaysLeft: 3\n"));
    assert!(block(&snapshot).contains("<dt>Failed handshakes: "));
}
