// SPDX-License-Identifier: Apache-2.0
//! Outgoing connections: what mod_proxy's backends are asked for, and how they are judged.

mod ending;
mod fault;
mod files;
mod identity;
mod load;
mod machines;
mod policy;
mod refusal;
mod server_verifier;
mod sessions;
mod settings;

pub use self::server_verifier::BackendMode;
pub use ending::{Ending, counter};
pub use fault::BackendFault;
pub use files::Warnings;
pub use identity::{Identities, MachinePair, read_pairs};
pub use load::load;
pub use machines::{Machinery, Machines};
pub use policy::{BackendPolicy, Made, Target, server_name, system_roots};
pub use settings::Settings;
