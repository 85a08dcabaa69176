// SPDX-License-Identifier: Apache-2.0
//! What is wrong with keys of ECH, and what to do.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

use super::SUFFIX;
use crate::creds::pem::PemError;
use crate::system::file::{DirectoryFault, PANICKED, Refusal};

/// Why a key and its configuration are of no use; the text continues a sentence about the configuration.
#[derive(Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// Clients do not take such a public name.
    PublicName(String),
    /// The number of a KEM (RFC 9180 7.1) that is not known here, or is not with its cipher suites.
    Kem(u16),
    /// The private key is another one's.
    Mismatch,
    /// The list of configurations, in the words of its reader.
    List(&'static str),
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublicName(name) => write!(
                f,
                "has \"{}\" for its public name, which is no name that clients take",
                name.escape_default()
            ),
            Self::Kem(kem) => write!(f, "is of a kind that is not known here (KEM {kem:#06x})"),
            Self::Mismatch => f.write_str("does not fit the private key"),
            Self::List(why) => f.write_str(why),
        }
    }
}

impl Error for KeyFault {}

/// What is wrong with the contents of a file of keys; the text continues a sentence about the file.
#[derive(Debug)]
pub enum ContentsFault {
    /// A block that is none.
    Pem(PemError),
    /// A key that needs a pass phrase.
    Encrypted,
    /// A block of this label, of something else.
    Foreign(String),
    /// Two blocks of this label.
    Twice(String),
    /// What looks like a block in this line.
    Lost(usize),
    /// There is no private key.
    NoPrivateKey,
    /// There is no configuration.
    NoConfiguration,
    /// The private key is of another kind.
    Kind,
    /// A configuration is of no use.
    Configuration(KeyFault),
    /// A panic was caught.
    Panicked,
}

impl fmt::Display for ContentsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let make = "make it with \"openssl ech -public_name NAME -out FILE\" (OpenSSL 4.0) or use \"TLSECH NAME\"";
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::Encrypted => f.write_str(
                "holds an encrypted private key; keys of ECH are read without a pass phrase: decrypt it with \
                 \"openssl pkey\"",
            ),
            Self::Foreign(label) => {
                write!(f, "holds a block \"{label}\", which is no key of ECH")
            }
            Self::Twice(label) => write!(
                f,
                "has two blocks \"{label}\"; give each key a file of its own"
            ),
            Self::Lost(line) => write!(
                f,
                "has something like a block in line {line} that is none"
            ),
            Self::NoPrivateKey => write!(f, "holds no private key; {make}"),
            Self::NoConfiguration => write!(f, "holds no ECHCONFIG; {make}"),
            Self::Kind => {
                f.write_str("holds a private key that is none of X25519 or of a NIST curve")
            }
            Self::Configuration(why) => write!(f, "has an ECHCONFIG that {why}"),
            Self::Panicked => f.write_str(PANICKED),
        }
    }
}

impl Error for ContentsFault {}

impl From<PemError> for ContentsFault {
    fn from(error: PemError) -> Self {
        Self::Pem(error)
    }
}

impl From<KeyFault> for ContentsFault {
    fn from(fault: KeyFault) -> Self {
        Self::Configuration(fault)
    }
}

/// Why keys cannot be had, in sentences with a remedy.
#[derive(Debug)]
pub enum EchFault {
    /// A directory of keys cannot be listed.
    Directory(PathBuf, Refusal),
    /// A directory of keys has none.
    Empty(PathBuf),
    /// A file of keys cannot be read.
    Unreadable(PathBuf, Refusal),
    /// Others may read a file of keys; its mode.
    Readable(PathBuf, u32),
    /// What a file holds is of no use.
    Contents(PathBuf, ContentsFault),
    /// The directory of the server's own keys cannot be had.
    OwnDirectory(DirectoryFault),
    /// Others may enter it.
    Enterable(PathBuf),
    /// There is no randomness to make this key of.
    NoRandomness(PathBuf),
    /// There is none, or no number that another key has not.
    NoNumber(PathBuf),
    /// What was made is of another kind than files are written of.
    NotX25519(PathBuf),
    /// The file of a new key cannot be written.
    Unwritable(PathBuf, std::io::Error),
    /// There are so many keys, where so many are the most.
    TooMany(usize, usize),
    /// So many keys share this number, where so many may.
    SameNumber(usize, u8, usize),
    /// Children cannot be given any.
    NoMemory,
    /// They take so many octets, of so many.
    NoRoom(usize, usize),
}

impl fmt::Display for EchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unmade = |f: &mut fmt::Formatter<'_>, name: &PathBuf, why: &dyn fmt::Display| {
            write!(f, "the ECH key {} cannot be made: {why}", name.display())
        };
        match self {
            Self::Directory(name, why) => {
                write!(
                    f,
                    "the directory {} cannot be read: {why}; check the path",
                    name.display()
                )
            }
            Self::Empty(name) => write!(
                f,
                "the directory {} has no file of a key (*.{SUFFIX}); without keys clients ask in the clear",
                name.display()
            ),
            Self::Unreadable(name, why) => write!(
                f,
                "the ECH key file {} cannot be read: {why}; check the path, or use \"TLSECH NAME\", which makes keys",
                name.display()
            ),
            Self::Readable(name, mode) => write!(
                f,
                "others may read the ECH key file {0} (mode {mode:03o}): \"chmod o-rwx {0}\"",
                name.display()
            ),
            Self::Contents(name, why) => write!(f, "the ECH key file {} {why}", name.display()),
            Self::OwnDirectory(why) => why.fmt(f),
            Self::Enterable(name) => write!(
                f,
                "others may enter the directory {0} of ECH keys: \"chmod 700 {0}\"",
                name.display()
            ),
            Self::NoRandomness(name) => unmade(f, name, &"no randomness"),
            Self::NoNumber(name) => unmade(f, name, &"no randomness, or all numbers are taken"),
            Self::NotX25519(name) => unmade(f, name, &"it is no X25519 key"),
            Self::Unwritable(name, why) => unmade(f, name, why),
            Self::TooMany(count, most) => {
                write!(f, "there are {count} keys, and {most} at most are held")
            }
            Self::SameNumber(count, number, most) => write!(
                f,
                "{count} keys have the number {number}, and each would be tried for every client that names it; {most} \
                 at most may share a number: make new ones"
            ),
            Self::NoMemory => f.write_str("there is no memory"),
            Self::NoRoom(octets, most) => write!(
                f,
                "the ECH keys take {octets} octets, of which {most} can be held: use fewer"
            ),
        }
    }
}

impl Error for EchFault {}

impl From<DirectoryFault> for EchFault {
    fn from(fault: DirectoryFault) -> Self {
        Self::OwnDirectory(fault)
    }
}
