//! Resumption: tickets, the session cache, and the keys that seal both.
//!
//! rustls offers two seams, `ProducesTickets` and `StoresServerSessions`, and compares little when it resumes. So every
//! session leaves this process sealed in an envelope of ours that says to whom it belongs and until when:
//!
//! * [`board`], [`keeper`]: keys in shared memory, which httpd's parent writes and its children read; keys rotate by
//!   themselves and are erased when old
//! * [`secret`]: the same keys on several machines, derived from one secret file
//! * [`sealer`], [`envelope`]: what a sealed session looks like, and when it may be resumed
//! * [`ticketer`], [`store`]: the two seams
//! * [`connection`]: what is remembered of one connection
//!
//! 0-RTT stays off: its data can be replayed by whoever records it, and httpd's modules cannot tell.

pub mod board;
mod breaker;
mod cache;
pub mod clock;
pub mod connection;
pub mod courier;
pub mod envelope;
pub mod keeper;
mod lane;
mod seal;
pub mod sealer;
pub mod secret;
pub mod store;
pub mod ticketer;

pub use board::{BOARD_WORDS, Board};
pub use cache::{Cache, Lookup, Stored};
pub use clock::{Clock, SystemClock};
pub use connection::Resumption;
pub use courier::Courier;
pub use keeper::Keeper;
pub use sealer::Sealer;
pub use secret::SecretFile;
pub use store::SessionStore;
pub use ticketer::Ticketer;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod seam_tests;
