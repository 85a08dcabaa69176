//! Protocol logic of mod_tls: everything that reads foreign bytes, and every decision of the TLS protocol.
//!
//! httpd's side (hooks, filters, directives) is C++ and reaches this crate only through `rust/bridge`.
#![forbid(unsafe_code)]

pub mod creds;
pub mod context;
pub mod hello;
pub mod ticket;
pub mod x509;
pub mod policy;
pub mod session;
