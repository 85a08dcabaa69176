// SPDX-License-Identifier: Apache-2.0
//! Settings as C++ hands them over: the members of a policy by name and value, in the order of its table.
//!
//! Each policy is spelled once in each language: in a table of src/config/policy, which encodes it (encoder.hpp there),
//! and in a struct made by [`settings!`], which reads it. Where the two differ nothing is guessed: the start fails.

use rustls::SignatureScheme;

/// What is left of an encoding. Numbers are in network order, texts and lists have their length in front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

/// Why an encoding is not read: the two halves of the module do not belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct Mismatch {
    member: &'static str,
    found: String,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { member, found } = self;
        write!(
            f,
            "the module is not built of one source: its policy has {found} where \"{member}\" is expected"
        )
    }
}

impl std::error::Error for Mismatch {}

/// A type of members.
pub(crate) trait Value: Sized {
    /// The next value; `None` where there is none of this type.
    fn read(from: &mut Reader<'_>) -> Option<Self>;
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// The value of the member `name`, which is the next one.
    pub(crate) fn member<T: Value>(&mut self, name: &'static str) -> Result<T, Mismatch> {
        let mismatch = |found| Mismatch {
            member: name,
            found,
        };
        let next = String::read(self).ok_or_else(|| mismatch("nothing".to_owned()))?;
        if next != name {
            return Err(mismatch(format!("\"{next}\"")));
        }
        T::read(self).ok_or_else(|| mismatch("a value of another type".to_owned()))
    }
}

impl Value for bool {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match from.take(1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

impl Value for u8 {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.take(1)?.first().copied()
    }
}

impl Value for u16 {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.take(2)?.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Value for u32 {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        from.take(4)?.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Value for SignatureScheme {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        u16::read(from).map(Self::from)
    }
}

impl Value for String {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = usize::try_from(u32::read(from)?).ok()?;
        from.take(length)
            .and_then(|octets| Self::from_utf8(octets.to_vec()).ok())
    }
}

impl<A: Value, B: Value> Value for (A, B) {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some((A::read(from)?, B::read(from)?))
    }
}

impl<T: Value> Value for Vec<T> {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let length = u32::read(from)?;
        (0..length).map(|_| T::read(from)).collect()
    }
}

/// Makes a struct of settings whose members are read in this order, and `read`, which reads it from the beginning of an
/// encoding; what stands behind its last member is another's. With `value`, a struct that is a member of others.
macro_rules! settings {
    (value $(#[$doc:meta])* $vis:vis struct $name:ident {
        $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$member_doc])* $vis $member: $type,)*
        }

        impl $crate::tls::settings::Value for $name {
            fn read(from: &mut $crate::tls::settings::Reader<'_>) -> Option<Self> {
                Some(Self {
                    $($member: $crate::tls::settings::Value::read(from)?,)*
                })
            }
        }
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        $vis struct $name {
            $($(#[$member_doc])* $vis $member: $type,)*
        }

        impl $name {
            /// Reads what C++ has encoded.
            ///
            /// # Errors
            /// The encoding has other members, or has them in another order.
            $vis fn read(encoded: &[u8]) -> Result<Self, $crate::tls::settings::Mismatch> {
                let mut from = $crate::tls::settings::Reader(encoded);
                Ok(Self {
                    $($member: from.member(stringify!($member))?,)*
                })
            }
        }
    };
}
pub(crate) use settings;

#[cfg(test)]
mod tests {
    settings! {
        value
        /// A member of others.
        struct Inner {
            /// One.
            first: u32,
            /// Two.
            second: bool,
        }
    }

    settings! {
        /// All types.
        struct Sample {
            /// A switch.
            on: bool,
            /// Numbers.
            numbers: Vec<u16>,
            /// Texts.
            texts: Vec<String>,
            /// Two in one.
            pair: Inner,
        }
    }

    fn text(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u32).to_be_bytes());
        out.extend(text.bytes());
    }

    fn encoded() -> Vec<u8> {
        let mut out = Vec::new();
        text(&mut out, "on");
        out.push(1);
        text(&mut out, "numbers");
        out.extend([0, 0, 0, 2, 0x13, 0x01, 0x13, 0x02]);
        text(&mut out, "texts");
        out.extend([0, 0, 0, 1]);
        text(&mut out, "/a");
        text(&mut out, "pair");
        out.extend([0, 0, 1, 0, 0]);
        out
    }

    #[test]
    fn members_are_read_in_their_order() {
        let read = Sample::read(&encoded()).unwrap();
        let expected = Sample {
            on: true,
            numbers: vec![0x1301, 0x1302],
            texts: vec!["/a".to_owned()],
            pair: Inner {
                first: 256,
                second: false,
            },
        };
        assert_eq!(read, expected);
        let behind = [encoded(), vec![9, 9]].concat();
        assert_eq!(Sample::read(&behind), Ok(expected));
    }

    #[test]
    fn what_is_cut_short_or_of_another_name_is_refused() {
        let whole = encoded();
        for length in 0..whole.len() {
            assert!(Sample::read(&whole[..length]).is_err(), "{length}");
        }
        let mut renamed = whole.clone();
        renamed[4] = b'i';
        assert_eq!(
            Sample::read(&renamed).unwrap_err().to_string(),
            "the module is not built of one source: its policy has \"in\" where \"on\" is expected"
        );
        let mut odd = whole;
        odd[6] = 2;
        assert!(Sample::read(&odd).is_err());
    }

    #[test]
    fn a_length_that_lies_reserves_nothing() {
        let mut out = Vec::new();
        text(&mut out, "on");
        out.push(1);
        text(&mut out, "numbers");
        out.extend([0xFF; 4]);
        assert!(Sample::read(&out).is_err());
    }
}
