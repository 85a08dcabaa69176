//! Client certificates: who is let in, and what is said of those who are not.
//!
//! rustls' own verifier hides the verified path, knows no depth and ends the handshake on every error. This one keeps
//! the path that webpki built (within webpki's budgets), words its refusals as OpenSSL does, and can let a connection
//! live whose certificate proves nothing (`optional_no_ca`, `TLSClientCertificate any`). The signature that proves
//! possession of the key is checked in every mode.

mod anchors;
mod load;
pub(crate) mod path;
pub(crate) mod reason;
mod retained;
mod revocation;
mod sections;
pub(crate) mod signature;
mod sources;
mod verdict;
mod verifier;
mod walk;
mod watch;

pub use anchors::{Anchors, Ends};
pub use load::{Reloaded, Request, load};
pub use revocation::{Depth as RevocationDepth, Revocation};
pub use sections::Sections;
pub use sources::{Problem, Sources, Weight};
pub use verdict::{Outcome, Verdict};
pub use verifier::{Mode, Spec, Verifier};
pub use watch::Watch;

#[cfg(test)]
mod scheme_tests;
#[cfg(test)]
mod tests;
