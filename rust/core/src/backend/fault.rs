// SPDX-License-Identifier: Apache-2.0
//! Why there is no policy for connections to backends, in sentences that name the file and what to do.

use std::error::Error;
use std::fmt;
use std::io;

use crate::creds;
use crate::creds::contents::Damage;
use crate::creds::key::KeyKind;
use crate::system::file::Refusal;
use crate::tls::policy::NoHandshake;
use crate::verify::kept::Form;

/// What is wrong with a file or directory; strings name it as the configuration does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendFileFault {
    /// A row of the table of faults.
    Credential(creds::Fault),
    /// The private key in this line is encrypted.
    EncryptedKey(String, usize),
    /// It holds no private key.
    NoKey(String),
    /// It holds neither certificate nor key.
    NoPair(String),
    /// No certificate in it fits this kind of key.
    NoCertificate(String, KeyKind),
    /// No file of this directory holds a certificate with its key.
    NoPairWithin(String),
    /// An element of it is damaged.
    Damaged(String, Damage),
    /// It holds nothing of this form, but what the last member says.
    Nothing(String, Form, String),
    /// No file of this directory holds anything of this form.
    NothingWithin(String, Form),
    /// This directory cannot be listed.
    Unlisted(String, Refusal),
    /// It was a directory.
    NoDirectory(String),
}

impl fmt::Display for BackendFileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let add = |f: &mut fmt::Formatter<'_>, name: &str, holds: &str| {
            write!(
                f,
                "{name}: it holds {holds}; add what is missing to this file, in PEM (cat KEY >> {name}), or name the \
                 key's file behind it in TLSProxyMachineCertificate"
            )
        };
        match self {
            Self::Credential(fault) => fault.fmt(f),
            Self::EncryptedKey(name, line) => write!(
                f,
                "{name}: the private key in line {line} is encrypted, and nobody can be asked for the pass phrase of a \
                 proxy's key; decrypt it with: openssl pkey -in {name} -out NEW, and name a file with the \
                 certificate and the new key"
            ),
            Self::NoKey(name) => add(f, name, "a certificate, but not its private key"),
            Self::NoPair(name) => add(f, name, "neither a certificate nor a private key"),
            Self::NoCertificate(name, kind) => write!(
                f,
                "{name}: no certificate in this file belongs to its {kind} key; put the certificate that was issued for \
                 it there"
            ),
            Self::NoPairWithin(path) => {
                write!(f, "{path}: no file in it holds a certificate with its key")
            }
            Self::Damaged(name, damage) => write!(f, "{name}: {damage}"),
            Self::Nothing(name, form, instead) => {
                let (kind, remedy) = (form.name(), form.remedy());
                write!(f, "{name} holds no {kind}{instead}; {remedy}")
            }
            Self::NothingWithin(path, form) => {
                write!(f, "{path}: no file in it holds a {}", form.name())
            }
            Self::Unlisted(path, why) => write!(f, "{path} cannot be read: {why}"),
            Self::NoDirectory(path) => write!(f, "{path} is no directory any more"),
        }
    }
}

impl Error for BackendFileFault {}

impl From<creds::Fault> for BackendFileFault {
    fn from(fault: creds::Fault) -> Self {
        Self::Credential(fault)
    }
}

/// Why there is no policy.
#[derive(Debug)]
pub enum BackendFault {
    /// A file or directory is of no use.
    File(BackendFileFault),
    /// What the key agent says of a file.
    Told(String),
    /// The key agent cannot be asked.
    NoAgent(io::Error),
    /// Post-quantum groups are required, and no TLS 1.3 is spoken, which alone has them.
    NoPostQuantum,
    /// Nothing of what was asked for exists.
    NoHandshake(NoHandshake),
}

impl fmt::Display for BackendFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(fault) => fault.fmt(f),
            Self::Told(text) => f.write_str(text),
            Self::NoAgent(why) => write!(f, "the key agent does not answer: {why}"),
            Self::NoPostQuantum => f.write_str(
                "TLSProxyPostQuantum require (SSLProxyPostQuantum require) leaves no handshake: post-quantum groups are \
                 TLS 1.3's, and that is off here; allow TLSv1.3 and a cipher suite of it",
            ),
            Self::NoHandshake(why) => why.fmt(f),
        }
    }
}

impl Error for BackendFault {}

impl From<BackendFileFault> for BackendFault {
    fn from(fault: BackendFileFault) -> Self {
        Self::File(fault)
    }
}
