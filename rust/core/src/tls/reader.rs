// SPDX-License-Identifier: Apache-2.0
//! Takes values from the front of bytes in TLS's presentation language (RFC 8446 3).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// What is left to be read. Each method answers `None`, and takes nothing that counts, where there is too little.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A uint8.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A uint16.
    pub fn u16(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*first))
    }

    /// A vector with one byte of length.
    pub fn vec8(&mut self) -> Option<Self> {
        let length = self.u8()?;
        self.take(usize::from(length)).map(Reader)
    }

    /// A vector with two bytes of length.
    pub fn vec16(&mut self) -> Option<Self> {
        let length = self.u16()?;
        self.take(usize::from(length)).map(Reader)
    }

    /// All that is left, as numbers of two bytes; an odd byte at the end is left out.
    pub fn u16s(self) -> Vec<u16> {
        self.0
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |v, b| v << 8 | u16::from(*b)))
            .collect()
    }

    /// An extension (RFC 8446 4.2): its type, and its contents.
    pub fn extension(&mut self) -> Option<(u16, Self)> {
        Some((self.u16()?, self.vec16()?))
    }
}
