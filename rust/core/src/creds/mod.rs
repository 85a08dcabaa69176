// SPDX-License-Identifier: Apache-2.0
//! Certificates and private keys: from files to what signs handshakes.
//!
//! [`pem`] finds the blocks of a file and decodes them, [`key`] makes signing keys of them, [`certificate`] reads the
//! few fields that matter here, [`chain`] says what is wrong with a certificate for a virtual host, [`select`] chooses
//! the pair for a client, [`store`] loads everything a configuration names. What can go wrong is one table, [`fault`].

mod ber;
pub mod certificate;
pub mod chain;
pub mod challenge;
pub mod contents;
pub mod decrypt;
mod encryption_fault;
mod fault;
mod file_cache;
mod fitness;
mod instead;
pub mod key;
mod key_matching;
mod line;
mod loaded;
mod loader;
pub mod names;
mod no_phrase;
pub mod passphrase;
mod pbe;
pub mod pem;
mod pkcs12;
pub mod placeholder;
mod pss;
pub mod public_key;
mod request;
pub mod select;
mod severity;
mod signatures;
pub mod standing;
pub mod store;
mod terminal;
pub mod timed;
mod upwards;

pub use self::file_cache::{fault_of, read};
pub use fault::Fault;
pub use passphrase::{Answer, Dialog, Passphrases, Question, Unattended, Unchecked};
pub use request::{FileAt, LoadRequest, PairRequest};
pub use select::{CertSet, Pair, StapleSource};
pub use severity::{Problem, Severity, only_notices};
pub use signatures::{SignatureRequest, Suites12};
pub use store::{LoadReport, Store, load};

#[cfg(test)]
pub(crate) mod tests;
