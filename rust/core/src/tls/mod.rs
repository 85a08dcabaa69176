// SPDX-License-Identifier: Apache-2.0
//! TLS itself: connections of both sides over rustls, what a policy negotiates, and what a server shows itself with.

pub mod context;
pub mod describe;
pub mod engine;
pub mod hello;
pub mod key_log;
pub mod limits;
pub mod odd_name;
pub mod policy;
pub mod reader;
pub mod resolver;
pub mod session;
pub(crate) mod settings;
pub mod signatures;
pub mod transcript;
