//! As much DER (X.690) as it takes to see what kind of key a file holds, before the library is asked to use it.

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const BITS: u8 = 0x03;
pub(super) const OID: u8 = 0x06;
/// `[0] EXPLICIT`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// Takes elements from the front of a slice.
#[derive(Clone, Copy)]
pub(super) struct Der<'a>(pub &'a [u8]);

impl<'a> Der<'a> {
    /// Contents of the next element, if it has this tag; otherwise nothing is taken.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (contents, rest) = split(self.0, tag)?;
        self.0 = rest;
        Some(contents)
    }

    /// The next element, opened.
    pub(super) fn open(&mut self, tag: u8) -> Option<Der<'a>> {
        self.take(tag).map(Der)
    }
}

/// The first element of `input` with its header, as bytes; what follows it is left out.
pub(super) fn first_element(input: &[u8], tag: u8) -> Option<&[u8]> {
    let (_, rest) = split(input, tag)?;
    input.get(..input.len() - rest.len())
}

/// Contents of the first element, and what follows it.
fn split(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = input.split_first()?;
    if *first != tag {
        return None;
    }
    let (short, rest) = rest.split_first()?;
    if *short < 0x80 {
        return rest.split_at_checked(usize::from(*short));
    }
    // Long form: as many bytes of length as the low bits say. Four are 4 GiB, more than any file here.
    let count = usize::from(*short & 0x7f);
    if count == 0 || count > 4 {
        return None;
    }
    let (length, rest) = rest.split_at_checked(count)?;
    let length = length
        .iter()
        .fold(0usize, |sum, b| sum << 8 | usize::from(*b));
    rest.split_at_checked(length)
}
