// SPDX-License-Identifier: Apache-2.0
//! What has to be fetched over HTTP: OCSP responses and revocation lists.
//!
//! A process of its own does it (`tls-fetch`), which has no keys, no rights and no files, and alone makes connections to
//! responders: nothing that comes from them is read by a process that would have something to lose. It is told by httpd's
//! parent what is wanted ([`wants`]), and asked by children ([`access`]). What it found lies in memory that it writes and
//! all others read ([`results`]).

pub mod access;
pub mod address;
mod channels;
mod client;
pub mod counted;
mod frames;
mod hosts;
pub mod http;
pub mod instance;
mod lookup;
mod net;
pub mod news;
mod order_line;
pub(crate) mod ordered;
pub mod parent;
mod process;
mod queue;
pub mod resolve;
mod responder;
pub mod results;
mod sandbox;
mod schedule;
mod service;
pub mod staples;
pub mod state;
mod unkept;
pub mod url;
pub mod wants;
