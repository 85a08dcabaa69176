// SPDX-License-Identifier: Apache-2.0
//! Where children learn of new certificates: memory that only grows. The supervisor alone can write to it; parent and
//! children have it mapped for reading, and nobody has a descriptor of it.
//!
//! The first word says how much of it is in use. A batch of entries is written behind that, and then the first word, so
//! that readers see all of it or nothing, also where the writer dies in between; its successor goes on from the first
//! word.

use std::io;

use super::codec::{Reader, Writer};
use crate::system::words::{Words, load, store};

/// Where the first batch begins: a page of its own keeps the first word away from them.
const FIRST: u64 = 512;
const WORD: usize = size_of::<u64>();

/// The reading side. One load of `end` tells whether there is anything new.
#[derive(Debug)]
pub struct UpdateLog {
    words: Words,
}

/// The writing side; the supervisor's alone.
#[derive(Debug)]
pub(crate) struct UpdateLogWriter {
    words: Words,
}

/// One entry: what the virtual hosts with these indices of a configuration serve from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The configuration's generation; children of another one ignore the entry.
    pub generation: u64,
    /// Indices of the requests.
    pub hosts: Vec<u32>,
    /// As [`encode_set`](super::certificate_codec::encode_set) writes it.
    pub set: Vec<u8>,
}

impl UpdateLog {
    /// An update log over memory that is zero at first.
    pub fn new(words: Words) -> Self {
        Self { words }
    }

    /// How long the update log is; what lies before has been written completely.
    pub fn end(&self) -> u64 {
        self.words.first().map_or(0, load)
    }

    /// The entries from `start` (0, or what [`UpdateLog::end`] said before) to `end`.
    pub fn read(&self, start: u64, end: u64) -> io::Result<Vec<Entry>> {
        let damaged = || io::Error::other("the update log is damaged");
        let (mut at, mut entries) = (start.max(FIRST), Vec::new());
        while at < end {
            let mut words = usize::try_from(at)
                .ok()
                .and_then(|at| self.words.get(at..))
                .unwrap_or_default()
                .iter();
            let length = words.next().map(load).ok_or_else(damaged)?;
            let next = at
                .saturating_add(1)
                .saturating_add(length.div_ceil(WORD as u64));
            let length = usize::try_from(length).map_err(io::Error::other)?;
            if next > end || length > words.len().saturating_mul(WORD) {
                return Err(damaged());
            }
            let mut bytes: Vec<u8> = words
                .take(length.div_ceil(WORD))
                .flat_map(|word| load(word).to_ne_bytes())
                .collect();
            bytes.truncate(length);
            read_batch(&bytes, &mut entries).map_err(|super::codec::Cut| damaged())?;
            at = next;
        }
        Ok(entries)
    }
}

fn read_batch(bytes: &[u8], entries: &mut Vec<Entry>) -> Result<(), super::codec::Cut> {
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        entries.push(Entry {
            generation: reader.long()?,
            hosts: reader.list(Reader::number)?,
            set: reader.bytes()?.to_vec(),
        });
    }
    Ok(())
}

impl UpdateLogWriter {
    /// The writer of an update log. A supervisor that follows another one goes on where that one ended.
    pub(crate) fn new(words: Words) -> Self {
        Self { words }
    }

    /// Appends entries; readers see all of them or none.
    ///
    /// # Errors
    /// There is no room left.
    pub(crate) fn append(&self, entries: &[Entry]) -> io::Result<()> {
        let mut writer = Writer::default();
        for entry in entries {
            writer.long(entry.generation);
            writer.list(&entry.hosts, |w, host| w.number(*host));
            writer.bytes(&entry.set);
        }
        let bytes = writer.into_bytes();
        let full = || {
            io::Error::other(
                "the memory for them is full; stop httpd and start it, which a restart does not replace",
            )
        };
        let first = self.words.first().ok_or_else(full)?;
        let start = load(first).max(FIRST);
        let place = usize::try_from(start).map_err(io::Error::other)?;
        let place = place
            ..place
                .saturating_add(1)
                .saturating_add(bytes.len().div_ceil(WORD));
        let [length, words @ ..] = self.words.get(place.clone()).ok_or_else(full)? else {
            return Err(full());
        };
        store(length, bytes.len() as u64);
        for (word, part) in words.iter().zip(bytes.chunks(WORD)) {
            let mut octets = [0; WORD];
            octets
                .iter_mut()
                .zip(part)
                .for_each(|(to, from)| *to = *from);
            store(word, u64::from_ne_bytes(octets));
        }
        store(first, place.end as u64);
        Ok(())
    }
}

#[cfg(test)]
pub(crate) fn memory(words: usize) -> Words {
    crate::ticket::keeper::testing::words(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::words::model::{interleave, record};

    fn entry(n: u8, length: usize) -> Entry {
        Entry {
            generation: 1,
            hosts: vec![u32::from(n), 9],
            set: vec![n; length],
        }
    }

    #[test]
    fn readers_see_whole_entries_once() {
        let words = memory(4096);
        let (update_log, writer) = (UpdateLog::new(words), UpdateLogWriter::new(words));
        assert_eq!(update_log.end(), 0);
        assert_eq!(update_log.read(0, 0).unwrap(), []);
        writer.append(&[entry(1, 5001), entry(2, 4999)]).unwrap();
        let first = update_log.end();
        assert_eq!(
            update_log.read(0, first).unwrap(),
            [entry(1, 5001), entry(2, 4999)]
        );
        writer.append(&[entry(3, 5000)]).unwrap();
        assert_eq!(
            update_log.read(first, update_log.end()).unwrap(),
            [entry(3, 5000)]
        );
        assert!(
            update_log.read(first - 3, update_log.end()).is_err(),
            "a wrong start"
        );
        assert!(update_log.read(0, u64::MAX).is_err(), "a wrong end");
    }

    #[test]
    fn a_full_update_log_stays_as_it_is() {
        let words = memory(1024);
        let (update_log, writer) = (UpdateLog::new(words), UpdateLogWriter::new(words));
        writer.append(&[entry(1, 1000)]).unwrap();
        let end = update_log.end();
        assert!(writer.append(&[entry(2, 4000)]).is_err());
        assert_eq!(update_log.end(), end);
        assert_eq!(update_log.read(0, end).unwrap(), [entry(1, 1000)]);
    }

    #[test]
    fn a_batch_is_seen_whole_or_not_at_all_wherever_its_writer_is_or_dies() {
        let words = memory(1024);
        let (update_log, writer) = (UpdateLog::new(words), UpdateLogWriter::new(words));
        writer.append(&[entry(1, 3)]).unwrap();
        let (before, batch) = (update_log.end(), [entry(2, 9), entry(3, 1)]);
        let stores = record(|| writer.append(&batch).unwrap());
        let (mut seen, mut early) = (0, 0);
        interleave(&stores, || {
            let end = update_log.end();
            let new = update_log.read(before, end).unwrap();
            match new.as_slice() {
                [] => early += 1,
                new => {
                    assert_eq!(new, batch);
                    seen += 1;
                }
            }
            assert_eq!(update_log.read(0, before).unwrap(), [entry(1, 3)]);
        });
        assert!(seen > 0 && early > stores.len());
        // Died before any store: a successor goes on over what was left half written.
        for died in 0..stores.len() {
            for (word, value) in stores.iter().take(died) {
                word.store(*value, std::sync::atomic::Ordering::SeqCst);
            }
            assert_eq!(update_log.end(), before);
            UpdateLogWriter::new(words).append(&[entry(4, 40)]).unwrap();
            let end = update_log.end();
            assert_eq!(update_log.read(before, end).unwrap(), [entry(4, 40)]);
            words[0].store(before, std::sync::atomic::Ordering::SeqCst);
        }
    }
}
