// SPDX-License-Identifier: Apache-2.0
//! Bytes of the messages between httpd's parent and the supervisor: integers big-endian, strings and lists counted.
//!
//! Both ends are ours and neither listens to children, yet every read is bounded: the supervisor that answers may be
//! one of another version.

/// What could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut;

/// Writes a message.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// The bytes written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Appends a byte.
    pub fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Appends a number.
    pub fn number(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Appends a long number.
    pub fn long(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Appends the count of what follows; a list of more than 4,000 million entries is cut off by its count.
    pub fn count(&mut self, value: usize) {
        self.number(u32::try_from(value).unwrap_or(u32::MAX));
    }

    /// Appends bytes with their length.
    pub fn bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.0.extend_from_slice(value);
    }

    /// Appends a text.
    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// Appends a text that may be absent.
    pub fn optional(&mut self, value: Option<&str>) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            self.text(value);
        }
    }

    /// Appends a list.
    pub fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.count(items.len());
        for item in items {
            each(self, item);
        }
    }
}

/// Reads a message.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the front of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Cut> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, Cut> {
        self.take(1)?.first().copied().ok_or(Cut)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u32, Cut> {
        Ok(u32::from_be_bytes(
            self.take(4)?.try_into().map_err(|_| Cut)?,
        ))
    }

    /// A long number.
    pub fn long(&mut self) -> Result<u64, Cut> {
        Ok(u64::from_be_bytes(
            self.take(8)?.try_into().map_err(|_| Cut)?,
        ))
    }

    /// A count or an index.
    pub fn count(&mut self) -> Result<usize, Cut> {
        usize::try_from(self.number()?).map_err(|_| Cut)
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Cut> {
        let length = self.count()?;
        self.take(length)
    }

    /// A text.
    pub fn text(&mut self) -> Result<String, Cut> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| Cut)
    }

    /// A text that may be absent.
    pub fn optional(&mut self) -> Result<Option<String>, Cut> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(Cut),
        }
    }

    /// A list. Its memory grows with what is there, not with what its count claims.
    pub fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, Cut>,
    ) -> Result<Vec<T>, Cut> {
        let count = self.count()?;
        let mut items = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            items.push(each(self)?);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let mut writer = Writer::default();
        writer.byte(7);
        writer.long(1 << 40);
        writer.optional(None);
        writer.optional(Some("Grüße"));
        writer.list(&["a", "bc"], |w, text| w.text(text));
        let bytes = writer.into_bytes();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.byte(), Ok(7));
        assert_eq!(reader.long(), Ok(1 << 40));
        assert_eq!(reader.optional(), Ok(None));
        assert_eq!(reader.optional(), Ok(Some("Grüße".to_owned())));
        assert_eq!(
            reader.list(Reader::text),
            Ok(vec!["a".to_owned(), "bc".to_owned()])
        );
        assert!(reader.is_empty());
    }

    #[test]
    fn lying_counts_end_at_the_end() {
        let mut reader = Reader::new(&[255, 255, 255, 255, 1]);
        assert_eq!(reader.list(Reader::byte), Err(Cut));
        let mut reader = Reader::new(&[255, 255, 255, 255, 1]);
        assert_eq!(reader.bytes(), Err(Cut));
    }
}
