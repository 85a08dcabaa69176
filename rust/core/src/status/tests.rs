// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::metrics::tally::Sums;
use crate::metrics::{Counters, PAGE_WORDS, PUBLISHED_WORDS, Tally};
use crate::ticket::keeper::testing::words;

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
            ..Served::default()
        }],
        hosts: vec![("a.example:443".to_owned(), 0)],
    }
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
fn mod_status_gets_lines_and_a_block() {
    let snapshot = snapshot();
    assert!(lines(&snapshot).contains("TLSCertificateDaysLeft: 3\n"));
    assert!(block(&snapshot).contains("<dt>Failed handshakes: "));
}
