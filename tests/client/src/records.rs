// SPDX-License-Identifier: Apache-2.0
//! Counts the TLS records of a stream: how well a server fills them is seen nowhere else.

const HEADER: usize = 5;
const APPLICATION_DATA: u8 = 23;

/// Where in the stream we are, and what went by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    /// Records of type application_data (in TLS 1.3 the encrypted handshake's too).
    pub count: u64,
    /// The largest payload among them, in bytes as on the wire.
    pub largest: u64,
    header: Vec<u8>,
    skip: usize,
}

impl Records {
    /// Takes the next bytes from the wire, cut anywhere.
    pub(crate) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let wanted = (HEADER - self.header.len()).min(bytes.len());
            self.header
                .extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            bytes = bytes.get(wanted..).unwrap_or_default();
            if let [kind, _, _, high, low] = *self.header.as_slice() {
                self.header.clear();
                self.skip = usize::from(u16::from_be_bytes([high, low]));
                if kind == APPLICATION_DATA {
                    self.count += 1;
                    self.largest = self.largest.max(self.skip as u64);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_wherever_the_stream_is_cut() {
        let stream = [22, 3, 3, 0, 1, 9, 23, 3, 3, 0, 2, 9, 9, 23, 3, 3, 0, 0];
        for size in 1..=stream.len() {
            let mut records = Records::default();
            stream.chunks(size).for_each(|piece| records.see(piece));
            assert_eq!((records.count, records.largest), (2, 2), "pieces of {size}");
        }
    }
}
