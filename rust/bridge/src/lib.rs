//! The one `#[cxx::bridge]`: types, thin functions, `catch_unwind`; nothing else.

/// What C++ sees of the Rust side.
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    extern "Rust" {
        /// Name and version of the TLS engine, as `SSL_VERSION_LIBRARY` shows it.
        fn engine_version() -> String;
    }
}

fn engine_version() -> String {
    "rustls/0.23.46".to_owned()
}
