//! Outgoing connections: what mod_proxy's backends are asked for, and how they are judged.

mod ending;
mod files;
mod identity;
mod judge;
mod load;
mod machines;
mod policy;
mod sessions;
mod settings;

pub use ending::{Ending, counter};
pub use files::Warnings;
pub use identity::{Identities, Pair, read_pairs};
pub use judge::Mode;
pub use load::load;
pub use machines::{Machinery, Machines};
pub use policy::{BackendPolicy, Made, server_name, system_roots};
pub use settings::Settings;
