// SPDX-License-Identifier: Apache-2.0
//! Resumption: tickets, the session cache, and the keys that seal both.
//!
//! rustls offers two seams, `ProducesTickets` and `StoresServerSessions`, and compares little when it resumes. So every
//! session leaves this process sealed in an session state of ours that says to whom it belongs and until when:
//!
//! * [`key_store`], [`keeper`]: keys in shared memory, which httpd's parent writes and its children read; keys rotate by
//!   themselves and are erased when old
//! * [`secret`]: the same keys on several machines, derived from one secret file
//! * [`protector`], [`session_state`]: what a sealed session looks like, and when it may be resumed
//! * [`ticketer`], [`store`]: the two seams
//! * [`connection`]: what is remembered of one connection
//!
//! 0-RTT stays off: its data can be replayed by whoever records it, and httpd's modules cannot tell.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod aead;
mod cache;
pub mod cache_workers;
mod circuit_breaker;
pub mod connection;
pub mod keeper;
mod key_ring;
pub mod secret;
mod secret_error;
pub mod session_state;
pub mod setup;
pub mod shared_key_store;
pub mod store;
pub mod ticket_protector;
pub mod ticketer;

pub use self::cache_workers::CacheWorkers;
pub use self::shared_key_store::{KEY_STORE_WORDS, SharedKeyStore};
pub use self::ticket_protector::TicketProtector;
pub use cache::{Cache, Lookup, Stored};
pub use connection::Resumption;
pub use keeper::Keeper;
pub use secret::SecretFile;
pub use secret_error::SecretError;
pub use store::SessionStore;
pub use ticketer::Ticketer;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod rustls_tests;
