// SPDX-License-Identifier: Apache-2.0
//! OCSP (RFC 6960): questions about certificates, and what to believe of the answers.
//!
//! `about` is a certificate with its issuer, `request` asks for it, `response` judges an answer (`signer` who may have
//! signed it), `staple` says which answer about a server's own certificate goes to clients. Nothing here opens a file
//! or a socket.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod about;
mod fault;
#[cfg(test)]
mod judge_tests;
mod request;
mod response;
mod signer;
mod staple;
#[cfg(test)]
pub(crate) mod tests;

pub use about::{key, responder};
pub use fault::Fault;
pub use request::{NONCE, get_path, request};
pub use response::{Answer, Rules, Status, judge};
pub use staple::{Refusal, Staple, check};

/// How far the clock of a responder may be ahead of ours, in seconds, where nothing is configured.
pub const SKEW: i64 = 300;
