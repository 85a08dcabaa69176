// SPDX-License-Identifier: Apache-2.0
//! The last hour, for the status page: the parent writes a sample of the sums every half minute.

use core::sync::atomic::AtomicU64;

use super::table::Counter;
use crate::system::words::{load, store};

/// What a sample holds beside its time; gauges are as they were, counters as far as they had come.
pub const SAMPLED: [&[Counter]; 6] = [
    &[Counter::FullTls13, Counter::FullTls12],
    &[Counter::ResumedTls13, Counter::ResumedTls12],
    &[], // failures: all series of their family
    &[Counter::ReceivedFromClients],
    &[Counter::SentToClients],
    &[Counter::UnderWay],
];

/// The place of failures among [`SAMPLED`].
pub const FAILURES: usize = 2;

/// Seconds between two samples.
pub const EVERY: u64 = 30;

/// Samples kept.
pub const SAMPLES: usize = 121;

const SAMPLE_WORDS: usize = SAMPLED.len() + 1;

/// Words of the ring, its head first.
pub const HISTORY_WORDS: usize = 1 + SAMPLES * SAMPLE_WORDS;

/// The sums at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Seconds since 1970.
    pub at: u64,
    /// See [`SAMPLED`].
    pub values: [u64; SAMPLED.len()],
}

/// Appends a sample where one is due. For the memory's one writer.
pub(super) fn append(
    ring: &'static [AtomicU64],
    now: u64,
    last: &mut u64,
    total: impl Fn(usize) -> u64,
) {
    if now < last.saturating_add(EVERY) && *last <= now {
        return;
    }
    let Some((head, samples)) = ring.split_first() else {
        return;
    };
    let written = load(head);
    let place = usize::try_from(written).unwrap_or(0) % SAMPLES * SAMPLE_WORDS;
    let Some(words) = samples.get(place..place + SAMPLE_WORDS) else {
        return;
    };
    *last = now;
    let values = (0..SAMPLED.len()).map(total);
    for (word, value) in words.iter().zip(core::iter::once(now).chain(values)) {
        store(word, value);
    }
    store(head, written.wrapping_add(1));
}

/// The samples, oldest first.
pub fn read(ring: &'static [AtomicU64]) -> Vec<Sample> {
    let Some((head, samples)) = ring.split_first() else {
        return Vec::new();
    };
    let written = usize::try_from(load(head)).unwrap_or(0);
    // The oldest one may be overwritten while it is read.
    let first = written.saturating_sub(SAMPLES - 1);
    let sample = |number: usize| {
        let place = number % SAMPLES * SAMPLE_WORDS;
        let words = samples.get(place..place + SAMPLE_WORDS)?;
        let (at, rest) = words.split_first()?;
        let mut values = [0; SAMPLED.len()];
        for (value, word) in values.iter_mut().zip(rest) {
            *value = load(word);
        }
        Some(Sample {
            at: load(at),
            values,
        })
    };
    (first..written).filter_map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::keeper::testing::words;

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let (ring, mut last) = (words(HISTORY_WORDS), 0);
        for second in (1000..1000 + 3 * 3600).step_by(10) {
            append(ring, second, &mut last, |what| second + what as u64);
        }
        let samples = read(ring);
        assert_eq!(samples.len(), SAMPLES - 1);
        assert!(
            samples
                .windows(2)
                .all(|pair| pair[1].at == pair[0].at + EVERY)
        );
        assert!(
            samples
                .iter()
                .all(|sample| sample.values[1] == sample.at + 1)
        );
        assert!(samples[0].at + 3600 <= 1000 + 3 * 3600 + EVERY);
    }

    #[test]
    fn a_clock_set_back_ends_nothing() {
        let (ring, mut last) = (words(HISTORY_WORDS), 0);
        append(ring, 10_000, &mut last, |_| 1);
        append(ring, 5_000, &mut last, |_| 2);
        assert_eq!(read(ring).len(), 2);
    }
}
