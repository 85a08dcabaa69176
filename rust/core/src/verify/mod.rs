// SPDX-License-Identifier: Apache-2.0
//! Whom to believe: the certificates of clients, of backends and of who signs for a CA (RFC 5280, 6).
//!
//! rustls' own verifier hides the verified path, knows no depth and ends the handshake on every error; webpki refuses to read
//! much of what certificates of the world have. This one decides as OpenSSL does for mod_ssl, and more strictly where that
//! lets in what RFC 5280 refuses; words its refusals as OpenSSL does; and can let a connection live whose certificate
//! proves nothing (`optional_no_ca`, `TLSClientCertificate any`). The signature that proves possession of the key is
//! checked in every mode.
//!
//! `certificate` reads one certificate, `pool` holds those at hand, `paths` searches, `judging` checks what was found
//! (`checks`, `constraints`, `policies`, `revocation`), `path` makes a verdict of it, and `work` bounds all of that.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub(crate) mod advice;
mod anchors;
mod authorities;
mod certificate;
pub(crate) mod checks;
mod constraints;
pub(crate) mod edition;
mod elements;
mod expected;
pub mod fetched;
pub(crate) mod foresight;
mod judging;
pub mod kept;
pub(crate) mod keys;
mod list_fault;
mod load;
mod nesting;
pub(crate) mod path;
mod paths;
mod policies;
mod pool;
pub(crate) mod reason;
mod resources;
mod responders;
mod revocation;
mod sections;
pub(crate) mod signature;
pub(crate) mod signed;
mod sources;
mod verdict;
mod verifier;
mod walk;
mod wanted_lists;
mod watch;
pub(crate) mod work;

pub use anchors::{Anchors, Ends};
pub use authorities::{Authorities, News, WatchedAuthorities};
pub use list_fault::ListFault;
pub use load::{Reloaded, Request, load};
pub use responders::{Pending, Responders};
pub use revocation::{Depth as RevocationDepth, Revocation};
pub use sections::Sections;
pub use sources::{Listed, SourceProblem, Sources, Weight};
pub use verdict::{Outcome, Verdict};
pub(crate) use verifier::as_error as refusal;
pub use verifier::{Mode, Spec, Verifier};
pub use watch::SourcesWatch;

/// Whether these octets are a certificate that can be read.
pub(crate) fn is_certificate(der: &[u8]) -> bool {
    certificate::PathCertificate::parse(der).is_some()
}

/// Whether these octets are a revocation list that can be read.
pub(crate) fn is_list(der: &[u8]) -> bool {
    revocation::list::List::parse(der.to_vec(), String::new()).is_ok()
}

#[cfg(test)]
mod fetched_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod scheme_tests;
#[cfg(test)]
mod suite_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod work_tests;
