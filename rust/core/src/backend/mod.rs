//! Outgoing connections: what mod_proxy's backends are asked for, and how they are judged.

mod ending;
pub mod files;
mod identity;
mod judge;
mod machines;
mod policy;
mod sessions;

pub use ending::{Ending, counter};
pub use files::Warnings;
pub use identity::{Identities, Pair, read_pairs};
pub use judge::{Judge, Mode};
pub use machines::{Machinery, Machines};
pub use policy::{BackendPolicy, Made, Spec, algorithms, server_name, system_roots};
