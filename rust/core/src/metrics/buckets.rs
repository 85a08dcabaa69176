// SPDX-License-Identifier: Apache-2.0
//! The buckets of histograms.

/// Upper bounds of the buckets, in microseconds, and as Prometheus wants them; one more has what took longer.
pub const BUCKETS: &[(u64, &str)] = &[
    (50, "0.00005"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// Words of a histogram: the buckets, what took longer, and the sum in microseconds.
pub const HISTOGRAM_WORDS: usize = BUCKETS.len() + 2;
