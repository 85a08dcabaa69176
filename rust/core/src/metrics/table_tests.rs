// SPDX-License-Identifier: Apache-2.0
//! The table is in order, and its names are as Prometheus wants them.

use super::*;
use crate::metrics::buckets::BUCKETS;
use crate::metrics::found::families;
use std::collections::HashSet;

#[test]
fn series_stand_in_the_order_of_their_numbers() {
    for (index, (counter, _)) in COUNTERS.iter().enumerate() {
        assert_eq!(*counter as usize, index);
    }
    let series = FAMILIES.iter().flat_map(|family| family.series);
    assert!(
        series
            .map(|series| series.counter as usize)
            .eq(0..COUNTERS.len())
    );
}

#[test]
fn names_are_as_prometheus_wants_them() {
    let mut names = HashSet::new();
    for family in families() {
        assert!(names.insert(family.name), "{} stands twice", family.name);
        let counter = family.kind == Kind::Counter;
        assert_eq!(family.name.ends_with("_total"), counter, "{}", family.name);
        assert!(!family.help.is_empty() && !family.help.ends_with('.'));
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(family.name.chars().all(letter));
        let mut values = HashSet::new();
        for series in family.series {
            assert_eq!(series.values.len(), family.labels.len(), "{}", family.name);
            assert!(
                values.insert(series.values),
                "{} {:?}",
                family.name,
                series.values
            );
        }
    }
}

#[test]
fn buckets_are_in_order_and_say_their_bounds() {
    assert!(BUCKETS.is_sorted());
    for (microseconds, text) in BUCKETS {
        let seconds: f64 = text.parse().unwrap();
        assert!((seconds * 1e6 - *microseconds as f64).abs() < 0.5, "{text}");
    }
}
